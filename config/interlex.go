package config

import (
	"fmt"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// The lexer of interpolations has modes, as OmegaConfGrammarLexer.g4 has: what
// a character means depends on the bracket or quote around it. In each mode the
// longest lexeme wins, of two equally long ones the first in the grammar.

type lexemeKind uint8

const (
	endLexeme    lexemeKind = iota
	strLexeme               // characters of a text
	escInter                // \${
	escLexeme               // escaped characters, each after a backslash
	slashes                 // an even number of backslashes
	openInter               // ${
	closeInter              // } of a path
	closeBrace              // } of a dict or of a resolver's arguments
	openBrace               // {
	openBracket             // [
	closeBracket            // ]
	openQuote               // ' or "
	closeQuote              // the same again
	comma                   // ,
	colon                   // :
	dot                     // . of a path
	id                      // a word
	interKey                // a key that is no word
	null                    // null
	boolean                 // true, false
	integer                 // 1
	float                   // 1.5
	char                    // another character that needs no quotes
	blanks                  // spaces and tabs
)

type lexeme struct {
	kind   lexemeKind
	text   string
	offset int
}

type lexMode uint8

const (
	textMode  lexMode = iota // outside any interpolation
	pathMode                 // in ${…}, before a ":"
	valueMode                // in a resolver's arguments
	singleMode
	doubleMode
)

type exprLexer struct {
	text  string
	at    int
	modes []lexMode
	out   []lexeme
}

func (l *exprLexer) errorf(offset int, format string, args ...any) error {
	err := fmt.Errorf("%w at character %d", fmt.Errorf(format, args...), column(l.text, offset))
	return fault.At(err, l.text, offset)
}

// run cuts the whole text.
func (l *exprLexer) run() error {
	for l.at < len(l.text) {
		var ok bool
		switch mode := l.modes[len(l.modes)-1]; mode {
		case textMode:
			l.lexText(0)
			ok = true
		case singleMode:
			l.lexText('\'')
			ok = true
		case doubleMode:
			l.lexText('"')
			ok = true
		case pathMode:
			ok = l.lexPath()
		case valueMode:
			ok = l.lexValue()
		}
		if !ok {
			c := l.text[l.at:]
			return l.errorf(l.at, "unexpected %q in an interpolation; quote the text that holds it", firstRune(c))
		}
		if len(l.modes) == 0 {
			return l.errorf(l.at-1, "a '}' closes nothing")
		}
	}
	l.out = append(l.out, lexeme{kind: endLexeme, offset: len(l.text)})
	return nil
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func (l *exprLexer) emit(kind lexemeKind, length int) {
	l.out = append(l.out, lexeme{kind, l.text[l.at : l.at+length], l.at})
	l.at += length
}

func (l *exprLexer) push(mode lexMode) { l.modes = append(l.modes, mode) }
func (l *exprLexer) pop()              { l.modes = l.modes[:len(l.modes)-1] }

// count returns how many bytes of text at i are in set.
func (l *exprLexer) count(i int, set string) int {
	n := 0
	for i+n < len(l.text) && strings.IndexByte(set, l.text[i+n]) >= 0 {
		n++
	}
	return n
}

func (l *exprLexer) has(i int, prefix string) bool { return strings.HasPrefix(l.text[i:], prefix) }

// lexText cuts text outside interpolations or, given a quote, inside quotes.
func (l *exprLexer) lexText(quote byte) {
	if l.has(l.at, "${") {
		l.openInterpolation()
		return
	}
	if quote != 0 && l.text[l.at] == quote {
		l.emit(closeQuote, 1)
		l.pop()
		return
	}
	// A run of characters that ends before a "$", a quote or the backslashes in
	// front of one.
	end := l.at
	for end < len(l.text) && l.text[end] != '$' && (quote == 0 || l.text[end] != quote) {
		end++
	}
	run := len(strings.TrimRight(l.text[l.at:end], `\`))
	if run > 0 {
		l.emit(strLexeme, run)
		return
	}
	n := l.count(l.at, `\`)
	switch {
	case n == 0:
		l.emit(strLexeme, 1) // a "$" alone
	case n%2 == 1 && l.has(l.at+n, "${"):
		l.emit(escInter, n+2)
	case n%2 == 1 && quote != 0 && l.at+n < len(l.text) && l.text[l.at+n] == quote:
		l.emit(escLexeme, n+1)
	case n%2 == 0:
		l.emit(slashes, n)
	default:
		l.emit(strLexeme, n)
	}
}

const blank = " \t"

func (l *exprLexer) openInterpolation() {
	l.emit(openInter, 2+l.count(l.at+2, blank))
	l.push(pathMode)
}

// lexPath cuts a path or a resolver's name.
func (l *exprLexer) lexPath() bool {
	if l.has(l.at, "${") {
		l.openInterpolation()
		return true
	}
	space := l.count(l.at, blank)
	switch l.next(space) {
	case ':':
		l.emit(colon, space+1+l.count(l.at+space+1, blank))
		l.modes[len(l.modes)-1] = valueMode
		return true
	case '}':
		l.emit(closeInter, space+1)
		l.pop()
		return true
	}
	switch l.text[l.at] {
	case '.':
		l.emit(dot, 1)
		return true
	case '[':
		l.emit(openBracket, 1)
		return true
	case ']':
		l.emit(closeBracket, 1)
		return true
	}
	n := strings.IndexAny(l.text[l.at:], "\\{}()[]:. \t'\"")
	if n < 0 {
		n = len(l.text) - l.at
	}
	if n == 0 {
		return false
	}
	if l.word() == n {
		l.emit(id, n)
	} else {
		l.emit(interKey, n)
	}
	return true
}

// next returns the byte at an offset from here, or 0.
func (l *exprLexer) next(offset int) byte {
	if l.at+offset < len(l.text) {
		return l.text[l.at+offset]
	}
	return 0
}

// word returns the length of the word that begins here.
func (l *exprLexer) word() int {
	c := l.next(0)
	if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_') {
		return 0
	}
	n := 1
	for isWord(rune(l.next(n))) {
		n++
	}
	return n
}

// lexValue cuts a resolver's arguments.
func (l *exprLexer) lexValue() bool {
	if l.has(l.at, "${") {
		l.openInterpolation()
		return true
	}
	space := l.count(l.at, blank)
	c := l.next(space)
	after := func() int { return space + 1 + l.count(l.at+space+1, blank) }
	switch c {
	case '}':
		l.emit(closeBrace, space+1)
		l.pop()
		return true
	case ']':
		l.emit(closeBracket, space+1)
		return true
	case ',':
		l.emit(comma, after())
		return true
	case ':':
		l.emit(colon, after())
		return true
	}
	if space > 0 {
		l.emit(blanks, space)
		return true
	}
	switch c {
	case '{':
		l.emit(openBrace, after())
		l.push(valueMode)
		return true
	case '[':
		l.emit(openBracket, after())
		return true
	case '\'':
		l.emit(openQuote, 1)
		l.push(singleMode)
		return true
	case '"':
		l.emit(openQuote, 1)
		l.push(doubleMode)
		return true
	case '\\':
		n := 0
		for l.next(n) == '\\' && strings.IndexByte("\\()[]{}:=, \t", l.next(n+1)) >= 0 && l.next(n+1) != 0 {
			n += 2
		}
		if n > 0 {
			l.emit(escLexeme, n)
			return true
		}
	}
	kind, n := l.number()
	if w := l.word(); w > n {
		kind, n = keyword(l.text[l.at:l.at+w]), w
	}
	switch {
	case n > 0:
		l.emit(kind, n)
	case strings.IndexByte(`/-\+.$%*@?|`, c) >= 0:
		l.emit(char, 1)
	default:
		return false
	}
	return true
}

func keyword(word string) lexemeKind {
	switch strings.ToLower(word) {
	case "true", "false":
		return boolean
	case "null":
		return null
	}
	return id
}

// number returns the longest number that begins here: "inf" and "nan" are
// numbers too.
func (l *exprLexer) number() (lexemeKind, int) {
	sign := 0
	if c := l.next(0); c == '+' || c == '-' {
		sign = 1
	}
	rest := l.text[l.at+sign:]
	if len(rest) >= 3 && (strings.EqualFold(rest[:3], "inf") || strings.EqualFold(rest[:3], "nan")) {
		return float, sign + 3
	}
	// A whole number has no leading zero and single "_" between its digits.
	digits := func(i int) int {
		n := 0
		for i+n < len(rest) {
			if c := rest[i+n]; c >= '0' && c <= '9' {
				n++
			} else if c == '_' && n > 0 && i+n+1 < len(rest) && rest[i+n+1] >= '0' && rest[i+n+1] <= '9' {
				n += 2
			} else {
				break
			}
		}
		return n
	}
	whole := digits(0)
	if whole > 0 && rest[0] == '0' {
		whole = 1
	}
	kind, n := integer, whole
	if strings.HasPrefix(rest[whole:], ".") {
		if fraction := digits(whole + 1); fraction > 0 {
			kind, n = float, whole+1+fraction
		} else if whole > 0 {
			kind, n = float, whole+1
		}
	}
	if n == 0 {
		return 0, 0
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		e := n + 1
		if e < len(rest) && (rest[e] == '+' || rest[e] == '-') {
			e++
		}
		if exponent := digits(e); exponent > 0 {
			kind, n = float, e+exponent
		}
	}
	return kind, sign + n
}
