package logdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// trashDir is where runs that are being removed are put, below [OwnDir].
const trashDir = "trash"

// Remove removes the run. From its first moment on the run is gone for whoever
// reads the log dir: it is moved aside before anything in it is deleted. Its
// number is not given again. The error is an [*ErrClaimed] if an attempt at the
// run lives or may live.
func (r Run) Remove() error {
	live, err := r.Live()
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return err
	}
	if live != nil {
		return live
	}
	log, err := Open(filepath.Dir(r.Dir))
	if err != nil {
		return err
	}
	if r.ID > log.last {
		if err := log.mark(r.ID); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("run %d: remove: %w", r.ID, err)
		}
	}
	trash := filepath.Join(log.Root, OwnDir, trashDir)
	if err := mkdirShared(trash); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("run %d: remove: %w", r.ID, err)
	}
	// Of an earlier run with this number, from before somebody deleted OwnDir.
	if err := os.RemoveAll(log.trash(r.ID)); err != nil {
		return fmt.Errorf("run %d: remove: %w", r.ID, err)
	}
	if err := os.Rename(r.Dir, log.trash(r.ID)); err != nil {
		return fmt.Errorf("run %d: remove: %w", r.ID, err)
	}
	return emptied(log.trash(r.ID))
}

// trash is where a run is put that is being removed.
func (l *Log) trash(id int) string {
	return filepath.Join(l.Root, OwnDir, trashDir, strconv.Itoa(id))
}

// emptied removes what a removed run held. Its directory stays for a while: who
// is about to create a run with its number has to find out that it was given.
func emptied(dir string) error {
	files, err := os.ReadDir(dir)
	errs := []error{err}
	for _, f := range files {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, f.Name())))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the run is removed, but not all of its files: %w", err)
	}
	return nil
}

// EmptyTrash removes what removals left in root longer than an hour ago, also
// one that was killed. It is called once by a command that removes runs.
func EmptyTrash(root string) error {
	trash := filepath.Join(root, OwnDir, trashDir)
	runs, err := os.ReadDir(trash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, run := range runs {
		if st, err := run.Info(); err == nil && time.Since(st.ModTime()) > time.Hour {
			errs = append(errs, os.RemoveAll(filepath.Join(trash, run.Name())))
		}
	}
	return errors.Join(errs...)
}
