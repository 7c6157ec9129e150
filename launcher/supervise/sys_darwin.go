package supervise

import (
	"os"
	"syscall"
)

// sysProcAttr puts the program into a process group of its own. macOS has no
// parent-death signal.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// maxrssBytes converts ru_maxrss, which macOS counts in bytes.
func maxrssBytes(n int64) int64 { return n }

// growPipe does nothing: macOS sizes pipes by itself.
func growPipe(*os.File) {}
