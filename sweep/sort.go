package sweep

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mlxp/mlxp/config"
)

func applySort(c *call) (*value, error) {
	reverse := c.value("reverse") != nil && c.value("reverse").bool
	args := c.rest
	if v := c.value("list"); v != nil {
		args = []*value{v}
	} else if v := c.value("sweep"); v != nil {
		args = []*value{v}
	}
	if len(args) == 0 {
		return nil, errors.New("there is nothing to sort")
	}
	if len(args) > 1 {
		for _, a := range args {
			if a.class()&(aNumber|aText) == 0 {
				return nil, fmt.Errorf("%s among several arguments cannot be sorted", a.class())
			}
		}
		v, err := choices(args, false)
		if err != nil {
			return nil, err
		}
		args = []*value{v}
	}
	switch v := args[0]; {
	case v.sweep != nil && v.sweep.form == span:
		return sortRange(*v.sweep, reverse)
	case v.sweep != nil:
		s := *v.sweep
		var err error
		s.list, err = sorted(s.list, reverse)
		return swept(s), err
	case v.kind == config.List:
		items, err := sorted(v.items, reverse)
		return list(items), err
	default:
		return v, nil
	}
}

// sortRange turns a range that runs the other way round: it moves both ends
// by one step, so that the first value stays in and the last stays out. Where
// the steps do not reach the end exactly the values are others, as in Hydra.
func sortRange(s spec, reverse bool) (*value, error) {
	sign, ordered := order(s.start, s.stop)
	if !ordered || !reverse && sign <= 0 || reverse && sign >= 0 {
		return swept(s), nil
	}
	by := absolute(s.step)
	start, okStart := add(s.stop, by, reverse)
	stop, okStop := add(s.start, by, reverse)
	if !okStart || !okStop {
		return nil, errors.New("an integer is too large for a float")
	}
	s.start, s.stop, s.step = start, stop, negative(s.step)
	return swept(s), nil
}

// sorted returns vs in order: numbers by value, texts by code point, lists
// item by item. Values that Python does not compare are an error.
func sorted(vs []*value, reverse bool) ([]*value, error) {
	vs = slices.Clone(vs)
	var fault error
	slices.SortStableFunc(vs, func(a, b *value) int {
		if reverse {
			a, b = b, a
		}
		less, err := isLess(a, b)
		more := false
		if err == nil && !less {
			more, err = isLess(b, a)
		}
		switch {
		case err != nil:
			if fault == nil {
				fault = err
			}
			return -1
		case less:
			return -1
		case more:
			return 1
		}
		return 0
	})
	return vs, fault
}

func isLess(a, b *value) (bool, error) {
	switch {
	case (a.class()|b.class())&^aNumber == 0:
		sign, _ := order(a, b)
		return sign < 0, nil
	case a.class() == aText && b.class() == aText && a.quote == 0 && b.quote == 0:
		return a.text < b.text, nil
	case a.class() == aList && b.class() == aList:
		for i := range min(len(a.items), len(b.items)) {
			if !isEqual(a.items[i], b.items[i]) {
				return isLess(a.items[i], b.items[i])
			}
		}
		return len(a.items) < len(b.items), nil
	case a.class() == aText && b.class() == aText:
		return false, errors.New("texts in quotes inside a list cannot be sorted: leave the quotes out")
	}
	return false, fmt.Errorf("%s and %s cannot be sorted together", a.class(), b.class())
}

// isEqual compares as Python's == does.
func isEqual(a, b *value) bool {
	switch {
	case (a.class()|b.class())&^aNumber == 0:
		sign, ordered := order(a, b)
		return ordered && sign == 0
	case a.class() != b.class() || a.sweep != nil || a.quote != b.quote || a.text != b.text || len(a.items) != len(b.items):
		return false
	}
	for i := range a.items {
		if !isEqual(a.items[i], b.items[i]) || a.keys != nil && identity(a.keys[i]) != identity(b.keys[i]) {
			return false
		}
	}
	return true
}
