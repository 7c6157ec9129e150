package supervise

import (
	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// An oomWitness tells whether the kernel has killed anything of ours for want of
// memory since it was made: by the counter of the memory cgroup that mlxp is in
// with its programs (Linux's cgroup-v2.rst, memory.events; memory.oom_control of
// version 1).
type oomWitness struct {
	group cgroup
	kills int
	known bool
}

func newWitness(group cgroup) oomWitness {
	kills, known := group.oomKills()
	return oomWitness{group, kills, known}
}

// saw tells whether there were kills since.
func (w oomWitness) saw() bool {
	if !w.known {
		return false
	}
	kills, known := w.group.oomKills()
	return known && kills > w.kills
}

// reason tells why a program was ended by sig, as far as there is evidence. Who
// sends a SIGKILL is not recorded by anybody: it is the kernel's, for want of
// memory, if we did not send it and the kernel has counted one.
func (a *attempt) reason(end ending, sig unix.Signal) logdir.Reason {
	switch {
	case sig == unix.SIGXCPU: // RLIMIT_CPU is over, getrlimit(2)
		return logdir.TimeLimit
	case sig == unix.SIGKILL && !end.killed && a.witness.saw():
		return logdir.OutOfMem
	case end.why != "":
		return end.why
	case end.warned:
		return logdir.TimeLimit
	}
	return logdir.BySignal
}
