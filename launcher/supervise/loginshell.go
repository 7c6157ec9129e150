package supervise

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// LoginShell returns the pid of the shell that the script of this batch job was
// started from: the leader of its session. It is 0 if there is none, as where the
// shell has become the script, or where somebody works in it at a terminal.
func LoginShell() int {
	leader, err := unix.Getsid(0)
	if err != nil || leader < 2 || leader == os.Getpid() {
		return 0
	}
	if tty, err := os.Open("/dev/tty"); err == nil {
		tty.Close()
		return 0
	}
	own, err := os.Stat("/proc/self/exe")
	theirs, err2 := os.Stat(fmt.Sprintf("/proc/%d/exe", leader))
	if err != nil || err2 != nil || os.SameFile(own, theirs) { // mlxp, in the shell's place
		return 0
	}
	return leader
}

// hold stops the login shell of a job. A signal that ends the job goes to all of its
// processes, and a shell that ends by it takes the others with it at once. One that
// is stopped gets the signal when the run has ended and been recorded: from letGo, or
// from the guard if that never comes. Without a guard nothing is stopped.
func (g *Guard) hold(shell int) {
	if g == nil || shell == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell("= %d %d\n", shell, startOf(shell))
	if g.pipe != nil {
		g.held = shell
		unix.Kill(shell, unix.SIGSTOP)
	}
}

// letGo lets the login shell go on.
func (g *Guard) letGo() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held != 0 {
		unix.Kill(g.held, unix.SIGCONT)
		g.held = 0
	}
}
