package reader

import "github.com/mlxp/mlxp/internal/expr"

// A Series is one metric of one run: what the run wrote under one name, in the
// order in which it was written.
type Series struct {
	Name string // such as "train.loss"

	record  *Record // whose it is, for what was not read at first
	summary expr.Summary
	partial bool      // only the last value is there
	whole   bool      // the values are there, not only the summary
	numbers []float64 // as long as all values are numbers
	ints    bool      // as long as all of them were written as ints
	mixed   []any     // instead of numbers, if some are not
}

// Len returns the number of values.
func (s *Series) Len() int {
	if s.partial {
		s.fill()
	}
	return s.summary.Len
}

// At returns value i: an int64, a float64, a string or a bool.
func (s *Series) At(i int) any {
	s.fill()
	if i >= s.summary.Len {
		return nil // the file has been cut short since
	}
	if s.mixed != nil {
		return s.mixed[i]
	}
	if x := s.numbers[i]; s.ints && x == float64(int64(x)) {
		return int64(x)
	}
	return s.numbers[i]
}

// Floats returns the values of a series that holds numbers only, and nil for
// another one. The caller must not change them.
func (s *Series) Floats() []float64 {
	s.fill()
	return s.numbers
}

// fill reads the values if only the summary was asked for. A run that goes on
// may have more of them by now.
func (s *Series) fill() {
	if s.whole {
		return
	}
	if again := s.record.reread(s.Name); again != nil {
		*s = *again
		return
	}
	*s = Series{Name: s.Name, whole: true} // the file is gone
}

// Summary returns what the series functions tell. Where nothing but the last
// value was asked for, it knows only that.
func (s *Series) Summary() *expr.Summary { return &s.summary }

// add takes the next value.
func (s *Series) add(c cell) {
	if c.kind > floatCell {
		v := c.other()
		s.summary.AddOther(v)
		if s.whole {
			s.toMixed()
			s.mixed = append(s.mixed, v)
		}
		return
	}
	if s.summary.Len == 0 {
		s.ints = true
	}
	isInt := c.kind == intCell
	s.ints = s.ints && isInt
	s.summary.Add(c.number, isInt)
	switch {
	case !s.whole:
	case s.mixed == nil:
		s.numbers = append(s.numbers, c.number)
	case isInt:
		s.mixed = append(s.mixed, int64(c.number))
	default:
		s.mixed = append(s.mixed, c.number)
	}
}

// toMixed makes room for values of other kinds.
func (s *Series) toMixed() {
	if s.mixed != nil {
		return
	}
	mixed := make([]any, len(s.numbers), len(s.numbers)+1)
	for i := range s.numbers {
		mixed[i] = s.At(i)
	}
	s.mixed, s.numbers = mixed, nil
}

// other returns the value of a cell that is no number.
func (c cell) other() any {
	if c.kind == textCell {
		return c.text
	}
	return c.kind == trueCell
}
