// Package columns keeps many JSON texts that look alike, such as the configs of
// a sweep, in little room, and finds one value in each of them without reading
// the rest.
//
// A text is cut into its shape, which is the text without its values, and the
// values. Texts of one shape make a table, whose columns are kept one by one,
// each different value once. A text comes back byte for byte.
package columns

import "bytes"

// A Kind says what a text looks like.
type Kind uint8

// The kinds of texts.
const (
	JSON  Kind = iota // one object
	Lines             // lines of "key: JSON", as a run's record has them
)

// A Cut is a text in two parts. The zero Cut is no text.
type Cut struct {
	Shape  string   // the text with hole in place of each value; "" if there is no text
	Values [][]byte // everything but objects: these are part of the shape
}

// hole stands in a shape where a value was. It is no character of JSON.
const hole = 0

// opaque is the shape of a text that is one value as a whole, because it is not
// of its kind.
const opaque = string(rune(hole))

// Split cuts a text. The values are parts of it. A text has to be valid for its
// values to mean anything; any other one is cut somehow and comes back whole.
func Split(kind Kind, text []byte) Cut {
	c := cutter{text: text}
	if bytes.IndexByte(text, hole) >= 0 || !c.cut(kind) {
		return Cut{opaque, [][]byte{text}}
	}
	return Cut{string(append(c.shape, text[c.done:]...)), c.values}
}

type cutter struct {
	text   []byte
	at     int
	done   int // text[:done] is in shape and values
	shape  []byte
	values [][]byte
}

// maxDepth is how deep objects may be nested.
const maxDepth = 100

func (c *cutter) cut(kind Kind) bool {
	if kind == JSON {
		ok := c.object(0)
		c.blank()
		return ok && c.at == len(c.text)
	}
	for c.at < len(c.text) {
		end := bytes.IndexByte(c.text[c.at:], '\n')
		if end < 0 {
			return false
		}
		end += c.at
		line := c.text[c.at:end]
		if len(bytes.TrimSpace(line)) > 0 && line[0] != '#' {
			i := bytes.Index(line, []byte(": "))
			if i < 0 {
				return false
			}
			c.at += i + len(": ")
			if !c.value(0) || c.at > end || len(bytes.TrimSpace(c.text[c.at:end])) > 0 {
				return false
			}
		}
		c.at = end + 1
	}
	return true
}

// object moves over an object and takes its values out.
func (c *cutter) object(depth int) bool {
	if c.blank(); !c.next('{') || depth > maxDepth {
		return false
	}
	if c.blank(); c.next('}') {
		return true
	}
	for {
		c.blank()
		if _, ok := c.string(); !ok {
			return false
		}
		if c.blank(); !c.next(':') || !c.value(depth+1) {
			return false
		}
		if c.blank(); c.next('}') {
			return true
		}
		if !c.next(',') {
			return false
		}
	}
}

// value takes a value out, or what is in it if it is an object.
func (c *cutter) value(depth int) bool {
	c.blank()
	if c.at < len(c.text) && c.text[c.at] == '{' {
		return c.object(depth)
	}
	start := c.at
	if !c.skip() {
		return false
	}
	c.shape = append(append(c.shape, c.text[c.done:start]...), hole)
	c.values = append(c.values, c.text[start:c.at])
	c.done = c.at
	return true
}

// skip moves over a value that is no object.
func (c *cutter) skip() bool {
	if c.at == len(c.text) {
		return false
	}
	switch c.text[c.at] {
	case '"':
		_, ok := c.string()
		return ok
	case '[':
		for depth := 0; c.at < len(c.text); {
			switch c.text[c.at] {
			case '"':
				if _, ok := c.string(); !ok {
					return false
				}
				continue
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			if c.at++; depth == 0 {
				return true
			}
		}
		return false
	}
	start := c.at
	for c.at < len(c.text) && bytes.IndexByte([]byte(",}] \t\r\n{[\":"), c.text[c.at]) < 0 {
		c.at++
	}
	return c.at > start
}

// string moves over a string and returns it with its quotes.
func (c *cutter) string() (quoted []byte, ok bool) {
	start := c.at
	if !c.next('"') {
		return nil, false
	}
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case '"':
			c.at++
			return c.text[start:c.at], true
		case '\\':
			c.at++
		}
		c.at++
	}
	return nil, false
}

func (c *cutter) blank() {
	for c.at < len(c.text) && (c.text[c.at] == ' ' || c.text[c.at] == '\n' || c.text[c.at] == '\t' || c.text[c.at] == '\r') {
		c.at++
	}
}

func (c *cutter) next(b byte) bool {
	if c.at < len(c.text) && c.text[c.at] == b {
		c.at++
		return true
	}
	return false
}
