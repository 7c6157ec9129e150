package supervise

import "golang.org/x/sys/unix"

// catchers are none: macOS does not tell who catches a signal.
func (g *group) catchers(unix.Signal) []int { return nil }

// catches knows of none.
func catches(int, unix.Signal) bool { return false }

// isStopped tells whether a process, whose stop was reported, is still stopped.
func isStopped(pid int) bool {
	const stopped = 4 // SSTOP of sys/proc.h
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	return err != nil || info.Proc.P_stat == stopped
}
