package logdir

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mlxp/mlxp/internal/columns"
)

// The index is a magic and segments, each for 1024 numbers of runs: whoever
// changes one copies the others. A segment is, its numbers in little endian:
//
//	4 bytes: length of what follows the checksum
//	4 bytes: CRC-32C of that
//	8 bytes: which segment it is
//	4 bytes: how many runs
//	for each run 2 bytes: its number in the segment; these ascend
//	for each file, for each run 8 bytes: the hash of its stamp, 0 for none
//	4 bytes: length of the block of records, and that; the block of configs

// indexFile is the index, in [OwnDir].
const indexFile = "index"

// indexMagic begins it; its last byte is the version of the form.
const indexMagic = "mlxp-index\x00\x02"

// The files of a run that are indexed.
const (
	infoFile = iota
	configFile
	indexedFiles
)

var (
	fileNames = [indexedFiles]string{InfoYAML, ConfigJSON}
	fileKinds = [indexedFiles]columns.Kind{columns.Lines, columns.JSON}
)

const segmentRuns = 1024

func segmentOf(id int) uint64 { return uint64(id) / segmentRuns }

// A segmentFile is the index as it is on the disk. Its segments are read when
// something asks for what they hold, and only the last few are kept: whoever reads a
// log dir asks for its runs by number.
type segmentFile struct {
	*os.File // nil if there is none; once it is closed no segment is read
	places   map[uint64]*place
	rows     int // in all segments
	shapes   columns.Shapes

	mu   sync.Mutex
	held []*place // whose segments are kept, the latest last
}

// A place is where a segment is in the file.
type place struct {
	offset int64
	size   int // with its head
	rows   int

	mu      sync.Mutex
	segment atomic.Pointer[segment] // nil: is not kept, or broken
	broken  bool
}

// A segment is one that has been read.
type segment struct {
	text   []byte // all of it
	ids    []int  // of its runs
	stamps [indexedFiles][]uint64
	blocks [indexedFiles]*columns.Block
}

// An indexRow is what a segment holds of a run, by file.
type indexRow [indexedFiles]keptText

type keptText struct {
	stamp uint64
	text  columns.Cut
}

const (
	segmentHead = 8  // bytes before what the checksum covers
	segmentFix  = 12 // bytes at least behind them
)

// heldSegments are kept. Two processors that read runs are in one or two of them, a
// hundred in four, and the next one is being read.
const heldSegments = 8

// openSegmentFile finds the segments in the index of a log dir.
func openSegmentFile(root string) *segmentFile {
	f := &segmentFile{places: map[uint64]*place{}}
	file, err := os.Open(filepath.Join(root, OwnDir, indexFile))
	if err != nil {
		return f
	}
	head := make([]byte, max(len(indexMagic), segmentHead+segmentFix))
	magic := head[:len(indexMagic)]
	st, err := file.Stat()
	if _, readErr := file.ReadAt(magic, 0); cmp.Or(err, readErr) != nil || string(magic) != indexMagic {
		file.Close()
		return f
	}
	f.File = file
	head = head[:segmentHead+segmentFix]
	for at := int64(len(indexMagic)); ; {
		if _, err := file.ReadAt(head, at); err != nil {
			return f
		}
		number, p, ok := readHead(head, st.Size()-at)
		if !ok {
			return f
		}
		p.offset = at
		f.places[number] = p
		f.rows += p.rows
		at += int64(p.size)
	}
}

// readHead reads the head of a segment. It is false if none begins so in a file that
// has that many bytes left.
func readHead(head []byte, left int64) (number uint64, p *place, ok bool) {
	size := int64(binary.LittleEndian.Uint32(head))
	if size < segmentFix || size > left-segmentHead {
		return 0, nil, false
	}
	body := head[segmentHead:]
	return binary.LittleEndian.Uint64(body), &place{size: int(size + segmentHead), rows: int(binary.LittleEndian.Uint32(body[8:]))}, true
}

// segment returns the segment of that number, nil if there is none or it is broken.
func (f *segmentFile) segment(number uint64) *segment {
	p := f.places[number]
	if p == nil {
		return nil
	}
	if s := p.segment.Load(); s != nil {
		return s
	}
	s, read := f.load(number, p)
	if read && f.places[number+1] != nil {
		go f.load(number+1, f.places[number+1]) // it will be asked for next
	}
	return s
}

// load reads a segment unless it is there, and tells whether it had to.
func (f *segmentFile) load(number uint64, p *place) (s *segment, read bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.segment.Load(); s != nil || p.broken {
		return s, false
	}
	text := make([]byte, p.size)
	if _, err := f.ReadAt(text, p.offset); err == nil {
		s = readSegment(text, number, &f.shapes)
	}
	if s == nil {
		p.broken = true
		return nil, true
	}
	p.segment.Store(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = append(f.held, p)
	if len(f.held) > heldSegments {
		f.held[0].segment.Store(nil)
		f.held = slices.Delete(f.held, 0, 1)
	}
	return s, true
}

// readSegment reads a segment. It is nil if that is broken.
func readSegment(text []byte, number uint64, shapes *columns.Shapes) *segment {
	body := text[segmentHead:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(text[4:]) || binary.LittleEndian.Uint64(body) != number {
		return nil
	}
	n := int(binary.LittleEndian.Uint32(body[8:]))
	body = body[segmentFix:]
	if n == 0 || n > segmentRuns || len(body) < n*(2+8*indexedFiles)+4 {
		return nil
	}
	s := &segment{text: text, ids: make([]int, n)}
	for i := range s.ids {
		s.ids[i] = int(number)*segmentRuns + int(binary.LittleEndian.Uint16(body[2*i:]))
	}
	body = body[2*n:]
	for file := range s.stamps {
		s.stamps[file] = make([]uint64, n)
		for i := range s.stamps[file] {
			s.stamps[file][i] = binary.LittleEndian.Uint64(body[8*i:])
		}
		body = body[8*n:]
	}
	size := uint64(binary.LittleEndian.Uint32(body))
	if body = body[4:]; size > uint64(len(body)) {
		return nil
	}
	for file, part := range [indexedFiles][]byte{body[:size], body[size:]} {
		b, err := columns.ReadBlock(fileKinds[file], part, shapes)
		if err != nil || b.Len() != n {
			return nil
		}
		s.blocks[file] = b
	}
	return s
}

// find returns the row of a run.
func (s *segment) find(id int) (row int, ok bool) { return slices.BinarySearch(s.ids, id) }

// row returns what is in row i.
func (s *segment) row(i int) (r indexRow) {
	for file := range r {
		if text, ok := s.blocks[file].Row(i); ok {
			r[file] = keptText{s.stamps[file][i], text.Cut()}
		}
	}
	return r
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendSegment writes a segment; nothing if there are no rows.
func appendSegment(dst []byte, number uint64, rows map[int]indexRow) []byte {
	if len(rows) == 0 {
		return dst
	}
	start := len(dst)
	dst = append(dst, make([]byte, segmentHead)...)
	dst = binary.LittleEndian.AppendUint64(dst, number)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(rows)))
	ids := slices.Sorted(maps.Keys(rows))
	for _, id := range ids {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(id%segmentRuns))
	}
	for file := range indexedFiles {
		for _, id := range ids {
			dst = binary.LittleEndian.AppendUint64(dst, rows[id][file].stamp)
		}
	}
	for file := range indexedFiles {
		cuts := make([]columns.Cut, len(ids))
		for i, id := range ids {
			cuts[i] = rows[id][file].text
		}
		block := columns.AppendBlock(nil, cuts)
		if file == infoFile {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(block)))
		}
		dst = append(dst, block...)
	}
	body := dst[start+segmentHead:]
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[start+4:], crc32.Checksum(body, castagnoli))
	return dst
}

// writeSegments writes the index and puts it in its place: the new segments, and the
// others as they are.
func writeSegments(f *CacheFile, old *segmentFile, fresh map[uint64][]byte) {
	w := bufio.NewWriterSize(f, 256<<10)
	w.WriteString(indexMagic)
	numbers := slices.Concat(slices.Collect(maps.Keys(old.places)), slices.Collect(maps.Keys(fresh)))
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		if text, ok := fresh[n]; ok {
			w.Write(text)
		} else if s := old.segment(n); s != nil {
			w.Write(s.text)
		}
	}
	if w.Flush() != nil {
		f.Drop()
		return
	}
	f.Commit()
}
