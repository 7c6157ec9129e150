package config

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendJSON appends n as JSON on one line. A float has a "." or an "e", or is
// one of the texts "NaN", "Infinity" and "-Infinity"; an int has neither. Keys
// keep their order and become texts; paths become texts, bytes base64. A byte
// of a text that is not UTF-8 is written as Python's surrogateescape has it,
// \udc80 to \udcff.
func (n *Node) AppendJSON(dst []byte) []byte {
	return n.appendJSON(dst, "", "")
}

// AppendJSONIndent is AppendJSON over several lines, each level of nesting
// indented by indent.
func (n *Node) AppendJSONIndent(dst []byte, indent string) []byte {
	return n.appendJSON(dst, "\n", indent)
}

// appendJSON writes each item on a line that begins with newline, and on one
// line where that is empty.
func (n *Node) appendJSON(dst []byte, newline, indent string) []byte {
	switch n.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, n.Bool)
	case Int:
		return append(dst, n.Text...)
	case Float:
		return appendJSONFloat(dst, n.Float)
	case String, Path:
		return appendJSONString(dst, n.Text)
	case Bytes:
		return appendJSONString(dst, base64.StdEncoding.EncodeToString([]byte(n.Text)))
	}
	open, end := byte('{'), byte('}')
	if n.Kind == List {
		open, end = '[', ']'
	}
	dst = append(dst, open)
	inner := newline
	if newline != "" {
		inner += indent
	}
	for i, item := range n.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, inner...)
		if n.Kind == Map {
			dst = append(appendJSONString(dst, n.Keys[i].Text), ':')
			if newline != "" {
				dst = append(dst, ' ')
			}
		}
		dst = item.appendJSON(dst, inner, indent)
	}
	if len(n.Items) > 0 {
		dst = append(dst, newline...)
	}
	return append(dst, end)
}

func appendJSONFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return append(dst, FormatFloat(f)...)
}

func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c == '\n':
				dst = append(dst, `\n`...)
			case c == '\t':
				dst = append(dst, `\t`...)
			case c == '\r':
				dst = append(dst, `\r`...)
			case c < ' ':
				dst = append(dst, `\u00`...)
				dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
			default:
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, `\udc`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return append(dst, '"')
}

// ParseJSON reads what AppendJSON wrote, and any other JSON text: keys in their
// order, 1 an int and 1.0 a float, \udc80 to \udcff the bytes 0x80 to 0xff. Of a
// key that is there twice the last value counts. The texts "NaN" and "Infinity"
// stay texts.
func ParseJSON(text []byte) (*Node, error) {
	p := &jsonParser{text: string(text), line: 1}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.errorf("unexpected text after the value")
	}
	return n, nil
}

type jsonParser struct {
	text  string
	at    int
	line  int // of at
	start int // where that line begins
}

func (p *jsonParser) pos() Pos {
	return Pos{Line: p.line, Column: 1 + utf8.RuneCountInString(p.text[p.start:p.at])}
}

func (p *jsonParser) errorf(format string, args ...any) error {
	return errorAt(p.pos(), format, args...)
}

func (p *jsonParser) space() {
	for ; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\n':
			p.line++
			p.start = p.at + 1
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// byteIs moves over white space and over c, if it is next.
func (p *jsonParser) byteIs(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, p.errorf("nested deeper than %d levels", maxDepth)
	}
	p.space()
	n := &Node{Pos: p.pos()}
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "null"):
		p.at += 4
		return n, nil
	case strings.HasPrefix(rest, "true"):
		p.at += 4
		n.Kind, n.Bool = Bool, true
		return n, nil
	case strings.HasPrefix(rest, "false"):
		p.at += 5
		n.Kind = Bool
		return n, nil
	case strings.HasPrefix(rest, `"`):
		s, err := p.str()
		n.Kind, n.Text = String, s
		return n, err
	case strings.HasPrefix(rest, "["):
		return p.list(n, depth)
	case strings.HasPrefix(rest, "{"):
		return p.object(n, depth)
	}
	return p.number(n)
}

func (p *jsonParser) list(n *Node, depth int) (*Node, error) {
	n.Kind = List
	p.at++
	if p.byteIs(']') {
		return n, nil
	}
	for {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
		if p.byteIs(']') {
			return n, nil
		}
		if !p.byteIs(',') {
			return nil, p.errorf("',' or ']' is missing")
		}
	}
}

func (p *jsonParser) object(n *Node, depth int) (*Node, error) {
	n.Kind = Map
	p.at++
	if p.byteIs('}') {
		return n, nil
	}
	index := map[string]int{}
	for {
		if p.space(); p.at == len(p.text) || p.text[p.at] != '"' {
			return nil, p.errorf("a key in quotes is missing")
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if !p.byteIs(':') {
			return nil, p.errorf("':' is missing")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if i, ok := index[key]; ok {
			n.Items[i] = item
		} else {
			index[key] = len(n.Keys)
			n.Keys = append(n.Keys, Key{String, key})
			n.Items = append(n.Items, item)
		}
		if p.byteIs('}') {
			return n, nil
		}
		if !p.byteIs(',') {
			return nil, p.errorf("',' or '}' is missing")
		}
	}
}

func (p *jsonParser) number(n *Node) (*Node, error) {
	rest := p.text[p.at:]
	digits := strings.TrimPrefix(rest, "-")
	whole := span(digits, '0', '9', false)
	if whole == 0 {
		return nil, p.errorf("a value is missing")
	}
	if whole > 1 && digits[0] == '0' {
		return nil, p.errorf("a number has no leading zero")
	}
	end := len(rest) - len(digits) + whole
	n.Kind = Int
	if strings.HasPrefix(rest[end:], ".") {
		n.Kind = Float
		fraction := span(rest[end+1:], '0', '9', false)
		if fraction == 0 {
			return nil, p.errorf("digits are missing after the '.'")
		}
		end += 1 + fraction
	}
	if end < len(rest) && (rest[end] == 'e' || rest[end] == 'E') {
		n.Kind = Float
		exponent := unsigned(rest[end+1:])
		length := span(exponent, '0', '9', false)
		if length == 0 {
			return nil, p.errorf("digits are missing after the 'e'")
		}
		end = len(rest) - len(exponent) + length
	}
	p.at += end
	if n.Kind == Int {
		n.Text = rest[:end]
		if n.Text == "-0" {
			n.Text = "0"
		}
		return n, nil
	}
	n.Float, _ = strconv.ParseFloat(rest[:end], 64) // a number too large is infinite
	return n, nil
}

func (p *jsonParser) str() (string, error) {
	p.at++
	var b strings.Builder
	for {
		if p.at == len(p.text) {
			return "", p.errorf("the text has no closing quote")
		}
		c := p.text[p.at]
		switch {
		case c == '"':
			p.at++
			return joinSurrogates(b.String()), nil
		case c < ' ':
			return "", p.errorf("a control character in a text must be escaped")
		case c != '\\':
			b.WriteByte(c)
			p.at++
			continue
		}
		rest := p.text[p.at+1:]
		if rest == "" {
			return "", p.errorf("the text has no closing quote")
		}
		if i := strings.IndexByte(`"\/bfnrt`, rest[0]); i >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[i])
			p.at += 2
			continue
		}
		if rest[0] != 'u' || len(rest) < 5 || strings.ContainsFunc(rest[1:5], func(r rune) bool { return !isHex(r) }) {
			return "", p.errorf("unknown escape in a text")
		}
		writeRune(&b, hexValue(rest[1:5]))
		p.at += 6
	}
}
