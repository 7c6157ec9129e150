package supervise

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests of ioctl(2) for the modes of a terminal.
const (
	getModes = unix.TIOCGETA
	setModes = unix.TIOCSETA
)

// sysProcAttr puts the program into a process group of its own, or into a session.
// macOS has no parent-death signal.
func sysProcAttr(session bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: !session, Setsid: session}
}

// maxrssBytes converts ru_maxrss, which macOS counts in bytes.
func maxrssBytes(n int64) int64 { return n }

// growPipe does nothing: macOS sizes pipes by itself.
func growPipe(*os.File) {}
