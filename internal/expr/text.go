package expr

import (
	"strings"
	"unicode"
)

// A Part is a piece of a longer text that holds an expression.
type Part struct {
	Name   string // the NAME of NAME=CEL, or ""
	Text   string // the expression
	Offset int    // of Text in the whole
}

// Split cuts a text at the commas that stand outside of brackets and texts, and
// takes the NAME= off each part. Empty parts are left out.
func Split(text string) []Part {
	var parts []Part
	start := 0
	add := func(end int) {
		if strings.TrimSpace(text[start:end]) != "" {
			p := Named(text[start:end])
			p.Offset += start
			parts = append(parts, p)
		}
	}
	scan(text, func(i, depth int) {
		if text[i] == ',' && depth == 0 {
			add(i)
			start = i + 1
		}
	})
	add(len(text))
	return parts
}

// Named reads "NAME=CEL" or "CEL". A NAME is letters, digits, "_" and "-", and
// begins with a letter or "_".
func Named(text string) Part {
	p := Part{Text: text}
	name, rest, ok := strings.Cut(text, "=")
	if trimmed := strings.TrimSpace(name); ok && isName(trimmed) && !strings.HasPrefix(rest, "=") {
		p = Part{Name: trimmed, Text: rest, Offset: len(name) + 1}
	}
	p.Offset += len(p.Text) - len(strings.TrimLeftFunc(p.Text, unicode.IsSpace))
	p.Text = strings.TrimSpace(p.Text)
	return p
}

func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || r != '-' && !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// scan visits each byte of an expression that stands outside of texts and
// comments. depth counts the brackets that are open around it.
func scan(text string, visit func(i, depth int)) {
	depth := 0
	for i := 0; i < len(text); {
		if end := skip(text, i); end > i {
			i = end
			continue
		}
		switch text[i] {
		case ')', ']', '}':
			depth--
		}
		visit(i, depth)
		switch text[i] {
		case '(', '[', '{':
			depth++
		}
		i++
	}
}

// skip returns the end of the text literal or comment that begins at i, or i if
// none does. A literal that does not end runs to the end.
func skip(text string, i int) int {
	rest := text[i:]
	if strings.HasPrefix(rest, "//") {
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return i + n
		}
		return len(text)
	}
	if rest[0] != '"' && rest[0] != '\'' {
		return i
	}
	quote := rest[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(rest, triple) {
		quote = triple
	}
	raw := isRaw(text[:i])
	for n := len(quote); n < len(rest); n++ {
		switch {
		case rest[n] == '\\' && !raw:
			n++
		case strings.HasPrefix(rest[n:], quote):
			return i + n + len(quote)
		}
	}
	return len(text)
}

// isRaw tells whether what stands before a quote makes it a raw text: r"", br"".
func isRaw(before string) bool {
	word := before[len(strings.TrimRightFunc(before, func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })):]
	w := strings.ToLower(word)
	return w == "r" || w == "br" || w == "rb"
}
