package logdir

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An Index keeps the record and the config of runs that have ended in one file,
// so that a directory of thousands of runs is not opened file by file for every
// question. An entry counts only while the run's record has the inode, size and
// time that it had when the entry was made: a record is replaced as a whole, so a
// changed one is another file. Deleting the index costs time only, and whatever
// is wrong with it is as if it were not there.
//
// Any number of goroutines may use an Index, and any number of processes the
// file: who saves last wins, and loses nothing but time.
type Index struct {
	root string

	mu      sync.Mutex
	entries map[int]Entry
	fresh   int // entries that the file does not have
}

// An Entry is what an [Index] keeps of a run.
type Entry struct {
	Stamp  Stamp
	Info   []byte // the text of info.yaml
	Config []byte // the text of config.json; nil: not known
}

// A Stamp tells one version of a file from another.
type Stamp struct {
	Inode, Size, Nanoseconds uint64 // the last is the time of the last change, since 1970
}

// indexFile is the index, in [OwnDir].
const indexFile = "index"

// indexMagic begins the file; its last byte is the version of the form.
const indexMagic = "mlxp-index\x00\x01"

// young is how old a record has to be to be kept: one that is replaced twice in
// a moment may look the same.
const young = 2 * time.Second

// OpenIndex returns the index of the log dir root.
func OpenIndex(root string) *Index {
	x := &Index{root: root, entries: map[int]Entry{}}
	text, err := os.ReadFile(x.path())
	if err != nil {
		return x
	}
	rest, ok := bytes.CutPrefix(text, []byte(indexMagic))
	for ok && len(rest) > 0 {
		var id int
		var e Entry
		if id, e, rest, ok = decodeEntry(rest); ok {
			x.entries[id] = e
		}
	}
	return x
}

func (x *Index) path() string { return filepath.Join(x.root, OwnDir, indexFile) }

// Look returns the stamp of the run's record as it is now, and its entry if there
// is one that counts. The stamp is zero if there is no record.
func (x *Index) Look(run Run) (Stamp, *Entry) {
	stamp := stampOf(run.Path(InfoYAML))
	x.mu.Lock()
	defer x.mu.Unlock()
	if e, ok := x.entries[run.ID]; ok && stamp != (Stamp{}) && e.Stamp == stamp {
		return stamp, &e
	}
	return stamp, nil
}

// Put keeps an entry for a run that has ended. What it holds was read after its
// stamp was taken.
func (x *Index) Put(run Run, e Entry) {
	changed := time.Unix(0, int64(e.Stamp.Nanoseconds))
	if e.Stamp == (Stamp{}) || time.Since(changed) < young || stampOf(run.Path(InfoYAML)) != e.Stamp {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.entries[run.ID] = e
	x.fresh++
}

// few entries that are new are not worth writing the file again.
const fewEntries = 20

// Save writes the index if it has learnt enough to be worth it. It leaves out
// runs that are not among those there are now. That it cannot be written is no
// error: the log dir may be somebody else's.
func (x *Index) Save(runs []Run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fresh < fewEntries || x.fresh < len(x.entries)/50 {
		return
	}
	there := map[int]bool{}
	for _, run := range runs {
		there[run.ID] = true
	}
	text := []byte(indexMagic)
	for _, id := range slices.Sorted(maps.Keys(x.entries)) {
		if there[id] {
			text = appendEntry(text, id, x.entries[id])
		}
	}
	if writeCache(x.path(), text) == nil {
		x.fresh = 0
	}
}

// writeCache replaces a file that nobody will miss: it does not wait for the
// disk.
func writeCache(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	mode := os.FileMode(0o644)
	if shared(filepath.Dir(path)) {
		mode |= 0o060
	}
	err = cmp.Or(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// ReadInfo reads a run's record as [Run.ReadInfo] does, from the index if it is
// there.
func (x *Index) ReadInfo(run Run) (*Info, error) {
	stamp, e := x.Look(run)
	if e != nil {
		if info, err := decodeInfo(e.Info); err == nil {
			return info, nil
		}
	}
	info, err := run.ReadInfo()
	if err == nil && info.Status.Ended() {
		if text, err := os.ReadFile(run.Path(InfoYAML)); err == nil {
			x.Put(run, Entry{Stamp: stamp, Info: text})
		}
	}
	return info, err
}

func stampOf(path string) Stamp {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return Stamp{}
	}
	return Stamp{st.Ino, uint64(st.Size), uint64(st.Mtim.Nano())}
}

// An entry is its length, a checksum of what follows, and then the numbers and
// texts.

func appendEntry(dst []byte, id int, e Entry) []byte {
	var body []byte
	for _, n := range []uint64{uint64(id), e.Stamp.Inode, e.Stamp.Size, e.Stamp.Nanoseconds, uint64(len(e.Info))} {
		body = binary.AppendUvarint(body, n)
	}
	body = append(append(body, e.Info...), e.Config...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(body, castagnoli))
	return append(dst, body...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decodeEntry reads the first entry of text. It is not ok if it is broken: then
// nothing that follows can be trusted.
func decodeEntry(text []byte) (id int, e Entry, rest []byte, ok bool) {
	if len(text) < 8 {
		return 0, e, nil, false
	}
	size := int(binary.LittleEndian.Uint32(text))
	sum, body := binary.LittleEndian.Uint32(text[4:]), text[8:]
	if size > len(body) || crc32.Checksum(body[:size], castagnoli) != sum {
		return 0, e, nil, false
	}
	rest, body = body[size:], body[:size]
	var numbers [5]uint64
	for i := range numbers {
		n, width := binary.Uvarint(body)
		if width <= 0 {
			return 0, e, nil, false
		}
		numbers[i], body = n, body[width:]
	}
	if numbers[4] > uint64(len(body)) {
		return 0, e, nil, false
	}
	e.Stamp = Stamp{numbers[1], numbers[2], numbers[3]}
	e.Info = body[:numbers[4]:numbers[4]]
	if config := body[numbers[4]:]; len(config) > 0 {
		e.Config = config
	}
	return int(numbers[0]), e, rest, true
}
