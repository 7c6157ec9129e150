package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/mlxp/mlxp/logdir"
)

// createVariable makes this program a creator of runs in the log dir it names.
const createVariable = "STRESS_CREATE"

const (
	creators = 64
	each     = 100
)

// createMany creates runs and prints their numbers.
func createMany(root string) int {
	log, err := logdir.Open(root)
	for range each {
		var run logdir.Run
		if err == nil {
			run, err = log.Create()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(run.ID)
	}
	return 0
}

// numbers has many processes create runs in one log dir: no number is given
// twice, and none is left out.
func (s *stress) numbers() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var cmds []*exec.Cmd
	var files []*os.File
	for i := range creators {
		f, err := os.Create(filepath.Join(s.dir, fmt.Sprintf("numbers.%d", i)))
		if err != nil {
			return err
		}
		defer f.Close()
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), createVariable+"="+filepath.Join(s.dir, "logs"))
		cmd.Stdout, cmd.Stderr = f, os.Stderr
		cmds, files = append(cmds, cmd), append(files, f)
		err = cmd.Start()
		if err != nil {
			return err
		}
	}
	var errs []error
	for _, cmd := range cmds {
		errs = append(errs, cmd.Wait())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	given := map[int]int{}
	for _, f := range files {
		if _, err := f.Seek(0, 0); err != nil {
			return err
		}
		for id := 0; ; {
			if _, err := fmt.Fscan(f, &id); err != nil {
				break
			}
			given[id]++
		}
	}
	for id := 1; id <= creators*each; id++ {
		if given[id] != 1 {
			return fmt.Errorf("number %d was given %d times", id, given[id])
		}
	}
	if len(given) != creators*each {
		return fmt.Errorf("%d numbers were given, want %d", len(given), creators*each)
	}
	return nil
}
