package supervise

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/process"
)

// descendants returns the processes whose environment says that they belong to
// the run of r. They have all been born after its program, and pids are given in ascending order until they wrap around. So after
// a short run on a quiet machine no other process has to be looked at, where
// going through /proc would cost a millisecond and more.
func descendants(r remains) []int {
	variable := append([]byte{0}, runDirVariable+"="+r.dir+"\x00"...)
	since := r.pgid
	var found []int
	look := func(pid int) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(append([]byte{0}, text...), variable) && jobOf(strings.Split(string(text), "\x00")) == r.job && !ended(pid) {
			found = append(found, pid)
		}
	}
	const few = 16
	if last := lastPid(); last >= since && last-since <= few {
		for pid := since + 1; pid <= last; pid++ {
			if isProcess(pid) {
				look(pid)
			}
		}
		return found
	}
	self := os.Getpid()
	for _, pid := range processes() {
		if pid != self {
			look(pid)
		}
	}
	return found
}

// processes lists the processes that can be seen.
func processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// hasMembers tells whether a process group has any process that goes on. A signal
// finds those, too, that have ended and nobody has waited for: in a container the
// process that should may not do it.
func hasMembers(pgid int) bool {
	for _, pid := range processes() {
		if group, err := unix.Getpgid(pid); err == nil && group == pgid && !ended(pid) {
			return true
		}
	}
	return false
}

// lastPid returns the pid that was given last (proc(5), loadavg), 0 if that is
// not known.
func lastPid() int {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	last, _ := strconv.Atoi(fields[len(fields)-1])
	return last
}

// isProcess tells whether a number is a process's and not a thread's: threads
// have numbers of the same kind, and their environment can be read, too.
func isProcess(id int) bool { return statusOf(id, "Tgid") == strconv.Itoa(id) }

// ended tells whether a process has ended, be it that nobody has asked for its
// status.
func ended(pid int) bool {
	_, err := process.StartOf(pid)
	return err != nil
}

// guardAttr detaches a guard from the terminal and from signals to our group.
func guardAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// ownFile is the file of this program, also when it was replaced meanwhile.
func ownFile() (string, error) { return "/proc/self/exe", nil }
