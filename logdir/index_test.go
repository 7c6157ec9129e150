package logdir

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ended makes n runs that ended long ago.
func endedRuns(t *testing.T, l *Log, n int) []Run {
	t.Helper()
	var runs []Run
	for range n {
		run := create(t, l)
		if err := run.Freeze(&Info{Schema: 1, ID: run.ID, Status: Complete}, nil, nil); err != nil {
			t.Fatal(err)
		}
		age(t, run)
		runs = append(runs, run)
	}
	return runs
}

// age makes the record of a run old.
func age(t *testing.T, run Run) {
	t.Helper()
	before := time.Now().Add(-time.Hour)
	if err := os.Chtimes(run.Path(InfoYAML), before, before); err != nil {
		t.Fatal(err)
	}
}

// indexed reads all runs through a new index, and saves it.
func indexed(t *testing.T, runs []Run) *Index {
	t.Helper()
	x := OpenIndex(filepath.Dir(runs[0].Dir))
	for _, run := range runs {
		if info, err := x.ReadInfo(run); err != nil || info.ID != run.ID {
			t.Fatalf("run %d: %+v, %v", run.ID, info, err)
		}
	}
	x.Save(runs)
	return x
}

func TestIndexKeepsWhatDidNotChange(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	indexed(t, runs)
	x := OpenIndex(l.Root)
	for _, run := range runs {
		if _, e := x.Look(run); e == nil {
			t.Errorf("run %d is not in the index", run.ID)
		}
	}
	// Another record in its place counts, whatever the index says.
	if err := runs[3].WriteInfo(&Info{Schema: 1, ID: 4, Status: Failed}); err != nil {
		t.Fatal(err)
	}
	if info, err := x.ReadInfo(runs[3]); err != nil || info.Status != Failed {
		t.Errorf("a changed record: %+v, %v", info, err)
	}
	// A young record is not kept: it may be replaced within the clock's tick.
	if _, e := x.Look(runs[3]); e != nil {
		t.Error("a young record is kept")
	}
	// A removed run has no entry, and is gone from the file when that is written.
	if err := runs[5].Remove(); err != nil {
		t.Fatal(err)
	}
	if _, e := x.Look(runs[5]); e != nil {
		t.Error("a removed run has an entry")
	}
	more := endedRuns(t, l, fewEntries)
	left := append(append(runs[:5:5], runs[6:]...), more...)
	indexed(t, left)
	if _, ok := OpenIndex(l.Root).entries[6]; ok {
		t.Error("the file still has a removed run")
	}
}

// An index that is broken in any way is as if it were not there.
func TestIndexBroken(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	indexed(t, runs)
	path := filepath.Join(l.Root, OwnDir, indexFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole); i += 7 {
		for _, broken := range [][]byte{whole[:i], append(append(bytes.Clone(whole[:i]), whole[i]^0x55), whole[i+1:]...)} {
			if err := os.WriteFile(path, broken, 0o666); err != nil {
				t.Fatal(err)
			}
			x := OpenIndex(l.Root)
			for _, run := range []Run{runs[0], runs[29]} {
				if info, err := x.ReadInfo(run); err != nil || info.ID != run.ID || info.Status != Complete {
					t.Fatalf("broken at %d: run %d: %+v, %v", i, run.ID, info, err)
				}
			}
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(appendEntry([]byte(indexMagic), 7, Entry{Stamp{1, 2, 3}, []byte("id: 7\n"), []byte("{}")}))
	f.Add([]byte(indexMagic + "\xff\xff\xff\xff\x00\x00\x00\x00"))
	dir := f.TempDir()
	if err := os.Mkdir(filepath.Join(dir, OwnDir), 0o777); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, OwnDir, indexFile), text, 0o666); err != nil {
			t.Fatal(err)
		}
		again := []byte(indexMagic)
		x := OpenIndex(dir)
		for id, e := range x.entries {
			again = appendEntry(again[:len(indexMagic)], id, e)
			back, e2, rest, ok := decodeEntry(again[len(indexMagic):])
			if !ok || len(rest) > 0 || back != id || fmt.Sprint(e) != fmt.Sprint(e2) {
				t.Errorf("entry %d: %v is read back as %d %v", id, e, back, e2)
			}
		}
	})
}

// Where nothing can be written, the index is not, and nobody minds.
func TestIndexNotWritable(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	if err := os.RemoveAll(filepath.Join(l.Root, OwnDir)); err != nil {
		t.Fatal(err)
	}
	indexed(t, runs)
	if _, err := os.Stat(filepath.Join(l.Root, OwnDir)); err == nil {
		t.Error("reading made " + OwnDir)
	}
}
