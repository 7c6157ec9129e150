package logdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func open(t *testing.T, root string) *Log {
	t.Helper()
	l, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func create(t *testing.T, l *Log) Run {
	t.Helper()
	run, err := l.Create()
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestCreateNumbers(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a", "logs")
	l := open(t, root)
	for want := 1; want <= 3; want++ {
		if run := create(t, l); run.ID != want || run.Dir != filepath.Join(root, fmt.Sprint(want)) {
			t.Errorf("Create = %+v, want number %d", run, want)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "4"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if run := create(t, l); run.ID != 5 {
		t.Errorf("Create beside a file named 4 = %d, want 5", run.ID)
	}
}

// A deleted run's number is not given again while .mlxp is there, and without
// it the numbers go on after those that are there.
func TestCreateDoesNotReuse(t *testing.T) {
	root := t.TempDir()
	l := open(t, root)
	for range 3 {
		create(t, l)
	}
	if err := os.RemoveAll(filepath.Join(root, "3")); err != nil {
		t.Fatal(err)
	}
	if run := create(t, open(t, root)); run.ID != 4 {
		t.Errorf("after deleting 3: %d, want 4", run.ID)
	}
	if err := os.RemoveAll(filepath.Join(root, OwnDir)); err != nil {
		t.Fatal(err)
	}
	if run := create(t, open(t, root)); run.ID != 5 {
		t.Errorf("after deleting .mlxp: %d, want 5", run.ID)
	}
}

// A number above the mark, made with CreateID, moves it; one below does not.
func TestCreateID(t *testing.T) {
	l := open(t, t.TempDir())
	for _, id := range []int{10, 4} {
		if run, err := l.CreateID(id); err != nil || run.ID != id {
			t.Fatalf("CreateID(%d) = %+v, %v", id, run, err)
		}
	}
	for _, id := range []int{0, -1, maxID + 1} {
		if run, err := l.CreateID(id); err == nil {
			t.Errorf("CreateID(%d) = %+v", id, run)
		}
	}
	if _, err := l.CreateID(4); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateID of a taken number: %v, want fs.ErrExist", err)
	}
	if run := create(t, l); run.ID != 11 {
		t.Errorf("Create = %d, want 11", run.ID)
	}
}

func TestCreateAtOnce(t *testing.T) {
	root := t.TempDir()
	const launchers, each = 10, 50
	ids := make(chan int, launchers*each)
	var wait sync.WaitGroup
	for range launchers {
		wait.Go(func() {
			l, err := Open(root)
			if err != nil {
				t.Error(err)
				return
			}
			for range each {
				run, err := l.Create()
				if err != nil {
					t.Error(err)
					return
				}
				ids <- run.ID
			}
		})
	}
	wait.Wait()
	close(ids)
	var got []int
	for id := range ids {
		got = append(got, id)
	}
	slices.Sort(got)
	for i, id := range got {
		if id != i+1 {
			t.Fatalf("number %d of %d is %d", i+1, len(got), id)
		}
	}
	if len(got) != launchers*each {
		t.Errorf("%d numbers, want %d", len(got), launchers*each)
	}
	if run := create(t, open(t, root)); run.ID != launchers*each+1 {
		t.Errorf("the next is %d", run.ID)
	}
}

func TestCreateKeepsTheGroup(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o2770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	run := create(t, open(t, root))
	if err := run.Mkdir(ArtifactsDir); err != nil {
		t.Fatal(err)
	}
	f, err := run.OpenAppend(LogStdout)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Mode()&0o060 != 0o060 {
		t.Errorf("log.stdout has mode %v, %v; want it writable by the group", st.Mode(), err)
	}
	for _, dir := range []string{run.Dir, run.Path(MetadataDir), run.Path(ArtifactsDir), filepath.Join(root, OwnDir)} {
		st, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode()&0o070 != 0o070 || st.Mode()&fs.ModeSetgid == 0 {
			t.Errorf("%s has mode %v; want it writable by the group, and setgid", dir, st.Mode())
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "log dir") {
		t.Errorf("Open of a file: %v", err)
	}
}

func TestFreeze(t *testing.T) {
	l := open(t, t.TempDir())
	run := create(t, l)
	if err := run.Freeze(&Info{Schema: 1, ID: run.ID, Status: Created}, []byte("lr: 0.1\n"), []byte("use_logger: true\n")); err != nil {
		t.Fatal(err)
	}
	if info, err := run.ReadInfo(); err != nil || info.Status != Created {
		t.Errorf("ReadInfo = %v, %v", info, err)
	}
	if err := run.Freeze(&Info{}, nil, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Freeze: %v, want fs.ErrExist: a config is final", err)
	}
}

// The runs of a sweep are there all at once: the first one's record comes last.
func TestFreezeSweeps(t *testing.T) {
	for _, size := range []int{1, 2, few + 1, few + 2} {
		l := open(t, t.TempDir())
		var runs []Run
		for range size {
			runs = append(runs, create(t, l))
		}
		err := l.FreezeSweeps([][]Run{runs}, func(_, i int) error {
			for j, run := range runs[1:] {
				if !run.Pending(1) {
					t.Errorf("size %d: run %d is not pending before the first one's record", size, j+1)
				}
			}
			return runs[i].Freeze(&Info{Schema: 1, ID: runs[i].ID, Status: Created, Sweep: &Sweep{1, i, size}}, nil, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs {
			if info, err := run.ReadInfo(); err != nil || run.Pending(info.Sweep.ID) {
				t.Errorf("size %d: run %d: pending, %v", size, run.ID, err)
			}
		}
		// The first one is removed later: the others are runs all the same.
		if err := runs[0].Remove(); err != nil {
			t.Fatal(err)
		}
		for _, run := range runs[1:] {
			if run.Pending(1) {
				t.Errorf("size %d: run %d is pending after run 1 was removed", size, run.ID)
			}
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	l, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	info := &Info{Schema: 1, Status: Created}
	for b.Loop() {
		run, err := l.Create()
		if err == nil {
			err = run.Freeze(info, []byte("a: 1\n"), []byte("b: 1\n"))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// A number that was given and deleted since this Log was opened is not given
// again.
func TestCreateAfterOthersDeleted(t *testing.T) {
	root := t.TempDir()
	mine, theirs := open(t, root), open(t, root)
	create(t, mine)
	if err := os.RemoveAll(create(t, theirs).Dir); err != nil {
		t.Fatal(err)
	}
	if run := create(t, mine); run.ID != 3 {
		t.Errorf("Create = %d, want 3: 2 was given and deleted", run.ID)
	}
	if err := os.RemoveAll(filepath.Join(root, OwnDir)); err != nil {
		t.Fatal(err)
	}
	if run := create(t, mine); run.ID != 4 {
		t.Errorf("Create after .mlxp was deleted = %d, want 4", run.ID)
	}
}

// Creators and deleters at once, each with a Log of its own: no number is given
// twice.
func TestCreateAndDeleteAtOnce(t *testing.T) {
	root := t.TempDir()
	var mu sync.Mutex
	given := map[int]int{}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			l, err := Open(root)
			for range 60 {
				if err != nil {
					t.Error(err)
					return
				}
				var run Run
				if run, err = l.Create(); err != nil {
					continue
				}
				mu.Lock()
				given[run.ID]++
				mu.Unlock()
				if i%2 == 0 {
					err = run.Remove()
				}
			}
		})
	}
	wait.Wait()
	for id, n := range given {
		if n > 1 {
			t.Errorf("number %d was given %d times", id, n)
		}
	}
}
