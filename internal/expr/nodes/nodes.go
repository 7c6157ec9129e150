// Package nodes lets expressions read values of package config.
package nodes

import (
	"strconv"

	"github.com/mlxp/mlxp/config"
)

// Value returns a node as a value of an expression: a scalar, or a [Map] or a
// [List] that look their values up when the expression reaches them. An integer
// that does not fit into 64 bits becomes a float. No node is null.
func Value(n *config.Node) any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case config.Bool:
		return n.Bool
	case config.Int:
		if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return i
		}
		x, _ := strconv.ParseFloat(n.Text, 64) // out of range: an infinity
		return x
	case config.Float:
		return n.Float
	case config.String, config.Path:
		return n.Text
	case config.Bytes:
		return []byte(n.Text)
	case config.List:
		return List{n}
	case config.Map:
		return Map{n}
	}
	return nil
}

// Map is a node of kind Map as an expression sees it.
type Map struct{ Node *config.Node }

// Field returns the value under the key whose text is name. Where several keys
// have that text, as 1 and "1", the first counts.
func (m Map) Field(name string) (any, bool) {
	for i := range m.Node.Keys {
		if m.Node.Keys[i].Text == name {
			return Value(m.Node.Items[i]), true
		}
	}
	return nil, false
}

// Names returns the texts of the keys.
func (m Map) Names() []string {
	names := make([]string, len(m.Node.Keys))
	for i, key := range m.Node.Keys {
		names[i] = key.Text
	}
	return names
}

// List is a node of kind List as an expression sees it.
type List struct{ Node *config.Node }

// Len returns the number of items.
func (l List) Len() int { return len(l.Node.Items) }

// At returns item i.
func (l List) At(i int) any { return Value(l.Node.Items[i]) }
