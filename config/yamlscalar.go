package config

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// implicitTag returns the tag that YAML 1.1 gives a plain text, with
// OmegaConf's two changes: more texts are floats (1e3), and dates stay texts.
func implicitTag(text string) string {
	if text == "" {
		return "null"
	}
	switch c := text[0]; {
	case c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.':
		switch {
		case isYAMLFloat(text):
			return "float"
		case isYAMLInt(text):
			return "int"
		}
		return "str"
	}
	switch text {
	case "~", "null", "Null", "NULL":
		return "null"
	case "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF":
		return "bool"
	case "<<":
		return "merge"
	case "=":
		return "value"
	}
	return "str"
}

// span returns how many bytes at the start of s are in [lo, hi] or, where under
// is true, "_".
func span(s string, lo, hi byte, under bool) int {
	i := 0
	for i < len(s) && (s[i] >= lo && s[i] <= hi || under && s[i] == '_') {
		i++
	}
	return i
}

func unsigned(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:]
	}
	return s
}

// isYAMLInt matches PyYAML's int: 0b1, 010, 10, 0x1F and 1:30, with "_" among
// the digits.
func isYAMLInt(s string) bool {
	s = unsigned(s)
	switch {
	case s == "":
		return false
	case s == "0":
		return true
	case strings.HasPrefix(s, "0b"):
		return len(s) > 2 && span(s[2:], '0', '1', true) == len(s)-2
	case strings.HasPrefix(s, "0x"):
		for _, r := range s[2:] {
			if !isHex(r) && r != '_' {
				return false
			}
		}
		return len(s) > 2
	case s[0] == '0':
		return span(s[1:], '0', '7', true) == len(s)-1
	case s[0] < '1' || s[0] > '9':
		return false
	}
	s = s[span(s, '0', '9', true):]
	return sexagesimal(s) == len(s)
}

// sexagesimal returns the length of the ":30:15" at the start of s.
func sexagesimal(s string) int {
	i := 0
	for i < len(s) && s[i] == ':' {
		n := span(s[i+1:], '0', '9', false)
		if n == 0 || n > 2 || n == 2 && s[i+1] > '5' {
			break
		}
		i += 1 + n
	}
	return i
}

// isYAMLFloat matches PyYAML's floats (1.5, .5, 1.5e+3, 1:30.5, .inf, .nan) and
// those that OmegaConf adds: 1e3 and 1.5e3, whose exponent has no sign.
func isYAMLFloat(s string) bool {
	body := unsigned(s)
	switch body {
	case "":
		return false
	case ".inf", ".Inf", ".INF":
		return true
	case ".nan", ".NaN", ".NAN":
		return body == s
	}
	if body[0] == '.' {
		n := span(body[1:], '0', '9', true)
		if body != s || n == 0 || body[1] == '_' {
			return false
		}
		rest := body[1+n:]
		return rest == "" || isExponent(rest, true)
	}
	if body[0] < '0' || body[0] > '9' {
		return false
	}
	n := span(body, '0', '9', true)
	digits, rest := body[:n], body[n:]
	if colons := sexagesimal(rest); colons > 0 {
		rest = rest[colons:]
		return strings.HasPrefix(rest, ".") && span(rest[1:], '0', '9', true) == len(rest)-1
	}
	tidy := !strings.HasSuffix(digits, "_") && !strings.Contains(digits, "__")
	if strings.HasPrefix(rest, ".") {
		rest = rest[1+span(rest[1:], '0', '9', true):]
		return rest == "" || isExponent(rest, !tidy)
	}
	return tidy && isExponent(rest, false)
}

// isExponent matches e3, and e+3 and e-3; a sign may be required.
func isExponent(s string, signed bool) bool {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return false
	}
	digits := unsigned(s[1:])
	if signed && len(digits) == len(s)-1 {
		return false
	}
	return digits != "" && span(digits, '0', '9', false) == len(digits)
}

// yamlInt reads the text of an !!int, written in any way that Python takes.
func yamlInt(text string) (*big.Int, bool) {
	text = strings.ReplaceAll(text, "_", "")
	negative := strings.HasPrefix(text, "-")
	digits := unsigned(text)
	if digits == "" {
		return nil, false
	}
	v := new(big.Int)
	ok := true
	switch {
	case digits == "0":
	case strings.HasPrefix(digits, "0b"):
		v, ok = bigInt(digits[2:], 2)
	case strings.HasPrefix(digits, "0x"):
		v, ok = bigInt(digits[2:], 16)
	case digits[0] == '0':
		v, ok = bigInt(strings.TrimPrefix(digits, "0o"), 8)
	default:
		for part := range strings.SplitSeq(digits, ":") {
			p, valid := bigInt(strings.TrimSpace(part), 10)
			if !valid {
				return nil, false
			}
			v.Mul(v, big.NewInt(60)).Add(v, p)
		}
	}
	if ok && negative {
		v.Neg(v)
	}
	return v, ok
}

// yamlFloat reads the text of a !!float.
func yamlFloat(text string) (float64, bool) {
	text = strings.ToLower(strings.ReplaceAll(text, "_", ""))
	sign := 1.0
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	switch text = unsigned(text); text {
	case ".inf":
		return sign * math.Inf(1), true
	case ".nan":
		return math.NaN(), true
	}
	if !strings.Contains(text, ":") {
		v, ok := pythonFloat(text)
		return sign * v, ok
	}
	// PyYAML adds up from the last part, each times its power of 60.
	parts := strings.Split(text, ":")
	total, base := 0.0, 1.0
	for i := len(parts) - 1; i >= 0; i-- {
		v, ok := pythonFloat(parts[i])
		if !ok {
			return 0, false
		}
		total += v * base
		base *= 60
	}
	return sign * total, true
}

// pythonFloat reads what Python's float() takes, hexadecimal digits and "_"
// excepted.
func pythonFloat(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "xX_pP") {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}
