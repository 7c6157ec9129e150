package scheduler

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A command that tries again by itself is not waited for without a word.
func TestSlow(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "sbatch")
	text := "#!/bin/sh\necho 'sbatch: error: busy, retrying' >&2\nwhile ! [ -e told ]; do sleep 0.01; done\necho 77\n"
	if err := os.WriteFile(script, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	here := *slurm
	here.Submit = []string{script}
	var heard []string
	c := Client{Scheduler: &here, Environ: os.Environ(), Dir: dir, Patience: 500 * time.Millisecond, Slow: func(command, said string) {
		heard = append(heard, command, said)
		if err := os.WriteFile(filepath.Join(dir, "told"), nil, 0o666); err != nil {
			t.Error(err)
		}
	}}
	receipt, err := c.SubmitScript(t.Context(), script, 0)
	if err != nil || receipt.ID != "77" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if len(heard) != 2 || heard[0] != script || heard[1] != "sbatch: error: busy, retrying" {
		t.Errorf("heard %q", heard)
	}
}
