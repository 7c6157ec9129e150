package logdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Log is a log dir that runs are created in. It is not safe for concurrent
// use; any number of Logs, in any processes on any hosts, may share a directory.
type Log struct {
	Root string // absolute
	last int    // the highest number known to be given

	shared bool // with the group
}

// Open makes root if it does not exist and gets ready to create runs in it.
func Open(root string) (*Log, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	if err := os.MkdirAll(root, 0o777); err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	l := &Log{Root: root, shared: shared(root)}
	if err := makeOwn(l.Root); err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	l.last, err = l.marked()
	if err == nil && l.last == 0 {
		l.last, err = highest(root, parseID)
	}
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	return l, nil
}

// makeOwn makes [OwnDir] in the log dir root if it is not there.
func makeOwn(root string) error {
	own := filepath.Join(root, OwnDir)
	if err := mkdirShared(own); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	// Not for git, nor for a backup of the work tree.
	err := writeNew(filepath.Join(own, ".gitignore"), []byte("*\n"))
	if err != nil {
		os.RemoveAll(own)
	}
	return err
}

// Create claims the next number and makes its directory, with metadata/ in it.
// No two callers on any hosts get the same number, and a number once given is
// not given again while [OwnDir] is there.
func (l *Log) Create() (Run, error) {
	if err := l.catchUp(); err != nil {
		return Run{}, fmt.Errorf("log dir: %w", err)
	}
	for id := l.last + 1; ; id++ {
		run, err := l.CreateID(id)
		if !errors.Is(err, fs.ErrExist) { // else it is somebody else's, or a file of that name
			return run, err
		}
	}
}

// catchUp looks whether others have given numbers since. Their runs may be
// deleted again already: that a number has no directory does not mean that it is
// free.
func (l *Log) catchUp() error {
	if l.last > 0 {
		if _, err := os.Lstat(l.markPath(l.last)); err == nil {
			return nil
		}
	}
	last, err := l.marked()
	if errors.Is(err, fs.ErrNotExist) { // somebody deleted OwnDir
		return makeOwn(l.Root)
	}
	l.last = max(l.last, last)
	return err
}

// CreateID claims the number id. It fails with an error that is
// [fs.ErrExist] if the number is taken.
func (l *Log) CreateID(id int) (Run, error) {
	if id < 1 || id > maxID {
		return Run{}, fmt.Errorf("log dir: %d is no number for a run: they go from 1 to %d", id, maxID)
	}
	run := Run{filepath.Join(l.Root, strconv.Itoa(id)), id}
	if err := mkdir(run.Dir, l.shared); err != nil {
		return Run{}, fmt.Errorf("log dir: %w", err)
	}
	err := mkdir(run.Path(MetadataDir), l.shared)
	if err == nil && id > l.last {
		err = l.mark(id)
	}
	if err != nil {
		os.RemoveAll(run.Dir)
		return Run{}, fmt.Errorf("log dir: %w", err)
	}
	return run, nil
}

// The highest number given is kept as the name of an empty file, .mlxp/last.N:
// creating a higher one and then removing the lower ones can never lower it,
// whoever else does the same at the same time, on NFS too. A file's content
// could be overwritten with a lower number by a slower writer.
const markPrefix = "last."

func (l *Log) markPath(id int) string {
	return filepath.Join(l.Root, OwnDir, markPrefix+strconv.Itoa(id))
}

// marked returns the highest number given, 0 if that is not known.
func (l *Log) marked() (int, error) {
	return highest(filepath.Join(l.Root, OwnDir), func(name string) (int, bool) {
		digits, ok := strings.CutPrefix(name, markPrefix)
		id, isID := parseID(digits)
		return id, ok && isID
	})
}

func (l *Log) mark(id int) error {
	// That id had no directory may be because its run was removed in the moment
	// since we looked for the next free number.
	if _, err := os.Lstat(l.trash(id)); err == nil {
		return fmt.Errorf("%d was given and removed: %w", id, fs.ErrExist)
	}
	if l.last > 0 && os.Rename(l.markPath(l.last), l.markPath(id)) == nil {
		l.last = id
		return nil
	}
	// Somebody else has moved the mark on, or there was none.
	if err := writeNew(l.markPath(id), nil); err != nil {
		return err
	}
	l.last = id
	entries, err := os.ReadDir(filepath.Join(l.Root, OwnDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), markPrefix)
		if lower, isID := parseID(digits); ok && isID && lower < id {
			if err := os.Remove(l.markPath(lower)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// highest returns the highest number among the names in dir, 0 if there is none.
func highest(dir string, number func(name string) (int, bool)) (int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	top := 0
	for _, name := range names {
		if n, ok := number(name); ok {
			top = max(top, n)
		}
	}
	return top, nil
}

// Freeze writes what makes a directory a run: its config, the settings in
// force and, last, its record. It does not wait for the disk.
func (r Run) Freeze(info *Info, config, settings []byte) error {
	record, err := encodeRecord(info)
	if err != nil {
		return fmt.Errorf("run %d: record: %w", r.ID, err)
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{ConfigYAML, config}, {SettingsYAML, settings}, {InfoYAML, record}} {
		if err := writeNew(r.Path(file.name), file.text); err != nil {
			return fmt.Errorf("run %d: %w", r.ID, err)
		}
	}
	return nil
}

// FreezeSweeps freezes the runs of sweeps that are made together, so that all of
// them become runs in one moment, whatever happens: the record of the very first is
// written when everything else is on the disk. Until then the others are
// [Run.Pending]. freeze calls [Run.Freeze] for a run of a sweep, by their places;
// the first runs of sweeps are frozen after the others, the very first last.
//
// One syncfs(2) is cheaper than an fsync for each of many files, which a network
// file system answers one by one.
func (l *Log) FreezeSweeps(sweeps [][]Run, freeze func(sweep, i int) error) error {
	var rest []Run
	for s, runs := range sweeps {
		for i := len(runs) - 1; i > 0; i-- {
			if err := freeze(s, i); err != nil {
				return err
			}
		}
		rest = append(rest, runs[1:]...)
	}
	for s := len(sweeps) - 1; s > 0; s-- {
		if err := freeze(s, 0); err != nil {
			return err
		}
		rest = append(rest, sweeps[s][0])
	}
	if len(rest) > 0 {
		if err := l.sync(rest); err != nil {
			return err
		}
	}
	if len(sweeps) == 0 {
		return nil
	}
	if err := freeze(0, 0); err != nil || len(rest) == 0 {
		return err // a single run's supervisor waits for the disk, once
	}
	return l.sync(sweeps[0][:1])
}

// few is the number of runs up to which syncing their files one by one is
// cheaper than flushing what others wrote to the file system.
const few = 4

// sync waits until what [Run.Freeze] wrote for runs is on the disk.
func (l *Log) sync(runs []Run) error {
	if len(runs) > few {
		if err := syncAll(l.Root); err != nil {
			return fmt.Errorf("log dir: %w", err)
		}
		return nil
	}
	for _, run := range runs {
		for _, name := range []string{ConfigYAML, InfoYAML, MetadataDir} {
			if err := syncFile(run.Path(name)); err != nil {
				return fmt.Errorf("run %d: %w", run.ID, err)
			}
		}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Last returns the highest number that was given in the log dir root, 0 if none
// was. It reads only.
func Last(root string) (int, error) {
	given, err := (&Log{Root: root}).marked()
	if err == nil && given > 0 {
		return given, nil
	}
	last, err := highest(root, parseID)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return last, err
}
