package columns

import "strings"

// A Text is one text of a [Block].
type Text struct {
	table *table
	row   int
}

// Root returns the place of the whole text, nil if it is not known what it holds.
func (t Text) Root() *Node { return t.table.root }

// Value returns the value at a place, which parse has made of its text. parse is
// the same whenever it is asked for this value: it is called once for all rows
// that have the same.
func (t Text) Value(n *Node, parse func(text []byte) any) any {
	c := &t.table.columns[n.value]
	c.read.Do(c.load)
	if c.values == nil {
		return parse(nil)
	}
	c.parse.Do(func() {
		c.parsed = make([]any, len(c.values))
		for i, v := range c.values {
			c.parsed[i] = parse(v)
		}
	})
	return c.parsed[c.code(t.row)]
}

// Append appends the text at a place.
func (t Text) Append(dst []byte, n *Node) []byte {
	return t.fill(dst, t.table.text[n.start:n.end], n.value)
}

// JSON returns the part at a place. It is not to be changed.
func (t Text) JSON(n *Node) []byte {
	if n.IsValue() {
		return t.table.columns[n.value].at(t.row)
	}
	return t.Append(nil, n)
}

// AppendAll appends the whole text.
func (t Text) AppendAll(dst []byte) []byte { return t.fill(dst, t.table.text, 0) }

// fill puts values, from that one on, into a part of the shape.
func (t Text) fill(dst []byte, shape string, value int) []byte {
	for {
		before, after, more := strings.Cut(shape, opaque)
		dst = append(dst, before...)
		if !more {
			return dst
		}
		dst = append(dst, t.table.columns[value].at(t.row)...)
		value, shape = value+1, after
	}
}

// Cut returns the text as [Split] returned it.
func (t Text) Cut() Cut {
	c := Cut{Shape: t.table.text, Values: make([][]byte, len(t.table.columns))}
	for i := range c.Values {
		c.Values[i] = t.table.columns[i].at(t.row)
	}
	return c
}
