package logdir

import (
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mlxp/mlxp/internal/columns"
)

// An Index keeps the records and the configs of runs that have ended, so that a
// directory of thousands of runs is not opened file by file for every question.
// What it has of a file counts only while the file's [Stamp] is the one that it
// had when it was read. Deleting the index costs time only, and whatever is wrong
// with it is as if it were not there.
//
// Any number of goroutines may use an Index, and any number of processes the
// file, .mlxp/index: it is replaced as a whole, who saves last wins, and loses
// nothing but time.
type Index struct {
	root string
	dir  *os.File // root, nil if it cannot be opened
	runs []Run
	file *segmentFile

	mu     sync.Mutex
	fresh  map[uint64]map[int]entry // by segment, then by run
	sealed map[uint64][]byte        // new segments, written
	count  int                      // of entries that were fresh
	next   *CacheFile               // that will be the index; nil until it is worth it
	closed bool                     // nothing more is kept
}

// An entry is what was read of a run.
type entry struct {
	info, config *File // nil: was not
}

// OpenIndex returns the index of the log dir root. runs are all that are there,
// as [Runs] lists them. Whoever opens an index saves it.
func OpenIndex(root string, runs []Run) *Index {
	x := &Index{root: root, runs: runs, file: openSegmentFile(root), fresh: map[uint64]map[int]entry{}, sealed: map[uint64][]byte{}}
	x.dir, _ = os.Open(root)
	return x
}

// Info returns the record of a run, if the index has it as it is now.
func (x *Index) Info(run Run) (columns.Text, bool) { return x.look(run, infoFile) }

// Config is Info for the config, [ConfigJSON].
func (x *Index) Config(run Run) (columns.Text, bool) { return x.look(run, configFile) }

func (x *Index) look(run Run, file int) (t columns.Text, ok bool) {
	s := x.file.segment(segmentOf(run.ID))
	if s == nil {
		return t, false
	}
	i, ok := s.find(run.ID)
	if !ok || s.stamps[file][i] == 0 {
		return t, false
	}
	if now, err := x.stamp(run, fileNames[file]); err != nil || now.Hash() != s.stamps[file][i] {
		return t, false
	}
	return s.blocks[file].Row(i)
}

// stamp is [StampOf] for a file of a run. Half the time of a question to an index is
// the kernel's walk along paths, which is short from an open directory.
func (x *Index) stamp(run Run, name string) (Stamp, error) {
	if x.dir == nil {
		return StampOf(run.Path(name))
	}
	return stampAt(int(x.dir.Fd()), filepath.Base(run.Dir)+"/"+name)
}

// fewEntries that are new are not worth writing the file again.
const fewEntries = 20

// Put keeps what was read of a run that has ended; nil is what was not.
func (x *Index) Put(run Run, info, config *File) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	n := segmentOf(run.ID)
	if x.fresh[n] == nil {
		x.fresh[n] = map[int]entry{}
	}
	x.fresh[n][run.ID] = entry{info, config}
	if x.count++; x.count < fewEntries {
		return
	}
	if x.next == nil {
		var err error
		if x.next, err = CreateCache(x.root, indexFile); err != nil {
			x.closed, x.fresh = true, nil // the log dir may be somebody else's
			return
		}
	}
	// Runs are asked by number, a few at a time: the first segment is complete.
	if len(x.fresh) > openSegments {
		lowest := n
		for k := range x.fresh {
			lowest = min(lowest, k)
		}
		x.seal(lowest)
	}
}

// openSegments are how many segments are held as texts, which take ten times the
// room of what is written.
const openSegments = 2

// seal writes a segment of what is fresh and of what is known already.
func (x *Index) seal(n uint64) {
	rows := map[int]indexRow{}
	known := []*segment{x.file.segment(n)}
	if text := x.sealed[n]; text != nil {
		known = append(known, readSegment(text, n, &x.file.shapes))
	}
	for _, s := range known {
		if s == nil {
			continue
		}
		for i, id := range s.ids {
			rows[id] = s.row(i)
		}
	}
	for id, e := range x.fresh[n] {
		r := rows[id]
		for file, f := range []*File{e.info, e.config} {
			if f != nil && x.next.Settled(f.Stamp, f.Read) {
				r[file] = keptText{f.Stamp.Hash(), columns.Split(fileKinds[file], f.Text)}
			}
		}
		rows[id] = r
	}
	delete(x.fresh, n)
	for id := range rows {
		if _, there := slices.BinarySearchFunc(x.runs, id, func(r Run, id int) int { return r.ID - id }); !there {
			delete(rows, id)
		}
	}
	x.sealed[n] = appendSegment(nil, n, rows)
}

// Save writes the index if it has learnt enough to be worth it, or has too much
// of runs that are gone. That it cannot be written is no error. After that nothing
// more is kept.
func (x *Index) Save() {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer func() {
		x.next, x.closed = nil, true
		x.file.Close()
		x.dir.Close()
		x.dir = nil
	}()
	gone := x.file.rows > 2*len(x.runs)+segmentRuns
	if x.next == nil && gone && !x.closed {
		x.next, _ = CreateCache(x.root, indexFile)
	}
	if x.next == nil {
		return
	}
	if !gone && x.count < x.file.rows/500 {
		x.next.Drop()
		return
	}
	if gone {
		for n := range x.file.places {
			x.seal(n)
		}
	}
	for n := range x.fresh {
		x.seal(n)
	}
	writeSegments(x.next, x.file, x.sealed)
}

// ReadInfo reads a run's record as [Run.ReadInfo] does, from the index if it is
// there.
func (x *Index) ReadInfo(run Run) (*Info, error) {
	if text, ok := x.Info(run); ok {
		if info, err := decodeInfo(text.AppendAll(nil)); err == nil {
			return info, nil
		}
	}
	info, file, err := run.readInfo()
	if err == nil && info.Status.Ended() {
		x.Put(run, file, nil)
	}
	return info, err
}
