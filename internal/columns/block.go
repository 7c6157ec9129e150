package columns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
)

// The form of a block, all numbers as uvarints:
//
//	rows, shapes, each shape with its length before it
//	for each row 0, or 1 + its shape
//	for each shape, for each of its values: the length of a column, and the column
//
// and of a column for n rows:
//
//	m, the number of different values, and m lengths; these values
//	if 1 < m < n: for each row which of them it has, in one byte or two

// MaxRows is how many texts a block can hold.
const MaxRows = 1 << 15

var errBroken = errors.New("broken columns")

// AppendBlock appends the texts as a block. They are at most [MaxRows].
func AppendBlock(dst []byte, cuts []Cut) []byte {
	var shapes []string
	index := map[string]int{}
	rows := [][]int{} // of each shape
	which := make([]int, len(cuts))
	for i, c := range cuts {
		if c.Shape == "" {
			continue
		}
		k, ok := index[c.Shape]
		if !ok {
			k = len(shapes)
			index[c.Shape] = k
			shapes, rows = append(shapes, c.Shape), append(rows, nil)
		}
		which[i] = k + 1
		rows[k] = append(rows[k], i)
	}
	dst = binary.AppendUvarint(dst, uint64(len(cuts)))
	dst = binary.AppendUvarint(dst, uint64(len(shapes)))
	for _, s := range shapes {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	for _, k := range which {
		dst = binary.AppendUvarint(dst, uint64(k))
	}
	var e columnEncoder
	for k := range shapes {
		for v := range cuts[rows[k][0]].Values {
			column := e.encode(len(rows[k]), func(i int) []byte { return cuts[rows[k][i]].Values[v] })
			dst = append(binary.AppendUvarint(dst, uint64(len(column))), column...)
		}
	}
	return dst
}

// columnEncoder keeps its memory from one column to the next.
type columnEncoder struct {
	index  map[string]int
	values [][]byte
	codes  []int
	out    []byte
}

func (e *columnEncoder) encode(n int, at func(i int) []byte) []byte {
	if e.index == nil {
		e.index = map[string]int{}
	}
	clear(e.index)
	e.values, e.codes, e.out = e.values[:0], e.codes[:0], e.out[:0]
	for i := range n {
		v := at(i)
		// Most values are that of the row before.
		if i > 0 && bytes.Equal(v, e.values[e.codes[i-1]]) {
			e.codes = append(e.codes, e.codes[i-1])
			continue
		}
		code, ok := e.index[string(v)]
		if !ok {
			code = len(e.values)
			e.index[string(v)] = code
			e.values = append(e.values, v)
		}
		e.codes = append(e.codes, code)
	}
	e.out = binary.AppendUvarint(e.out, uint64(len(e.values)))
	for _, v := range e.values {
		e.out = binary.AppendUvarint(e.out, uint64(len(v)))
	}
	for _, v := range e.values {
		e.out = append(e.out, v...)
	}
	if m := len(e.values); m > 1 && m < n {
		for _, code := range e.codes {
			e.out = append(e.out, byte(code))
			if m > 1<<8 {
				e.out = append(e.out, byte(code>>8))
			}
		}
	}
	return e.out
}

// A Block is a block that is read. Any number of goroutines may use it.
type Block struct {
	which  []uint16 // for each row 0, or 1 + its shape
	rank   []uint16 // and which of the rows of that shape it is
	tables []table
}

// A table is the rows of one shape.
type table struct {
	*shape
	columns []column
}

// Shapes remembers the shapes that blocks have in common.
type Shapes struct {
	mu     sync.Mutex
	parsed map[Kind]map[string]*shape
}

func (s *Shapes) parse(kind Kind, text []byte) *shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.parsed[kind][string(text)]; p != nil {
		return p
	}
	p := parseShape(kind, string(text))
	if s.parsed == nil {
		s.parsed = map[Kind]map[string]*shape{JSON: {}, Lines: {}}
	}
	s.parsed[kind][p.text] = p
	return p
}

// ReadBlock reads a block of texts of that kind. It keeps body, and reads a
// column when something asks for it.
func ReadBlock(kind Kind, body []byte, shapes *Shapes) (*Block, error) {
	r := numbers{body}
	n, count := r.next(), r.next()
	if n > MaxRows || count > n || n > uint64(len(body)) {
		return nil, errBroken
	}
	b := &Block{which: make([]uint16, n), rank: make([]uint16, n), tables: make([]table, count)}
	for i := range b.tables {
		text := r.bytes(r.next())
		if len(text) == 0 {
			return nil, errBroken
		}
		b.tables[i].shape = shapes.parse(kind, text)
	}
	rows := make([]int, count)
	for i := range b.which {
		k := r.next()
		if k > count {
			return nil, errBroken
		}
		if b.which[i] = uint16(k); k > 0 {
			b.rank[i] = uint16(rows[k-1])
			rows[k-1]++
		}
	}
	for i := range b.tables {
		t := &b.tables[i]
		if t.values > len(r.rest) { // each column takes a byte at least
			return nil, errBroken
		}
		t.columns = make([]column, t.values)
		for j := range t.columns {
			t.columns[j].body, t.columns[j].rows = r.bytes(r.next()), rows[i]
		}
	}
	if r.rest == nil {
		return nil, errBroken
	}
	return b, nil
}

// Len returns the number of rows.
func (b *Block) Len() int { return len(b.which) }

// Row returns the text of row i. ok is false if it has none.
func (b *Block) Row(i int) (t Text, ok bool) {
	k := b.which[i]
	if k == 0 {
		return Text{}, false
	}
	return Text{&b.tables[k-1], int(b.rank[i])}, true
}

// A column is the values that the rows of a shape have at one place.
type column struct {
	body []byte
	rows int

	read   sync.Once
	values [][]byte // the different ones; nil if the column is broken
	codes  []byte   // of each row; nil if all rows have one value, or each its own
	wide   bool     // a code has two bytes
	single bool     // all rows have one value

	parse  sync.Once
	parsed []any // values
}

func (c *column) load() {
	r := numbers{c.body}
	m := r.next()
	if m == 0 || m > uint64(c.rows) || m > uint64(len(r.rest)) {
		return
	}
	lengths := make([]uint64, m)
	for i := range lengths {
		lengths[i] = r.next()
	}
	values := make([][]byte, m)
	for i := range values {
		values[i] = r.bytes(lengths[i])
	}
	c.single = m == 1
	if m > 1 && m < uint64(c.rows) {
		c.wide = m > 1<<8
		size := uint64(c.rows)
		if c.wide {
			size *= 2
		}
		c.codes = r.bytes(size)
	}
	if r.rest == nil || len(r.rest) > 0 {
		return
	}
	for i := range c.rows {
		if c.code(i) >= len(values) {
			return
		}
	}
	c.values = values
}

// code tells which of the values a row has.
func (c *column) code(row int) int {
	switch {
	case c.single:
		return 0
	case c.codes == nil:
		return row
	case c.wide:
		return int(c.codes[2*row]) | int(c.codes[2*row+1])<<8
	}
	return int(c.codes[row])
}

// at returns the value of a row, nil if the column is broken.
func (c *column) at(row int) []byte {
	c.read.Do(c.load)
	if c.values == nil {
		return nil
	}
	return c.values[c.code(row)]
}

// numbers reads what a block is made of. After anything that is not there rest is
// nil, and so is all that follows.
type numbers struct{ rest []byte }

func (r *numbers) next() uint64 {
	n, width := binary.Uvarint(r.rest)
	if width <= 0 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[width:]
	return n
}

func (r *numbers) bytes(n uint64) []byte {
	if r.rest == nil || n > uint64(len(r.rest)) {
		r.rest = nil
		return nil
	}
	out := r.rest[:n:n]
	r.rest = slices.Clip(r.rest[n:])
	return out
}
