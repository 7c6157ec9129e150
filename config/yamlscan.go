package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The scanner cuts YAML 1.1 text into tokens by the rules of PyYAML, which
// OmegaConf reads with: where a tab may stand, when a "?" begins a key, and how
// far a key may be from its ":". Those rules decide which files are refused, so
// they are followed to the letter: https://pyyaml.org/wiki/PyYAMLDocumentation,
// lib/yaml/scanner.py of PyYAML 6.0.
//
// go.yaml.in/yaml/v3 was tried underneath. It accepts tabs where PyYAML does not,
// refuses "\/" and pairs of surrogates, and its errors have no column; checking
// its nodes and the text again took a scanner too.

type tokenKind uint8

const (
	streamEnd tokenKind = iota
	directive
	documentStart
	documentEnd
	blockSequenceStart
	blockMappingStart
	blockEnd
	flowSequenceStart
	flowSequenceEnd
	flowMappingStart
	flowMappingEnd
	blockEntry
	flowEntry
	keyMark
	valueMark
	aliasToken
	anchorToken
	tagToken
	scalarToken
)

var tokenNames = [...]string{
	"the end", "a directive", "'---'", "'...'", "a list", "a map", "the end of the block",
	"'['", "']'", "'{'", "'}'", "'-'", "','", "a key", "':'", "an alias", "an anchor", "a tag", "a value",
}

type token struct {
	kind   tokenKind
	at     mark
	text   string // scalar: its value; alias, anchor, directive: the name; tag: the suffix
	handle string // tag: "!", "!!", "!x!", or "" where the tag is verbatim
	args   [2]string
	plain  bool // scalar: without quotes
}

// A mark is a place in the text, all counts from 0.
type mark struct{ index, line, column int }

// A simpleKey is a token that turns out to be a key if a ":" follows it.
type simpleKey struct {
	number   int // of the token, from the start of the text
	required bool
	at       mark
}

type scanner struct {
	text []rune // ends with a NUL, which cannot occur in the text itself
	file string
	mark

	tokens   []token // scanned but not taken
	taken    int
	done     bool
	flow     int // how many [ and { are open
	indent   int // of the innermost block, -1 outside all
	indents  []int
	keyOK    bool // whether a simple key may begin here
	keys     []simpleKey
	keyLevel []int // the flow level of each of keys
}

// newScanner returns a scanner over text, or an error if text holds what YAML
// does not allow anywhere.
func newScanner(text []byte, file string) (*scanner, error) {
	s := &scanner{file: file, indent: -1, keyOK: true}
	s.text = make([]rune, 0, len(text)+1)
	at := mark{}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, s.errorf(at, "the byte 0x%02x is not UTF-8", text[i])
		}
		if !allowed(r) {
			return nil, s.errorf(at, "the character U+%04X is not allowed in YAML", r)
		}
		s.text = append(s.text, r)
		i += size
		if isBreak(r) && !(r == '\r' && i < len(text) && text[i] == '\n') {
			at = mark{at.index + 1, at.line + 1, 0}
		} else {
			at = mark{at.index + 1, at.line, at.column + 1}
		}
	}
	s.text = append(s.text, 0)
	if s.peek(0) == '\uFEFF' {
		s.forward(1)
	}
	return s, nil
}

func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0x7E || r == 0x85 ||
		r >= 0xA0 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

func isBreakOrEnd(r rune) bool { return r == 0 || isBreak(r) }

// isBlank reports whether r ends a word: a space, a tab, a break or the end.
func isBlank(r rune) bool { return r == ' ' || r == '\t' || isBreakOrEnd(r) }

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_'
}

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'F' || r >= 'a' && r <= 'f'
}

func (s *scanner) pos(at mark) Pos {
	return Pos{File: s.file, Line: at.line + 1, Column: at.column + 1}
}

func (s *scanner) errorf(at mark, format string, args ...any) error {
	return errorAt(s.pos(at), format, args...)
}

func (s *scanner) peek(n int) rune {
	if i := s.index + n; i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *scanner) forward(n int) {
	for ; n > 0 && s.index < len(s.text)-1; n-- {
		r := s.text[s.index]
		s.index++
		if isBreak(r) && !(r == '\r' && s.text[s.index] == '\n') {
			s.line++
			s.column = 0
		} else if r != '\uFEFF' {
			s.column++
		}
	}
}

// take returns the next n characters and moves behind them.
func (s *scanner) take(n int) string {
	text := string(s.text[s.index : s.index+n])
	s.forward(n)
	return text
}

func (s *scanner) skipSpaces() {
	for s.peek(0) == ' ' {
		s.forward(1)
	}
}

func (s *scanner) skipComment() {
	if s.peek(0) == '#' {
		for !isBreakOrEnd(s.peek(0)) {
			s.forward(1)
		}
	}
}

// lineBreak moves behind a line break, if there is one, and returns what it
// stands for in a value.
func (s *scanner) lineBreak() string {
	switch r := s.peek(0); {
	case r == '\r' && s.peek(1) == '\n':
		s.forward(2)
		return "\n"
	case r == '\n' || r == '\r' || r == 0x85:
		s.forward(1)
		return "\n"
	case isBreak(r):
		s.forward(1)
		return string(r)
	}
	return ""
}

// documentMark reports whether --- or ... stands here alone.
func (s *scanner) documentMark() bool {
	r := s.peek(0)
	return (r == '-' || r == '.') && s.peek(1) == r && s.peek(2) == r && isBlank(s.peek(3))
}

// next returns the next token without taking it.
func (s *scanner) next() (*token, error) {
	for !s.done {
		if len(s.tokens) > 0 {
			if err := s.dropStaleKeys(); err != nil {
				return nil, err
			}
			// Keys are in the order of their tokens: the first is the one to wait for.
			if len(s.keys) == 0 || s.keys[0].number != s.taken {
				break
			}
		}
		if err := s.scan(); err != nil {
			return nil, err
		}
	}
	return &s.tokens[0], nil
}

// skip takes the token that next returned.
func (s *scanner) skip() token {
	t := s.tokens[0]
	s.tokens = s.tokens[:copy(s.tokens, s.tokens[1:])]
	s.taken++
	return t
}

func (s *scanner) add(kind tokenKind, at mark) {
	s.tokens = append(s.tokens, token{kind: kind, at: at})
}

// scan adds the next token or tokens.
func (s *scanner) scan() error {
	for {
		s.skipSpaces()
		s.skipComment()
		if s.lineBreak() == "" {
			break
		}
		if s.flow == 0 {
			s.keyOK = true
		}
	}
	if err := s.dropStaleKeys(); err != nil {
		return err
	}
	s.unwind(s.column)

	at := s.mark
	r, followed := s.peek(0), !isBlank(s.peek(1))
	switch {
	case r == 0:
		s.unwind(-1)
		if err := s.dropKey(); err != nil {
			return err
		}
		s.keyOK, s.keys, s.keyLevel = false, nil, nil
		s.add(streamEnd, at)
		s.done = true
		return nil
	case r == '%' && s.column == 0:
		s.unwind(-1)
		if err := s.dropKey(); err != nil {
			return err
		}
		s.keyOK = false
		return s.directive()
	case s.column == 0 && s.documentMark():
		s.unwind(-1)
		if err := s.dropKey(); err != nil {
			return err
		}
		s.keyOK = false
		s.forward(3)
		if r == '-' {
			s.add(documentStart, at)
		} else {
			s.add(documentEnd, at)
		}
		return nil
	case r == '[' || r == '{':
		if err := s.saveKey(); err != nil {
			return err
		}
		s.flow++
		s.keyOK = true
		s.forward(1)
		if r == '[' {
			s.add(flowSequenceStart, at)
		} else {
			s.add(flowMappingStart, at)
		}
		return nil
	case r == ']' || r == '}':
		if err := s.dropKey(); err != nil {
			return err
		}
		// A bracket too many leaves the level below 0, where the parser refuses it.
		s.flow--
		s.keyOK = false
		s.forward(1)
		if r == ']' {
			s.add(flowSequenceEnd, at)
		} else {
			s.add(flowMappingEnd, at)
		}
		return nil
	case r == ',':
		s.keyOK = true
		return s.indicator(flowEntry)
	case r == '-' && !followed:
		if s.flow == 0 {
			if !s.keyOK {
				return s.errorf(at, "a list item cannot begin here")
			}
			s.open(blockSequenceStart, s.column)
		}
		s.keyOK = true
		return s.indicator(blockEntry)
	case r == '?' && (s.flow != 0 || !followed):
		if s.flow == 0 {
			if !s.keyOK {
				return s.errorf(at, "a key cannot begin here")
			}
			s.open(blockMappingStart, s.column)
		}
		s.keyOK = s.flow == 0
		return s.indicator(keyMark)
	case r == ':' && (s.flow != 0 || !followed):
		return s.value()
	case r == '*' || r == '&':
		if err := s.saveKey(); err != nil {
			return err
		}
		s.keyOK = false
		return s.anchor()
	case r == '!':
		if err := s.saveKey(); err != nil {
			return err
		}
		s.keyOK = false
		return s.tag()
	case (r == '|' || r == '>') && s.flow == 0:
		s.keyOK = true
		if err := s.dropKey(); err != nil {
			return err
		}
		return s.blockScalar()
	case r == '\'' || r == '"':
		if err := s.saveKey(); err != nil {
			return err
		}
		s.keyOK = false
		return s.quoted()
	case !strings.ContainsRune("\t-?:,[]{}#&*!|>'\"%@`", r),
		followed && (r == '-' || s.flow == 0 && (r == '?' || r == ':')):
		if err := s.saveKey(); err != nil {
			return err
		}
		s.keyOK = false
		s.plain()
		return nil
	case r == '\t':
		return s.errorf(at, "a tab cannot stand here; YAML is indented with spaces")
	}
	return s.errorf(at, "a value cannot begin with %q; quote it", r)
}

// indicator adds a token of one character, which ends a simple key.
func (s *scanner) indicator(kind tokenKind) error {
	if err := s.dropKey(); err != nil {
		return err
	}
	s.add(kind, s.mark)
	s.forward(1)
	return nil
}

// value adds the tokens of a ":". What made a simple key of the tokens before
// it stands in front of them.
func (s *scanner) value() error {
	at := s.mark
	if n := len(s.keys); n > 0 && s.keyLevel[n-1] == s.flow {
		key := s.keys[n-1]
		s.keys, s.keyLevel = s.keys[:n-1], s.keyLevel[:n-1]
		i := key.number - s.taken
		s.insert(i, token{kind: keyMark, at: key.at})
		if s.flow == 0 && s.indent < key.at.column {
			s.indents = append(s.indents, s.indent)
			s.indent = key.at.column
			s.insert(i, token{kind: blockMappingStart, at: key.at})
		}
		s.keyOK = false
		s.add(valueMark, at)
		s.forward(1)
		return nil
	}
	if s.flow == 0 {
		if !s.keyOK {
			return s.errorf(at, "a ':' cannot stand here; quote the text that holds it")
		}
		s.open(blockMappingStart, s.column)
	}
	s.keyOK = s.flow == 0
	return s.indicator(valueMark)
}

func (s *scanner) insert(i int, t token) {
	s.tokens = append(s.tokens, token{})
	copy(s.tokens[i+1:], s.tokens[i:])
	s.tokens[i] = t
}

// open begins a block collection if column is deeper than the one around it.
func (s *scanner) open(kind tokenKind, column int) {
	if s.indent < column {
		s.indents = append(s.indents, s.indent)
		s.indent = column
		s.add(kind, s.mark)
	}
}

// unwind ends the block collections that are deeper than column.
func (s *scanner) unwind(column int) {
	for s.flow == 0 && s.indent > column {
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
		s.add(blockEnd, s.mark)
	}
}

// saveKey notes that the next token may be a simple key.
func (s *scanner) saveKey() error {
	if !s.keyOK {
		return nil
	}
	if err := s.dropKey(); err != nil {
		return err
	}
	s.keys = append(s.keys, simpleKey{
		number:   s.taken + len(s.tokens),
		required: s.flow == 0 && s.indent == s.column,
		at:       s.mark,
	})
	s.keyLevel = append(s.keyLevel, s.flow)
	return nil
}

// dropKey gives up the possible simple key of this flow level.
func (s *scanner) dropKey() error {
	n := len(s.keys)
	if n == 0 || s.keyLevel[n-1] != s.flow {
		return nil
	}
	key := s.keys[n-1]
	s.keys, s.keyLevel = s.keys[:n-1], s.keyLevel[:n-1]
	if key.required {
		return s.noColon(key)
	}
	return nil
}

// dropStaleKeys gives up the keys that no ":" can follow any more: a simple key
// is on one line and within 1024 characters.
func (s *scanner) dropStaleKeys() error {
	for len(s.keys) > 0 {
		key := s.keys[0]
		if key.at.line == s.line && s.index-key.at.index <= 1024 {
			break // the others are nearer
		}
		if key.required {
			return s.noColon(key)
		}
		s.keys, s.keyLevel = s.keys[1:], s.keyLevel[1:]
	}
	return nil
}

func (s *scanner) noColon(key simpleKey) error {
	return s.errorf(key.at, "a ':' is missing after this key")
}

func (s *scanner) directive() error {
	t := token{kind: directive, at: s.mark}
	s.forward(1)
	n := 0
	for isWord(s.peek(n)) {
		n++
	}
	t.text = s.take(n)
	if n == 0 || s.peek(0) != ' ' && !isBreakOrEnd(s.peek(0)) {
		return s.errorf(s.mark, "a directive's name is made of letters and digits; quote a value that begins with %%")
	}
	switch t.text {
	case "YAML":
		s.skipSpaces()
		for i := range t.args {
			n := 0
			for r := s.peek(n); r >= '0' && r <= '9'; r = s.peek(n) {
				n++
			}
			t.args[i] = s.take(n)
			if n == 0 || i == 0 && s.peek(0) != '.' {
				return s.errorf(s.mark, "a YAML version is missing here: %%YAML 1.1")
			}
			if i == 0 {
				s.forward(1)
			}
		}
	case "TAG":
		s.skipSpaces()
		handle, err := s.tagHandle()
		if err != nil {
			return err
		}
		if s.peek(0) != ' ' {
			return s.errorf(s.mark, "a space is missing after the tag's handle")
		}
		s.skipSpaces()
		prefix, err := s.tagURI()
		if err != nil {
			return err
		}
		t.args = [2]string{handle, prefix}
	default:
		for !isBreakOrEnd(s.peek(0)) {
			s.forward(1)
		}
	}
	if s.peek(0) != ' ' && !isBreakOrEnd(s.peek(0)) {
		return s.errorf(s.mark, "unexpected text after the directive")
	}
	s.tokens = append(s.tokens, t)
	return s.endOfLine()
}

// endOfLine moves to the next line, over spaces and a comment.
func (s *scanner) endOfLine() error {
	s.skipSpaces()
	s.skipComment()
	if !isBreakOrEnd(s.peek(0)) {
		return s.errorf(s.mark, "only a comment may stand here")
	}
	s.lineBreak()
	return nil
}

func (s *scanner) anchor() error {
	t := token{kind: anchorToken, at: s.mark}
	what := "anchor"
	if s.peek(0) == '*' {
		t.kind, what = aliasToken, "alias"
	}
	s.forward(1)
	n := 0
	for isWord(s.peek(n)) {
		n++
	}
	t.text = s.take(n)
	if r := s.peek(0); n == 0 || !isBlank(r) && !strings.ContainsRune("?:,]}%@`", r) {
		return s.errorf(t.at, "an %s's name is made of letters and digits; quote a text that begins with %q", what, s.text[t.at.index])
	}
	s.tokens = append(s.tokens, t)
	return nil
}

func (s *scanner) tag() error {
	t := token{kind: tagToken, at: s.mark}
	var err error
	switch r := s.peek(1); {
	case r == '<':
		s.forward(2)
		if t.text, err = s.tagURI(); err != nil {
			return err
		}
		if s.peek(0) != '>' {
			return s.errorf(s.mark, "a '>' is missing at the tag's end")
		}
		s.forward(1)
	case isBlank(r):
		t.text = "!"
		s.forward(1)
	default:
		t.handle = "!"
		named := false
		for n := 1; s.peek(n) != ' ' && !isBreakOrEnd(s.peek(n)); n++ {
			if s.peek(n) == '!' {
				named = true
				break
			}
		}
		if !named {
			s.forward(1)
		} else if t.handle, err = s.tagHandle(); err != nil {
			return err
		}
		if t.text, err = s.tagURI(); err != nil {
			return err
		}
	}
	if s.peek(0) != ' ' && !isBreakOrEnd(s.peek(0)) {
		return s.errorf(s.mark, "a space is missing after the tag; quote a text that begins with '!'")
	}
	s.tokens = append(s.tokens, t)
	return nil
}

// tagHandle reads "!", "!!" or "!name!".
func (s *scanner) tagHandle() (string, error) {
	if s.peek(0) != '!' {
		return "", s.errorf(s.mark, "a tag's handle begins with '!'")
	}
	n := 1
	if s.peek(1) != ' ' {
		for isWord(s.peek(n)) {
			n++
		}
		if s.peek(n) != '!' {
			return "", s.errorf(s.mark, "a tag's handle ends with '!'")
		}
		n++
	}
	return s.take(n), nil
}

func (s *scanner) tagURI() (string, error) {
	var uri strings.Builder
	at := s.mark
	for r := s.peek(0); isWord(r) || r != 0 && strings.ContainsRune(";/?:@&=+$,.!~*'()[]%", r); r = s.peek(0) {
		if r != '%' {
			uri.WriteRune(r)
			s.forward(1)
			continue
		}
		var b []byte
		for s.peek(0) == '%' {
			if !isHex(s.peek(1)) || !isHex(s.peek(2)) {
				return "", s.errorf(s.mark, "two hexadecimal digits are missing after '%%'")
			}
			s.forward(1)
			b = append(b, byte(hexValue(s.take(2))))
		}
		if !utf8.Valid(b) {
			return "", s.errorf(s.mark, "the tag is not UTF-8")
		}
		uri.Write(b)
	}
	if uri.Len() == 0 {
		return "", s.errorf(at, "the tag's name is missing; quote a text that begins with '!'")
	}
	return uri.String(), nil
}

func hexValue(digits string) (v rune) {
	for _, d := range digits {
		switch {
		case d <= '9':
			v = v<<4 | (d - '0')
		default:
			v = v<<4 | (d | 0x20 - 'a' + 10)
		}
	}
	return v
}

// blockScalar reads a | or > text.
func (s *scanner) blockScalar() error {
	t := token{kind: scalarToken, at: s.mark}
	folded := s.peek(0) == '>'
	s.forward(1)
	var chomp rune
	increment := 0
	for range 2 {
		switch r := s.peek(0); {
		case (r == '+' || r == '-') && chomp == 0:
			chomp = r
		case r == '0' && increment == 0:
			return s.errorf(s.mark, "an indentation indicator is 1 to 9")
		case r >= '1' && r <= '9' && increment == 0:
			increment = int(r - '0')
		default:
			continue
		}
		s.forward(1)
	}
	if s.peek(0) != ' ' && !isBreakOrEnd(s.peek(0)) {
		return s.errorf(s.mark, "after | or > stand at most '+' or '-' and a digit; the text begins on the next line")
	}
	if err := s.endOfLine(); err != nil {
		return err
	}

	indent := max(s.indent+1, 1)
	var breaks string
	if increment > 0 {
		indent += increment - 1
		breaks = s.blockBreaks(indent)
	} else {
		var leading strings.Builder
		for s.peek(0) == ' ' || isBreak(s.peek(0)) {
			if s.peek(0) != ' ' {
				leading.WriteString(s.lineBreak())
				continue
			}
			s.forward(1)
			indent = max(indent, s.column)
		}
		breaks = leading.String()
	}

	var text strings.Builder
	ending := ""
	for s.column == indent && s.peek(0) != 0 {
		text.WriteString(breaks)
		indented := s.peek(0) == ' ' || s.peek(0) == '\t'
		n := 0
		for !isBreakOrEnd(s.peek(n)) {
			n++
		}
		text.WriteString(s.take(n))
		ending = s.lineBreak()
		breaks = s.blockBreaks(indent)
		if s.column != indent || s.peek(0) == 0 {
			break
		}
		if folded && ending == "\n" && !indented && s.peek(0) != ' ' && s.peek(0) != '\t' {
			if breaks == "" {
				text.WriteByte(' ')
			}
		} else {
			text.WriteString(ending)
		}
	}
	if chomp != '-' {
		text.WriteString(ending)
	}
	if chomp == '+' {
		text.WriteString(breaks)
	}
	t.text = text.String()
	s.tokens = append(s.tokens, t)
	return nil
}

// blockBreaks moves over empty lines and the next line's indentation.
func (s *scanner) blockBreaks(indent int) string {
	var breaks strings.Builder
	for {
		for s.column < indent && s.peek(0) == ' ' {
			s.forward(1)
		}
		if !isBreak(s.peek(0)) {
			return breaks.String()
		}
		breaks.WriteString(s.lineBreak())
	}
}

// quoted reads a '…' or "…" text.
func (s *scanner) quoted() error {
	t := token{kind: scalarToken, at: s.mark}
	quote := s.peek(0)
	s.forward(1)
	var text strings.Builder
	for {
		if err := s.quotedWord(quote, &text); err != nil {
			return err
		}
		if s.peek(0) == quote {
			break
		}
		n := 0
		for s.peek(n) == ' ' || s.peek(n) == '\t' {
			n++
		}
		spaces := s.take(n)
		switch r := s.peek(0); {
		case r == 0:
			return s.errorf(t.at, "the text that begins here has no closing %c", quote)
		case isBreak(r):
			first := s.lineBreak()
			breaks, err := s.quotedBreaks()
			if err != nil {
				return err
			}
			text.WriteString(foldBreaks(first, breaks))
		default:
			text.WriteString(spaces)
		}
	}
	s.forward(1)
	t.text = joinSurrogates(text.String())
	s.tokens = append(s.tokens, t)
	return nil
}

// quotedWord reads what stands between blanks in a quoted text.
func (s *scanner) quotedWord(quote rune, text *strings.Builder) error {
	for {
		r := s.peek(0)
		switch {
		case isBlank(r):
			return nil
		case r == quote && quote == '\'' && s.peek(1) == '\'':
			text.WriteByte('\'')
			s.forward(2)
		case r == quote:
			return nil
		case r == '\\' && quote == '"':
			if err := s.escape(text); err != nil {
				return err
			}
		default:
			text.WriteRune(r)
			s.forward(1)
		}
	}
}

var escapes = map[rune]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r",
	'e': "\x1b", ' ': " ", '"': "\"", '\\': "\\", '/': "/", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

var escapeDigits = map[rune]int{'x': 2, 'u': 4, 'U': 8}

func (s *scanner) escape(text *strings.Builder) error {
	at := s.mark
	s.forward(1)
	r := s.peek(0)
	if plain, ok := escapes[r]; ok {
		text.WriteString(plain)
		s.forward(1)
		return nil
	}
	if n := escapeDigits[r]; n > 0 {
		s.forward(1)
		for i := range n {
			if !isHex(s.peek(i)) {
				return s.errorf(at, "%d hexadecimal digits must follow \\%c", n, r)
			}
		}
		digits := s.take(n)
		if n == 8 && strings.ToLower(digits) > "0010ffff" {
			return s.errorf(at, "there is no character U+%s", digits)
		}
		writeRune(text, hexValue(digits))
		return nil
	}
	if isBreak(r) {
		s.lineBreak()
		breaks, err := s.quotedBreaks()
		text.WriteString(breaks)
		return err
	}
	if r == 0 {
		return s.errorf(at, "the text ends after a backslash")
	}
	return s.errorf(at, "there is no escape \\%c; write \\\\ for a backslash, or use single quotes", r)
}

// quotedBreaks moves over empty lines and the next line's indentation.
func (s *scanner) quotedBreaks() (string, error) {
	var breaks strings.Builder
	for {
		if s.documentMark() {
			return "", s.errorf(s.mark, "the document ends inside a quoted text")
		}
		for s.peek(0) == ' ' || s.peek(0) == '\t' {
			s.forward(1)
		}
		if !isBreak(s.peek(0)) {
			return breaks.String(), nil
		}
		breaks.WriteString(s.lineBreak())
	}
}

// plain reads a text without quotes.
func (s *scanner) plain() {
	t := token{kind: scalarToken, at: s.mark, plain: true}
	var text strings.Builder // of a text of several words
	indent := s.indent + 1
	spaces := ""
	for s.peek(0) != '#' {
		n := 0
		for !s.endsPlain(n) {
			n++
		}
		if n == 0 {
			break
		}
		s.keyOK = false
		word := s.take(n)
		switch {
		case t.text == "":
			t.text = word
		case text.Len() == 0:
			text.WriteString(t.text)
			fallthrough
		default:
			text.WriteString(spaces)
			text.WriteString(word)
		}
		spaces = s.plainSpaces()
		if spaces == "" || s.flow == 0 && s.column < indent {
			break
		}
	}
	if text.Len() > 0 {
		t.text = text.String()
	}
	s.tokens = append(s.tokens, t)
}

func (s *scanner) endsPlain(n int) bool {
	r := s.peek(n)
	if isBlank(r) {
		return true
	}
	if r == ':' {
		next := s.peek(n + 1)
		return isBlank(next) || s.flow != 0 && strings.ContainsRune(",[]{}", next)
	}
	return s.flow != 0 && strings.ContainsRune(",?[]{}", r)
}

// plainSpaces reads what separates two words of a plain text: nothing where the
// text ends. A tab ends it.
func (s *scanner) plainSpaces() string {
	n := 0
	for s.peek(n) == ' ' {
		n++
	}
	if !isBreak(s.peek(n)) {
		return s.take(n)
	}
	s.forward(n)
	first := s.lineBreak()
	s.keyOK = true
	if s.documentMark() {
		return ""
	}
	var breaks strings.Builder
	for s.peek(0) == ' ' || isBreak(s.peek(0)) {
		if s.peek(0) == ' ' {
			s.forward(1)
			continue
		}
		breaks.WriteString(s.lineBreak())
		if s.documentMark() {
			return ""
		}
	}
	return foldBreaks(first, breaks.String())
}

// foldBreaks returns what line breaks stand for between two words: a single one
// is a space, of several the first is dropped.
func foldBreaks(first, others string) string {
	switch {
	case first != "\n":
		return first + others
	case others == "":
		return " "
	}
	return others
}

// writeRune writes r, a lone surrogate in the three bytes that UTF-8 would give
// it.
func writeRune(b *strings.Builder, r rune) {
	if r >= 0xD800 && r <= 0xDFFF {
		b.Write([]byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6)&0x3F, 0x80 | byte(r)&0x3F})
		return
	}
	b.WriteRune(r)
}

// joinSurrogates makes one character of each pair of surrogates: "\ud83d\ude00"
// is how a JSON writer spells one outside the first plane. Of the others, those
// that stand for a byte in Python's surrogateescape become that byte.
func joinSurrogates(s string) string {
	if !strings.Contains(s, "\xed") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		hi, ok := surrogateAt(s, i)
		lo, paired := surrogateAt(s, i+3)
		switch {
		case ok && hi < 0xDC00 && paired && lo >= 0xDC00:
			b.WriteRune((hi-0xD800)<<10 + (lo - 0xDC00) + 0x10000)
			i += 5
		case ok && hi >= 0xDC80 && hi <= 0xDCFF:
			b.WriteByte(byte(hi))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func surrogateAt(s string, i int) (rune, bool) {
	if i+2 >= len(s) || s[i] != 0xED || s[i+1] < 0xA0 || s[i+1]&0xC0 != 0x80 {
		return 0, false
	}
	return 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F), true
}

// errorAt is an error about a place in a file.
func errorAt(pos Pos, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if pos.Line == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", pos, err)
}

// String returns the place as compilers write it, file:line:column, without the
// parts that are not known.
func (p Pos) String() string {
	text := p.File
	if p.Line > 0 {
		if text != "" {
			text += ":"
		}
		text += fmt.Sprintf("%d:%d", p.Line, p.Column)
	}
	return text
}
