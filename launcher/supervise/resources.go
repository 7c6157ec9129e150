package supervise

import (
	"runtime"

	"github.com/mlxp/mlxp/logdir"
)

// basicResources are those that cost nothing to know.
func basicResources() *logdir.Resources {
	return &logdir.Resources{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
}

// describeResources adds those that have to be asked for.
func describeResources() *logdir.Resources {
	r := basicResources()
	r.CPU, r.Memory = cpuModel(), memoryBytes()
	return r
}
