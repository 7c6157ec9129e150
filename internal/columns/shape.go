package columns

import (
	"bytes"
	"strings"

	"github.com/mlxp/mlxp/internal/jsontext"
)

// A Node is a place in texts of one shape: a value, or an object.
type Node struct {
	Names []string // of what is in an object; nil for a value

	children    []*Node // under these names
	value       int     // which of the text's values it is; of an object, the first in it
	values      int     // how many are in it
	start, end  int     // where it is in the shape
	isContainer bool
}

// IsValue tells whether the node is a value, of whatever type but object.
func (n *Node) IsValue() bool { return !n.isContainer }

// Child returns what is under a name in an object, nil if there is nothing.
func (n *Node) Child(name string) *Node {
	for i, s := range n.Names {
		if s == name {
			return n.children[i]
		}
	}
	return nil
}

// shape is a shape that has been read.
type shape struct {
	text   string
	values int
	root   *Node // nil if what the values are cannot be told
}

func parseShape(kind Kind, text string) *shape {
	s := &shape{text: text, values: strings.Count(text, opaque)}
	if text == opaque {
		return s
	}
	p := shapeParser{cutter: cutter{text: []byte(text)}}
	var root *Node
	var ok bool
	if kind == JSON {
		root, ok = p.node(0)
	} else {
		root, ok = p.lines()
	}
	if ok && root.isContainer && root.values == s.values {
		s.root = root
	}
	return s
}

type shapeParser struct {
	cutter
	values int // that were passed
}

func (p *shapeParser) lines() (*Node, bool) {
	n := &Node{isContainer: true, end: len(p.text)}
	for p.at < len(p.text) {
		end := bytes.IndexByte(p.text[p.at:], '\n')
		if end < 0 {
			return nil, false
		}
		end += p.at
		line := p.text[p.at:end]
		if len(bytes.TrimSpace(line)) > 0 && line[0] != '#' {
			key, _, ok := bytes.Cut(line, []byte(": "))
			if !ok || bytes.ContainsAny(key, "\"\\ \t") {
				return nil, false
			}
			p.at += len(key) + len(": ")
			if !p.child(n, string(key), 0) || p.at > end {
				return nil, false
			}
		}
		p.at = end + 1
	}
	return n, true
}

// child reads what is under a name. A name that is there twice is no name.
func (p *shapeParser) child(n *Node, name string, depth int) bool {
	below, ok := p.node(depth)
	if !ok || n.Child(name) != nil {
		return false
	}
	n.Names, n.children = append(n.Names, name), append(n.children, below)
	n.values += below.values
	return true
}

func (p *shapeParser) node(depth int) (*Node, bool) {
	p.blank()
	n := &Node{start: p.at, value: p.values}
	if p.next(hole) {
		p.values++
		n.values, n.end = 1, p.at
		return n, true
	}
	n.isContainer = true
	if !p.next('{') || depth > maxDepth {
		return nil, false
	}
	if p.blank(); !p.next('}') {
		for {
			p.blank()
			quoted, ok := p.string()
			if !ok {
				return nil, false
			}
			name, err := jsontext.Unquote(quoted)
			if p.blank(); err != nil || !p.next(':') || !p.child(n, name, depth+1) {
				return nil, false
			}
			if p.blank(); p.next('}') {
				break
			}
			if !p.next(',') {
				return nil, false
			}
		}
	}
	n.end = p.at
	return n, true
}
