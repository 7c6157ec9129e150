package sweep

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/config"
)

// A cast converts a scalar.
type cast func(*value) (*value, error)

// castFunction returns the function that converts one value of any form, or
// several, which make a sweep.
func castFunction(to cast) function {
	const castable = anElement | aNull | aSweep
	return function{castable, []param{{"value", castable, false}}, func(c *call) (*value, error) {
		args := c.rest
		if v := c.value("value"); v != nil {
			if len(args) > 0 {
				return nil, errors.New("give the value with a name or without, not both")
			}
			args = []*value{v}
		}
		switch len(args) {
		case 0:
			return nil, errors.New("there is no value to convert")
		case 1:
			return to.value(args[0])
		}
		v, err := choices(args, false)
		if err != nil {
			return nil, err
		}
		return to.value(v)
	}}
}

// value converts v: the values of a dict, the items of a list, what a sweep
// stands for.
func (to cast) value(v *value) (*value, error) {
	switch {
	case v.sweep != nil:
		return to.sweep(v.sweep)
	case v.kind == config.List || v.kind == config.Map:
		items, err := to.all(v.items)
		return &value{kind: v.kind, keys: v.keys, items: items}, err
	}
	return to(v)
}

func (to cast) all(vs []*value) ([]*value, error) {
	out := make([]*value, len(vs))
	for i, v := range vs {
		var err error
		if out[i], err = to.value(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sweep converts the values of s, which loses its tags and its shuffle. Only
// the tags of an interval stay.
func (to cast) sweep(s *spec) (*value, error) {
	switch s.form {
	case simpleChoice, choice:
		if slices.ContainsFunc(s.list, func(v *value) bool { return v.sweep != nil }) {
			return nil, errors.New("a sweep inside a sweep cannot be converted")
		}
		items, err := to.all(s.list)
		return swept(spec{form: s.form, list: items}), err
	case span:
		vs, err := to.numbers(s.start, s.stop, s.step)
		if err != nil {
			return nil, err
		}
		return swept(spec{form: span, start: vs[0], stop: vs[1], step: vs[2]}), nil
	case interval:
		vs, err := to.numbers(s.start, s.stop)
		if err != nil {
			return nil, err
		}
		return swept(spec{form: interval, start: vs[0], stop: vs[1], tags: s.tags}), nil
	}
	return nil, fmt.Errorf("%s() cannot be converted", s.form)
}

// numbers converts the ends of a sweep, which have to stay numbers.
func (to cast) numbers(ends ...*value) ([]*value, error) {
	vs, err := to.all(ends)
	if err == nil && slices.ContainsFunc(vs, func(v *value) bool { return v.kind != config.Int && v.kind != config.Float }) {
		return nil, errors.New("a range or an interval can be converted to int and float only")
	}
	return vs, err
}

var errNull = errors.New("null converts to bool only")

func castInt(v *value) (*value, error) {
	switch v.kind {
	case config.Null:
		return nil, errNull
	case config.Int:
		return v, nil
	case config.String:
		if d, ok := parseInt(v.text); ok {
			return integer(d), nil
		}
		return nil, fmt.Errorf("%q is no integer", v.text)
	case config.Float:
		if math.IsInf(v.float, 0) || math.IsNaN(v.float) {
			return nil, fmt.Errorf("%s is no integer", config.FormatFloat(v.float))
		}
		if math.Abs(v.float) < 1<<62 {
			return integer(strconv.FormatInt(int64(v.float), 10)), nil
		}
		i, _ := big.NewFloat(v.float).Int(nil)
		return integer(i.String()), nil
	}
	return integer(v.bigInt().String()), nil
}

func castFloat(v *value) (*value, error) {
	switch v.kind {
	case config.Null:
		return nil, errNull
	case config.Float:
		return v, nil
	case config.String:
		if f, ok := parseFloat(v.text); ok {
			return float(f), nil
		}
		return nil, fmt.Errorf("%q is no number", v.text)
	}
	f, ok := v.asFloat()
	if !ok {
		return nil, errors.New("the integer is too large for a float")
	}
	return float(f), nil
}

func castStr(v *value) (*value, error) {
	if v.kind == config.Null {
		return nil, errNull
	}
	return text(v.key().Text), nil
}

func castBool(v *value) (*value, error) {
	switch v.kind {
	case config.Null:
		return boolean(false), nil
	case config.String:
		switch strings.ToLower(v.text) {
		case "true":
			return boolean(true), nil
		case "false":
			return boolean(false), nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", v.text)
	case config.Float:
		return boolean(v.float != 0), nil
	}
	return boolean(v.bigInt().Sign() != 0), nil
}
