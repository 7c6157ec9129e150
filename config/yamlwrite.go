package config

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxSimpleKey is how long a key may be before it is marked with "?".
const maxSimpleKey = 128

// AppendYAML appends n as YAML, in the block style that PyYAML writes, ending in
// a line break. OmegaConf, ParseYAML and any other reader of YAML 1.1 find the
// values with the types they have: texts that read as something else are
// quoted. A byte that is not UTF-8 is written as in AppendJSON.
func (n *Node) AppendYAML(dst []byte) []byte {
	if !n.isContainer() || len(n.Items) == 0 {
		return append(n.appendYAMLScalar(dst, 0), '\n')
	}
	return n.appendYAML(dst, 0)
}

// appendYAML writes the items of a list or map, each on a line of its own. The
// first is expected to be indented already.
func (n *Node) appendYAML(dst []byte, indent int) []byte {
	for i, item := range n.Items {
		if i > 0 {
			dst = appendSpaces(dst, indent)
		}
		if n.Kind == List {
			dst = append(dst, '-')
			if item.isContainer() && len(item.Items) > 0 {
				dst = item.appendYAML(append(dst, ' '), indent+2)
				continue
			}
		} else {
			dst = appendYAMLKey(dst, n.Keys[i], indent)
			if item.isContainer() && len(item.Items) > 0 {
				dst = append(dst, '\n')
				inner := indent + 2
				if item.Kind == List {
					inner = indent
				}
				dst = item.appendYAML(appendSpaces(dst, inner), inner)
				continue
			}
		}
		dst = append(item.appendYAMLScalar(append(dst, ' '), indent), '\n')
	}
	return dst
}

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

func appendYAMLKey(dst []byte, key Key, indent int) []byte {
	n := key.value()
	start := len(dst)
	if n.Kind == String && strings.Contains(n.Text, "\n") {
		dst = appendDoubleQuoted(dst, n.Text)
	} else {
		dst = n.appendYAMLScalar(dst, indent)
	}
	if len(dst)-start > maxSimpleKey {
		text := string(dst[start:])
		dst = append(append(append(dst[:start], "? "...), text...), '\n')
		dst = appendSpaces(dst, indent)
	}
	return append(dst, ':')
}

// appendYAMLScalar writes a scalar or an empty collection. indent is that of the
// line it stands on.
func (n *Node) appendYAMLScalar(dst []byte, indent int) []byte {
	switch n.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, n.Bool)
	case Int:
		return append(dst, n.Text...)
	case Float:
		return appendYAMLFloat(dst, n.Float)
	case Bytes:
		dst = append(dst, `!!binary "`...)
		return append(base64.StdEncoding.AppendEncode(dst, []byte(n.Text)), '"')
	case Path:
		dst = append(dst, "!!python/object/apply:pathlib.Path ["...)
		return append(appendDoubleQuoted(dst, n.Text), ']')
	case List:
		return append(dst, "[]"...)
	case Map:
		return append(dst, "{}"...)
	}
	switch {
	case isPlainSafe(n.Text):
		return append(dst, n.Text...)
	case isBlockSafe(n.Text):
		return appendLiteral(dst, n.Text, indent+2)
	case isPrintable(n.Text):
		return append(append(append(dst, '\''), strings.ReplaceAll(n.Text, "'", "''")...), '\'')
	}
	return appendDoubleQuoted(dst, n.Text)
}

// appendYAMLFloat writes a float that PyYAML too reads as one: it wants a "."
// before the exponent.
func appendYAMLFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, ".nan"...)
	case math.IsInf(f, 1):
		return append(dst, ".inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-.inf"...)
	}
	text := FormatFloat(f)
	if e := strings.IndexByte(text, 'e'); e >= 0 && !strings.Contains(text, ".") {
		text = text[:e] + ".0" + text[e:]
	}
	return append(dst, text...)
}

// isPlainSafe reports whether every YAML reader takes s for a text without
// quotes.
func isPlainSafe(s string) bool {
	if s == "" || len(s) > 1024 || implicitTag(s) != "str" || !isPrintable(s) {
		return false
	}
	switch s {
	case "y", "Y", "n", "N", "null", "Null", "NULL": // bools of YAML 1.1 that PyYAML leaves out
		return false
	}
	switch c := s[0]; {
	case strings.IndexByte(" -?:,[]{}#&*!|>'\"%@`", c) >= 0 || s[len(s)-1] == ' ' || s[len(s)-1] == ':':
		return false
	case c >= '0' && c <= '9' || c == '+' || c == '.':
		// Dates, and the numbers of other versions of YAML.
		if strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789+-.:_eExXoOTtZz abcdefABCDEF", r) }) < 0 {
			return false
		}
	}
	return !strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasPrefix(s, "---") && !strings.HasPrefix(s, "...")
}

// isPrintable reports whether s can stand in single quotes on one line.
func isPrintable(s string) bool {
	for i, r := range s {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 || r == '\uFEFF' || !allowed(r) {
			return false
		}
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// isBlockSafe reports whether s has several lines that a literal block holds.
func isBlockSafe(s string) bool {
	if !strings.Contains(s, "\n") || s[0] == ' ' || s[0] == '\n' {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if !isPrintable(line) || line != "" && strings.TrimRight(line, " ") == "" {
			return false
		}
	}
	return true
}

func appendLiteral(dst []byte, s string, indent int) []byte {
	dst = append(dst, '|')
	body := strings.TrimRight(s, "\n")
	switch len(s) - len(body) {
	case 0:
		dst = append(dst, '-')
	case 1:
	default:
		dst = append(dst, '+')
	}
	body = s
	if strings.HasSuffix(s, "\n") {
		body = s[:len(s)-1]
	}
	for line := range strings.SplitSeq(body, "\n") {
		dst = append(dst, '\n')
		if line != "" {
			dst = append(appendSpaces(dst, indent), line...)
		}
	}
	return dst
}

func appendDoubleQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, `\udc`...)
			dst = append(dst, hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case isPrintable(s[i : i+size]):
			dst = append(dst, s[i:i+size]...)
		case r < 0x100:
			dst = append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		i += size
	}
	return append(dst, '"')
}
