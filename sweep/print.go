package sweep

import (
	"strings"

	"github.com/mlxp/mlxp/config"
)

// String returns v as Hydra passes it to a job. A string that was quoted stays
// so, in any other the special characters are escaped. v holds no sweep.
func (v *value) String() string { return string(v.append(nil)) }

func (v *value) append(b []byte) []byte {
	switch v.kind {
	case config.Null:
		return append(b, "null"...)
	case config.Bool:
		if v.bool {
			return append(b, "True"...)
		}
		return append(b, "False"...)
	case config.Int:
		return append(b, v.text...)
	case config.Float:
		return append(b, config.FormatFloat(v.float)...)
	case config.List:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b)
		}
		return append(b, ']')
	case config.Map:
		b = append(b, '{')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(v.keys[i].append(b), ':')
			b = item.append(b)
		}
		return append(b, '}')
	}
	if v.quote != 0 {
		return appendQuoted(b, v.text, v.quote)
	}
	for i := 0; i < len(v.text); i++ {
		if strings.IndexByte(escapable, v.text[i]) >= 0 {
			b = append(b, '\\')
		}
		b = append(b, v.text[i])
	}
	return b
}

// appendQuoted appends s in quotes: unquote gives it back.
func appendQuoted(b []byte, s string, quote byte) []byte {
	b = append(b, quote)
	backslashes := 0
	for i := 0; i < len(s); i++ {
		if s[i] == quote {
			b = append(b, strings.Repeat(`\`, backslashes+1)...)
		}
		b = append(b, s[i])
		if s[i] == '\\' {
			backslashes++
		} else {
			backslashes = 0
		}
	}
	b = append(b, strings.Repeat(`\`, backslashes)...)
	return append(b, quote)
}

// quoted returns s as a quoted value, in the quote that needs fewer escapes:
// the double one if it does not matter, so that a shell may have the other.
func quoted(s string) string {
	quote := byte('"')
	if strings.IndexByte(s, '"') >= 0 && strings.IndexByte(s, '\'') < 0 {
		quote = '\''
	}
	return string(appendQuoted(nil, s, quote))
}
