package sweep

import (
	"strings"

	"github.com/mlxp/mlxp/config"
)

// maxDepth bounds how deep lists, dicts and functions may nest. Hydra gives up
// between 246 (dicts) and 493 (lists), when Python's stack is exhausted.
const maxDepth = 500

// maxCalls bounds how deep functions may nest: each handles all that is inside.
const maxCalls = 50

// A head is an override up to its = sign.
type head struct {
	op      config.Op
	key     string
	pkg     *string
	element string // as written: what tells one axis from another, and the start of a job's text
}

// An argument is one override as written. Its value may be a sweep.
type argument struct {
	head
	value *value // nil for a deletion without a value
	word  string
}

// parseArgument reads one override, such as lr=0.1, +db@src=a,b or ~x. The seed
// is for the lists that it shuffles.
func parseArgument(s string, seed uint64) (*argument, *ParseError) {
	h, pos, err := parseHead(s, 0)
	if err != nil {
		return nil, err
	}
	a := &argument{head: h, word: s}
	if pos == len(s) {
		if h.op == config.Delete {
			return a, nil
		}
		return nil, errorAt(s, pos, "expected = and a value")
	}
	if s[pos] != '=' {
		return nil, unexpectedInKey(h, s, pos)
	}
	p := parser{s: s, seed: seed}
	if err := p.advanceTo(skipSpace(s, pos+1)); err != nil {
		return nil, err
	}
	if p.tok.kind == tokEOF {
		a.value = text("")
		return a, nil
	}
	if a.value, err = p.value(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokEOF {
		return nil, p.unexpected("")
	}
	return a, nil
}

// parseHead reads the part of an override before its = and returns where it
// ends.
func parseHead(s string, pos int) (head, int, *ParseError) {
	h := head{}
	start := pos
	switch {
	case strings.HasPrefix(s[pos:], "++"):
		h.op, pos = config.ForceAdd, pos+2
	case strings.HasPrefix(s[pos:], "+"):
		h.op, pos = config.Add, pos+1
	case strings.HasPrefix(s[pos:], "~"):
		h.op, pos = config.Delete, pos+1
	}
	end, plain, err := scanName(s, pos)
	if err != nil {
		return h, pos, err
	}
	for plain && end < len(s) && s[end] == '/' {
		part, isPlain, err := scanName(s, end+1)
		switch {
		case err != nil:
			return h, pos, err
		case part == end+1:
			return h, pos, errorAt(s, part, "expected the rest of the config group's name")
		case !isPlain:
			return h, pos, errorAt(s, end+1, "a config group's name has only letters, digits, _ and - between its slashes")
		}
		end = part
	}
	h.key = s[pos:end]
	if end < len(s) && s[end] == '@' {
		stop, _, err := scanName(s, end+1)
		if err != nil {
			return h, pos, err
		}
		pkg := s[end+1 : stop]
		h.pkg, end = &pkg, stop
	}
	h.element = s[start:end]
	return h, end, nil
}

// scanName returns the end of the dotted path at pos, which may be empty, and
// whether it is plain: a name that may stand beside a slash. A part that is a
// number stands beside a dot only.
func scanName(s string, pos int) (end int, plain bool, err *ParseError) {
	end = pos
	for i := pos; i < len(s); i++ {
		part := i
		if isDigit(s[i]) {
			part = scanUnsigned(s, i)
		} else {
			for part < len(s) && (isLetter(s[part]) || s[part] == '_' || s[part] == '$' ||
				part > i && (isDigit(s[part]) || s[part] == '-')) {
				part++
			}
		}
		if part == i {
			break
		}
		end, i = part, part
		if i == len(s) || s[i] != '.' {
			break
		}
	}
	name := s[pos:end]
	if name != "" && isDigit(name[0]) && strings.IndexByte(name, '.') < 0 {
		return pos, false, errorAt(s, pos, "a key does not begin with a digit")
	}
	return end, name != "" && !strings.ContainsAny(name, ".$"), nil
}

// A parser reads the value of one override. After each step, tok is the first
// token not yet used.
type parser struct {
	s        string
	seed     uint64
	tok      token
	depth    int // how many brackets are open
	calls    int // how many of them are functions'
	shuffles int // so far
}

func (p *parser) advanceTo(pos int) (err *ParseError) {
	p.tok, err = scan(p.s, pos)
	return err
}

func (p *parser) advance() *ParseError { return p.advanceTo(p.tok.end) }

// value reads an element, or several with commas between them: a sweep.
func (p *parser) value() (*value, *ParseError) {
	v, err := p.element()
	if err != nil || p.tok.kind != tokComma {
		return v, err
	}
	vs := []*value{v}
	for p.tok.kind == tokComma {
		if err := p.advance(); err != nil {
			return nil, err
		}
		v, err := p.element()
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return swept(spec{form: simpleChoice, list: vs}), nil
}

func (p *parser) element() (*value, *ParseError) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, errorAt(p.s, p.tok.start, "more than %d brackets are open here", maxDepth)
	}
	switch p.tok.kind {
	case tokBracketOpen:
		return p.list()
	case tokBraceOpen:
		return p.dict()
	case tokQuoted:
		v := &value{kind: config.String, quote: p.s[p.tok.start], text: unquote(p.s[p.tok.start:p.tok.end])}
		return v, p.advance()
	case tokID:
		name := p.tok
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.tok.kind == tokParenOpen {
			return p.function(name)
		}
		return p.primitive(name, true)
	}
	first := p.tok
	if !isPrimitive(first.kind, true) {
		return nil, p.unexpected("a value")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.primitive(first, true)
}

// isPrimitive reports whether tokens of this kind make up a plain value or,
// without interpolations and colons, the key of a dict.
func isPrimitive(k tokenKind, isValue bool) bool {
	return tokFloat <= k && k <= tokSpace || isValue && (k == tokColon || k == tokInterpolation)
}

// primitive reads a plain value, of which first has been read. Only a value
// of a single token, white space around it apart, is anything but a string.
func (p *parser) primitive(first token, isValue bool) (*value, *ParseError) {
	last, escapes := first, first.kind == tokEscape
	for isPrimitive(p.tok.kind, isValue) {
		if p.tok.kind != tokSpace {
			escapes = escapes || p.tok.kind == tokEscape
			last = p.tok
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if first == last {
		return p.scalar(first)
	}
	if !escapes {
		return text(p.s[first.start:last.end]), nil
	}
	var b strings.Builder
	for pos := first.start; pos < last.end; {
		tok, err := scan(p.s, pos)
		if err != nil {
			return nil, err
		}
		if tok.kind == tokEscape {
			for i := tok.start + 1; i < tok.end; i += 2 {
				b.WriteByte(p.s[i])
			}
		} else {
			b.WriteString(p.s[tok.start:tok.end])
		}
		pos = tok.end
	}
	return text(b.String()), nil
}

// scalar returns the value of a single token.
func (p *parser) scalar(t token) (*value, *ParseError) {
	s := p.s[t.start:t.end]
	switch t.kind {
	case tokNull:
		return null(), nil
	case tokBool:
		return boolean(len(s) == len("true")), nil
	case tokInt:
		if d, ok := parseInt(s); ok {
			return integer(d), nil
		}
		return nil, errorAt(p.s, t.start, "an integer has at most %d digits", maxDigits)
	case tokFloat:
		f, _ := parseFloat(s)
		return float(f), nil
	case tokEscape:
		b := make([]byte, 0, len(s)/2)
		for i := 1; i < len(s); i += 2 {
			b = append(b, s[i])
		}
		return text(string(b)), nil
	}
	return text(s), nil
}

// list reads [a,b].
func (p *parser) list() (*value, *ParseError) {
	open := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	v := list(nil)
	for p.tok.kind != tokBracketClose {
		if len(v.items) > 0 {
			if err := p.comma(open, "]"); err != nil {
				return nil, err
			}
		}
		item, err := p.element()
		if err != nil {
			return nil, p.unclosed(open, err)
		}
		v.items = append(v.items, item)
	}
	return v, p.advance()
}

// dict reads {a:1,b:2}. As in Python, keys that compare equal are one key: the
// first is kept, with the last value.
func (p *parser) dict() (*value, *ParseError) {
	open := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	v := &value{kind: config.Map}
	index := map[string]int{}
	for n := 0; p.tok.kind != tokBraceClose; n++ {
		if n > 0 {
			if err := p.comma(open, "}"); err != nil {
				return nil, err
			}
		}
		first := p.tok
		if !isPrimitive(first.kind, false) {
			return nil, p.unclosed(open, p.unexpected("a key without quotes"))
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		key, err := p.primitive(first, false)
		if err != nil {
			return nil, err
		}
		if p.tok.kind != tokColon {
			return nil, p.unclosed(open, p.unexpected(": and a value"))
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		item, err := p.element()
		if err != nil {
			return nil, p.unclosed(open, err)
		}
		id := identity(key)
		if i, ok := index[id]; ok && id != "" {
			v.items[i] = item
			continue
		}
		index[id] = len(v.keys)
		v.keys, v.items = append(v.keys, key), append(v.items, item)
	}
	return v, p.advance()
}

// comma reads the comma between two items of what open began.
func (p *parser) comma(open token, closing string) *ParseError {
	if p.tok.kind != tokComma {
		return p.unclosed(open, p.unexpected(", or "+closing))
	}
	return p.advance()
}

// function reads the arguments of the function whose name has been read, and
// applies it.
func (p *parser) function(name token) (*value, *ParseError) {
	p.calls++
	defer func() { p.calls-- }()
	if p.calls > maxCalls {
		return nil, errorAt(p.s, name.start, "more than %d functions are inside each other here", maxCalls)
	}
	c := &call{name: p.s[name.start:name.end]}
	switch c.name {
	case "zip":
		return p.zip(name)
	case "shuffle":
		p.shuffles++
		c.dice = throw(p.s, p.seed, p.shuffles)
	}
	open := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	for n := 0; p.tok.kind != tokParenClose; n++ {
		if n > 0 {
			if err := p.comma(open, ")"); err != nil {
				return nil, err
			}
		}
		arg, err := p.namedElement()
		if err != nil {
			return nil, p.unclosed(open, err)
		}
		c.args = append(c.args, arg)
	}
	v, reason := c.eval()
	if reason != nil {
		return nil, refusal(p.s, name.start, "%s: %s", abbreviate(c.name), reason)
	}
	return v, p.advance()
}

// namedElement reads one argument of a function: an element, or a name with =
// before it.
func (p *parser) namedElement() (arg, *ParseError) {
	start := p.tok
	if start.kind == tokID {
		after, err := scan(p.s, start.end)
		if err != nil {
			return arg{}, err
		}
		if after.kind == tokEqual {
			if err := p.advanceTo(after.end); err != nil {
				return arg{}, err
			}
			v, err := p.element()
			return arg{name: p.s[start.start:start.end], value: v}, err
		}
	}
	v, err := p.element()
	return arg{value: v}, err
}

// unquote returns the content of a quoted value: backslashes count only before
// a quote of its own kind, where each pair stands for one.
func unquote(s string) string {
	quote := s[0]
	body := s[1 : len(s)-1]
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); {
		run := i
		for run < len(body) && body[run] == '\\' {
			run++
		}
		n := run - i
		if run == len(body) || body[run] == quote {
			n /= 2 // the rest of an odd number escapes the quote
		}
		b.WriteString(body[i : i+n])
		if run < len(body) {
			b.WriteByte(body[run])
			run++
		}
		i = run
	}
	return b.String()
}
