package reader

import (
	"fmt"
	"math"
	"slices"

	"github.com/mlxp/mlxp/internal/expr"
)

// An accumulator takes the values of a group's runs, one after another, and
// gives their aggregates. The values are scalars, or series of one length that
// are aggregated element by element. Bools count as 0 and 1.
type accumulator struct {
	keep bool // every value is needed: median

	runs   int       // that a value was asked of
	count  int       // that had one
	first  any       // of these
	all    []any     // collect: every run's, nil for none
	cells  []moments // one, or one for each element
	series bool
	ints   bool   // every number was an int
	wrong  string // why there is no number to tell; "" if nothing is wrong
	at     int    // the run that it was found at
}

// moments gathers numbers.
type moments struct {
	n         int
	sum, lost float64 // Neumaier's sum
	mean, m2  float64 // Welford's
	min, max  float64 // NaN passed over
	kept      []float64
}

func (m *moments) add(x float64, keep bool) {
	m.n++
	if sum := m.sum + x; math.IsInf(sum, 0) || math.IsNaN(sum) {
		m.sum, m.lost = sum, 0
	} else {
		if math.Abs(m.sum) >= math.Abs(x) {
			m.lost += (m.sum - sum) + x
		} else {
			m.lost += (x - sum) + m.sum
		}
		m.sum = sum
	}
	delta := x - m.mean
	m.mean += delta / float64(m.n)
	m.m2 += delta * (x - m.mean)
	if m.n == 1 || x < m.min || math.IsNaN(m.min) {
		m.min = x
	}
	if m.n == 1 || x > m.max || math.IsNaN(m.max) {
		m.max = x
	}
	if keep {
		m.kept = append(m.kept, x)
	}
}

// value returns the aggregate of that name; ok is false where there are too few
// numbers for it.
func (m *moments) value(function string) (x float64, ok bool) {
	switch function {
	case "mean":
		return (m.sum + m.lost) / float64(m.n), true
	case "min":
		return m.min, true
	case "max":
		return m.max, true
	case "median":
		if slices.ContainsFunc(m.kept, math.IsNaN) {
			return math.NaN(), true
		}
		slices.Sort(m.kept)
		half := len(m.kept) / 2
		if len(m.kept)%2 == 1 {
			return m.kept[half], true
		}
		return m.kept[half-1]/2 + m.kept[half]/2, true
	}
	if m.n < 2 {
		return 0, false
	}
	std := math.Sqrt(m.m2 / float64(m.n-1))
	sem := std / math.Sqrt(float64(m.n))
	switch function {
	case "std":
		return std, true
	case "sem":
		return sem, true
	case "ci95":
		return quantileT(0.975, m.n-1) * sem, true
	}
	return 0, false
}

func (a *accumulator) add(v any, function string) {
	a.runs++
	if function == "collect" {
		a.all = append(a.all, v)
		return
	}
	if v == nil {
		return
	}
	if a.count++; a.count == 1 {
		a.first = v
	}
	if function == "count" || function == "first" || a.wrong != "" {
		return
	}
	if a.count == 1 {
		a.ints = true
	}
	if list, ok := v.(expr.List); ok {
		a.addSeries(list)
		return
	}
	x, isInt, ok := asNumber(v)
	switch {
	case !ok:
		a.wrong = fmt.Sprintf("%s is no number", middle(short(v), 40))
	case a.series:
		a.wrong = "some runs have a series, others a number"
	default:
		if a.cells == nil {
			a.cells = make([]moments, 1)
		}
		a.ints = a.ints && isInt
		a.cells[0].add(x, a.keep)
	}
}

func (a *accumulator) addSeries(list expr.List) {
	if a.count == 1 {
		a.series = true
		a.cells = make([]moments, list.Len())
	}
	switch {
	case !a.series:
		a.wrong = "some runs have a series, others a number"
	case list.Len() != len(a.cells):
		a.wrong = fmt.Sprintf("the series have different lengths, %d and %d", len(a.cells), list.Len())
	default:
		if s, ok := list.(*Series); ok && s.Floats() != nil {
			a.ints = a.ints && s.ints
			for i, x := range s.Floats() {
				a.cells[i].add(x, a.keep)
			}
			return
		}
		for i := range a.cells {
			x, isInt, ok := asNumber(list.At(i))
			if !ok {
				a.wrong = fmt.Sprintf("%s is no number", middle(short(list.At(i)), 40))
				return
			}
			a.ints = a.ints && isInt
			a.cells[i].add(x, a.keep)
		}
	}
}

func asNumber(v any) (x float64, isInt, ok bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true, true
	case bool:
		return float64(btoi(v)), true, true
	}
	x, ok = asFloat(v)
	return x, false, ok
}

// value returns the aggregate, nil where there is none.
func (a *accumulator) value(function string) any {
	switch {
	case function == "count":
		return int64(a.count)
	case function == "collect":
		if a.all == nil {
			return []any{}
		}
		return a.all
	case a.count == 0 || a.wrong != "":
		return nil
	case function == "first":
		return a.first
	}
	out := make([]any, len(a.cells))
	for i := range a.cells {
		x, ok := a.cells[i].value(function)
		if !ok {
			return nil
		}
		if out[i] = x; a.ints && (function == "min" || function == "max") {
			out[i] = int64(x)
		}
	}
	if !a.series {
		return out[0]
	}
	return out
}

// quantileT returns the quantile p, between 0.5 and 1, of Student's t
// distribution with df >= 1 degrees of freedom: the factor of a confidence
// interval for a mean.
func quantileT(p float64, df int) float64 {
	low, high := 0.0, 1.0
	for cdfT(high, df) < p {
		high *= 2
	}
	for range 80 {
		if mid := (low + high) / 2; cdfT(mid, df) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// cdfT is the distribution function for t >= 0, by the finite sums that it has
// for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
func cdfT(t float64, df int) float64 {
	theta := math.Atan(t / math.Sqrt(float64(df)))
	c2 := math.Cos(theta) * math.Cos(theta)
	term, sum := 1.0, 0.0
	if df%2 == 0 {
		for k := 0; k <= (df-2)/2; k++ {
			if k > 0 {
				term *= c2 * float64(2*k-1) / float64(2*k)
			}
			sum += term
		}
		return 0.5 + math.Sin(theta)*sum/2
	}
	term = math.Cos(theta)
	for k := 0; k <= (df-3)/2; k++ {
		if k > 0 {
			term *= c2 * float64(2*k) / float64(2*k+1)
		}
		sum += term
	}
	return 0.5 + (theta+math.Sin(theta)*sum)/math.Pi
}
