package logdir

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncAll makes everything written to root's file system durable.
func syncAll(root string) error {
	dir, err := os.Open(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(dir.Fd())))
}
