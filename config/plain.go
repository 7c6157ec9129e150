package config

import "iter"

// PlainText is the value as a program gets it in a variable or a word: a text
// as it is, null as the empty text, everything else as JSON. A float that is
// not finite is NaN, Infinity or -Infinity, without quotes.
func (n *Node) PlainText() string {
	switch n.Kind {
	case Null:
		return ""
	case String, Path:
		return n.Text
	}
	text := n.AppendJSON(nil)
	if text[0] == '"' { // a float that is not finite; bytes, as base64
		text = text[1 : len(text)-1]
	}
	return string(text)
}

// Paths yields the dotted paths of all keys below n, each map before what is in
// it.
func (n *Node) Paths() iter.Seq[string] {
	return func(yield func(string) bool) {
		var walk func(prefix string, n *Node) bool
		walk = func(prefix string, n *Node) bool {
			if n.Kind != Map {
				return true
			}
			for i, key := range n.Keys {
				path := joinPath(prefix, key.Text)
				if !yield(path) || !walk(path, n.Items[i]) {
					return false
				}
			}
			return true
		}
		walk("", n)
	}
}
