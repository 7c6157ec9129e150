package expr

import (
	"fmt"
	"math"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Reductions are the functions on series that a [Summary] answers.
var Reductions = []string{"first", "last", "min", "max", "mean", "sum", "len", "argmin", "argmax"}

// A Summary is what the series functions tell of a series, gathered one value
// at a time. The zero Summary is that of an empty series.
//
// A NaN makes mean and sum NaN; min, max, argmin and argmax pass over it, and
// give NaN and the first place if there is nothing else.
type Summary struct {
	Len int

	first, last    item
	min, max       float64
	argmin, argmax int
	sum, lost      float64 // Kahan's sum
	numbers        int
	odd            any  // the first value that is no number
	floats         bool // a number was not an int
}

// Add takes the next value. An int is one that was written as such.
func (s *Summary) Add(x float64, isInt bool) {
	if s.numbers == 0 || x < s.min || math.IsNaN(s.min) && !math.IsNaN(x) {
		s.min, s.argmin = x, s.Len
	}
	if s.numbers == 0 || x > s.max || math.IsNaN(s.max) && !math.IsNaN(x) {
		s.max, s.argmax = x, s.Len
	}
	if sum := s.sum + x; math.IsInf(sum, 0) || math.IsNaN(sum) {
		s.sum, s.lost = sum, 0
	} else {
		if math.Abs(s.sum) >= math.Abs(x) {
			s.lost += (s.sum - sum) + x
		} else {
			s.lost += (x - sum) + s.sum
		}
		s.sum = sum
	}
	s.floats = s.floats || !isInt
	s.numbers++
	s.end(item{x, isInt, nil})
}

// An item is a number, or another value. Making one costs no memory.
type item struct {
	number float64
	isInt  bool
	other  any
}

func (i item) value() any {
	if i.other != nil {
		return i.other
	}
	return number(i.number, i.isInt)
}

// First returns the first value: an int64 or float64 for a number, else a text,
// a bool or a list or map; nil if there is none.
func (s *Summary) First() any {
	if s.Len == 0 {
		return nil
	}
	return s.first.value()
}

// Last returns the last one.
func (s *Summary) Last() any {
	if s.Len == 0 {
		return nil
	}
	return s.last.value()
}

// AddOther takes the next value, one that is no number and not nil.
func (s *Summary) AddOther(v any) {
	if s.odd == nil {
		s.odd = v
	}
	s.end(item{other: v})
}

func (s *Summary) end(v item) {
	if s.Len == 0 {
		s.first = v
	}
	s.last = v
	s.Len++
}

func number(x float64, isInt bool) any {
	if isInt && math.Abs(x) <= 1<<53 {
		return int64(x)
	}
	return x
}

// Call returns what the series function of that name gives. ok is false where
// there is nothing to tell: an empty series has no last value. The error says
// that the function needs numbers.
func (s *Summary) Call(name string) (v any, ok bool, err error) {
	switch name {
	case "len":
		return int64(s.Len), true, nil
	case "first":
		return s.First(), s.Len > 0, nil
	case "last":
		return s.Last(), s.Len > 0, nil
	}
	switch n := s.Len - s.numbers; n {
	case 0:
	case 1:
		return nil, false, fmt.Errorf("%s() needs numbers: 1 value is %s", name, kindOf(toCEL(s.odd)))
	default:
		return nil, false, fmt.Errorf("%s() needs numbers: %d values are none, the first of them is %s", name, n, kindOf(toCEL(s.odd)))
	}
	if s.Len == 0 {
		return nil, false, nil
	}
	switch name {
	case "min":
		v = number(s.min, !s.floats)
	case "max":
		v = number(s.max, !s.floats)
	case "argmin":
		v = int64(s.argmin)
	case "argmax":
		v = int64(s.argmax)
	case "sum":
		v = number(s.sum+s.lost, !s.floats)
	case "mean":
		v = (s.sum + s.lost) / float64(s.Len)
	default:
		return nil, false, fmt.Errorf("there is no series function %s()", name)
	}
	return v, true, nil
}

// summarize goes through a list that has no Summary of its own.
func summarize(l traits.Lister) *Summary {
	s := new(Summary)
	for it := l.Iterator(); it.HasNext() == types.True; {
		switch v := it.Next().(type) {
		case types.Int:
			s.Add(float64(v), true)
		case types.Double:
			s.Add(float64(v), false)
		default:
			s.AddOther(v)
		}
	}
	return s
}

func seriesFunction(name string) cel.EnvOption {
	call := func(v ref.Val) ref.Val {
		var s *Summary
		if l, ok := v.(listVal); ok {
			if series, ok := l.List.(Series); ok {
				s = series.Summary()
			}
		}
		if s == nil {
			l, ok := v.(traits.Lister)
			if !ok {
				return types.NewErr("%s() works on a series or a list, this is %s", name, kindOf(v))
			}
			s = summarize(l)
		}
		switch out, ok, err := s.Call(name); {
		case err != nil:
			return types.WrapErr(err)
		case !ok:
			return absent("%s() of an empty series", name)
		default:
			return toCEL(out)
		}
	}
	return cel.Function(name, cel.MemberOverload("series_"+name, []*cel.Type{cel.DynType}, cel.DynType, cel.UnaryBinding(call)))
}

// at is the series function at(i); at(-1) is the last value.
func at() cel.EnvOption {
	call := func(v, index ref.Val) ref.Val {
		l, ok := v.(traits.Lister)
		if !ok {
			return types.NewErr("at() works on a series or a list, this is %s", kindOf(v))
		}
		i, err := types.IndexOrError(index)
		if err != nil {
			return types.WrapErr(err)
		}
		n := int(l.Size().(types.Int))
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return absent("index out of bounds: %d", i)
		}
		return l.Get(types.Int(i))
	}
	return cel.Function("at", cel.MemberOverload("series_at", []*cel.Type{cel.DynType, cel.DynType}, cel.DynType, cel.BinaryBinding(call)))
}
