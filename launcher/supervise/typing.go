package supervise

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Typing passes on to a screen what is typed on the terminal. Most programs read keys
// from stdin or /dev/tty, which are the real terminal; but less, more and "vim -" read
// them from the terminal that stderr is, and that one is a screen. They say so by
// setting it to take single keys.
type typing struct {
	stop   *os.File // closed: stop
	before int      // the group in the foreground, which it has to be again
	handed bool     // that was the program's
}

// startTyping takes the foreground, from the program if it was handed to it, and
// passes keys on to s. If the program reads from the real terminal after all it is
// stopped for it, and gets the terminal as ever.
func (t *terminal) startTyping(s *screen) {
	if t.typing != nil || !t.controls {
		return
	}
	stopped, stop, err := os.Pipe()
	if err != nil {
		return
	}
	t.typing = &typing{stop, t.foreground(), t.handed}
	t.handed = false
	if t.typing.before != unix.Getpgrp() {
		t.give(unix.Getpgrp())
	}
	go t.pass(t.typing, stopped, t.fd, s)
}

// stopTyping stops passing keys on and gives the foreground back.
func (t *terminal) stopTyping() {
	if t.typing == nil {
		return
	}
	t.typing.stop.Close()
	if t.typing.before != unix.Getpgrp() && t.foreground() == unix.Getpgrp() {
		t.give(t.typing.before)
		t.handed = t.typing.handed
	}
	t.typing = nil
}

// pass passes keys from the terminal fd on to s until self is stopped.
func (t *terminal) pass(self *typing, stopped *os.File, fd int, s *screen) {
	defer stopped.Close()
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stopped.Fd()), Events: unix.POLLIN}}
	keys := make([]byte, 1024)
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		t.mu.Lock()
		if t.typing != self {
			t.mu.Unlock()
			return
		}
		n, err := unix.Read(fd, keys) // does not wait: the terminal is open with O_NONBLOCK
		t.mu.Unlock()
		if n > 0 {
			_, err = s.master.Write(keys[:n])
		}
		again := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
		if err != nil && !again || n == 0 && err == nil {
			return
		}
	}
}
