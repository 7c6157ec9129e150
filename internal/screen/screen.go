// Package screen shows text as a terminal would have shown it in the end.
package screen

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
)

// lines returns the lines of a text as they would be seen. What follows the last
// line's end is a line, too, if there is anything.
func lines(text []byte) []string {
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	line := NewLine(out)
	_, _ = line.Write(text)
	line.End()
	_ = out.Flush()
	seen := strings.TrimSuffix(b.String(), "\n")
	if seen == "" {
		return nil
	}
	return strings.Split(seen, "\n")
}

// Last returns the last n lines of a file that hold anything, as far as its last
// 64 KiB tell, nil if it cannot be read.
func Last(f io.ReadSeeker, n int) []string {
	const most = 64 << 10
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	if _, err := f.Seek(max(0, size-most), io.SeekStart); err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil
	}
	seen := slices.DeleteFunc(lines(text), func(line string) bool { return strings.TrimSpace(line) == "" })
	return seen[max(0, len(seen)-n):]
}

// longest is how much of a line without an end is kept: beyond it, it is printed
// as it is.
const longest = 1 << 20

// A Line is one line of a terminal, wide enough for any text. What is written to
// it comes out when the line is complete, as it would be seen then: a carriage
// return goes back to its beginning, a backspace one step, and what follows
// replaces what is there. Escape sequences are left out, but for the one that
// erases the rest of the line.
type Line struct {
	out    *bufio.Writer
	cells  []byte // what is to be seen, in UTF-8
	at     int    // where the next character goes
	escape []byte // a sequence that is not complete
}

// NewLine returns an empty line. out's owner flushes it, and learns there what could
// not be written.
func NewLine(out *bufio.Writer) *Line { return &Line{out: out} }

// Write writes text to the line.
func (l *Line) Write(text []byte) (int, error) {
	for _, c := range text {
		switch {
		case len(l.escape) > 0:
			l.sequence(c)
		case c == '\n':
			l.cells = append(l.cells, '\n')
			if _, err := l.out.Write(l.cells); err != nil {
				return 0, err
			}
			l.cells, l.at = l.cells[:0], 0
		case c == '\r':
			l.at = 0
		case c == '\b':
			l.at = l.before(l.at)
		case c == 0x1b:
			l.escape = append(l.escape, c)
		default:
			l.put(c)
		}
	}
	return len(text), nil
}

// put writes one byte of a character over what is there: over a whole character
// if it begins one.
func (l *Line) put(c byte) {
	if len(l.cells) >= longest {
		_, _ = l.out.Write(l.cells)
		l.cells, l.at = l.cells[:0], 0
	}
	if l.at >= len(l.cells) {
		l.cells = append(l.cells, c)
		l.at = len(l.cells)
		return
	}
	if c&0xc0 == 0x80 { // goes on with a character: it has no place of its own
		l.cells = append(l.cells[:l.at], append([]byte{c}, l.cells[l.at:]...)...)
		l.at++
		return
	}
	next := l.at + 1
	for next < len(l.cells) && l.cells[next]&0xc0 == 0x80 {
		next++
	}
	l.cells[l.at] = c
	l.cells = append(l.cells[:l.at+1], l.cells[next:]...)
	l.at++
}

// before is the place of the character in front of a place.
func (l *Line) before(at int) int {
	at--
	for at > 0 && at < len(l.cells) && l.cells[at]&0xc0 == 0x80 {
		at--
	}
	return max(at, 0)
}

// sequence takes one more byte of an escape sequence (ECMA-48, 5.4: ESC [,
// parameters, a final byte from @ on).
func (l *Line) sequence(c byte) {
	l.escape = append(l.escape, c)
	switch {
	case len(l.escape) == 2 && c == '[':
		return
	case len(l.escape) > 2 && (c < '@' || c > '~') && len(l.escape) < 64:
		return
	case c == 'K' && !bytes.ContainsAny(l.escape, "12") && l.at < len(l.cells):
		l.cells = l.cells[:l.at]
	}
	l.escape = l.escape[:0]
}

// End prints a last line that has no end.
func (l *Line) End() {
	_, _ = l.out.Write(l.cells) // its error is Flush's
	l.cells, l.at = l.cells[:0], 0
}
