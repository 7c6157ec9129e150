package supervise

import (
	"os/signal"

	"golang.org/x/sys/unix"
)

// unstopped does what the kernel would stop us for with SIGTTOU, asked from the
// background.
func unstopped(do func()) {
	signal.Ignore(unix.SIGTTOU)
	defer signal.Reset(unix.SIGTTOU)
	do()
}

// withDefault does nothing more: macOS has no system call for it that Go could make.
func withDefault(_ unix.Signal, do func()) { do() }
