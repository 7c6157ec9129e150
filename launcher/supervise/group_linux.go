package supervise

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// catchers are those processes of the group that catch sig.
func (g *group) catchers(sig unix.Signal) (pids []int) {
	for _, pid := range processes() {
		if pgid, err := unix.Getpgid(pid); err == nil && pgid == g.pgid && catches(pid, sig) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// catches reads the mask of caught signals, SigCgt of proc(5).
func catches(pid int, sig unix.Signal) bool {
	bits, err := strconv.ParseUint(statusOf(pid, "SigCgt"), 16, 64)
	return err == nil && bits&(1<<(uint(sig)-1)) != 0
}

// isStopped tells whether a process, whose stop was reported, is still stopped.
func isStopped(pid int) bool {
	state := statusOf(pid, "State")
	return state == "" || !strings.Contains("RSD", state[:1])
}

// statusOf returns a field of /proc/PID/status, "" if it is not there.
func statusOf(pid int, field string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), "\n"+field+":\t")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}
