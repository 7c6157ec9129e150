package fakesched

import (
	"slices"

	"golang.org/x/sys/unix"
)

// A proc is a line of the table of processes.
type proc struct{ pid, parent, session int }

// signalTree sends a signal to a process, all below it, and all of its session:
// what schedulers do that follow parents or control groups. A program in a
// process group of its own is reached too.
func signalTree(root int, sig unix.Signal) {
	in := map[int]bool{root: true}
	table := processes()
	for grew := true; grew; {
		grew = false
		for _, p := range table {
			if !in[p.pid] && (in[p.parent] || p.session == root) {
				in[p.pid], grew = true, true
			}
		}
	}
	for pid := range in {
		_ = unix.Kill(pid, sig)
	}
}

// killSessions ends what processes that are gone left in their sessions.
func killSessions(ids []int) {
	if len(ids) == 0 {
		return
	}
	for _, p := range processes() {
		if slices.Contains(ids, p.session) && !slices.Contains(ids, p.pid) {
			_ = unix.Kill(p.pid, unix.SIGKILL)
		}
	}
}
