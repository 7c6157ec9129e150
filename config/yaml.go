package config

import (
	"encoding/base64"
	"math/big"
	"path"
	"strings"
)

// MaxFile is the size of the largest file that is read, in bytes.
const MaxFile = 64 << 20

// maxExpanded is how many values aliases and interpolations may make of a
// config that has fewer.
const maxExpanded = 1 << 20

// ParseYAML reads a config file's text as OmegaConf 2.3 does: YAML 1.1 with its
// own rule for floats, dates as text, duplicate keys refused and the syntax of
// interpolations checked. An empty file is an empty map; a file with one word
// is a map from that word to null. file is the name that errors and positions
// carry.
//
// An error begins with file:line:column.
func ParseYAML(text []byte, file string) (*Node, error) {
	n, err := parseDocument(text, file)
	if err != nil {
		return nil, err
	}
	if n.Kind == String {
		// OmegaConf reads the text of such a file once more, which makes a map
		// of the file "a: 1" with its quotes.
		again, err := parseDocument([]byte(n.Text), file)
		if err != nil {
			return nil, err
		}
		again.Pos = n.Pos
		n = again
	}
	return asConfig(n)
}

// asConfig returns the config that the document n stands for.
func asConfig(n *Node) (*Node, error) {
	switch n.Kind {
	case Map, List:
		return n, nil
	case Null:
		return &Node{Kind: Map, Pos: n.Pos}, nil
	case String:
		return &Node{Kind: Map, Pos: n.Pos, Keys: []Key{{Kind: String, Text: n.Text}}, Items: []*Node{{Pos: n.Pos}}}, nil
	}
	return nil, errorAt(n.Pos, "a config is a map or a list, not %s", n.describe())
}

// parseDocument reads a text with at most one document, which may be a scalar.
func parseDocument(text []byte, file string) (*Node, error) {
	if len(text) > MaxFile {
		return nil, errorAt(Pos{file, 1, 1}, "the file is larger than %d MB", MaxFile>>20)
	}
	s, err := newScanner(text, file)
	if err != nil {
		return nil, err
	}
	p := &yamlParser{scanner: s}
	doc, err := p.document()
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return &Node{Pos: Pos{file, 1, 1}}, nil
	}
	b := &builder{yamlParser: p, built: map[*yamlNode]*Node{}}
	n, err := b.build(doc)
	if err != nil {
		return nil, err
	}
	if p.aliases {
		if err := checkExpansion(n, maxExpanded+8*p.nodes); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// A builder gives yamlNodes their values. It goes level by level, as PyYAML
// does, because a merge key changes the map it merges.
type builder struct {
	*yamlParser
	built map[*yamlNode]*Node
	queue []*yamlNode
}

func (b *builder) build(doc *yamlNode) (*Node, error) {
	root, err := b.value(doc)
	if err != nil {
		return nil, err
	}
	for len(b.queue) > 0 {
		y := b.queue[0]
		b.queue = b.queue[1:]
		if err := b.fill(y, b.built[y]); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// value returns the node for y: a scalar, or a collection to be filled later.
func (b *builder) value(y *yamlNode) (*Node, error) {
	if n := b.built[y]; n != nil {
		return n, nil
	}
	n := &Node{Pos: b.pos(y.at)}
	tag, known := strings.CutPrefix(b.tagOf(y), yamlTag)
	if !known {
		return nil, errorAt(n.Pos, "the tag %q has no meaning in a config", y.tag)
	}
	var err error
	switch tag {
	case "map":
		err = b.expect(y, blockMappingStart)
		n.Kind = Map
	case "seq", "omap", "pairs", "python/object/apply:pathlib.Path",
		"python/object/apply:pathlib.PosixPath", "python/object/apply:pathlib.WindowsPath":
		err = b.expect(y, blockSequenceStart)
		n.Kind = List
	default:
		if err = b.expect(y, scalarToken); err == nil {
			err = scalarValue(n, tag, y.text)
		}
	}
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(tag, "python/") {
		return n, b.path(n, y)
	}
	if n.Kind == Map || n.Kind == List {
		b.queue = append(b.queue, y)
	}
	b.built[y] = n
	return n, nil
}

func (b *builder) expect(y *yamlNode, kind tokenKind) error {
	if y.kind == kind {
		return nil
	}
	names := map[tokenKind]string{scalarToken: "a scalar", blockSequenceStart: "a list", blockMappingStart: "a map"}
	return b.errorf(y.at, "the tag %q needs %s, not %s", y.tag, names[kind], names[y.kind])
}

// tagOf returns y's tag in full, working it out from the text where none is
// written.
func (b *builder) tagOf(y *yamlNode) string {
	switch {
	case y.tag != "" && y.tag != "!":
		return y.tag
	case y.kind == blockSequenceStart:
		return yamlTag + "seq"
	case y.kind == blockMappingStart:
		return yamlTag + "map"
	case y.plain:
		return yamlTag + implicitTag(y.text)
	}
	return yamlTag + "str"
}

func (b *builder) fill(y *yamlNode, n *Node) error {
	if n.Kind == Map {
		return b.fillMap(y, n)
	}
	pairs := y.tag == yamlTag+"omap" || y.tag == yamlTag+"pairs"
	for _, item := range y.items {
		var v *Node
		var err error
		if pairs {
			v, err = b.pair(item)
		} else {
			v, err = b.item(item)
		}
		if err != nil {
			return err
		}
		n.Items = append(n.Items, v)
	}
	return nil
}

// item is value for what a list or map holds, where interpolations count.
func (b *builder) item(y *yamlNode) (*Node, error) {
	v, err := b.value(y)
	if err == nil {
		err = checkInterpolation(v)
	}
	return v, err
}

// pair makes the list [key, value] of a map with one key.
func (b *builder) pair(y *yamlNode) (*Node, error) {
	if y.kind != blockMappingStart || len(y.items) != 2 {
		return nil, b.errorf(y.at, "an item of !!omap and !!pairs is a map with one key")
	}
	n := &Node{Kind: List, Pos: b.pos(y.at)}
	for _, item := range y.items {
		v, err := b.item(item)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, v)
	}
	return n, nil
}

// path makes a path of a list of its parts.
func (b *builder) path(n *Node, y *yamlNode) error {
	var parts []string
	for _, item := range y.items {
		v, err := b.value(item)
		if err != nil {
			return err
		}
		if v.Kind != String && v.Kind != Path {
			return errorAt(v.Pos, "a part of a path is a text, not %s", v.describe())
		}
		if strings.HasPrefix(v.Text, "/") {
			parts = nil // an absolute part begins anew
		}
		parts = append(parts, v.Text)
	}
	n.Kind = Path
	n.Text = purePath(strings.Join(parts, "/"))
	return nil
}

// purePath writes a file name as Python's pathlib does: without empty parts and
// ".", but with "..".
func purePath(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	clean := strings.Join(parts, "/")
	if path.IsAbs(name) {
		return "/" + clean
	}
	if clean == "" {
		return "."
	}
	return clean
}

func (b *builder) fillMap(y *yamlNode, n *Node) error {
	// Duplicates count before merge keys bring theirs in, and among texts only.
	seen := newKeyIndex(len(y.items) / 2)
	for i := 0; i < len(y.items); i += 2 {
		key := y.items[i]
		if key.kind != scalarToken || b.tagOf(key) != yamlTag+"str" {
			continue
		}
		if first, ok := seen.add(Key{String, key.text}, i); !ok {
			return b.errorf(key.at, "the key %q is there twice, first at line %d", key.text, y.items[first].at.line+1)
		}
	}
	if err := b.flatten(y, nil); err != nil {
		return err
	}

	index := newKeyIndex(len(y.items) / 2)
	for i := 0; i < len(y.items); i += 2 {
		key, err := b.key(y.items[i])
		if err != nil {
			return err
		}
		v, err := b.item(y.items[i+1])
		if err != nil {
			return err
		}
		if at, ok := index.add(key, len(n.Keys)); !ok {
			n.Items[at] = v
			continue
		}
		n.Keys = append(n.Keys, key)
		n.Items = append(n.Items, v)
	}
	return nil
}

func (b *builder) key(y *yamlNode) (Key, error) {
	v, err := b.value(y)
	if err != nil {
		return Key{}, err
	}
	key, ok := v.asKey()
	if !ok {
		return Key{}, errorAt(v.Pos, "%s cannot be a key; quote it", v.describe())
	}
	return key, nil
}

// flatten puts what y's merge keys ("<<") refer to in front of its own pairs.
func (b *builder) flatten(y *yamlNode, within []*yamlNode) error {
	for _, outer := range within {
		if outer == y {
			return b.errorf(y.at, "the map is merged into itself")
		}
	}
	var merged, own []*yamlNode
	for i := 0; i < len(y.items); i += 2 {
		key, value := y.items[i], y.items[i+1]
		if key.kind != scalarToken {
			own = append(own, key, value)
			continue
		}
		switch b.tagOf(key) {
		case yamlTag + "merge":
			sources := []*yamlNode{value}
			if value.kind == blockSequenceStart {
				sources = make([]*yamlNode, 0, len(value.items))
				for j := len(value.items) - 1; j >= 0; j-- { // of two, the first counts
					sources = append(sources, value.items[j])
				}
			}
			for _, source := range sources {
				if source.kind != blockMappingStart {
					return b.errorf(source.at, "<< takes a map or a list of maps")
				}
				if err := b.flatten(source, append(within, y)); err != nil {
					return err
				}
				merged = append(merged, source.items...)
				if len(merged) > maxExpanded {
					return b.errorf(y.at, "merge keys make more than %d pairs of this map", maxExpanded/2)
				}
			}
			continue
		case yamlTag + "value":
			key.tag = yamlTag + "str" // "=" is a key like any other
		}
		own = append(own, key, value)
	}
	if merged != nil {
		own = append(merged, own...)
	}
	y.items = own
	return nil
}

// checkExpansion reports a node that contains itself, has more than limit nodes
// when every alias is written out, or is nested too deep then.
func checkExpansion(root *Node, limit int) error {
	type extent struct{ size, depth int }
	known := map[*Node]extent{} // of size 0 while it is worked out
	var measure func(n *Node) (extent, error)
	measure = func(n *Node) (extent, error) {
		if len(n.Items) == 0 {
			return extent{size: 1}, nil
		}
		if x, ok := known[n]; ok {
			if x.size == 0 {
				return x, errorAt(n.Pos, "the value contains itself through an alias")
			}
			return x, nil
		}
		known[n] = extent{}
		total := extent{size: 1}
		for _, item := range n.Items {
			x, err := measure(item)
			if err != nil {
				return x, err
			}
			total.size += x.size
			total.depth = max(total.depth, x.depth+1)
			if total.size > limit {
				return x, errorAt(n.Pos, "aliases make more than %d values of this file", limit)
			}
			if total.depth > maxDepth {
				return x, errorAt(n.Pos, "aliases nest values deeper than %d levels", maxDepth)
			}
		}
		known[n] = total
		return total, nil
	}
	_, err := measure(root)
	return err
}

// scalarValue sets n to the value that text has under a tag.
func scalarValue(n *Node, tag, text string) error {
	switch tag {
	case "str":
		n.Kind, n.Text = String, text
		return nil
	case "null":
		return nil
	case "bool":
		switch strings.ToLower(text) {
		case "yes", "true", "on":
			n.Kind, n.Bool = Bool, true
			return nil
		case "no", "false", "off":
			n.Kind = Bool
			return nil
		}
	case "int":
		if v, ok := yamlInt(text); ok {
			n.Kind, n.Text = Int, v.String()
			return nil
		}
	case "float":
		if v, ok := yamlFloat(text); ok {
			n.Kind, n.Float = Float, v
			return nil
		}
	case "binary":
		if b, ok := decodeBase64(text); ok {
			n.Kind, n.Text = Bytes, string(b)
			return nil
		}
	case "merge":
		return errorAt(n.Pos, "<< merges a map as a key; quote it where it is a text")
	case "value":
		return errorAt(n.Pos, "= has a meaning of its own in YAML 1.1; quote it")
	default:
		return errorAt(n.Pos, "the tag !!%s has no meaning in a config", tag)
	}
	return errorAt(n.Pos, "%q is not a !!%s", text, tag)
}

// decodeBase64 decodes as Python does: characters outside the alphabet are left
// out, and what follows the padding too.
func decodeBase64(text string) ([]byte, bool) {
	var digits []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 0x80:
			return nil, false
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/':
			digits = append(digits, c)
		case c == '=' && len(digits)%4 >= 2:
			missing := 4 - len(digits)%4
			if strings.Count(text[i:], "=") < missing {
				return nil, false
			}
			// Only padding can complete the group if nothing else follows.
			b, err := base64.RawStdEncoding.DecodeString(string(digits))
			return b, err == nil
		}
	}
	b, err := base64.RawStdEncoding.DecodeString(string(digits))
	return b, err == nil && len(digits)%4 == 0
}

// bigInt reads digits in a base. Digits may be separated by nothing.
func bigInt(digits string, base int) (*big.Int, bool) {
	if digits == "" || digits[0] == '-' || digits[0] == '+' || strings.Contains(digits, "_") {
		return nil, false
	}
	return new(big.Int).SetString(digits, base)
}
