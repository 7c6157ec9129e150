package supervise

import (
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// basicResources are those that cost nothing to know. The processors are those
// that the program's affinity allows.
func basicResources() *logdir.Resources {
	return &logdir.Resources{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
}

// describeResources adds those that have to be asked for.
func describeResources() *logdir.Resources {
	r := basicResources()
	r.CPU, r.Memory = cpuModel(), memoryBytes()
	return limited(r, currentCgroup("/"))
}

// limited lowers what the host has to what the control groups allow.
func limited(r *logdir.Resources, group cgroup) *logdir.Resources {
	if limit := group.memoryLimit(); limit > 0 && (r.Memory == 0 || limit < r.Memory) {
		r.Memory = limit
	}
	// Of 1.5 processors' time a program can use two processors.
	if limit := group.cpuLimit(); limit > 0 && limit < float64(r.CPUs) {
		r.CPUs = int(math.Ceil(limit))
	}
	return r
}

// consumed is what the processes of an attempt have used.
type consumed struct {
	cpu    time.Duration
	memory int64 // bytes, the most at a time; 0: not known
}

// use notes what was used when the program has ended: what the kernel tells of it and
// of those that it waited for, and what the meter has seen.
//
// The kernel tells the largest process. It begins to count before the program takes the
// place of mlxp's own copy, so that less than that is not known from it.
func (a *attempt) use(told unix.Rusage) {
	left, seen, memory := a.meter.end()
	a.used.cpu = max(time.Duration(told.Utime.Nano()+told.Stime.Nano())+left, seen)
	a.used.memory = memory
	if largest := maxrssBytes(told.Maxrss); largest > a.floor {
		a.used.memory = max(memory, largest)
	}
}

// ownPeak is the most memory that mlxp itself has had, in bytes.
func ownPeak() int64 {
	var own unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &own)
	return maxrssBytes(own.Maxrss)
}
