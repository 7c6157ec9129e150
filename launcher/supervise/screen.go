package supervise

import (
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A screen is a terminal that mlxp makes for one of the program's output streams
// and puts in front of the real one, where its output is shown.
//
// The real terminal does all of a terminal's work: it turns "\n" into "\r\n", echoes
// what is typed and edits lines. So the screen passes output on as it was written
// (no OPOST), and is in the mode that was made for such pairs (EXTPROC, termios(4)
// of BSD): whatever modes the program sets on it, we are told and give them to the
// real one (TIOCPKT_IOCTL, pty(4) of BSD, tty_ioctl(4)).
type screen struct {
	shown   *os.File     // the real one
	master  *os.File     // our end
	modes   unix.Termios // as the real terminal last followed them
	keys    bool         // programs may read keys from it: it is stderr's
	foreign bool         // the real one is another than that of our session, and left alone
}

// openScreen makes a screen in front of the terminal shown, of the same size and modes.
// It also returns the program's end.
func openScreen(shown *os.File) (s *screen, theirs *os.File, err error) {
	modes, err := unix.IoctlGetTermios(int(shown.Fd()), getModes)
	if err != nil {
		return nil, nil, err
	}
	s = &screen{shown: shown, modes: *modes}
	if s.master, theirs, err = pty.Open(); err != nil {
		return nil, nil, err
	}
	s.modes.Oflag &^= unix.OPOST
	s.modes.Lflag |= unix.EXTPROC
	err = unix.IoctlSetTermios(int(theirs.Fd()), setModes, &s.modes)
	if err == nil {
		control(s.master, func(fd int) { err = unix.IoctlSetPointerInt(fd, unix.TIOCPKT, 1) })
	}
	if err != nil {
		s.master.Close()
		theirs.Close()
		return nil, nil, err
	}
	s.resize()
	return s, theirs, nil
}

// read reads what the program has written. It calls follow when the program has changed
// modes, and before it returns what may have been written after that.
func (s *screen) read(buffer []byte, follow func()) ([]byte, error) {
	for {
		n, err := s.master.Read(buffer)
		if n > 0 {
			follow()
		}
		// Each packet says in its first byte what it is.
		if n > 1 && buffer[0] == unix.TIOCPKT_DATA || err != nil {
			return buffer[min(1, n):n], err
		}
	}
}

// currentModes are those that the program has set last.
func (s *screen) currentModes() (modes *unix.Termios, err error) {
	err = os.ErrClosed
	control(s.master, func(fd int) { modes, err = unix.IoctlGetTermios(fd, getModes) })
	return modes, err
}

// resize gives the screen the size of the real terminal, and tells whether it had
// another one.
func (s *screen) resize() bool {
	size, err := unix.IoctlGetWinsize(int(s.shown.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return false
	}
	changed := false
	control(s.master, func(fd int) {
		if now, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err != nil || *now != *size {
			changed = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) == nil
		}
	})
	return changed
}

// control calls do with the descriptor of f, unless it is closed. [os.File.Fd] would make f blocking, so
// that closing it could not end a read.
func control(f *os.File, do func(fd int)) {
	if conn, err := f.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { do(int(fd)) })
	}
}
