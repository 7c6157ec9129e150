package config

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OmegaConf joins values to texts with Python's str and repr, so those are what
// users see in "${a}-${b}", in keys and in the texts of numbers.

// FormatFloat writes f as Python's repr does: the shortest text that reads back
// the same, always with a point or an exponent; nan, inf and -inf.
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// wholeDigits writes a whole float as an int.
func wholeDigits(f float64) string {
	if math.Abs(f) < 1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	i, _ := big.NewFloat(f).Int(nil)
	return i.String()
}

// pythonStr returns str(n).
func (n *Node) pythonStr() string {
	switch n.Kind {
	case String, Path:
		return n.Text
	}
	return string(n.appendRepr(nil))
}

// appendRepr appends repr(n).
func (n *Node) appendRepr(dst []byte) []byte {
	switch n.Kind {
	case Null:
		return append(dst, "None"...)
	case Bool:
		if n.Bool {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case Int:
		return append(dst, n.Text...)
	case Float:
		return append(dst, FormatFloat(n.Float)...)
	case String:
		return append(dst, quotePython(n.Text)...)
	case Bytes:
		return append(dst, quoteBytes(n.Text)...)
	case Path:
		return append(append(append(dst, "PosixPath("...), quotePython(n.Text)...), ')')
	case List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = item.appendRepr(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, item := range n.Items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = n.Keys[i].value().appendRepr(dst)
		dst = append(dst, ": "...)
		dst = item.appendRepr(dst)
	}
	return append(dst, '}')
}

// quotePython returns repr(s).
func quotePython(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst := append(make([]byte, 0, len(s)+2), quote)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, `\udc`...)
			dst = append(dst, hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case r == rune(quote) || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x80 && (r < ' ' || r == 0x7F):
			dst = appendEscape(dst, byte(r))
		case unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r < 0x100:
			dst = append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
		default:
			digits, letter := 4, byte('u')
			if r > 0xFFFF {
				digits, letter = 8, 'U'
			}
			dst = append(dst, '\\', letter)
			for d := digits - 1; d >= 0; d-- {
				dst = append(dst, hexDigits[r>>(4*d)&15])
			}
		}
		i += size
	}
	return string(append(dst, quote))
}

const hexDigits = "0123456789abcdef"

// quoteBytes returns repr(b) of bytes.
func quoteBytes(b string) string {
	quote := byte('\'')
	if strings.Contains(b, "'") && !strings.Contains(b, `"`) {
		quote = '"'
	}
	dst := []byte{'b', quote}
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == quote || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c >= 0x7F:
			dst = appendEscape(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return string(append(dst, quote))
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// pythonInt reads what Python's int() takes of a text, as an index of a list.
func pythonInt(s string) (int, bool) {
	s = strings.TrimSpace(s)
	digits := unsigned(s)
	if digits == "" || digits[0] == '_' || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") ||
		span(digits, '0', '9', true) != len(digits) {
		return 0, false
	}
	i, err := strconv.Atoi(strings.ReplaceAll(digits, "_", ""))
	if err != nil {
		i = math.MaxInt // an index that no list has
	}
	if s[0] == '-' {
		i = -i
	}
	return i, true
}
