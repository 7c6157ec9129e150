package logdir

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

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

// A segment is opened when something asks for what it holds.
type segment struct {
	text   []byte // all of it
	number uint64
	count  int

	once   sync.Once
	ids    []int                  // nil if it is broken
	stamps [indexedFiles][]uint64 // of each run
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

// readSegments reads the index of a log dir, and counts the runs in it.
func readSegments(root string) (segments map[uint64]*segment, rows int) {
	segments = map[uint64]*segment{}
	text, err := os.ReadFile(filepath.Join(root, OwnDir, indexFile))
	if err != nil || len(text) < len(indexMagic) || string(text[:len(indexMagic)]) != indexMagic {
		return segments, 0
	}
	text = text[len(indexMagic):]
	for s := newSegment(text); s != nil; s = newSegment(text) {
		segments[s.number] = s
		rows += s.count
		text = text[len(s.text):]
	}
	return segments, rows
}

// newSegment returns the segment that text begins with, nil if none does.
func newSegment(text []byte) *segment {
	if len(text) < segmentHead+segmentFix {
		return nil
	}
	size := uint64(binary.LittleEndian.Uint32(text))
	if size < segmentFix || size > uint64(len(text)-segmentHead) {
		return nil
	}
	text = text[: segmentHead+size : segmentHead+size]
	body := text[segmentHead:]
	return &segment{text: text, number: binary.LittleEndian.Uint64(body), count: int(binary.LittleEndian.Uint32(body[8:]))}
}

// open reads the segment. It is false if the segment is broken.
func (s *segment) open(shapes *columns.Shapes) bool {
	s.once.Do(func() { s.ids = s.read(shapes) })
	return s.ids != nil
}

func (s *segment) read(shapes *columns.Shapes) (ids []int) {
	body := s.text[segmentHead:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(s.text[4:]) {
		return nil
	}
	body = body[segmentFix:]
	n := s.count
	if n == 0 || n > segmentRuns || len(body) < n*(2+8*indexedFiles)+4 {
		return nil
	}
	ids = make([]int, n)
	for i := range ids {
		ids[i] = int(s.number)*segmentRuns + int(binary.LittleEndian.Uint16(body[2*i:]))
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
	return ids
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

// writeSegments writes the index and puts it in its place.
func writeSegments(f *CacheFile, old map[uint64]*segment, fresh map[uint64][]byte, shapes *columns.Shapes) {
	w := bufio.NewWriterSize(f, 256<<10)
	w.WriteString(indexMagic)
	numbers := map[uint64]bool{}
	for n := range old {
		numbers[n] = true
	}
	for n := range fresh {
		numbers[n] = true
	}
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		if text, ok := fresh[n]; ok {
			w.Write(text)
		} else if old[n].open(shapes) {
			w.Write(old[n].text)
		}
	}
	if w.Flush() != nil {
		f.Drop()
		return
	}
	f.Commit()
}
