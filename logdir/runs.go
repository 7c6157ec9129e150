package logdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/mlxp/mlxp/internal/process"
)

// Runs lists the run directories of the log dir root by number. A directory in
// the list need not hold a readable record. A root that does not exist has no
// runs. It reads only, and follows root if that is a symbolic link.
func Runs(root string) ([]Run, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	d, err := os.Open(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	var ids []int
	for _, name := range names {
		if id, ok := parseID(name); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	runs := make([]Run, len(ids))
	for i, id := range ids {
		runs[i] = Run{filepath.Join(root, strconv.Itoa(id)), id}
	}
	return runs, nil
}

// Find returns run id of the log dir root. The error is [fs.ErrNotExist] if
// there is no such directory.
func Find(root string, id int) (Run, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Run{}, fmt.Errorf("log dir: %w", err)
	}
	run := Run{filepath.Join(root, strconv.Itoa(id)), id}
	switch _, err := os.Stat(run.Dir); {
	case errors.Is(err, fs.ErrNotExist):
		return Run{}, &noRun{root, id}
	case err != nil:
		return Run{}, fmt.Errorf("run %d: %w", id, err)
	}
	return run, nil
}

// noRun is the error for a number that has no directory.
type noRun struct {
	root string
	id   int
}

func (e *noRun) Error() string { return fmt.Sprintf("there is no run %d in %s", e.id, e.root) }

// Is makes it [fs.ErrNotExist].
func (e *noRun) Is(target error) bool { return target == fs.ErrNotExist }

// OpenRun returns the run whose directory is dir.
func OpenRun(dir string) (Run, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Run{}, err
	}
	id, ok := parseID(filepath.Base(dir))
	if !ok {
		return Run{}, fmt.Errorf("%s is not a run directory: its name is not a number", dir)
	}
	return Run{dir, id}, nil
}

// Pending tells whether the run, which was never started, is part of a sweep or of
// a submission that is not wholly made: then it does not count yet, and will not if
// who makes it was killed. sweep is the number of the sweep's first run. The record
// of the very first run is written when all the others are on the disk. If that run
// was removed since, the others are what they are.
func (r Run) Pending(sweep int) bool {
	if r.awaits(sweep) {
		return true
	}
	job, err := r.ReadJob()
	return err == nil && job != nil && r.awaits(job.Submission)
}

// awaits tells whether another run, id, is about to get its record.
func (r Run) awaits(id int) bool {
	if id == r.ID || id < 1 {
		return false
	}
	first := Run{filepath.Join(filepath.Dir(r.Dir), strconv.Itoa(id)), id}
	if _, err := os.Lstat(first.Path(InfoYAML)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err := os.Lstat(first.Dir)
	return err == nil
}

// ShownStatus returns the status to show for a run whose record is info: [Lost]
// if that says STARTING or RUNNING and its supervisor is known to be gone,
// [Submitted] if it says CREATED and a scheduler has a job for the run, else what it
// says. It is cheap for a run that has ended.
func (r Run) ShownStatus(info *Info) Status {
	if info.Status == Created {
		if job, err := r.ReadJob(); err == nil && job.Queued() {
			return Submitted
		}
	}
	if info.Status != Starting && info.Status != Running {
		return info.Status
	}
	if info.Process != nil {
		switch info.Process.Life() {
		case process.Gone:
			return Lost
		case process.Alive:
			return info.Status
		}
	}
	if owner, err := r.LastClaim(); err == nil && owner != nil && owner.life(nil) == process.Gone {
		return Lost
	}
	return info.Status
}
