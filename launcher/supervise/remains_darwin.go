package supervise

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// descendants finds none: macOS shows no environment of others.
func descendants(string, int) []int { return nil }

// hasMembers takes the word of kill(2) that a group has members.
func hasMembers(int) bool { return true }

// startOf returns when a process started, in microseconds since 1970; 0 if there
// is none.
func startOf(pid int) uint64 {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(info.Proc.P_pid) != pid {
		return 0
	}
	return uint64(info.Proc.P_starttime.Sec)*1e6 + uint64(info.Proc.P_starttime.Usec)
}

// guardAttr detaches a guard from the terminal and from signals to our group.
func guardAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// ownFile is the file of this program.
func ownFile() (string, error) { return os.Executable() }
