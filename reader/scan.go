package reader

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/mlxp/mlxp/internal/jsontext"
)

// A wanted is one level of the names that are looked for in metric lines. The
// name "train.loss" is reached by {"train.loss":1}, {"train":{"loss":1}}, and in
// metrics/train.jsonl by {"loss":1}.
type wanted struct {
	names   []string           // what is left of each name at this level
	columns []int              // the column that each is
	below   map[string]*wanted // by key of a nested object, nil where none is wanted
	all     bool               // every name is wanted, as a new column
}

// under returns what is wanted in a nested object.
func (w *wanted) under(key []byte) *wanted {
	if next, ok := w.below[string(key)]; ok {
		return next
	}
	var next *wanted
	for i, name := range w.names {
		if len(name) > len(key) && name[len(key)] == '.' && name[:len(key)] == string(key) {
			if next == nil {
				next = &wanted{}
			}
			next.names = append(next.names, name[len(key)+1:])
			next.columns = append(next.columns, w.columns[i])
		}
	}
	if w.below == nil {
		w.below = map[string]*wanted{}
	}
	w.below[string(key)] = next
	return next
}

// A cell is one wanted value of a line.
type cell struct {
	column int
	kind   cellKind
	number float64
	text   string
}

type cellKind uint8

const (
	intCell cellKind = iota
	floatCell
	textCell
	trueCell
	falseCell
)

// A lineScanner reads metric lines. It looks at nothing but the keys and the
// values that are wanted; of the others it only finds the end.
type lineScanner struct {
	root    *wanted
	found   func(name string) int // gives the column of a name; for root.all
	cells   []cell                // of the last object
	steps   bool                  // step is wanted
	step    float64               // its step, or else its epoch; NaN if it has none
	lists   bool                  // a wanted value was a list, which is no metric
	line    []byte
	at      int
	path    []byte // of the nested object, with a final "."; for root.all
	scratch []byte
}

var errLine = errors.New("not a JSON object")

// scan reads one line and calls visit for each object on it: there are several
// where a program forgets the newline. An error means that the rest of the line
// is no object: then none of that rest counts.
func (s *lineScanner) scan(line []byte, visit func()) error {
	s.line, s.at = line, 0
	for s.blank(); s.at < len(s.line); s.blank() {
		s.cells, s.path = s.cells[:0], s.path[:0]
		s.step = math.NaN()
		if err := s.object(s.root, true, 0); err != nil {
			return err
		}
		visit()
	}
	return nil
}

func (s *lineScanner) blank() {
	for s.at < len(s.line) && s.line[s.at] <= ' ' && (s.line[s.at] == ' ' || s.line[s.at] == '\t' || s.line[s.at] == '\r') {
		s.at++
	}
}

func (s *lineScanner) next(c byte) bool {
	if s.at < len(s.line) && s.line[s.at] == c {
		s.at++
		return true
	}
	return false
}

const maxDepth = 100 // of nested objects in a metric line

// object reads an object; w is what is wanted of it, nil for nothing.
func (s *lineScanner) object(w *wanted, top bool, depth int) error {
	if !s.next('{') || depth > maxDepth {
		return errLine
	}
	s.blank()
	if s.next('}') {
		return nil
	}
	epoch := false
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		s.blank()
		if !s.next(':') {
			return errLine
		}
		s.blank()
		start := s.at
		if err := s.member(w, key, depth); err != nil {
			return err
		}
		if top && s.steps && (string(key) == "step" || string(key) == "epoch" && (math.IsNaN(s.step) || epoch)) {
			if kind, x, ok := parseNumber(s.line[start:s.at]); ok && kind <= floatCell {
				s.step, epoch = x, string(key) == "epoch"
			}
		}
		s.blank()
		if s.next('}') {
			return nil
		}
		if !s.next(',') {
			return errLine
		}
		s.blank()
	}
}

// key reads a key. It is valid until the next one is read.
func (s *lineScanner) key() ([]byte, error) {
	if s.at >= len(s.line) || s.line[s.at] != '"' {
		return nil, errLine
	}
	raw, plain, err := s.text()
	if err != nil || plain {
		return raw, err
	}
	text, err := jsontext.Unquote(s.line[s.at-len(raw)-2 : s.at])
	s.scratch = append(s.scratch[:0], text...)
	return s.scratch, err
}

// text reads a string and returns what is between its quotes. plain means that
// there is no escape in it.
func (s *lineScanner) text() (raw []byte, plain bool, err error) {
	start := s.at + 1
	for i := start; i < len(s.line); i++ {
		switch s.line[i] {
		case '"':
			s.at = i + 1
			return s.line[start:i], true, nil
		case '\\':
			return s.escaped(start, i)
		}
	}
	return nil, false, errLine
}

// escaped is text for a string with an escape at i.
func (s *lineScanner) escaped(start, i int) (raw []byte, plain bool, err error) {
	for ; i < len(s.line); i++ {
		switch s.line[i] {
		case '"':
			s.at = i + 1
			return s.line[start:i], false, nil
		case '\\':
			i++
		}
	}
	return nil, false, errLine
}

// member reads the value under key.
func (s *lineScanner) member(w *wanted, key []byte, depth int) error {
	if s.at >= len(s.line) {
		return errLine
	}
	if w == nil {
		return s.skip(depth)
	}
	if s.line[s.at] == '{' {
		if !w.all {
			return s.object(w.under(key), false, depth+1)
		}
		before := len(s.path)
		s.path = append(append(s.path, key...), '.')
		err := s.object(w, false, depth+1)
		s.path = s.path[:before]
		return err
	}
	column := -1
	if w.all {
		column = s.found(string(s.path) + string(key))
	} else {
		for i, name := range w.names {
			if name == string(key) {
				column = w.columns[i]
			}
		}
	}
	if column < 0 {
		return s.skip(depth)
	}
	return s.value(column, depth)
}

func (s *lineScanner) value(column, depth int) error {
	c := cell{column: column}
	switch s.line[s.at] {
	case '"':
		raw, plain, err := s.text()
		if err != nil {
			return err
		}
		c.kind = textCell
		if plain {
			c.text = string(raw)
		} else if c.text, err = jsontext.Unquote(s.line[s.at-len(raw)-2 : s.at]); err != nil {
			return err
		}
		switch c.text { // numbers that JSON has no other form for
		case "NaN", "Infinity", "-Infinity":
			c.kind = floatCell
			c.number, _ = strconv.ParseFloat(c.text, 64)
		}
	case '[':
		s.lists = true
		return s.skip(depth)
	default:
		start := s.at
		var ok bool
		if c.kind, c.number, s.at, ok = shortNumber(s.line, start); ok {
			break
		}
		s.at = start
		if err := s.bare(); err != nil {
			return err
		}
		token := s.line[start:s.at]
		switch string(token) {
		case "true":
			c.kind = trueCell
		case "false":
			c.kind = falseCell
		case "null":
			return nil
		default:
			if c.kind, c.number, ok = parseNumber(token); !ok {
				return errLine
			}
		}
	}
	s.cells = put(s.cells, c)
	return nil
}

// put adds a cell, in place of one of the same column: of two values under one
// name the last counts.
func put(cells []cell, c cell) []cell {
	for i := range cells {
		if cells[i].column == c.column {
			cells[i] = c
			return cells
		}
	}
	return append(cells, c)
}

// bare passes over a number or a word.
func (s *lineScanner) bare() error {
	for i := s.at; i < len(s.line); i++ {
		switch class[s.line[i]] {
		case ends:
			if i == s.at {
				return errLine
			}
			s.at = i
			return nil
		case wrong:
			return errLine
		}
	}
	return errLine
}

// class tells what a byte means for a number or word that it stands behind.
var class = func() (c [256]uint8) {
	for _, b := range ",}] \t\r" {
		c[b] = ends
	}
	for _, b := range "\"{[:" {
		c[b] = wrong
	}
	return c
}()

const (
	_ uint8 = iota // it goes on
	ends
	wrong
)

// skip passes over a value that nobody wants.
func (s *lineScanner) skip(depth int) error {
	switch s.line[s.at] {
	case '"':
		_, _, err := s.text()
		return err
	case '{':
		return s.object(nil, false, depth+1)
	case '[':
		return s.array(depth + 1)
	}
	return s.bare()
}

func (s *lineScanner) array(depth int) error {
	if depth > maxDepth {
		return errLine
	}
	s.at++
	s.blank()
	if s.next(']') {
		return nil
	}
	for s.at < len(s.line) {
		if err := s.skip(depth); err != nil {
			return err
		}
		s.blank()
		if s.next(']') {
			return nil
		}
		if !s.next(',') {
			break
		}
		s.blank()
	}
	return errLine
}

// eachLine calls visit with every line of r and the offset at which it begins,
// without its newline. The last one may lack that: then whole is false. buf is
// what it reads into, grown where a line is longer; it is returned for the next
// file.
func eachLine(r io.Reader, buf []byte, visit func(line []byte, offset int64, whole bool)) ([]byte, error) {
	if cap(buf) == 0 {
		buf = make([]byte, 256<<10)
	}
	buf = buf[:cap(buf)]
	offset := int64(0) // of buf[0] in the file
	kept := 0          // bytes of an unfinished line at the start of buf
	for {
		n, err := r.Read(buf[kept:])
		text := buf[:kept+n]
		searched := kept
		for {
			end := bytes.IndexByte(text[searched:], '\n')
			if end < 0 {
				break
			}
			end += searched
			visit(text[:end], offset, true)
			text = text[end+1:]
			offset += int64(end) + 1
			searched = 0
		}
		if err != nil {
			if len(text) > 0 {
				visit(text, offset, false)
			}
			if err == io.EOF {
				err = nil
			}
			return buf, err
		}
		kept = copy(buf, text)
		if kept == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}
