package supervise

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// Suspend stops the process pid, which is this one, or its group if pid is 0, with
// sig until a shell continues it. It returns false if that cannot be: the kernel does
// not stop by these signals what nobody could continue, such as the first process of
// a container.
func Suspend(pid int, sig unix.Signal) bool {
	const soon = 50 * time.Millisecond // the stop takes effect, and its end is told
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	stopped := false
	withDefault(sig, func() {
		unix.Kill(pid, sig)
		select {
		case <-continued:
			stopped = true
		case <-time.After(soon):
		}
	})
	return stopped
}
