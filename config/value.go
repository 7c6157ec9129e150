package config

import (
	"math"
	"slices"
	"strconv"
)

// largeMap is how many keys a map has before an index is worth making.
const largeMap = 32

// Get returns the value of a key of a map.
func (n *Node) Get(key Key) (*Node, bool) {
	if i := n.find(key); i >= 0 {
		return n.Items[i], true
	}
	return nil, false
}

// find returns the index of key in a map, or -1.
func (n *Node) find(key Key) int {
	if n.Kind != Map {
		return -1
	}
	key = key.canonical()
	for i, k := range n.Keys {
		if k == key || k.Kind != String && k.canonical() == key {
			return i
		}
	}
	return -1
}

// child returns the value of a map's text key, or nil.
func (n *Node) child(name string) *Node {
	v, _ := n.Get(Key{Kind: String, Text: name})
	return v
}

func (n *Node) isMissing() bool { return n.Kind == String && n.Text == Missing }

func (n *Node) isContainer() bool { return n.Kind == List || n.Kind == Map }

// describe names n in an error: "the text 'x'", "a map".
func (n *Node) describe() string {
	switch n.Kind {
	case Null:
		return "null"
	case Bool:
		return "the bool " + strconv.FormatBool(n.Bool)
	case Int:
		return "the int " + n.Text
	case Float:
		return "the float " + FormatFloat(n.Float)
	case String:
		if len(n.Text) > 60 {
			return "a text"
		}
		return "the text " + quotePython(n.Text)
	case Bytes:
		return "binary data"
	case Path:
		return "the path " + n.Text
	case List:
		return "a list"
	}
	return "a map"
}

// asKey returns the key that a scalar makes; null makes none.
func (n *Node) asKey() (Key, bool) {
	switch n.Kind {
	case Bool:
		return Key{Bool, strconv.FormatBool(n.Bool)}, true
	case Float:
		return Key{Float, FormatFloat(n.Float)}, true
	case Int, String, Bytes:
		return Key{n.Kind, n.Text}, true
	}
	return Key{}, false
}

// value returns the scalar that k was made of.
func (k Key) value() *Node {
	n := &Node{Kind: k.Kind, Text: k.Text}
	switch k.Kind {
	case Bool:
		n.Bool, n.Text = k.Text == "true", ""
	case Float:
		n.Float, _ = strconv.ParseFloat(k.Text, 64)
		n.Text = ""
	}
	return n
}

// canonical returns the key that stands for all keys Python holds equal to k.
func (k Key) canonical() Key {
	switch k.Kind {
	case Bool:
		if k.Text == "true" {
			return Key{Int, "1"}
		}
		return Key{Int, "0"}
	case Float:
		f, _ := strconv.ParseFloat(k.Text, 64)
		if f == math.Trunc(f) && !math.IsInf(f, 0) {
			return Key{Int, wholeDigits(f)}
		}
	}
	return k
}

// Equal reports whether n and m have the same values of the same types. The
// order of keys does not count, nor do positions; NaN equals NaN, and -0.0 is
// not 0.0.
func (n *Node) Equal(m *Node) bool {
	if n == m {
		return true
	}
	if n.Kind != m.Kind || len(n.Items) != len(m.Items) {
		return false
	}
	switch n.Kind {
	case Bool:
		return n.Bool == m.Bool
	case Float:
		return math.Float64bits(n.Float) == math.Float64bits(m.Float) || n.Float != n.Float && m.Float != m.Float
	case List:
		for i, item := range n.Items {
			if !item.Equal(m.Items[i]) {
				return false
			}
		}
		return true
	case Map:
		return n.equalMap(m)
	}
	return n.Text == m.Text
}

func (n *Node) equalMap(m *Node) bool {
	find := m.finder()
	for i, key := range n.Keys {
		j := i
		if m.Keys[j] != key {
			if j = find(key); j < 0 || m.Keys[j] != key {
				return false
			}
		}
		if !n.Items[i].Equal(m.Items[j]) {
			return false
		}
	}
	return true
}

// finder returns n.find, with an index behind it where n is large.
func (n *Node) finder() func(Key) int {
	if len(n.Keys) < largeMap {
		return n.find
	}
	index := newKeyIndex(len(n.Keys))
	for i, k := range n.Keys {
		index.add(k, i)
	}
	return func(k Key) int {
		if i, ok := index.at(k.canonical()); ok {
			return i
		}
		return -1
	}
}

// A keyIndex finds keys by Python's equality: a list of them or, where there are
// many, a map.
type keyIndex struct {
	few   []Key
	where []int
	many  map[Key]int
}

func newKeyIndex(size int) *keyIndex {
	if size < largeMap {
		return &keyIndex{few: make([]Key, 0, size), where: make([]int, 0, size)}
	}
	return &keyIndex{many: make(map[Key]int, size)}
}

func (x *keyIndex) at(canonical Key) (int, bool) {
	if x.many != nil {
		i, ok := x.many[canonical]
		return i, ok
	}
	i := slices.Index(x.few, canonical)
	if i < 0 {
		return 0, false
	}
	return x.where[i], true
}

// add notes where a key is. If the key is known already it returns where, and
// false.
func (x *keyIndex) add(key Key, where int) (int, bool) {
	key = key.canonical()
	if i, ok := x.at(key); ok {
		return i, false
	}
	if x.many != nil {
		x.many[key] = where
	} else {
		x.few = append(x.few, key)
		x.where = append(x.where, where)
	}
	return where, true
}
