package supervise

import "golang.org/x/sys/unix"

// catchers are none: macOS does not tell who catches a signal.
func (g *group) catchers(unix.Signal) []int { return nil }

// catches knows of none.
func catches(int, unix.Signal) bool { return false }
