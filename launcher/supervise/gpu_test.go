package supervise

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// What nvidia-smi of driver 535 prints on a node with two A100, and on one whose
// devices are gone.
const (
	twoGPUs = "0, NVIDIA A100-SXM4-40GB, GPU-5c2b0a4e-1111-2222-3333-444455556666\n1, NVIDIA A100-SXM4-40GB, GPU-9d8c7b6a-1111-2222-3333-444455556666\n"
	noGPUs  = "No devices were found\n"
)

func TestHostGPUs(t *testing.T) {
	if got := parseGPUs(noGPUs); len(got) > 0 {
		t.Errorf("none: %v", got)
	}
	root, bin := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(root, logdir.OwnDir), 0o777); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho x >>" + bin + "/asked\ncat <<'E'\n" + twoGPUs + "E\n"
	if err := os.WriteFile(filepath.Join(bin, "nvidia-smi"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	environ := []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	for range 2 { // the second answer is the kept one
		got := HostGPUs(root, environ)
		if len(got) != 2 || got[1] != (logdir.GPU{Index: 1, Name: "NVIDIA A100-SXM4-40GB", UUID: "GPU-9d8c7b6a-1111-2222-3333-444455556666"}) {
			t.Errorf("HostGPUs = %+v", got)
		}
	}
	if asked := read(t, filepath.Join(bin, "asked")); asked != "x\n" {
		t.Errorf("asked %d times, want once", len(asked)/2)
	}
	all := parseGPUs(twoGPUs)
	for value, want := range map[string]int{"0": 1, "0,1": 2, "GPU-9d8c": 1, "": 0, "7": 0} {
		if got := visibleTo([]string{"CUDA_VISIBLE_DEVICES=" + value}, all); len(got) != want {
			t.Errorf("CUDA_VISIBLE_DEVICES=%s leaves %v", value, got)
		}
	}
	if got := visibleTo(nil, all); len(got) != 2 {
		t.Errorf("without the variable: %v", got)
	}
	if got := HostGPUs(t.TempDir(), []string{"PATH=/nowhere"}); got != nil {
		t.Errorf("without nvidia-smi: %v", got)
	}
}
