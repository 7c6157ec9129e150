package supervise

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/process"
	"github.com/mlxp/mlxp/logdir"
)

// GPUVariables tell a program which graphics processors it may use: NVIDIA's and
// AMD's.
var GPUVariables = []string{"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"}

// HostGPUs asks nvidia-smi for the graphics processors of this host; there are none
// where it is not, or does not answer in time. The answer is kept for as long as the
// host is up in the log dir's own folder, if that can be written to (logDir "": it is
// not): asking takes a second.
func HostGPUs(logDir string, environ []string) []logdir.GPU {
	host, _ := os.Hostname()
	kept := filepath.Join(logDir, logdir.OwnDir, "gpus."+host+"."+process.Self().Boot)
	var gpus []logdir.GPU
	if logDir == "" {
		kept = ""
	}
	if text, err := os.ReadFile(kept); err == nil && json.Unmarshal(text, &gpus) == nil {
		return gpus
	}
	path, err := LookPath("nvidia-smi", "/", environ)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--query-gpu=index,name,uuid", "--format=csv,noheader")
	cmd.Env = environ
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	gpus = parseGPUs(string(out))
	if text, err := json.Marshal(gpus); err == nil && kept != "" {
		_ = logdir.ReplaceFile(kept, text)
	}
	return gpus
}

// parseGPUs reads lines such as "0, NVIDIA A100-SXM4-40GB, GPU-5c2b…".
func parseGPUs(out string) []logdir.GPU {
	gpus := []logdir.GPU{}
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), ", ")
		if len(fields) < 3 {
			continue // "No devices were found"
		}
		index, err := strconv.Atoi(fields[0])
		if err == nil {
			last := len(fields) - 1
			gpus = append(gpus, logdir.GPU{Index: index, Name: strings.Join(fields[1:last], ", "), UUID: fields[last]})
		}
	}
	return gpus
}

// visibleTo returns those of the host's processors that an environment leaves a
// program, by number or by UUID or the beginning of one.
func visibleTo(environ []string, gpus []logdir.GPU) []logdir.GPU {
	value, set := LookupEnv(environ, GPUVariables[0])
	if !set {
		return gpus
	}
	names := strings.Split(value, ",")
	return slices.DeleteFunc(slices.Clone(gpus), func(g logdir.GPU) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			name = strings.TrimSpace(name)
			return name == strconv.Itoa(g.Index) || strings.HasPrefix(name, "GPU-") && strings.HasPrefix(g.UUID, name)
		})
	})
}
