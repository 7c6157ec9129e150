package config

import (
	"iter"
	"strconv"
	"strings"
)

// At returns the value at a dotted path: "model.layers[0].size", or
// "model.layers.0.size". A key that is no text is found by its text: "5" by the
// int 5. The empty path is n itself. A key that holds a "." cannot be reached.
func (n *Node) At(path string) (*Node, bool) {
	if path == "" {
		return n, true
	}
	for _, part := range splitPath(path) {
		switch n.Kind {
		case Map:
			next := n.child(part)
			if next == nil {
				for i, k := range n.Keys {
					if k.Kind != String && k.Text == part {
						next = n.Items[i]
						break
					}
				}
			}
			if next == nil {
				return nil, false
			}
			n = next
		case List:
			i, ok := pythonInt(part)
			if !ok || i < 0 || i >= len(n.Items) {
				return nil, false
			}
			n = n.Items[i]
		default:
			return nil, false
		}
	}
	return n, true
}

// Leaves yields the values that are not maps, and empty maps, with the keys that
// lead to each. Lists are leaves. The slice of keys is valid until the next
// step. A config that is no map is its own leaf.
func (n *Node) Leaves() iter.Seq2[[]Key, *Node] {
	return func(yield func([]Key, *Node) bool) {
		var walk func(path []Key, n *Node) bool
		walk = func(path []Key, n *Node) bool {
			if n.Kind != Map || len(n.Items) == 0 {
				return yield(path, n)
			}
			for i, item := range n.Items {
				if !walk(append(path, n.Keys[i]), item) {
					return false
				}
			}
			return true
		}
		walk(nil, n)
	}
}

// Dotted joins keys to a dotted path.
func Dotted(keys []Key) string {
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(k.Text)
	}
	return b.String()
}

// Missing returns the dotted paths of the values that are still ???, those in
// lists included.
func (n *Node) Missing() []string {
	if n.isMissing() {
		return []string{""}
	}
	var paths []string
	for i, item := range n.Items {
		for _, rest := range item.Missing() {
			step := "[" + strconv.Itoa(i) + "]"
			if n.Kind == Map {
				step = n.Keys[i].Text
			}
			switch {
			case rest == "" || rest[0] == '[':
				paths = append(paths, step+rest)
			default:
				paths = append(paths, step+"."+rest)
			}
		}
	}
	return paths
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// splitPath cuts a path into its keys as OmegaConf does: "a.b", "a[b]" and
// "[a].b" are ["a", "b"]; what follows a "]" up to the next "." or "[" is lost.
func splitPath(path string) []string {
	if !strings.Contains(path, "[") {
		return strings.Split(path, ".")
	}
	// The head: leading dots and everything up to the next separator.
	head := 0
	for head < len(path) && path[head] == '.' {
		head++
	}
	for head < len(path) && path[head] != '.' && path[head] != '[' {
		head++
	}
	parts := strings.Split(path[:head], ".")
	if head == len(path) {
		return parts
	}
	if path[head] == '[' && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	for rest := path[head:]; rest != ""; {
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			parts = append(parts, rest[1:1+end])
			rest = rest[1+end:]
		case '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return parts
			}
			parts = append(parts, rest[1:end])
			rest = rest[end+1:]
		default:
			rest = rest[1:]
		}
	}
	return parts
}
