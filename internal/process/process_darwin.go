package process

import (
	"golang.org/x/sys/unix"
)

// StartOf returns when a process started, as [Process] has it. The error is
// [ErrZombie] if it has ended.
func StartOf(pid int) (uint64, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return 0, err
	}
	const zombie = 5 // SZOMB of <sys/proc.h>
	if info.Proc.P_stat == zombie {
		return 0, ErrZombie
	}
	start := info.Proc.P_starttime
	return uint64(start.Sec)*1e6 + uint64(start.Usec), nil
}

func bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}

func pidNS() uint64 { return 0 }
