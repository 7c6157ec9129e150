package logdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// frozen is a new run of l.
func frozen(t *testing.T, l *Log) Run {
	t.Helper()
	run := create(t, l)
	if err := run.Freeze(&Info{Schema: 1, ID: run.ID, Status: Created}, nil, nil); err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRemove(t *testing.T) {
	l := open(t, t.TempDir())
	run := frozen(t, l)
	if err := os.WriteFile(run.Path(MetricsJSONL), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(run.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}
	if entries, err := os.ReadDir(l.trash(run.ID)); err != nil || len(entries) > 0 {
		t.Errorf("in the trash: %v, %v", entries, err)
	}
	if next := create(t, open(t, l.Root)); next.ID != run.ID+1 {
		t.Errorf("the next number is %d, want %d", next.ID, run.ID+1)
	}
	if err := run.Remove(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Remove again: %v, want fs.ErrNotExist", err)
	}
}

// A run that somebody executes is not removed; a directory without a record is.
func TestRemoveLive(t *testing.T) {
	l := open(t, t.TempDir())
	run := frozen(t, l)
	claim, err := run.Claim("", nil)
	if err != nil {
		t.Fatal(err)
	}
	var claimed *ErrClaimed
	if err := run.Remove(); !errors.As(err, &claimed) {
		t.Fatalf("Remove of a live run: %v, want ErrClaimed", err)
	}
	if _, err := run.ReadInfo(); err != nil {
		t.Error(err)
	}
	if err := claim.Drop(); err != nil {
		t.Fatal(err)
	}
	if err := run.Remove(); err != nil {
		t.Error(err)
	}
	if err := create(t, l).Remove(); err != nil {
		t.Errorf("Remove without a record: %v", err)
	}
}

// What a removal left that was killed goes with a later one.
func TestEmptyTrash(t *testing.T) {
	l := open(t, t.TempDir())
	young := frozen(t, l)
	if err := young.Remove(); err != nil {
		t.Fatal(err)
	}
	old := l.trash(7)
	if err := os.MkdirAll(filepath.Join(old, "artifacts"), 0o777); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	if err := EmptyTrash(l.Root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old leftover is there: %v", err)
	}
	if _, err := os.Stat(l.trash(young.ID)); err != nil {
		t.Errorf("what keeps the number from being given again is gone: %v", err)
	}
	if err := EmptyTrash(t.TempDir()); err != nil {
		t.Errorf("without a trash: %v", err)
	}
}
