package supervise

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A terminal is the one that mlxp was started on, if it was, for as long as one run
// uses it.
//
// The program reads from it directly. It has a process group of its own, so that it
// can be signalled with all its children, and a terminal serves one foreground
// group. That is at first the one of mlxp, as the shell made it: so Ctrl-C reaches
// mlxp and whatever else stands in the pipeline, and mlxp passes it on. Only when
// the program touches the terminal, which stops a background group with SIGTTIN or
// SIGTTOU, is it made the foreground group, and continued: it notices nothing. From
// then on Ctrl-C and Ctrl-Z go to it directly, as they would without mlxp.
type terminal struct {
	fd       int          // -1: there is none
	controls bool         // it is our session's: it has foreground groups
	found    unix.Termios // its modes before the program

	mu      sync.Mutex
	screens []*screen // in front of it
	handed  bool      // the program has the foreground
	resume  bool      // it had it when all was stopped
	changed bool      // the program has changed the modes through a screen
	typing  *typing   // nil: nothing is passed on to a screen

	look *time.Ticker // while the program has the foreground: look for a new size
}

// glance is how often a new size is looked for, while nobody tells us.
const glance = 250 * time.Millisecond

// openTerminal finds the terminal that the program of streams can reach: that of
// our session, be its input from elsewhere, or one that only its output goes to.
func openTerminal(opts Options) *terminal {
	t := &terminal{fd: -1, look: time.NewTicker(glance)}
	t.look.Stop()
	if opts.Stdin == nil {
		return t // one of several programs: it has no terminal
	}
	if fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err == nil {
		t.fd, t.controls = fd, true
	} else {
		for _, f := range []*os.File{opts.Stdin, opts.Stdout, opts.Stderr} {
			if f != nil && isTerminal(f) {
				t.fd, _ = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
				break
			}
		}
	}
	if t.fd < 0 {
		return t
	}
	modes, err := unix.IoctlGetTermios(t.fd, getModes)
	if err != nil {
		t.close()
		return t
	}
	t.found = *modes
	return t
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func (t *terminal) close() {
	t.look.Stop()
	if t.fd >= 0 {
		unix.Close(t.fd)
		t.fd = -1
	}
}

// follow gives the terminal the modes that the program has given to a screen.
func (t *terminal) follow(s *screen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.followLocked(s)
}

func (t *terminal) followLocked(s *screen) {
	now, err := s.currentModes()
	if err != nil || t.fd < 0 || *now == s.modes || !t.inFront() {
		return // what is not followed now is when we are continued in the foreground
	}
	modes, err := unix.IoctlGetTermios(t.fd, getModes)
	if err != nil {
		return
	}
	changeModes(modes, &s.modes, now)
	s.modes = *now
	t.changed = true
	t.set(modes)
	switch {
	case s.keys && takesKeys(now):
		t.startTyping(s)
	case s.keys:
		t.stopTyping()
	}
}

// stopped is called when the program was stopped by sig.
func (t *terminal) stopped(g *group, sig unix.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.controls:
		return // stopped from outside, and continued from there
	case sig == unix.SIGTSTP && t.handed:
		t.leave()
		unix.Kill(0, unix.SIGTSTP) // Ctrl-Z is for all of the job; we catch it too, stop, and come back by continued
	case sig != unix.SIGTTIN && sig != unix.SIGTTOU:
		return // stopped from outside, or by us, who got Ctrl-Z
	case t.inFront():
		t.stopTyping()
		t.hand(g)
		g.signal(unix.SIGCONT)
	default: // a job in the background wants the terminal: it has to wait for fg
		if !Suspend(0, sig) {
			g.signal(unix.SIGHUP) // nobody is there to bring it to the foreground
		}
		t.enter(g)
		g.signal(unix.SIGCONT)
	}
}

// continued is called when all was stopped and goes on.
func (t *terminal) continued(g *group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(g)
}

// leave leaves the terminal to the shell, as it was found, before a stop.
func (t *terminal) leave() {
	t.resume, t.handed = t.handed, false
	t.look.Stop()
	t.give(unix.Getpgrp())
	t.set(&t.found)
}

// enter takes up the terminal again after a stop, if we are in the foreground.
func (t *terminal) enter(g *group) {
	if !t.controls || t.foreground() != unix.Getpgrp() {
		return
	}
	if t.resume {
		t.resume = false
		t.hand(g)
	}
	for _, s := range t.screens {
		t.followLocked(s)
	}
}

// takeBack makes mlxp's group the foreground group again and the terminal what it
// was, when the program has ended.
func (t *terminal) takeBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return
	}
	t.stopTyping()
	had := t.handed
	if had {
		t.give(unix.Getpgrp())
		t.handed = false
	}
	if had || t.changed && t.inFront() {
		t.set(&t.found)
	}
	if had {
		// What stands in the pipeline with us, and wanted the terminal meanwhile.
		unix.Kill(0, unix.SIGCONT)
	}
}

// interactive tells whether the program deals with single keys, so that Ctrl-C does
// not ask it to end.
func (t *terminal) interactive() bool {
	if t.fd < 0 {
		return false
	}
	modes, err := unix.IoctlGetTermios(t.fd, getModes)
	return err == nil && takesKeys(modes) && !takesKeys(&t.found)
}

func (t *terminal) hand(g *group) {
	t.handed = true
	t.look.Reset(glance)
	t.give(g.pgid)
}

// resize gives the screens the size of the terminal, and tells whether they had
// another one.
func (t *terminal) resize() bool {
	changed := false
	for _, s := range t.screens {
		changed = s.resize() || changed
	}
	return changed
}

// inFront tells whether the terminal is ours to change: mlxp's group is in the
// foreground, or the program, to which it was handed.
func (t *terminal) inFront() bool {
	return !t.controls || t.handed || t.foreground() == unix.Getpgrp()
}

func (t *terminal) foreground() int {
	pgrp, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return pgrp
}

// give makes pgrp the foreground group.
func (t *terminal) give(pgrp int) {
	unstopped(func() { unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, pgrp) })
}

// set sets the terminal's modes.
func (t *terminal) set(modes *unix.Termios) {
	unstopped(func() { _ = unix.IoctlSetTermios(t.fd, setModes, modes) })
}
