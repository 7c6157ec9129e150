package supervise

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A terminal is the terminal that the program reads from, if it does.
//
// The program has a process group of its own, so that it can be signalled with
// all its children. A terminal serves one foreground group, which is at first
// the one of mlxp, as the shell made it: so Ctrl-C reaches mlxp and whatever
// else stands in the pipeline, and mlxp passes it on. Only when the program
// touches the terminal, which stops a background group with SIGTTIN or SIGTTOU,
// is it made the foreground group, and continued: it notices nothing. From then
// on Ctrl-C and Ctrl-Z go to it directly, as they would without mlxp.
type terminal struct {
	file   *os.File // nil: there is none
	state  *term.State
	handed bool // the program's group is or was in the foreground
}

// openTerminal returns the terminal that stdin is.
func openTerminal(stdin *os.File) *terminal {
	t := new(terminal)
	if stdin == nil || !term.IsTerminal(int(stdin.Fd())) {
		return t
	}
	t.file = stdin
	t.state, _ = term.GetState(int(stdin.Fd()))
	return t
}

// stopped is called when the program was stopped by sig.
func (t *terminal) stopped(g *group, sig unix.Signal) {
	if t.file == nil || sig == unix.SIGSTOP || sig == unix.SIGTSTP && !t.handed {
		return // stopped from outside and continued from there, or by us, who got Ctrl-Z
	}
	if sig != unix.SIGTSTP && t.foreground() == unix.Getpgrp() {
		t.hand(g)
		g.signal(unix.SIGCONT)
		return
	}
	// Ctrl-Z, or a job in the background that wants the terminal: stop as a
	// whole, until the shell continues us.
	t.give(unix.Getpgrp())
	unix.Kill(unix.Getpid(), unix.SIGSTOP)
	if t.handed && t.foreground() == unix.Getpgrp() {
		t.hand(g)
	}
	g.signal(unix.SIGCONT)
}

// takeBack makes mlxp's group the foreground group again and the terminal what
// it was, after a program that had it.
func (t *terminal) takeBack() {
	if !t.handed {
		return
	}
	t.give(unix.Getpgrp())
	if t.state != nil {
		term.Restore(int(t.file.Fd()), t.state)
	}
}

func (t *terminal) hand(g *group) {
	t.handed = true
	t.give(g.pgid)
}

func (t *terminal) foreground() int {
	pgrp, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return pgrp
}

// give makes pgrp the foreground group. Asked from the background, the kernel
// would stop us with SIGTTOU; one run alone uses a terminal, so no program
// starts meanwhile that could inherit this.
func (t *terminal) give(pgrp int) {
	signal.Ignore(unix.SIGTTOU)
	defer signal.Reset(unix.SIGTTOU)
	unix.IoctlSetPointerInt(int(t.file.Fd()), unix.TIOCSPGRP, pgrp)
}
