// Package config is the configuration of the user's program: ordered values,
// their reading and writing, and their composition as Hydra 1.3 does it.
package config

// Kind tells what a [Node] holds.
type Kind uint8

// The kinds of values. A missing value is the String "???", as in OmegaConf.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	Bytes // YAML's !!binary
	List
	Map
	Path // a file name, from YAML's !!python/object/apply:pathlib.Path
)

// Missing is the text of a value that has to be given before the config can be
// used.
const Missing = "???"

// A Node is one value of a config: a scalar, a list, or a map whose keys keep
// their order.
//
// Nodes are values: once a function has returned a node nobody changes it, so
// trees share what they have in common. To change a tree, copy the nodes on
// the way from its root to the change.
type Node struct {
	Kind  Kind
	Bool  bool
	Float float64
	Text  string  // String, Bytes, Path: the content, any bytes; Int: decimal digits, any number of them, no "+", no leading zeros
	Keys  []Key   // Map: the keys in order, Items[i] being the value of Keys[i]
	Items []*Node // List: the items; Map: the values
	Pos   Pos     // where it was written, if it was
}

// A Key is a key of a map, of any scalar kind. A map holds each key once, keys
// being compared as Python does: 1, 1.0 and true are one key, "1" is another.
type Key struct {
	Kind Kind
	Text string // the text of a String, the decimal digits of an Int, Python's repr of a Float, "true" or "false"; "" for Null
}

// Pos is a place in a file. The zero Pos means that there is none.
type Pos struct {
	File   string // as the user would write it: relative to the config dir, or the command line's word
	Line   int    // from 1
	Column int    // from 1, in characters
}
