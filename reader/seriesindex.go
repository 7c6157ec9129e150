package reader

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mlxp/mlxp/logdir"
)

// A seriesIndex keeps series that were read, so that a question about metrics
// reads again only what was appended since. Deleting it costs time only, and
// whatever is wrong with it is as if it were not there.
//
// It is files in .mlxp/series, one for each name of a series and 1024 numbers of
// runs, each replaced as a whole: who writes last wins, and loses nothing but
// time. A file is, its numbers in little endian:
//
//	a magic
//	8 bytes: length and CRC-32C of the head
//	the head: the name; for each run its number, and what is kept but for the values
//	the values, each with its checksum in the head
type seriesIndex struct {
	root string
	runs []logdir.Run // all that there are

	mu     sync.Mutex
	parts  map[partKey]*part
	fresh  int    // entries that no file has
	held   int    // bytes of values in them
	bytes  uint64 // that were read for them
	closed bool
}

type partKey struct {
	name   string
	number int
}

// A part is one file.
type part struct {
	file    *os.File       // nil: there is none
	values  int64          // where its values begin
	entries map[int][]byte // by run
	fresh   map[int]*keptSeries
}

const (
	seriesDir   = "series"
	seriesMagic = "mlxp-series\x00\x01" // the last byte is the version of the form
	partRuns    = 1024
)

// How much is kept. What does not fit is read again each time.
const (
	mostValues   = 1 << 16   // of one series: longer ones keep their summary
	mostHeld     = 32 << 20  // bytes of values in memory, until they are written
	mostPart     = 256 << 20 // bytes of values in one file
	mostSeries   = 512 << 20 // bytes of all files: those that were not asked for longest go
	fewSeries    = 20        // that are new are not worth writing a file, unless
	fewBytes     = 1 << 20   // at least so much was read for them
	openParts    = 2         // parts are held until they are written: most questions go by number
	touchedAfter = 24 * time.Hour
)

// openSeries returns the index of the log dir root. runs are all that are there.
func openSeries(root string, runs []logdir.Run) *seriesIndex {
	return &seriesIndex{root: root, runs: runs, parts: map[partKey]*part{}}
}

func partOf(name string, run logdir.Run) partKey { return partKey{name, run.ID / partRuns} }

// fileName is that of a part in the directory of mlxp's own.
func (k partKey) fileName() string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, k.name) // which cannot fail
	return filepath.Join(seriesDir, fmt.Sprintf("%016x.%d", h.Sum64(), k.number))
}

// look returns what is kept of a series of a run, nil if there is nothing.
func (x *seriesIndex) look(name string, run logdir.Run) *keptSeries {
	x.mu.Lock()
	defer x.mu.Unlock()
	text, ok := x.part(partOf(name, run)).entries[run.ID]
	if !ok {
		return nil
	}
	k, err := readKept(name, text)
	if err != nil {
		return nil
	}
	return k
}

// readValues reads the values of what is kept. It is false if they are not there.
func (x *seriesIndex) readValues(k *keptSeries, run logdir.Run) bool {
	x.mu.Lock()
	p := x.part(partOf(k.series.Name, run))
	file := p.file
	x.mu.Unlock()
	if k.values.size > math.MaxInt32 || file == nil && k.values.size > 0 {
		return false
	}
	text := make([]byte, k.values.size)
	if len(text) > 0 {
		if _, err := file.ReadAt(text, p.values+int64(k.values.offset)); err != nil || crc32.Checksum(text, castagnoli) != k.values.sum {
			return false
		}
	}
	return k.series.readValues(text)
}

// part returns a part, which is read when it is first asked for.
func (x *seriesIndex) part(key partKey) *part {
	p := x.parts[key]
	if p != nil {
		return p
	}
	p = &part{fresh: map[int]*keptSeries{}}
	x.parts[key] = p
	path := filepath.Join(x.root, logdir.OwnDir, key.fileName())
	f, err := os.Open(path)
	if err != nil {
		return p
	}
	if p.values, p.entries = readHead(f, key.name); p.entries == nil {
		f.Close()
		return p
	}
	p.file = f
	if st, err := f.Stat(); err == nil && time.Since(st.ModTime()) > touchedAfter {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // it is in use: see prune
	}
	return p
}

// readHead reads the head of a part. There are no entries if it is broken, or of
// another series.
func readHead(f io.ReaderAt, name string) (values int64, entries map[int][]byte) {
	fixed := make([]byte, len(seriesMagic)+8)
	if _, err := f.ReadAt(fixed, 0); err != nil || string(fixed[:len(seriesMagic)]) != seriesMagic {
		return 0, nil
	}
	size := binary.LittleEndian.Uint32(fixed[len(seriesMagic):])
	sum := binary.LittleEndian.Uint32(fixed[len(seriesMagic)+4:])
	// The size may be wrong: no more is asked for than there is.
	head, err := io.ReadAll(io.NewSectionReader(f, int64(len(fixed)), int64(size)))
	if err != nil || len(head) != int(size) || crc32.Checksum(head, castagnoli) != sum {
		return 0, nil
	}
	values = int64(len(fixed) + len(head))
	next := func() ([]byte, bool) {
		n, width := binary.Uvarint(head)
		if width <= 0 || n > uint64(len(head)-width) {
			return nil, false
		}
		out := head[width : width+int(n)]
		head = head[width+int(n):]
		return out, true
	}
	if text, ok := next(); !ok || string(text) != name {
		return 0, nil
	}
	entries = map[int][]byte{}
	for len(head) > 0 {
		id, width := binary.Uvarint(head)
		if width <= 0 || id > math.MaxInt {
			return 0, nil
		}
		head = head[width:]
		text, ok := next()
		if !ok {
			return 0, nil
		}
		entries[int(id)] = text
	}
	return values, entries
}

// put keeps a series of a run.
func (x *seriesIndex) put(name string, run logdir.Run, k *keptSeries) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	k.values = reference{}
	if size := 8 * k.series.summary.Len; !k.series.whole || k.series.summary.Len > mostValues || x.held+size > mostHeld {
		k.series.numbers, k.series.whole = nil, false
		if k.series.mixed != nil {
			k.series.mixed = []any{}
		}
	} else {
		x.held += size
	}
	key := partOf(name, run)
	x.part(key).fresh[run.ID] = k
	x.fresh++
	x.writeFinished(key.number)
}

// worked adds to the bytes that were read from metrics files.
func (x *seriesIndex) worked(bytes uint64) {
	x.mu.Lock()
	x.bytes += bytes
	x.mu.Unlock()
}

// writeFinished writes parts before the one with that number, so that not all
// values of a large log dir are held.
func (x *seriesIndex) writeFinished(number int) {
	if x.held < mostHeld/2 {
		return
	}
	for key, p := range x.parts {
		if len(p.fresh) > 0 && key.number <= number-openParts {
			x.write(key, p)
		}
	}
}

// save writes what is new, if that is worth it, and closes the index.
func (x *seriesIndex) save() {
	x.mu.Lock()
	defer x.mu.Unlock()
	wrote := false
	if x.fresh >= fewSeries || x.fresh > 0 && x.bytes >= fewBytes {
		for key, p := range x.parts {
			if len(p.fresh) > 0 {
				wrote = x.write(key, p) || wrote
			}
		}
	}
	for _, p := range x.parts {
		p.file.Close() // which does nothing if there is none
		p.file = nil
	}
	if x.closed = true; wrote {
		x.prune()
	}
}

// write writes a part anew. It returns false if it cannot be written.
func (x *seriesIndex) write(key partKey, p *part) bool {
	defer func() {
		for _, k := range p.fresh {
			if k.series.whole {
				x.held -= 8 * k.series.summary.Len
			}
		}
		p.fresh = map[int]*keptSeries{}
	}()
	out, err := logdir.CreateCache(x.root, key.fileName())
	if err != nil {
		x.closed = true // the log dir may be somebody else's
		return false
	}
	ids := slices.Collect(maps.Keys(p.fresh))
	for id := range p.entries {
		if p.fresh[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	head := binary.AppendUvarint(nil, uint64(len(key.name)))
	head = append(head, key.name...)
	var copies []func(w io.Writer) error // of the values
	offset := uint64(0)
	for _, id := range ids {
		if _, there := slices.BinarySearchFunc(x.runs, id, func(r logdir.Run, id int) int { return r.ID - id }); !there {
			continue
		}
		k := p.fresh[id]
		if k == nil {
			if k, err = readKept(key.name, p.entries[id]); err != nil {
				continue
			}
			from := k.values
			if offset+from.size > mostPart || from.size > 0 && p.file == nil {
				from, k.values = reference{}, reference{}
			}
			if from.size > 0 {
				copies = append(copies, func(w io.Writer) error {
					_, err := io.Copy(w, io.NewSectionReader(p.file, p.values+int64(from.offset), int64(from.size)))
					return err
				})
			}
		} else {
			for i := range k.files {
				if f := &k.files[i]; f.stamp != (logdir.Stamp{}) {
					f.settled = out.Settled(f.stamp, f.read)
				}
			}
			if k.series.whole && k.series.summary.Len > 0 {
				values := k.series.appendValues(nil)
				if offset+uint64(len(values)) <= mostPart {
					k.values = reference{0, uint64(len(values)), crc32.Checksum(values, castagnoli)}
					copies = append(copies, func(w io.Writer) error { _, err := w.Write(values); return err })
				}
			}
		}
		k.values.offset = offset
		offset += k.values.size
		text := k.appendTo(nil)
		head = binary.AppendUvarint(head, uint64(id))
		head = append(binary.AppendUvarint(head, uint64(len(text))), text...)
	}
	w := bufio.NewWriterSize(out, 256<<10)
	w.WriteString(seriesMagic)
	w.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(head))))
	w.Write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(head, castagnoli)))
	w.Write(head)
	for _, values := range copies {
		if err := values(w); err != nil {
			out.Drop()
			return false
		}
	}
	if w.Flush() != nil {
		out.Drop()
		return false
	}
	out.Commit()
	p.file.Close()
	delete(x.parts, key) // who asks again finds the new one
	return true
}

// prune removes parts of runs that are all gone, and of the others those that
// were not asked for longest, until the rest is of a bounded size.
func (x *seriesIndex) prune() {
	dir := filepath.Join(x.root, logdir.OwnDir, seriesDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	numbers := map[int]bool{}
	for _, run := range x.runs {
		numbers[run.ID/partRuns] = true
	}
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	total := int64(0)
	for _, e := range entries {
		st, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		_, number, _ := strings.Cut(e.Name(), ".")
		if n, err := strconv.Atoi(number); err != nil || !numbers[n] {
			_ = os.Remove(path)
			continue
		}
		files = append(files, file{path, st.Size(), st.ModTime()})
		total += st.Size()
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= mostSeries {
			return
		}
		_ = os.Remove(f.path)
		total -= f.size
	}
}
