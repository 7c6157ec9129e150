package supervise

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// GuardWord as the only word of mlxp's makes it a guard: see [Guard].
const GuardWord = "__guard"

// A Guard ends what belongs to the runs of this process if the process is killed
// with SIGKILL. It is a process of its own, mlxp again, that reads a pipe which
// only this one writes to: when the pipe is at its end, the writer is gone. The
// parent-death signal alone would reach nothing but the programs themselves.
//
// One guard serves all runs of a process, and is started for the first of them
// that lasts: runs shorter than 50 ms cost nothing, and until then a SIGKILL leaves
// what is not the program itself. Without a guard, because it
// was killed or could not be started, runs go on as they are. The zero value is
// ready, and a nil Guard does nothing.
type Guard struct {
	mu      sync.Mutex
	pipe    *os.File // nil: it does not run
	started bool
	held    int // the pid of a login shell; 0: none
}

// watch has the guard look after r. If there is none yet, it is started if start
// is set.
func (g *Guard) watch(r remains, start bool) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.started && start {
		g.started = true
		g.pipe = startGuard()
	}
	g.tell("+ %d %d %q %q\n", r.pgid, r.start, r.job, r.dir)
}

// release tells the guard that r has ended and nothing is left of it.
func (g *Guard) release(r remains) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell("- %d\n", r.pgid)
}

func (g *Guard) tell(format string, args ...any) {
	if g.pipe == nil {
		return
	}
	if _, err := fmt.Fprintf(g.pipe, format, args...); err != nil { // somebody killed it
		g.pipe.Close()
		g.pipe = nil
	}
}

// startGuard starts a guard and returns the pipe to it, nil if that fails. It is
// given nothing of ours: a guard must not keep the user's pipes and terminal
// open, nor carry the variables of a run that mlxp is part of itself.
func startGuard() *os.File {
	path, err := ownFile()
	if err != nil {
		return nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer r.Close()
	p, err := os.StartProcess(path, []string{"mlxp", GuardWord}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{r, null, null}, Sys: guardAttr(),
	})
	if err != nil {
		w.Close()
		return nil
	}
	go func() { _, _ = p.Wait() }() // if it is killed
	return w
}

// RunGuard makes this process a guard, with the pipe as stdin.
func RunGuard() {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	guard(os.Stdin)
}

// guard reads the pipe until the other end is closed, and then ends what is left
// of the runs that it was told of.
func guard(in io.Reader) {
	watched := map[int]remains{}
	var held remains // of which nothing but the login shell counts
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that is cut off counts for nothing
		}
		var sign string
		var r remains
		n, _ := fmt.Sscanf(line, "%s %d %d %q %q\n", &sign, &r.pgid, &r.start, &r.job, &r.dir)
		if sign == "=" && n == 3 {
			held = r
			continue
		}
		if n < 2 || r.pgid < 2 {
			continue
		}
		delete(watched, r.pgid)
		if sign == "+" && n == 5 {
			watched[r.pgid] = r
		}
	}
	var wait sync.WaitGroup
	for _, r := range watched {
		wait.Go(r.end)
	}
	wait.Wait()
	if held.pgid > 1 && !held.reused() {
		unix.Kill(held.pgid, unix.SIGCONT)
	}
}
