package supervise

import "golang.org/x/sys/unix"

// signalCatchers does nothing: macOS does not tell who catches a signal, and
// SIGUSR1 and SIGUSR2 kill a process that has not heard of them.
func (g *group) signalCatchers(unix.Signal) {}

// catches knows of none.
func catches(int, unix.Signal) bool { return false }
