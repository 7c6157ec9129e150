package supervise

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// Suspend stops the process pid, which is this one, or its group if pid is 0, with
// sig until a shell continues it, after a moment in which what has been read of the
// programs' output is shown. It returns false if that cannot be: the kernel does
// not stop by these signals what nobody could continue, such as the first process of
// a container.
func Suspend(pid int, sig unix.Signal) bool {
	time.Sleep(20 * time.Millisecond)
	const soon = 50 * time.Millisecond // the stop takes effect, and its end is told
	patience := 2                      // if we were stopped, the first wait may be over before we can be told that we go on
	if continuable() {
		patience = 200 // the kernel will come to it, however busy the machine is
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	stopped := false
	withDefault(sig, func() {
		unix.Kill(pid, sig)
		for range patience {
			select {
			case <-continued:
				stopped = true
				return
			case <-time.After(soon):
			}
		}
	})
	return stopped
}

// continuable tells whether our parent is a shell that could continue us: one that
// has made us a process group of our own. If it is not, nobody knows.
func continuable() bool {
	parent := unix.Getppid()
	own, _ := unix.Getsid(0)
	session, err := unix.Getsid(parent)
	if err != nil || session != own {
		return false
	}
	group, err := unix.Getpgid(parent)
	return err == nil && group != unix.Getpgrp()
}
