package reader

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"time"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/logdir"
)

// A keptSeries is a series of a run, or its summary, as it was when its files were
// read, and what tells how far that still holds.
type keptSeries struct {
	series   Series
	partial  bool   // nothing but its last value is known
	attempts uint64 // where attempts began, 0 if the run was started once
	files    []readFile
	holder   int // the last of files that holds a value of it; -1: none does

	values reference // of series, where they are not in memory
}

// A readFile is how a metrics file was when it was read: one of those that the
// series may be in, in the order of sourcesOf.
type readFile struct {
	state fileState

	hash    uint64 // of its stamp
	inode   uint64 // also in the stamp
	offset  uint64 // up to here its lines are in the series
	ends    uint64 // a checksum of the first bytes and of the last before offset; 0: unknown
	settled bool   // the stamp tells its versions apart

	exact bool         // nothing was changed since
	stamp logdir.Stamp // and when it was, of a file that was read just now
	read  time.Time
}

type fileState uint8

const (
	unread  fileState = iota // nobody looked: the last value was in a later file
	missing                  // there was none
	present
)

// A reference is where values are in a file of the index.
type reference struct {
	offset, size uint64
	sum          uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// endsSize is how much of a file's start, and of the end of what was read, has to
// be the same for the file to have been appended to.
const endsSize = 4 << 10

// endsOf returns the checksum of the ends of the first n bytes, never 0.
func endsOf(f io.ReaderAt, n uint64) (uint64, error) {
	buf := make([]byte, min(endsSize, n))
	sums := [2]uint32{}
	for i, at := range []uint64{0, n - uint64(len(buf))} {
		if _, err := f.ReadAt(buf, int64(at)); err != nil {
			return 0, err
		}
		sums[i] = crc32.Checksum(buf, castagnoli)
	}
	return max(1, uint64(sums[0])<<32|uint64(sums[1])), nil
}

// appended tells whether the file at path begins as it did when it was read.
func (f *readFile) appended(path string, now logdir.Stamp) bool {
	if f.ends == 0 || now.Inode != f.inode || now.Size < f.offset {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	ends, err := endsOf(file, f.offset)
	return err == nil && ends == f.ends
}

var errKept = errors.New("broken entry")

// appendTo appends what is kept but for the values.
func (k *keptSeries) appendTo(dst []byte) []byte {
	flags := byte(0)
	for i, set := range []bool{k.partial, k.series.ints, k.series.mixed != nil, k.values.size > 0} {
		if set {
			flags |= 1 << i
		}
	}
	dst = append(dst, flags)
	for _, n := range []uint64{k.attempts, uint64(k.holder + 1), k.values.offset, k.values.size, uint64(k.values.sum), uint64(len(k.files))} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, f := range k.files {
		dst = append(dst, byte(f.state))
		if f.state != present {
			continue
		}
		settled := byte(0)
		if f.settled {
			settled = 1
		}
		dst = append(dst, settled)
		for _, n := range []uint64{f.hash, f.inode, f.offset, f.ends} {
			dst = binary.AppendUvarint(dst, n)
		}
	}
	return k.series.summary.AppendBinary(dst)
}

// readKept reads it.
func readKept(name string, text []byte) (*keptSeries, error) {
	if len(text) == 0 {
		return nil, errKept
	}
	k := &keptSeries{partial: text[0]&1 != 0}
	k.series.Name, k.series.partial, k.series.ints = name, k.partial, text[0]&2 != 0
	if text[0]&4 != 0 {
		k.series.mixed = []any{}
	}
	text = text[1:]
	next := func() uint64 {
		n, width := binary.Uvarint(text)
		if width <= 0 {
			text = nil
			return 0
		}
		text = text[width:]
		return n
	}
	k.attempts = next()
	k.holder = int(min(next(), math.MaxInt32)) - 1
	k.values.offset, k.values.size, k.values.sum = next(), next(), uint32(next())
	n := next()
	if n > uint64(len(text)) || k.holder >= int(n) {
		return nil, errKept
	}
	k.files = make([]readFile, n)
	for i := range k.files {
		f := &k.files[i]
		if len(text) == 0 || fileState(text[0]) > present {
			return nil, errKept
		}
		f.state, text = fileState(text[0]), text[1:]
		if f.state != present {
			continue
		}
		if len(text) == 0 {
			return nil, errKept
		}
		f.settled, text = text[0] == 1, text[1:]
		f.hash, f.inode, f.offset, f.ends = next(), next(), next(), next()
	}
	var err error
	k.series.summary, _, err = expr.ReadSummary(text)
	return k, err
}

// appendValues appends the values of a series that has them.
func (s *Series) appendValues(dst []byte) []byte {
	for _, x := range s.numbers {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	for _, v := range s.mixed {
		dst = expr.AppendScalar(dst, v)
	}
	return dst
}

// readValues reads them. It is false if they are not those of the summary.
func (s *Series) readValues(text []byte) bool {
	n := s.summary.Len
	if s.mixed == nil {
		if len(text) != 8*n {
			return false
		}
		s.numbers = make([]float64, n)
		for i := range s.numbers {
			s.numbers[i] = math.Float64frombits(binary.LittleEndian.Uint64(text[8*i:]))
		}
		s.whole = true
		return true
	}
	s.mixed = make([]any, 0, min(n, len(text)))
	for len(text) > 0 {
		v, rest, err := expr.ReadScalar(text)
		if err != nil {
			return false
		}
		s.mixed, text = append(s.mixed, v), rest
	}
	s.whole = len(s.mixed) == n
	return s.whole
}
