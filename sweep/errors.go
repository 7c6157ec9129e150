package sweep

import (
	"fmt"
	"strings"

	"github.com/mlxp/mlxp/internal/nearest"
)

// A ParseError is an override that cannot be read.
type ParseError struct {
	Word   string // the whole override
	Offset int    // the place in Word, in bytes
	Reason string // what is wrong there

	refused bool // the word can be read, but not what a function in it is given
}

// Error returns the reason with the word, shortened if it is long.
func (e *ParseError) Error() string {
	if e.Word == "" {
		return "empty override: " + e.Reason
	}
	return fmt.Sprintf("override %s: %s", abbreviate(e.Word), e.Reason)
}

func errorAt(word string, offset int, format string, args ...any) *ParseError {
	return &ParseError{Word: word, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// refusal is the error about what a function at offset is given.
func refusal(word string, offset int, format string, args ...any) *ParseError {
	e := errorAt(word, offset, format, args...)
	e.refused = true
	return e
}

func abbreviate(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// unexpectedInKey is the error about what follows h, which is no = sign.
func unexpectedInKey(h head, s string, pos int) *ParseError {
	if h.key == "" && h.pkg == nil {
		return errorAt(s, pos, "a key does not begin with %s", describe(s, pos))
	}
	return errorAt(s, pos, "expected = and a value here, not %s", describe(s, pos))
}

// unexpected is the error about the current token, where wanted was possible.
func (p *parser) unexpected(wanted string) *ParseError {
	place := skipSpace(p.s, p.tok.start)
	if place == len(p.s) {
		if wanted == "" {
			return errorAt(p.s, p.tok.start, "nothing may follow here, not even a space")
		}
		return errorAt(p.s, place, "expected %s here, but the override ends", wanted)
	}
	switch {
	case p.s[place] == '=':
		return errorAt(p.s, place, "an = inside a value has to be quoted")
	case p.s[place] == '(' && wanted != "":
		return errorAt(p.s, place, "a value does not begin with (; a list is written [1,2]")
	case wanted == "":
		return errorAt(p.s, place, "%s cannot stand here", describe(p.s, place))
	}
	return errorAt(p.s, place, "expected %s here, not %s", wanted, describe(p.s, place))
}

// unclosed returns err, unless the word just ends: then the fault is the
// bracket that open is.
func (p *parser) unclosed(open token, err *ParseError) *ParseError {
	if err.Offset < len(p.s) {
		return err
	}
	place := open.start + strings.IndexAny(p.s[open.start:], "([{")
	return errorAt(p.s, place, "%c is never closed", p.s[place])
}

func describe(s string, pos int) string {
	if pos >= len(s) {
		return "the end"
	}
	for _, r := range s[pos:] {
		return fmt.Sprintf("%q", r)
	}
	return ""
}

func unknownFunction(name string) error {
	if len(name) <= legible {
		if known, ok := nearest.Of(name, functionNames); ok {
			return fmt.Errorf("there is no function %s; did you mean %s?", name, known)
		}
	}
	return fmt.Errorf("there is no function %s; there are %s", abbreviate(name), strings.Join(functionNames, ", "))
}
