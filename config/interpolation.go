package config

import (
	"strings"
	"unicode/utf8"
)

// An expression is one part of a text with interpolations, or of a resolver's
// arguments. The grammar is OmegaConf's: omegaconf/grammar/*.g4 of version 2.3.
type expression interface{ isExpression() }

// A literal stands for itself.
type literal struct{ value *Node }

// A join is several parts put together to a text.
type join struct{ parts []expression }

// A reference is ${a.b}: a path whose keys may be interpolations themselves.
type reference struct {
	parts  []expression // keys, and the separators between them as literals
	source string
}

// A call is ${name:argument,…}.
type call struct {
	name   []expression // the parts between dots
	args   []expression
	source string
}

// A list and a dict occur among arguments.
type (
	listExpr struct{ items []expression }
	dictExpr struct {
		keys  []*Node // scalars
		items []expression
	}
)

func (literal) isExpression()    {}
func (join) isExpression()       {}
func (*reference) isExpression() {}
func (*call) isExpression()      {}
func (listExpr) isExpression()   {}
func (dictExpr) isExpression()   {}

// isInterpolation reports whether n is a text that has to be resolved, if only
// to remove the backslash of an escaped one.
func (n *Node) isInterpolation() bool {
	return n.Kind == String && strings.Contains(n.Text, "${")
}

// checkInterpolation reports an interpolation whose syntax is wrong.
func checkInterpolation(n *Node) error {
	if !n.isInterpolation() {
		return nil
	}
	_, err := parseInterpolation(n.Text)
	if err != nil {
		return errorAt(n.Pos, "%w", err)
	}
	return nil
}

// parseInterpolation parses a text that holds "${".
func parseInterpolation(text string) (expression, error) {
	p := &exprParser{lexer: exprLexer{text: text, modes: []lexMode{textMode}}}
	if err := p.lexer.run(); err != nil {
		return nil, err
	}
	e, err := p.text(false)
	if err == nil && p.peek().kind != endLexeme {
		err = p.unexpected()
	}
	return e, err
}

// parseElement parses what oc.decode takes: a value as it may stand among a
// resolver's arguments.
func parseElement(text string) (expression, error) {
	p := &exprParser{lexer: exprLexer{text: text, modes: []lexMode{valueMode}}}
	if err := p.lexer.run(); err != nil {
		return nil, err
	}
	e, err := p.element()
	if err == nil && p.peek().kind != endLexeme {
		err = p.unexpected()
	}
	return e, err
}

// An exprParser makes an expression of lexemes.
type exprParser struct {
	lexer exprLexer
	at    int
	depth int
}

func (p *exprParser) peek() lexeme { return p.lexer.out[p.at] }

func (p *exprParser) next() lexeme {
	l := p.lexer.out[p.at]
	if l.kind != endLexeme {
		p.at++
	}
	return l
}

func (p *exprParser) unexpected() error {
	l := p.peek()
	if l.kind == endLexeme {
		return p.lexer.errorf(l.offset, "the interpolation has no end: a '}', ']' or quote is missing")
	}
	return p.lexer.errorf(l.offset, "unexpected %q in an interpolation", l.text)
}

// text parses parts up to the end or, in quotes, to the closing quote.
func (p *exprParser) text(quoted bool) (expression, error) {
	var parts []expression
	for {
		switch l := p.peek(); l.kind {
		case openInter:
			e, err := p.interpolation()
			if err != nil {
				return nil, err
			}
			parts = append(parts, e)
			continue
		case strLexeme:
			parts = append(parts, literal{textNode(l.text)})
		case escInter:
			// Of n backslashes before "${" the last escapes it and each pair of
			// the others is one.
			parts = append(parts, literal{textNode(l.text[len(l.text)-len(l.text)/2-1:])})
		case escLexeme:
			parts = append(parts, literal{textNode(unescape(l.text))})
		case slashes:
			text := l.text
			after := p.lexer.out[p.at+1].kind
			if after == openInter || quoted && after == closeQuote {
				text = unescape(text)
			}
			parts = append(parts, literal{textNode(text)})
		default:
			if len(parts) == 0 {
				return nil, p.unexpected()
			}
			if len(parts) == 1 && !quoted {
				return parts[0], nil // of whatever type; in quotes it becomes a text
			}
			return join{parts}, nil
		}
		p.at++
	}
}

func textNode(s string) *Node { return &Node{Kind: String, Text: s} }

// unescape keeps every second character of a run of escapes.
func unescape(s string) string {
	b := make([]byte, 0, len(s)/2)
	for i := 1; i < len(s); i += 2 {
		b = append(b, s[i])
	}
	return string(b)
}

func (p *exprParser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.lexer.errorf(p.peek().offset, "interpolations nested deeper than %d levels", maxDepth)
	}
	return nil
}

// interpolation parses ${…}.
func (p *exprParser) interpolation() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	start := p.next().offset
	ref := &reference{}
	resolver := true // whether it may still be the name of a resolver
	separator := func(l lexeme) { ref.parts = append(ref.parts, literal{textNode(l.text)}) }
	for p.peek().kind == dot {
		separator(p.next())
		resolver = false
	}
	var name []expression
	for first := true; ; first = false {
		switch l := p.peek(); {
		case l.kind == openBracket:
			resolver = false
			separator(p.next())
			if _, err := p.configKey(ref); err != nil {
				return nil, err
			}
			if p.peek().kind != closeBracket {
				return nil, p.unexpected()
			}
			separator(p.next())
		case first || l.kind == dot:
			if !first {
				separator(p.next())
			}
			named, err := p.configKey(ref)
			if err != nil {
				return nil, err
			}
			resolver = resolver && named
			name = append(name, ref.parts[len(ref.parts)-1])
		default:
			return nil, p.unexpected()
		}
		switch p.peek().kind {
		case closeInter:
			end := p.next()
			ref.source = p.lexer.text[start : end.offset+len(end.text)]
			return ref, nil
		case colon:
			if !resolver {
				return nil, p.unexpected()
			}
			return p.arguments(name, start)
		}
	}
}

// configKey parses one key of a path and reports whether it may be a part of a
// resolver's name too.
func (p *exprParser) configKey(ref *reference) (bool, error) {
	switch l := p.peek(); l.kind {
	case openInter:
		e, err := p.interpolation()
		ref.parts = append(ref.parts, e)
		return true, err
	case id, interKey:
		p.at++
		ref.parts = append(ref.parts, literal{textNode(l.text)})
		return l.kind == id, nil
	}
	return false, p.unexpected()
}

func (p *exprParser) arguments(name []expression, start int) (expression, error) {
	p.at++
	c := &call{name: name}
	var err error
	if c.args, err = p.sequence(closeBrace); err != nil {
		return nil, err
	}
	end := p.lexer.out[p.at-1]
	c.source = p.lexer.text[start : end.offset+len(end.text)]
	return c, nil
}

// sequence parses values with commas between them, up to and with the closing
// bracket. A value that is missing is an empty text.
func (p *exprParser) sequence(end lexemeKind) ([]expression, error) {
	if p.peek().kind == end {
		p.at++
		return nil, nil
	}
	var items []expression
	empty := true // whether a value may still come before the next comma
	for {
		switch p.peek().kind {
		case end, comma:
			if empty {
				items = append(items, literal{textNode("")})
			}
			if p.next().kind == end {
				return items, nil
			}
			empty = true
		default:
			if !empty {
				return nil, p.unexpected()
			}
			e, err := p.element()
			if err != nil {
				return nil, err
			}
			items = append(items, e)
			empty = false
		}
	}
}

// element parses a value among arguments.
func (p *exprParser) element() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	switch p.peek().kind {
	case openQuote:
		p.at++
		if p.peek().kind == closeQuote {
			p.at++
			return literal{textNode("")}, nil
		}
		e, err := p.text(true)
		if err != nil {
			return nil, err
		}
		if p.peek().kind != closeQuote {
			return nil, p.unexpected()
		}
		p.at++
		return e, nil
	case openBracket:
		p.at++
		items, err := p.sequence(closeBracket)
		return listExpr{items}, err
	case openBrace:
		return p.dict()
	}
	return p.primitive(true)
}

func (p *exprParser) dict() (expression, error) {
	p.at++
	var d dictExpr
	if p.peek().kind == closeBrace {
		p.at++
		return d, nil
	}
	for {
		key, err := p.primitive(false)
		if err != nil {
			return nil, err
		}
		if p.peek().kind != colon {
			return nil, p.unexpected()
		}
		p.at++
		item, err := p.element()
		if err != nil {
			return nil, err
		}
		d.keys = append(d.keys, key.(literal).value)
		d.items = append(d.items, item)
		switch p.peek().kind {
		case comma:
			p.at++
		case closeBrace:
			p.at++
			return d, nil
		default:
			return nil, p.unexpected()
		}
	}
}

// primitive parses a value without quotes: one lexeme has its type, several are
// a text. In a dict's key neither ":" nor interpolations may occur.
func (p *exprParser) primitive(value bool) (expression, error) {
	first := p.at
	var parts []expression
	plain := true // whether all parts are literals
	for {
		l := p.peek()
		switch l.kind {
		case id, null, integer, float, boolean, char, blanks:
			parts = append(parts, literal{textNode(l.text)})
		case escLexeme:
			parts = append(parts, literal{textNode(unescape(l.text))})
		case colon, openInter:
			if !value {
				return p.finish(first, parts, plain)
			}
			if l.kind == openInter {
				e, err := p.interpolation()
				if err != nil {
					return nil, err
				}
				parts = append(parts, e)
				plain = false
				continue
			}
			parts = append(parts, literal{textNode(l.text)})
		default:
			return p.finish(first, parts, plain)
		}
		p.at++
	}
}

func (p *exprParser) finish(first int, parts []expression, plain bool) (expression, error) {
	switch {
	case len(parts) == 0:
		return nil, p.unexpected()
	case !plain && len(parts) == 1:
		return parts[0], nil
	case !plain:
		return join{parts}, nil
	case len(parts) == 1:
		l := p.lexer.out[first]
		if l.kind == blanks {
			return nil, p.lexer.errorf(l.offset, "a value is missing; quote one that is blank")
		}
		return literal{l.value(parts[0].(literal).value.Text)}, nil
	}
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.(literal).value.Text)
	}
	return literal{textNode(text.String())}, nil
}

// value returns the typed value of a lexeme that stands alone.
func (l lexeme) value(text string) *Node {
	switch l.kind {
	case null:
		return &Node{}
	case boolean:
		return &Node{Kind: Bool, Bool: strings.EqualFold(text, "true")}
	case integer:
		v, _ := bigInt(strings.ReplaceAll(unsigned(text), "_", ""), 10)
		if text[0] == '-' {
			v.Neg(v)
		}
		return &Node{Kind: Int, Text: v.String()}
	case float:
		f, _ := pythonFloat(strings.ReplaceAll(text, "_", ""))
		return &Node{Kind: Float, Float: f}
	}
	return textNode(text)
}

// column counts characters for an error about a place in a text.
func column(text string, offset int) int {
	return 1 + utf8.RuneCountInString(text[:offset])
}
