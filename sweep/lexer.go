package sweep

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A tokenKind is one of the lexical classes of the text behind the = of an
// override. The punctuation takes the white space around it in, as in Hydra's
// grammar; of all tokens that match, the longest counts.
type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokParenOpen
	tokParenClose
	tokBracketOpen
	tokBracketClose
	tokBraceOpen
	tokBraceClose
	tokComma
	tokColon
	tokEqual
	tokFloat
	tokInt
	tokBool
	tokNull
	tokChar // one of / - \ + . $ % * @ ? |
	tokID
	tokEscape // one or more of \\ \( \) \[ \] \{ \} \: \= \, \<space> \<tab>
	tokSpace
	tokQuoted
	tokInterpolation
)

type token struct {
	kind       tokenKind
	start, end int // in the word
}

// scan reads the token of the word s that starts at pos.
func scan(s string, pos int) (token, *ParseError) {
	if pos == len(s) {
		return token{tokEOF, pos, pos}, nil
	}
	after := skipSpace(s, pos)
	if after < len(s) {
		// White space before these belongs to them.
		switch s[after] {
		case '(':
			return token{tokParenOpen, pos, skipSpace(s, after+1)}, nil
		case ')':
			return token{tokParenClose, pos, after + 1}, nil
		case ']':
			return token{tokBracketClose, pos, after + 1}, nil
		case '}':
			return token{tokBraceClose, pos, after + 1}, nil
		case ',':
			return token{tokComma, pos, skipSpace(s, after+1)}, nil
		case ':':
			return token{tokColon, pos, skipSpace(s, after+1)}, nil
		case '=':
			return token{tokEqual, pos, skipSpace(s, after+1)}, nil
		}
	}
	if after > pos {
		return token{tokSpace, pos, after}, nil
	}
	if kind, end := scanNumber(s, pos); end > pos {
		return token{kind, pos, end}, nil
	}
	switch c := s[pos]; {
	case c == '[':
		return token{tokBracketOpen, pos, skipSpace(s, pos+1)}, nil
	case c == '{':
		return token{tokBraceOpen, pos, skipSpace(s, pos+1)}, nil
	case isLetter(c) || c == '_':
		end := pos + 1
		for end < len(s) && (isLetter(s[end]) || isDigit(s[end]) || s[end] == '_' || s[end] == '-') {
			end++
		}
		return token{word(s[pos:end]), pos, end}, nil
	case c == '\\':
		end := pos
		for end+1 < len(s) && s[end] == '\\' && strings.IndexByte(escapable, s[end+1]) >= 0 {
			end += 2
		}
		if end > pos {
			return token{tokEscape, pos, end}, nil
		}
		return token{tokChar, pos, pos + 1}, nil
	case c == '$' && strings.HasPrefix(s[pos:], "${"):
		if i := strings.IndexByte(s[pos+2:], '}'); i > 0 {
			return token{tokInterpolation, pos, pos + 2 + i + 1}, nil
		}
		return token{tokChar, pos, pos + 1}, nil
	case strings.IndexByte(`/-+.$%*@?|`, c) >= 0:
		return token{tokChar, pos, pos + 1}, nil
	case c == '\'' || c == '"':
		if end := closingQuote(s, pos); end > 0 {
			return token{tokQuoted, pos, end + 1}, nil
		}
		return token{}, errorAt(s, pos, "the quote %c is never closed", c)
	}
	r, size := utf8.DecodeRuneInString(s[pos:])
	if r == utf8.RuneError && size == 1 {
		return token{}, errorAt(s, pos, "the byte %#02x has to be quoted", s[pos])
	}
	return token{}, errorAt(s, pos, "%s has to be quoted", fmt.Sprintf("%q", r))
}

// escapable are the characters that a backslash escapes outside quotes.
const escapable = "\\()[]{}:=, \t"

// closingQuote returns the index of the quote that closes the one at pos: the
// first with an even number of backslashes before it. It returns 0 if there is
// none.
func closingQuote(s string, pos int) int {
	backslashes := 0
	for i := pos + 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			backslashes++
			continue
		case s[i] == s[pos] && backslashes%2 == 0:
			return i
		}
		backslashes = 0
	}
	return 0
}

// word tells the reserved words from other names.
func word(s string) tokenKind {
	switch len(s) {
	case 3:
		if strings.EqualFold(s, "inf") || strings.EqualFold(s, "nan") {
			return tokFloat
		}
	case 4:
		if strings.EqualFold(s, "true") {
			return tokBool
		}
		if strings.EqualFold(s, "null") {
			return tokNull
		}
	case 5:
		if strings.EqualFold(s, "false") {
			return tokBool
		}
	}
	return tokID
}

// scanNumber returns the number at pos and its end, which is pos if there is
// none. Names such as inf without a sign are left to word.
func scanNumber(s string, pos int) (tokenKind, int) {
	i := pos
	if c := s[i]; c == '+' || c == '-' {
		i++
		if i+3 <= len(s) && (strings.EqualFold(s[i:i+3], "inf") || strings.EqualFold(s[i:i+3], "nan")) {
			return tokFloat, i + 3
		}
	}
	kind, end := tokInt, scanUnsigned(s, i)
	point := end
	if point < len(s) && s[point] == '.' {
		fraction := scanDigits(s, point+1)
		if end > i || fraction > point+1 {
			kind, end = tokFloat, fraction
		}
	}
	if end == i {
		return kind, pos
	}
	if end < len(s) && (s[end] == 'e' || s[end] == 'E') {
		exponent := end + 1
		if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
			exponent++
		}
		if stop := scanDigits(s, exponent); stop > exponent {
			kind, end = tokFloat, stop
		}
	}
	return kind, end
}

// scanUnsigned returns the end of an integer without a sign: 0, or digits that
// do not begin with 0.
func scanUnsigned(s string, pos int) int {
	if pos < len(s) && s[pos] == '0' {
		return pos + 1
	}
	return scanDigits(s, pos)
}

// scanDigits returns the end of digits with single underscores between them.
func scanDigits(s string, pos int) int {
	end := pos
	for i := pos; i < len(s); i++ {
		if isDigit(s[i]) {
			end = i + 1
		} else if s[i] != '_' || end != i || i == pos {
			break
		}
	}
	return end
}

func skipSpace(s string, pos int) int {
	for pos < len(s) && (s[pos] == ' ' || s[pos] == '\t') {
		pos++
	}
	return pos
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
