package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
)

// An arg is one argument of a function as written.
type arg struct {
	name  string // "" for a positional one
	value *value
}

// A call is a function with its arguments.
type call struct {
	name   string
	args   []arg
	dice   dice     // of shuffle
	rest   []*value // of a variadic function: the arguments without names
	params []param
	values []*value // what is bound to params; nil where there is none
}

// A class is a set of types that a parameter may have.
type class uint16

const (
	aNull class = 1 << iota
	aBool
	anInt
	aFloat
	aText
	aList
	aDict
	aChoice
	aRange
	anInterval
	aGlob
	aZip

	aNumber   = aBool | anInt | aFloat // a bool counts as a number, as in Python
	anElement = aNumber | aText | aList | aDict
	aSweep    = aChoice | aRange | anInterval
)

var classNames = []struct {
	class class
	name  string
}{
	{aNull, "null"}, {aText, "text"}, {aBool, "a bool"}, {anInt, "an integer"}, {aFloat, "a float"}, {aList, "a list"},
	{aDict, "a dict"}, {aChoice, "choice()"}, {aRange, "range()"}, {anInterval, "interval()"}, {aGlob, "glob()"}, {aZip, "zip()"},
}

func (c class) String() string {
	if c&aNumber == aNumber {
		return strings.TrimSuffix("a number or "+(c&^aNumber).String(), " or ")
	}
	var names []string
	for _, n := range classNames {
		if c&n.class != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, " or ")
}

func (v *value) class() class {
	if v.sweep != nil {
		return [...]class{
			simpleChoice: aChoice, choice: aChoice, span: aRange, interval: anInterval, glob: aGlob, zipped: aZip,
		}[v.sweep.form]
	}
	return [...]class{
		config.Null: aNull, config.Bool: aBool, config.Int: anInt, config.Float: aFloat, config.String: aText, config.List: aList, config.Map: aDict,
	}[v.kind]
}

// A function is what an override may call. Its parameters are bound as
// Python's are.
type function struct {
	rest   class // of a variadic function: what its positional arguments may be
	params []param
	apply  func(*call) (*value, error)
}

type param struct {
	name     string
	class    class
	required bool
}

// lookup returns the function called name. They are Hydra's; zip, whose
// members are no ordinary arguments, is read by the parser.
func lookup(name string) (f function, ok bool) {
	switch name {
	case "int":
		return castFunction(castInt), true
	case "float":
		return castFunction(castFloat), true
	case "str":
		return castFunction(castStr), true
	case "bool":
		return castFunction(castBool), true
	case "choice":
		return function{anElement | aChoice, nil, applyChoice}, true
	case "range":
		return function{0, []param{{"start", aNumber, true}, {"stop", aNumber | aNull, false}, {"step", aNumber, false}}, applyRange}, true
	case "interval":
		return function{0, []param{{"start", aNumber, true}, {"end", aNumber, true}}, applyInterval}, true
	case "tag":
		return function{aText | aSweep | aZip, []param{{"sweep", aSweep | aZip | aNull, false}}, applyTag}, true
	case "sort":
		return function{anElement | aChoice | aRange, []param{{"sweep", aChoice | aRange | aNull, false}, {"list", aList | aNull, false},
			{"reverse", aBool, false}}, applySort}, true
	case "shuffle":
		return function{anElement | aChoice | aRange | aZip, []param{{"sweep", aChoice | aRange | aZip | aNull, false},
			{"list", aList | aNull, false}}, applyShuffle}, true
	case "glob":
		return function{0, []param{{"include", aText | aList, true}, {"exclude", aText | aList | aNull, false}}, applyGlob}, true
	}
	return function{}, false
}

var functionNames = []string{"bool", "choice", "float", "glob", "int", "interval", "range", "shuffle", "sort", "str", "tag", "zip"}

// eval binds the arguments to the function's parameters and applies it.
func (c *call) eval() (*value, error) {
	f, ok := lookup(c.name)
	if !ok {
		return nil, unknownFunction(c.name)
	}
	if err := c.bind(f); err != nil {
		return nil, err
	}
	return f.apply(c)
}

func (c *call) bind(f function) error {
	c.params, c.values = f.params, make([]*value, len(f.params))
	positional, named := 0, false
	for _, a := range c.args {
		v := a.value
		if v.sweep == nil && v.quote != 0 {
			v = text(v.text) // an argument loses its quotes
		}
		if a.name != "" {
			named = true
			i := slices.IndexFunc(f.params, func(p param) bool { return p.name == a.name })
			switch {
			case i < 0:
				return fmt.Errorf("there is no argument %s", a.name)
			case i < positional:
				return fmt.Errorf("%s is given twice", a.name)
			}
			c.values[i] = v // the last counts, as in Hydra
			continue
		}
		switch {
		case named:
			return errors.New("an argument without a name follows a named one")
		case f.rest != 0 && v.class()&f.rest == 0:
			return fmt.Errorf("an argument is %s, it has to be %s", v.class(), f.rest)
		case f.rest != 0:
			c.rest = append(c.rest, v)
			continue
		case positional == len(f.params):
			return fmt.Errorf("at most %d arguments are possible", positional)
		}
		c.values[positional] = v
		positional++
	}
	for i, p := range f.params {
		switch v := c.values[i]; {
		case v == nil && p.required:
			return fmt.Errorf("the argument %s is missing", p.name)
		case v != nil && v.class()&p.class == 0:
			return fmt.Errorf("%s is %s, it has to be %s", p.name, v.class(), p.class)
		}
	}
	return nil
}

// value returns the argument of the parameter called name: nil if it was not
// given, or is null.
func (c *call) value(name string) *value {
	for i, p := range c.params {
		if v := c.values[i]; p.name == name && v != nil && v.class() != aNull {
			return v
		}
	}
	return nil
}

func applyChoice(c *call) (*value, error) {
	switch {
	case len(c.rest) == 0:
		return nil, errors.New("a choice needs at least one value")
	case len(c.rest) == 1 && c.rest[0].class() == aChoice:
		s := *c.rest[0].sweep
		if s.form == choice {
			return nil, errors.New("a choice of a choice is one choice: leave one of the two out")
		}
		s.form = choice
		return swept(s), nil
	}
	return swept(spec{form: choice, list: c.rest}), nil
}

func applyRange(c *call) (*value, error) {
	s := spec{form: span, start: c.value("start"), stop: c.value("stop"), step: c.value("step")}
	if s.stop == nil {
		s.start, s.stop = integer("0"), s.start
	}
	if s.step == nil {
		s.step = integer("1")
	}
	return swept(s), nil
}

func applyInterval(c *call) (*value, error) {
	start, err := castFloat(c.value("start"))
	if err != nil {
		return nil, err
	}
	end, err := castFloat(c.value("end"))
	if err != nil {
		return nil, err
	}
	return swept(spec{form: interval, start: start, stop: end}), nil
}

func applyGlob(c *call) (*value, error) {
	patterns := func(v *value) []*value {
		switch {
		case v == nil:
			return nil
		case v.kind == config.List:
			return v.items
		}
		return []*value{v}
	}
	return swept(spec{form: glob, include: patterns(c.value("include")), exclude: patterns(c.value("exclude"))}), nil
}

func applyTag(c *call) (*value, error) {
	args := c.rest
	if len(args) == 0 {
		return nil, errors.New("a sweep without a name is needed") // also with sweep=, as in Hydra
	}
	if v := c.value("sweep"); v != nil {
		args = append(args[:len(args):len(args)], v)
	}
	last := len(args) - 1
	if args[last].sweep == nil {
		return nil, errors.New("the last argument has to be a sweep, such as choice(), range() or interval()")
	}
	s := *args[last].sweep
	s.tags = nil
	for _, t := range args[:last] {
		if t.sweep != nil {
			return nil, errors.New("a tag has to be text")
		}
		s.tags = append(s.tags, t.text)
	}
	slices.Sort(s.tags)
	s.tags = slices.Compact(s.tags)
	return swept(s), nil
}

func applyShuffle(c *call) (*value, error) {
	args := c.rest
	if v := c.value("list"); v != nil {
		args = []*value{v}
	} else if v := c.value("sweep"); v != nil {
		args = []*value{v}
	}
	if len(args) != 1 {
		return choices(args, true)
	}
	switch v := args[0]; {
	case v.sweep != nil:
		s := *v.sweep
		s.shuffle = true
		return swept(s), nil
	case v.kind == config.List:
		shuffled := slices.Clone(v.items)
		c.dice.shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		return list(shuffled), nil
	default:
		return list(args), nil
	}
}

// choices returns the sweep that several arguments without a sweep among them
// stand for.
func choices(args []*value, shuffle bool) (*value, error) {
	for _, a := range args {
		if a.sweep != nil {
			return nil, errors.New("a sweep among several arguments is not possible")
		}
	}
	return swept(spec{form: simpleChoice, list: args, shuffle: shuffle}), nil
}
