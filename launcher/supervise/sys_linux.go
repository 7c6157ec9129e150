package supervise

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests of ioctl(2) for the modes of a terminal.
const (
	getModes = unix.TCGETS
	setModes = unix.TCSETS
)

// sysProcAttr puts the program into a process group of its own, or into a session,
// and has the kernel kill it when its supervisor dies.
func sysProcAttr(session bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: !session, Setsid: session, Pdeathsig: syscall.SIGKILL}
}

// maxrssBytes converts ru_maxrss, which Linux counts in KiB.
func maxrssBytes(n int64) int64 { return n << 10 }

// growPipe lets the program write a MiB ahead of us, if the system allows it.
func growPipe(f *os.File) {
	unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, 1<<20)
}
