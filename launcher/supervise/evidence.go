package supervise

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// An oomWitness tells whether the kernel has killed anything of ours for want of
// memory. Its evidence is the counter of the memory cgroup that mlxp is in with
// its programs (Linux's cgroup-v2.rst, memory.events; memory.oom_control of
// version 1), which counts kills in the cgroups below as well.
type oomWitness struct {
	file  string // holds the counter; empty: there is none
	kills int    // when the program started
}

// newWitness reads the counter. root is "/", but in tests.
func newWitness(root string) oomWitness {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return oomWitness{}
	}
	for line := range strings.Lines(string(text)) {
		// hierarchy-ID:controllers:path, cgroups(7); version 2 has ID 0 and no
		// controllers.
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		file := ""
		switch {
		case fields[0] == "0" && fields[1] == "":
			file = filepath.Join(root, "sys/fs/cgroup", fields[2], "memory.events")
		case strings.Contains(","+fields[1]+",", ",memory,"):
			file = filepath.Join(root, "sys/fs/cgroup/memory", fields[2], "memory.oom_control")
		default:
			continue
		}
		if kills, ok := oomKills(file); ok {
			return oomWitness{file, kills}
		}
	}
	return oomWitness{}
}

// saw tells whether there were kills since the program started.
func (w oomWitness) saw() bool {
	if w.file == "" {
		return false
	}
	kills, ok := oomKills(w.file)
	return ok && kills > w.kills
}

// oomKills reads the counter oom_kill.
func oomKills(file string) (int, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" {
			n, err := strconv.Atoi(value)
			return n, err == nil
		}
	}
	return 0, false
}

// reason tells why a program was ended by sig, as far as there is evidence. Who
// sends a SIGKILL is not recorded by anybody: it is the kernel's, for want of
// memory, if we did not send it and the kernel has counted one.
func (a *attempt) reason(sig unix.Signal, asked bool) logdir.Reason {
	switch {
	case sig == unix.SIGXCPU: // RLIMIT_CPU is over, getrlimit(2)
		return logdir.TimeLimit
	case sig == unix.SIGKILL && !asked && a.witness.saw():
		return logdir.OutOfMem
	}
	return logdir.BySignal
}
