package sweep

import (
	"math"
	"math/big"
	"strconv"
)

// A decimal is coefficient × 10^exponent, for the arithmetic of Python's
// decimal module: 28 digits, halves to even.
type decimal struct {
	coefficient *big.Int
	exponent    int
}

const precision = 28

// exactDecimal returns the finite f without rounding.
func exactDecimal(f float64) decimal {
	if f == 0 {
		return decimal{new(big.Int), 0}
	}
	mantissa, exponent := math.Frexp(f)
	c := big.NewInt(int64(math.Ldexp(mantissa, 53)))
	exponent -= 53
	if exponent >= 0 {
		return decimal{c.Lsh(c, uint(exponent)), 0}
	}
	shift := min(int(c.TrailingZeroBits()), -exponent)
	c.Rsh(c, uint(shift))
	exponent += shift
	return decimal{c.Mul(c, pow(5, -exponent)), exponent} // m×2^-k = m×5^k×10^-k
}

// plus returns the rounded sum.
func (d decimal) plus(e decimal) decimal {
	if d.exponent < e.exponent {
		d, e = e, d
	}
	sum := new(big.Int).Mul(d.coefficient, pow(10, d.exponent-e.exponent))
	return decimal{sum.Add(sum, e.coefficient), e.exponent}.round()
}

func (d decimal) round() decimal {
	excess := digits(d.coefficient) - precision
	if excess <= 0 {
		return d
	}
	unit := pow(10, excess)
	rest := new(big.Int)
	quotient, _ := new(big.Int).QuoRem(d.coefficient, unit, rest)
	sign := int64(d.coefficient.Sign())
	half := rest.Abs(rest).Lsh(rest, 1).Cmp(unit)
	if half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(sign))
	}
	// 99…9 may have become 10…0 with one digit more: the same number, so no
	// second rounding is needed.
	return decimal{quotient, d.exponent + excess}
}

// compare returns the sign of d-e.
func (d decimal) compare(e decimal) int {
	if d.exponent < e.exponent {
		return -e.compare(d)
	}
	return new(big.Int).Mul(d.coefficient, pow(10, d.exponent-e.exponent)).Cmp(e.coefficient)
}

// float returns the nearest float.
func (d decimal) float() float64 {
	f, _ := strconv.ParseFloat(d.coefficient.String()+"e"+strconv.Itoa(d.exponent), 64)
	return f
}

func (d decimal) rat() *big.Rat {
	r := new(big.Rat).SetInt(d.coefficient)
	if d.exponent >= 0 {
		return r.Mul(r, new(big.Rat).SetInt(pow(10, d.exponent)))
	}
	return r.Quo(r, new(big.Rat).SetInt(pow(10, -d.exponent)))
}

// digits returns how many decimal digits the magnitude of i has; 1 for 0.
func digits(i *big.Int) int {
	n := int(float64(i.BitLen()) * math.Log10(2)) // one too small at times
	if new(big.Int).Abs(i).Cmp(pow(10, n)) >= 0 {
		n++
	}
	return max(n, 1)
}

func pow(base int64, exponent int) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(exponent)), nil)
}
