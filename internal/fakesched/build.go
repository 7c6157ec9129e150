package fakesched

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build puts the commands of all schedulers, and fakesched, into a directory that is
// to stand first on PATH. They are a program of their own: one that imports nothing
// but this package starts in half the time that a test binary takes, and a test
// starts hundreds of them.
func Build(dir string) error {
	program := filepath.Join(dir, "fakesched")
	build := exec.Command("go", "build", "-o", program, "github.com/mlxp/mlxp/internal/fakesched/command")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	names := map[string]bool{}
	for _, sys := range systems {
		for name := range sys.commands {
			names[name] = true
		}
	}
	for name := range names {
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
