package supervise

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// A group is the program's process group.
type group struct {
	pgid int
	pids chan waited
}

// startGroup starts a program as start does, which returns its pid, and reports
// each of its stops and its end on pids. The thread that forks a program has to
// last as long as the program: the kernel kills it when that thread ends, not
// when the process does (prctl(2), PR_SET_PDEATHSIG). So the thread that starts
// it is the one that waits for it.
func startGroup(start func() (int, error)) (*group, error) {
	g := &group{pids: make(chan waited, 1)}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var err error
		g.pgid, err = start()
		started <- err
		if err == nil {
			g.watch()
		}
	}()
	return g, <-started
}

// waited is what wait4(2) said of the program.
type waited struct {
	status unix.WaitStatus
	usage  unix.Rusage
}

// watch reports each stop of the program and its end.
func (g *group) watch() {
	for {
		var w waited
		_, err := unix.Wait4(g.pgid, &w.status, unix.WUNTRACED, &w.usage)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		g.pids <- w
		if err != nil || w.status.Exited() || w.status.Signaled() {
			return
		}
	}
}

// signal sends sig to all processes of the group.
func (g *group) signal(sig unix.Signal) { unix.Kill(-g.pgid, sig) }

// stopsItself tells whether a program that was stopped with SIGSTOP has most likely done
// it itself, because it was not in the foreground, as top does.
func stopsItself(pid int) bool {
	return catches(pid, unix.SIGTTIN) || catches(pid, unix.SIGTTOU)
}

// signalCatchers sends sig to those processes of the group that catch it, and tells
// whether there are any: SIGUSR1 and SIGUSR2 kill a process that has not heard of
// them.
func (g *group) signalCatchers(sig unix.Signal) bool {
	pids := g.catchers(sig)
	for _, pid := range pids {
		unix.Kill(pid, sig)
	}
	return len(pids) > 0
}
