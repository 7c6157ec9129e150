package config

import (
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// maxDepth is how deep lists and maps may be nested, in YAML, in JSON and in
// what interpolations build.
const maxDepth = 1000

const yamlTag = "tag:yaml.org,2002:"

// A yamlNode is a node of a document before its tag gives it a value. An alias
// is its anchor's node again.
type yamlNode struct {
	kind  tokenKind // scalarToken, blockSequenceStart or blockMappingStart
	tag   string    // as written and in full; "" where the text decides
	text  string
	plain bool
	items []*yamlNode // map: key, value, key, value
	at    mark
}

// A yamlParser makes nodes of tokens.
type yamlParser struct {
	*scanner
	handles map[string]string // of tags
	anchors map[string]*yamlNode
	depth   int
	nodes   int
	aliases bool // whether the document has any
}

// document parses a text that holds at most one document. It returns nil where
// there is none.
func (p *yamlParser) document() (*yamlNode, error) {
	p.handles = map[string]string{"!": "!", "!!": yamlTag}
	p.anchors = map[string]*yamlNode{}

	t, err := p.next()
	if err != nil {
		return nil, err
	}
	var n *yamlNode
	switch t.kind {
	case directive, documentStart, streamEnd:
		n, err = p.explicitDocument()
	default:
		n, err = p.node(true, false)
	}
	if err != nil || n == nil {
		return nil, err
	}
	if n, err := p.explicitDocument(); err != nil || n != nil {
		if err == nil {
			err = p.errorf(n.at, "a second document begins here; a config file holds one")
		}
		return nil, err
	}
	return n, nil
}

// explicitDocument parses a document that begins with "---".
func (p *yamlParser) explicitDocument() (*yamlNode, error) {
	t, err := p.next()
	for err == nil && t.kind == documentEnd {
		p.skip()
		t, err = p.next()
	}
	if err != nil || t.kind == streamEnd {
		return nil, err
	}
	if err := p.directives(); err != nil {
		return nil, err
	}
	if t, err = p.next(); err != nil {
		return nil, err
	}
	if t.kind != documentStart {
		return nil, p.errorf(t.at, "unexpected %s: the document has ended before it", tokenNames[t.kind])
	}
	at := p.skip().at
	if t, err = p.next(); err != nil {
		return nil, err
	}
	switch t.kind {
	case directive, documentStart, documentEnd, streamEnd:
		return p.empty(at), nil
	}
	return p.node(true, false)
}

func (p *yamlParser) directives() error {
	version := false
	named := map[string]bool{}
	for {
		t, err := p.next()
		if err != nil || t.kind != directive {
			return err
		}
		d := p.skip()
		switch d.text {
		case "YAML":
			if version || strings.TrimLeft(d.args[0], "0") != "1" {
				return p.errorf(d.at, "one %%YAML 1.x is allowed")
			}
			version = true
		case "TAG":
			if named[d.args[0]] {
				return p.errorf(d.at, "the tag handle %q is given twice", d.args[0])
			}
			named[d.args[0]] = true
			p.handles[d.args[0]] = d.args[1]
		}
	}
}

func (p *yamlParser) empty(at mark) *yamlNode {
	p.nodes++
	return &yamlNode{kind: scalarToken, plain: true, at: at}
}

// node parses a value. In a block, collections without brackets may stand here;
// as a map's value also a list that is not indented.
func (p *yamlParser) node(block, unindented bool) (*yamlNode, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind == aliasToken {
		alias := p.skip()
		n := p.anchors[alias.text]
		if n == nil {
			return nil, p.errorf(alias.at, "there is no anchor &%s before this alias; quote a text that begins with '*'", alias.text)
		}
		p.aliases = true
		return n, nil
	}

	n := &yamlNode{at: t.at}
	p.nodes++
	var anchored, tagged bool
	for (t.kind == anchorToken && !anchored) || (t.kind == tagToken && !tagged) {
		at := t.at
		switch t := p.skip(); t.kind {
		case anchorToken:
			if p.anchors[t.text] != nil {
				return nil, p.errorf(at, "the anchor &%s is given twice", t.text)
			}
			anchored = true
			p.anchors[t.text] = n
		case tagToken:
			tagged = true
			prefix, ok := p.handles[t.handle]
			if t.handle != "" && !ok {
				return nil, p.errorf(at, "the tag handle %q is not declared", t.handle)
			}
			n.tag = prefix + t.text
		}
		if t, err = p.next(); err != nil {
			return nil, err
		}
	}

	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf(n.at, "nested deeper than %d levels", maxDepth)
	}
	defer func() { p.depth-- }()

	switch kind := t.kind; {
	case kind == blockEntry && unindented:
		n.kind = blockSequenceStart
		return n, p.blockSequence(n, true)
	case kind == scalarToken:
		scalar := p.skip()
		n.kind, n.text, n.plain = scalarToken, scalar.text, scalar.plain && !tagged
		if n.tag == "!" {
			n.tag, n.plain = "", true
		}
		return n, nil
	case kind == flowSequenceStart:
		n.kind = blockSequenceStart
		return n, p.flowSequence(n)
	case kind == flowMappingStart:
		n.kind = blockMappingStart
		return n, p.flowMapping(n)
	case kind == blockSequenceStart && block:
		n.kind = blockSequenceStart
		p.skip()
		return n, p.blockSequence(n, false)
	case kind == blockMappingStart && block:
		n.kind = blockMappingStart
		p.skip()
		return n, p.blockMapping(n)
	case anchored || tagged:
		n.kind = scalarToken
		n.plain = !tagged || n.tag == "!"
		if n.tag == "!" {
			n.tag = ""
		}
		return n, nil
	}
	err = p.errorf(t.at, "a value is missing before %s", tokenNames[t.kind])
	if t.kind == keyMark && p.text[t.at.index] == '?' {
		return nil, fault.Hint(err, "between brackets a text with '?' has to be quoted: '???'")
	}
	return nil, err
}

// nodeUnless parses a value, or takes an empty one where one of the given
// tokens shows that there is none.
func (p *yamlParser) nodeUnless(at mark, block, unindented bool, ends ...tokenKind) (*yamlNode, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	for _, end := range ends {
		if t.kind == end {
			return p.empty(at), nil
		}
	}
	return p.node(block, unindented)
}

func (p *yamlParser) blockSequence(n *yamlNode, unindented bool) error {
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch {
		case t.kind == blockEntry:
			at := p.skip().at
			ends := []tokenKind{blockEntry, blockEnd}
			if unindented {
				ends = []tokenKind{blockEntry, keyMark, valueMark, blockEnd}
			}
			item, err := p.nodeUnless(at, true, false, ends...)
			if err != nil {
				return err
			}
			n.items = append(n.items, item)
		case unindented:
			return nil
		case t.kind == blockEnd:
			p.skip()
			return nil
		default:
			return p.errorf(t.at, "%s cannot stand in the list that begins at line %d", tokenNames[t.kind], n.at.line+1)
		}
	}
}

func (p *yamlParser) blockMapping(n *yamlNode) error {
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case blockEnd:
			p.skip()
			return nil
		case keyMark:
		default:
			return p.errorf(t.at, "%s cannot stand in the map that begins at line %d", tokenNames[t.kind], n.at.line+1)
		}
		key, err := p.nodeUnless(p.skip().at, true, true, keyMark, valueMark, blockEnd)
		if err != nil {
			return err
		}
		value, err := p.valueAfterColon(true, keyMark, valueMark, blockEnd)
		if err != nil {
			return err
		}
		n.items = append(n.items, key, value)
	}
}

// valueAfterColon parses a key's value, which is empty where there is no ":".
func (p *yamlParser) valueAfterColon(block bool, ends ...tokenKind) (*yamlNode, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != valueMark {
		return p.empty(t.at), nil
	}
	return p.nodeUnless(p.skip().at, block, block, ends...)
}

func (p *yamlParser) flowSequence(n *yamlNode) error {
	p.skip()
	for first := true; ; first = false {
		t, err := p.separator(n, first, flowSequenceEnd)
		if err != nil || t == nil {
			return err
		}
		if t.kind != keyMark {
			item, err := p.node(false, false)
			if err != nil {
				return err
			}
			n.items = append(n.items, item)
			continue
		}
		// A key in a list makes a map of one pair: [a: 1].
		pair := &yamlNode{kind: blockMappingStart, at: t.at}
		p.nodes++
		key, err := p.nodeUnless(p.skip().at, false, false, valueMark, flowEntry, flowSequenceEnd)
		if err != nil {
			return err
		}
		value, err := p.valueAfterColon(false, flowEntry, flowSequenceEnd)
		if err != nil {
			return err
		}
		pair.items = []*yamlNode{key, value}
		n.items = append(n.items, pair)
	}
}

func (p *yamlParser) flowMapping(n *yamlNode) error {
	p.skip()
	for first := true; ; first = false {
		t, err := p.separator(n, first, flowMappingEnd)
		if err != nil || t == nil {
			return err
		}
		var key, value *yamlNode
		if t.kind == keyMark {
			if key, err = p.nodeUnless(p.skip().at, false, false, valueMark, flowEntry, flowMappingEnd); err != nil {
				return err
			}
			if value, err = p.valueAfterColon(false, flowEntry, flowMappingEnd); err != nil {
				return err
			}
		} else {
			if key, err = p.node(false, false); err != nil {
				return err
			}
			value = p.empty(key.at)
		}
		n.items = append(n.items, key, value)
	}
}

// separator moves to the next item between brackets and returns its first
// token, or nil behind the closing bracket.
func (p *yamlParser) separator(n *yamlNode, first bool, end tokenKind) (*token, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != end && !first {
		if t.kind != flowEntry {
			err := p.errorf(t.at, "',' or %s is missing before %s, for the bracket at line %d, column %d",
				tokenNames[end], tokenNames[t.kind], n.at.line+1, n.at.column+1)
			if t.kind == flowMappingStart && p.text[t.at.index-1] == '$' {
				return nil, fault.Hint(err, "between brackets an interpolation has to be quoted: '${…}'")
			}
			return nil, err
		}
		p.skip()
		if t, err = p.next(); err != nil {
			return nil, err
		}
	}
	if t.kind == end {
		p.skip()
		return nil, nil
	}
	return t, nil
}
