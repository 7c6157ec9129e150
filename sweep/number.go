package sweep

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mlxp/mlxp/config"
)

// maxDigits bounds an integer's length, as Python does.
const maxDigits = 4300

// parseInt reads a decimal integer as Python's int() does and returns its
// canonical digits. It refuses what is no integer, and more than maxDigits
// digits.
func parseInt(s string) (digits string, ok bool) {
	s = asciiDigits(strings.TrimFunc(s, isSpace))
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	if s == "" || scanDigits(s, 0) != len(s) {
		return "", false
	}
	s = strings.ReplaceAll(s, "_", "")
	if len(s) > maxDigits {
		return "", false
	}
	s = strings.TrimLeft(s, "0")
	switch {
	case s == "":
		return "0", true
	case negative:
		return "-" + s, true
	}
	return s, true
}

// parseFloat reads a number as Python's float() does.
func parseFloat(s string) (f float64, ok bool) {
	s = asciiDigits(strings.TrimFunc(s, isSpace))
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 {
		return 0, false
	}
	switch {
	case strings.EqualFold(unsigned, "nan"):
		return math.NaN(), true
	case strings.EqualFold(unsigned, "inf") || strings.EqualFold(unsigned, "infinity"):
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	whole := scanDigits(unsigned, 0)
	end := whole
	if end < len(unsigned) && unsigned[end] == '.' {
		end = scanDigits(unsigned, end+1)
		if whole == 0 && end == 1 {
			return 0, false
		}
	} else if whole == 0 {
		return 0, false
	}
	if end < len(unsigned) && unsigned[end]|0x20 == 'e' {
		exponent := end + 1
		if exponent < len(unsigned) && (unsigned[exponent] == '+' || unsigned[exponent] == '-') {
			exponent++
		}
		end = scanDigits(unsigned, exponent)
		if end == exponent {
			return 0, false
		}
	}
	if end != len(unsigned) {
		return 0, false
	}
	f, _ = strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64) // out of range: an infinity, as in Python
	return f, true
}

// asciiDigits replaces the decimal digits of other scripts, which Python reads
// as well.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
			return r
		}
		digit := '0' // digits come in tens, from 0 on
		for unicode.Is(unicode.Nd, r-1) {
			r--
			digit++
		}
		return '0' + (digit-'0')%10
	}, s)
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }

// bigInt returns the integer or bool v.
func (v *value) bigInt() *big.Int {
	if v.kind == config.Bool {
		if v.bool {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	i, _ := new(big.Int).SetString(v.text, 10)
	return i
}

// asFloat converts the number v, which fails for an integer outside the range
// of floats.
func (v *value) asFloat() (float64, bool) {
	if v.kind == config.Float {
		return v.float, true
	}
	if v.kind == config.Bool {
		return float64(v.bigInt().Int64()), true
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil
}

// order compares two numbers by their exact values, whatever their kinds: -1,
// 0 or 1. A nan is ordered with nothing.
func order(a, b *value) (sign int, ordered bool) {
	if a.kind == config.Int && b.kind == config.Int {
		return compareDigits(a.text, b.text), true
	}
	if a.kind == config.Float && b.kind == config.Float {
		if math.IsNaN(a.float) || math.IsNaN(b.float) {
			return 0, false
		}
		return cmp.Compare(a.float, b.float), true
	}
	x, okX := a.exact()
	y, okY := b.exact()
	if !okX || !okY {
		return 0, false
	}
	return x.Cmp(y), true
}

// compareDigits compares two integers in canonical form.
func compareDigits(a, b string) int {
	negative := strings.HasPrefix(a, "-")
	switch {
	case negative != strings.HasPrefix(b, "-"):
		if negative {
			return -1
		}
		return 1
	case negative:
		a, b = b[1:], a[1:]
	}
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}

// exact returns the number v without rounding; a nan has no such form.
func (v *value) exact() (*big.Float, bool) {
	if v.kind != config.Float {
		return new(big.Float).SetInt(v.bigInt()), true
	}
	if math.IsNaN(v.float) {
		return nil, false
	}
	return big.NewFloat(v.float), true
}

// add returns a+b, or a-b, as Python does: an integer of two integers, else a
// float.
func add(a, b *value, minus bool) (*value, bool) {
	if a.kind != config.Float && b.kind != config.Float {
		x, y := a.bigInt(), b.bigInt()
		if minus {
			return integer(x.Sub(x, y).String()), true
		}
		return integer(x.Add(x, y).String()), true
	}
	x, okX := a.asFloat()
	y, okY := b.asFloat()
	if minus {
		y = -y
	}
	return float(x + y), okX && okY
}

// negative returns -v.
func negative(v *value) *value {
	if v.kind == config.Float {
		return float(-v.float)
	}
	i := v.bigInt()
	return integer(i.Neg(i).String())
}

// absolute returns v without its sign.
func absolute(v *value) *value {
	if v.kind == config.Float {
		return float(math.Abs(v.float))
	}
	i := v.bigInt()
	return integer(i.Abs(i).String())
}

// identity returns what is equal for scalars that Python takes for the same
// key of a dict, such as 1, 1.0 and true. It is "" for a nan, which equals
// nothing.
func identity(v *value) string {
	switch v.kind {
	case config.Null:
		return "null"
	case config.String:
		return "s" + v.text
	case config.Float:
		if math.IsNaN(v.float) {
			return ""
		}
		if f := v.float; f != math.Trunc(f) || math.IsInf(f, 0) {
			return "f" + config.FormatFloat(f)
		}
		i, _ := big.NewFloat(v.float).Int(nil)
		return i.String()
	}
	return v.bigInt().String()
}
