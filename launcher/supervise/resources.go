package supervise

import (
	"math"
	"runtime"

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
