package sweep

import (
	"errors"
	"math"
	"math/big"

	"github.com/mlxp/mlxp/config"
)

// countable is the length up to which a float range is counted exactly even
// if its sums are rounded and it ends close to a step. Beyond, its length may be
// off by one.
const countable = 100_000

// A progression is a range that can be walked.
type progression struct {
	n *big.Int
	// Integers: the i-th value is first + i×by.
	first, by *big.Int
	// Floats: each value is the one before plus step, rounded.
	floats      bool
	zeroth      float64 // start, which may be -0.0
	start, step decimal
}

// walkable works out the values of a range.
func (s *spec) walkable() (*progression, error) {
	if s.start.kind != config.Float && s.stop.kind != config.Float && s.step.kind != config.Float {
		first, stop, by := s.start.bigInt(), s.stop.bigInt(), s.step.bigInt()
		if by.Sign() == 0 {
			return nil, errors.New("the step of a range cannot be 0")
		}
		return &progression{first: first, by: by, n: steps(new(big.Int).Sub(stop, first), by)}, nil
	}
	return s.walkableFloats()
}

// steps returns how many multiples of by, from 0 on, are short of distance.
func steps(distance, by *big.Int) *big.Int {
	if distance.Sign() != by.Sign() {
		return new(big.Int)
	}
	n, rest := new(big.Int).QuoRem(distance, by, new(big.Int))
	if rest.Sign() != 0 {
		n.Add(n, big.NewInt(1))
	}
	return n
}

func (s *spec) walkableFloats() (*progression, error) {
	sign, _ := order(s.step, integer("0"))
	ends, ordered := order(s.start, s.stop)
	switch {
	case s.step.isNaN() || !ordered:
		return nil, errors.New("a range cannot have a nan")
	case sign == 0:
		return nil, errors.New("the step of a range cannot be 0")
	case ends == 0 || ends == sign:
		return &progression{n: new(big.Int)}, nil
	case s.start.isInf() || s.stop.isInf() && !s.step.isInf():
		return nil, errors.New("the range has no end")
	}
	zeroth, _ := s.start.asFloat()
	p := &progression{floats: true, zeroth: zeroth, start: s.start.decimal()}
	if s.step.isInf() {
		p.n = big.NewInt(1)
		return p, nil
	}
	stop := s.stop.decimal()
	p.step = s.step.decimal()
	p.n = p.count(stop, sign)
	if p.n == nil {
		return nil, errors.New("the steps of the range are too small to be exact")
	}
	return p, nil
}

// count returns how many values are short of stop. The quotient tells it,
// unless the roundings on the way could carry a value over the end: then the
// values are walked through, but not more than countable of them. It returns
// nil if the sum stops growing.
func (p *progression) count(stop decimal, sign int) *big.Int {
	first, last, step := p.start.rat(), stop.rat(), p.step.rat()
	quotient := new(big.Rat).Sub(last, first)
	quotient.Quo(quotient, step)
	n := steps(quotient.Num(), quotient.Denom())
	unit := min(p.start.exponent, p.step.exponent)
	exact := true // no sum needs more digits than there are
	for _, d := range []decimal{p.start, stop, p.step} {
		exact = exact && digits(d.coefficient)+d.exponent-unit < precision
	}

	// Each of n sums is off by at most 1e-28 of the larger end; the same in steps.
	larger := first.Abs(first)
	if last.Abs(last).Cmp(larger) > 0 {
		larger = last
	}
	roundings := new(big.Rat).SetFrac(n, pow(10, precision-1))
	roundings.Mul(roundings, larger).Quo(roundings, step.Abs(step))
	over := new(big.Rat).Sub(new(big.Rat).SetInt(n), quotient) // of the last step
	within := new(big.Rat).Sub(new(big.Rat).SetInt64(1), over)
	if exact || n.Cmp(big.NewInt(countable)) > 0 || over.Cmp(roundings) > 0 && within.Cmp(roundings) > 0 {
		return n
	}
	count := int64(0)
	for at := p.start; at.compare(stop) == -sign; at = at.plus(p.step) {
		if count++; count > 2*countable {
			return nil
		}
	}
	return big.NewInt(count)
}

func (v *value) isNaN() bool { return v.kind == config.Float && math.IsNaN(v.float) }
func (v *value) isInf() bool { return v.kind == config.Float && math.IsInf(v.float, 0) }

// decimal returns the finite number v.
func (v *value) decimal() decimal {
	if v.kind == config.Float {
		return exactDecimal(v.float)
	}
	return decimal{v.bigInt(), 0}
}

// walk returns a function that gives the i-th value. It is quickest in
// ascending order of i.
func (p *progression) walk() func(i int) *value {
	if !p.floats {
		return func(i int) *value {
			v := big.NewInt(int64(i))
			return integer(v.Mul(v, p.by).Add(v, p.first).String())
		}
	}
	at, seen := p.start, []float64{p.zeroth}
	return func(i int) *value {
		for len(seen) <= i {
			at = at.plus(p.step)
			seen = append(seen, at.float())
		}
		return float(seen[i])
	}
}
