package supervise

import (
	"os"
	"syscall"
)

// descendants finds none: macOS shows no environment of others.
func descendants(remains) []int { return nil }

// hasMembers takes the word of kill(2) that a group has members.
func hasMembers(int) bool { return true }

// guardAttr detaches a guard from the terminal and from signals to our group.
func guardAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// ownFile is the file of this program.
func ownFile() (string, error) { return os.Executable() }
