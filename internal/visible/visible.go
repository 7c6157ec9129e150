// Package visible makes texts of others fit for a line on a terminal.
package visible

import "strings"

// Text returns s with its control characters and bytes that are not UTF-8
// replaced by one visible character each: they could break the line, or tell the
// terminal to do something.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return '␀' + r
		case r == 0x7f:
			return '␡'
		case r >= 0x80 && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, s)
}
