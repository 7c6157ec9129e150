package supervise

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

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
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(text, []byte("\nSigCgt:\t"))
	mask, _, _ := bytes.Cut(rest, []byte("\n"))
	bits, err := strconv.ParseUint(string(mask), 16, 64)
	return err == nil && bits&(1<<(uint(sig)-1)) != 0
}

// isStopped tells whether a process, whose stop was reported, is still stopped.
func isStopped(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true
	}
	_, state, _ := bytes.Cut(text, []byte("\nState:\t"))
	return !bytes.HasPrefix(state, []byte("R")) && !bytes.HasPrefix(state, []byte("S")) && !bytes.HasPrefix(state, []byte("D"))
}
