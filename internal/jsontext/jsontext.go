// Package jsontext writes and reads JSON strings that may hold any bytes.
//
// JSON is text, but file names, command lines and environment variables are
// bytes. A byte that is not part of valid UTF-8 is written as the lone
// surrogate \udc80 to \udcff: Python's "surrogateescape" (PEP 383), so that
// Python's os.fsencode gives the bytes back, and so does [Unquote].
package jsontext

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// AppendQuote appends s to dst as a JSON string. Characters that YAML 1.1 calls
// not printable are escaped too, so that the text is a YAML string as well.
func AppendQuote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = appendEscape(dst, rune(c))
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, 0xdc00+rune(c))
		case !printable(r):
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, r)
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// printable follows the YAML 1.1 specification, section 4.1; U+2028 and U+2029
// are line breaks there, as is U+0085.
func printable(r rune) bool {
	return r >= 0xa0 && r != 0x2028 && r != 0x2029 && r != 0xfeff && r != 0xfffe && r != 0xffff
}

func appendEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// Unquote reads the JSON string that text is, the quotes included. It reads
// \udc80 to \udcff that stand alone back as bytes; any other lone surrogate is
// an error.
func Unquote(text []byte) (string, error) {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", fmt.Errorf("not a JSON string: %.40q", text)
	}
	text = text[1 : len(text)-1]
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c < 0x20 || c == '"' {
			return "", fmt.Errorf("a JSON string cannot hold %q unescaped", c)
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		i++
		if i == len(text) {
			return "", fmt.Errorf("a JSON string ends in a backslash")
		}
		switch c := text[i]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(text[i+1:])
			if !ok {
				return "", fmt.Errorf("\\u needs four hex digits")
			}
			i += 4
			if utf16.IsSurrogate(r) {
				if low, ok := lowSurrogate(text[i+1:]); ok && r < 0xdc00 {
					out = utf8.AppendRune(out, utf16.DecodeRune(r, low))
					i += 6
					continue
				}
				if r < 0xdc80 || r > 0xdcff {
					return "", fmt.Errorf("lone surrogate \\u%04x", r)
				}
				out = append(out, byte(r-0xdc00))
				continue
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", fmt.Errorf("unknown escape \\%c in a JSON string", c)
		}
	}
	return string(out), nil
}

func lowSurrogate(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	r, ok := hex4(text[2:])
	return r, ok && r >= 0xdc00 && r <= 0xdfff
}

func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[:4]), 16, 16)
	return rune(n), err == nil
}

// Text is a string of any bytes that encoding/json writes with [AppendQuote]
// and reads with [Unquote].
type Text string

// MarshalJSON writes t as a JSON string.
func (t Text) MarshalJSON() ([]byte, error) {
	return AppendQuote(make([]byte, 0, len(t)+2), string(t)), nil
}

// UnmarshalJSON reads a JSON string.
func (t *Text) UnmarshalJSON(text []byte) error {
	s, err := Unquote(text)
	*t = Text(s)
	return err
}

// Texts converts words for a field of JSON.
func Texts(words []string) []Text {
	out := make([]Text, len(words))
	for i, w := range words {
		out[i] = Text(w)
	}
	return out
}

// Strings converts them back.
func Strings(texts []Text) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = string(t)
	}
	return out
}
