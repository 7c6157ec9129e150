package reader

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
)

// shortNumber reads the number that begins at text[at], where it is of the
// common form: up to 19 digits behind leading zeros, up to 27 behind a
// ".", no exponent. end is where it ends.
// ok is false for any other form, and for what is no number.
func shortNumber(text []byte, at int) (kind cellKind, x float64, end int, ok bool) {
	start, negative := at, false
	if at < len(text) && text[at] == '-' {
		start, negative = at+1, true
	}
	point, first := -1, -1 // where "." is, and the first digit that is not 0
	digits := uint64(0)    // wraps around above 19 digits: these are not used
	i := start
	for ; i < len(text); i++ {
		if d := text[i] - '0'; d <= 9 {
			if digits = digits*10 + uint64(d); first < 0 && d > 0 {
				first = i
			}
		} else if text[i] == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	if i == len(text) || class[text[i]] != ends || i == start || point == start || point == i-1 {
		return 0, 0, 0, false
	}
	if text[start] == '0' && i > start+1 && point != start+1 {
		return 0, 0, 0, false
	}
	switch {
	case point < 0 && i-start <= 15:
		kind, x = intCell, float64(digits)
		negative = negative && digits != 0 // an int has no negative zero
	case point >= 0 && (first < 0 || i-first <= 19) && i-point-1 < len(powersOf5):
		kind, x = floatCell, quotient(digits, i-point-1)
	default:
		return 0, 0, 0, false
	}
	if negative {
		x = -x
	}
	return kind, x, i, true
}

// quotient returns the float nearest to digits / 10^places: digits / 5^places
// times a power of 2. Both are shifted to fill 64 bits, so that the division
// gives 62 bits or more; of a remainder it is enough to know whether there is one.
func quotient(digits uint64, places int) float64 {
	if digits == 0 {
		return 0
	}
	up, divisor := bits.LeadingZeros64(digits), powersOf5[places]
	upDivisor := bits.LeadingZeros64(divisor)
	digits <<= up
	q, rest := bits.Div64(digits>>1, digits<<63, divisor<<upDivisor)
	if rest != 0 {
		q |= 1
	}
	exponent := upDivisor - up - 63 - places
	return float64(q) * math.Float64frombits(uint64(1023+exponent)<<52)
}

// powersOf5 are those that fit into 64 bits.
var powersOf5 = func() (p [28]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 5 * p[i-1]
	}
	return p
}()

// parseNumber reads a number of any form that JSON has, and those that Python
// writes where JSON has none.
func parseNumber(token []byte) (kind cellKind, x float64, ok bool) {
	digits := token
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return 0, 0, false
	}
	switch string(digits) {
	case "NaN", "Infinity":
		if string(token) == "-NaN" {
			return 0, 0, false
		}
		x, _ = strconv.ParseFloat(string(token), 64)
		return floatCell, x, true
	}
	kind = intCell
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && i > 0 && i+1 < len(digits) && digits[i+1] >= '0' && digits[i+1] <= '9':
			kind = floatCell
		case (c == 'e' || c == 'E') && i > 0:
			kind = floatCell
		case (c == '+' || c == '-') && i > 0 && (digits[i-1] == 'e' || digits[i-1] == 'E'):
		default:
			return 0, 0, false
		}
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return 0, 0, false
	}
	x, err := strconv.ParseFloat(string(token), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // 1e999 is an infinity, as in Python
		return 0, 0, false
	}
	if kind == intCell && x == 0 {
		x = 0 // an int has no negative zero
	}
	return kind, x, true
}
