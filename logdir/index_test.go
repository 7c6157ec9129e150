package logdir

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/columns"
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
	x := OpenIndex(filepath.Dir(runs[0].Dir), runs)
	for _, run := range runs {
		if info, err := x.ReadInfo(run); err != nil || info.ID != run.ID {
			t.Fatalf("run %d: %+v, %v", run.ID, info, err)
		}
	}
	x.Save()
	return x
}

func TestIndexKeepsWhatDidNotChange(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	indexed(t, runs)
	x := OpenIndex(l.Root, runs)
	for _, run := range runs {
		if _, ok := x.Info(run); !ok {
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
	if _, ok := x.Info(runs[3]); ok {
		t.Error("a young record is kept")
	}
	// A removed run has no entry, and is gone from the file when that is written.
	if err := runs[5].Remove(); err != nil {
		t.Fatal(err)
	}
	if _, ok := x.Info(runs[5]); ok {
		t.Error("a removed run has an entry")
	}
	more := endedRuns(t, l, fewEntries)
	left := append(append(runs[:5:5], runs[6:]...), more...)
	indexed(t, left)
	x = OpenIndex(l.Root, left)
	s := x.file.segment(0)
	if s == nil {
		t.Fatal("the segment is broken")
	}
	if _, ok := s.find(6); ok {
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
			x := OpenIndex(l.Root, runs)
			for _, run := range []Run{runs[0], runs[29]} {
				if info, err := x.ReadInfo(run); err != nil || info.ID != run.ID || info.Status != Complete {
					t.Fatalf("broken at %d: run %d: %+v, %v", i, run.ID, info, err)
				}
			}
		}
	}
}

// FuzzIndex: whatever the file holds, runs are what they are.
func FuzzIndex(f *testing.F) {
	text := []byte(`{"a":1}`)
	rows := map[int]indexRow{3: {{7, columns.Split(columns.Lines, []byte("id: 3\n"))}, {8, columns.Split(columns.JSON, text)}}, 5: {}}
	f.Add(appendSegment(nil, 0, rows))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < segmentHead+segmentFix {
			return
		}
		var shapes columns.Shapes
		const number = 0
		binary.LittleEndian.PutUint64(text[segmentHead:], number)
		binary.LittleEndian.PutUint32(text[4:], crc32.Checksum(text[segmentHead:], castagnoli)) // beyond the checksum, too
		s := readSegment(text, number, &shapes)
		if s == nil {
			return
		}
		rows := map[int]indexRow{}
		for i, id := range s.ids {
			rows[id] = s.row(i)
		}
		again := appendSegment(nil, number, rows)
		if _, p, ok := readHead(again, int64(len(again))); !ok || p.size != len(again) || p.rows != len(rows) {
			t.Errorf("the head of what was written: %+v, %v", p, ok)
		}
		if s := readSegment(again, number, &shapes); s == nil || len(s.ids) != len(rows) {
			t.Errorf("%d runs are read, written and not read again", len(rows))
		}
	})
}

// Where nothing can be written, the index is not, and nobody minds.
func TestIndexNotWritable(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	own := filepath.Join(l.Root, OwnDir)
	if err := os.RemoveAll(own); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, nil, 0o666); err != nil { // root may write into any directory
		t.Fatal(err)
	}
	indexed(t, runs)
}

// A directory that was deleted is made again, and what writers left who were
// killed is removed.
func TestIndexAfterCleaning(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	own := filepath.Join(l.Root, OwnDir)
	if err := os.RemoveAll(own); err != nil {
		t.Fatal(err)
	}
	indexed(t, runs)
	if _, ok := OpenIndex(l.Root, runs).Info(runs[7]); !ok {
		t.Error("there is no index")
	}
	left := filepath.Join(own, ".index.123")
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, before, before); err != nil {
		t.Fatal(err)
	}
	indexed(t, endedRuns(t, l, fewEntries))
	if _, err := os.Stat(left); err == nil {
		t.Error("an old temporary file is still there")
	}
}

// An index that is opened and not worth writing leaves nothing behind.
func TestIndexLeavesNothing(t *testing.T) {
	l := open(t, t.TempDir())
	runs := endedRuns(t, l, 30)
	indexed(t, runs)
	x := OpenIndex(l.Root, runs)
	for _, run := range endedRuns(t, l, 5) {
		if _, err := x.ReadInfo(run); err != nil {
			t.Fatal(err)
		}
	}
	x.Save()
	for range fewEntries { // after that nothing is kept
		x.Put(runs[0], &File{Text: []byte("id: 1\n")}, nil)
	}
	if left, _ := filepath.Glob(filepath.Join(l.Root, OwnDir, ".index*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
