package supervise

import (
	"os"
	"slices"
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
	changed bool      // the program has changed the modes through a screen
	typing  *typing   // nil: nothing is passed on to a screen

	told   bool        // we were told to stop
	left   bool        // it is the shell's, until a SIGCONT
	resume *resumption // nil: there is nothing to come back to

	look *time.Ticker // while the program has the foreground: look for a new size
}

// A resumption is what a program comes back to that was stopped in the foreground.
type resumption struct {
	modes  unix.Termios
	handed bool // it had the foreground
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

// add puts a screen in front of the terminal.
func (t *terminal) add(s *screen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := unix.IoctlGetInt(int(s.shown.Fd()), unix.TIOCGPGRP)
	s.foreign = t.controls && err != nil
	t.screens = append(t.screens, s)
}

// follow gives the terminal the modes that the program has given to the screens.
func (t *terminal) follow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 || t.left || !t.inFront() {
		return // until we are in the foreground
	}
	for _, s := range t.screens {
		t.followOne(s)
	}
}

func (t *terminal) followOne(s *screen) {
	now, err := s.currentModes()
	if err != nil || *now == s.modes || s.foreign {
		return
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

// stopped is called when the program was stopped by sig. It tells whether that is how
// it stays: else it goes on already.
func (t *terminal) stopped(g *group, sig unix.Signal) bool {
	t.settle()
	switch {
	case !t.controls: // stopped from outside, and continued from there
	case t.stopping():
		t.leave()
	case sig == unix.SIGTSTP, sig == unix.SIGSTOP && t.hasForeground():
		if t.leave() {
			unix.Kill(0, unix.SIGTSTP) // the program alone has got Ctrl-Z, which is for all of the job
		}
	case sig == unix.SIGSTOP && !stopsItself(g.pgid): // from outside
	case t.handOver(g):
		g.signal(unix.SIGCONT)
		return false
	default: // a job in the background wants the terminal: it has to wait for fg
		t.leave()
		if !Suspend(0, unix.SIGTTIN) {
			g.signal(unix.SIGHUP) // nobody is there to bring it to the foreground
		}
		t.enter(g)
		g.signal(unix.SIGCONT)
		return false
	}
	return true
}

// settle waits until what a stopped program has written is being shown: the question
// that it was about to wait for an answer to, say.
func (t *terminal) settle() {
	for start := time.Now(); time.Since(start) < answer; time.Sleep(5 * time.Millisecond) {
		t.mu.Lock()
		more := slices.ContainsFunc(t.screens, func(s *screen) bool { return readable(s.master) })
		t.mu.Unlock()
		if !more {
			return
		}
	}
}

// stop is called when we were told to stop, as the program is then.
func (t *terminal) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = true
}

func (t *terminal) stopping() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.told
}

// hasForeground tells whether the program has the foreground.
func (t *terminal) hasForeground() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handed
}

// handOver makes the program's group the foreground group, if we are there.
func (t *terminal) handOver(g *group) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.inFront() {
		return false
	}
	t.stopTyping()
	t.hand(g)
	return true
}

// leave leaves the terminal to the shell, as it was found, before a stop. It tells
// whether the program had the foreground.
func (t *terminal) leave() (had bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		return false
	}
	t.left, t.resume = true, nil
	if !t.inFront() {
		return false
	}
	t.stopTyping()
	had = t.handed
	if modes, err := unix.IoctlGetTermios(t.fd, getModes); err == nil {
		t.resume = &resumption{*modes, had}
		t.set(&t.found)
	}
	if had {
		t.give(unix.Getpgrp())
		t.handed = false
		t.look.Stop()
	}
	return had
}

// enter takes the terminal up again after a stop, if we are in the foreground.
func (t *terminal) enter(g *group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told, t.left = false, false
	if !t.controls || t.foreground() != unix.Getpgrp() {
		return
	}
	if r := t.resume; r != nil {
		t.resume = nil
		t.set(&r.modes)
		if r.handed {
			t.hand(g)
		}
	}
	for _, s := range t.screens {
		t.followOne(s)
		if s.keys && takesKeys(&s.modes) {
			t.startTyping(s)
		}
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
	t.mu.Lock()
	defer t.mu.Unlock()
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
