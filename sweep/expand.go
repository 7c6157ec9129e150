package sweep

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
)

// An axis is one dimension of the product: the values of one key, or those of
// a zip's keys side by side.
type axis struct {
	n       *big.Int
	columns []column
	first   int   // where their overrides begin in a job's
	order   []int // which row comes where, if they are shuffled
}

// A column is what one key is set to: the overrides of list, or the values of
// a range.
type column struct {
	head head
	list []config.Override
	span *progression
}

// shuffleable is the number of values that can be shuffled: their order needs
// memory before the first job.
const shuffleable = 1_000_000

func (a *argument) isSweep() bool { return a.value != nil && a.value.sweep != nil }
func (a *argument) isZip() bool   { return a.isSweep() && a.value.sweep.form == zipped }

// fail returns an error at the argument's value.
func (a *argument) fail(format string, args ...any) error {
	place := len(a.element) + 1
	return fault.At(errorAt(a.word, place, format, args...), a.word, place)
}

// axis expands the argument; one without a sweep is an axis of one value.
func (a *argument) axis(opts Options) (axis, error) {
	if !a.isSweep() {
		if a.value != nil && a.value.hasSweep() {
			return axis{}, a.fail("a sweep cannot stand inside a list or a dict: choose among whole ones, as in choice([1],[2])")
		}
		return axis{n: big.NewInt(1), columns: []column{{list: []config.Override{a.override(a.value)}}}}, nil
	}
	s := a.value.sweep
	var x axis
	var err error
	if s.form == zipped {
		x, err = a.zip(opts)
	} else {
		x, err = a.column(a.head, s, opts)
	}
	if err != nil || !s.shuffle {
		return x, err
	}
	if x.n.Cmp(big.NewInt(shuffleable)) > 0 {
		return axis{}, a.fail("%s values are too many to shuffle: at most %d are possible", x.n, shuffleable)
	}
	x.order = make([]int, x.n.Int64())
	for i := range x.order {
		x.order[i] = i
	}
	throw(a.word, opts.Seed, 0).shuffle(len(x.order), func(i, j int) { x.order[i], x.order[j] = x.order[j], x.order[i] })
	return x, nil
}

// column expands the sweep s of the key h.
func (a *argument) column(h head, s *spec, opts Options) (axis, error) {
	c := column{head: h}
	switch s.form {
	case interval:
		return axis{}, fault.Hint(a.fail("an interval has no values of its own: only a sampler could choose some"),
			"say which values: %s=range(%s,%s,STEP) or %s=choice(%s,%s)", h.element, s.start, s.stop, h.element, s.start, s.stop)
	case span:
		p, err := s.walkable()
		if err != nil {
			return axis{}, a.fail("%s", err)
		}
		c.span = p
		return axis{n: p.n, columns: []column{c}}, nil
	case glob:
		names, err := a.options(h, s, opts)
		if err != nil {
			return axis{}, err
		}
		for _, name := range names {
			o := h.override(text(name))
			if v, ok := read(name); ok {
				o.Value, o.Text = h.override(v).Value, h.element+"="+name // as Hydra has it
			}
			c.list = append(c.list, o)
		}
	default:
		c.list = make([]config.Override, len(s.list))
		for i, v := range s.list {
			if v.hasSweep() {
				return axis{}, a.fail("a sweep cannot stand inside another sweep: give all values to one")
			}
			c.list[i] = h.override(v)
			if !v.isLoose() {
				continue
			}
			if back, ok := read(v.String()); ok {
				c.list[i].Value = h.override(back).Value
			}
		}
	}
	return axis{n: big.NewInt(int64(len(c.list))), columns: []column{c}}, nil
}

// zip expands the members side by side.
func (a *argument) zip(opts Options) (axis, error) {
	var x axis
	var lengths []string
	equal := true
	for _, m := range a.value.sweep.members {
		member, err := a.column(m.head, m.value.sweep, opts)
		if err != nil {
			return axis{}, err
		}
		if x.n == nil {
			x.n = member.n
		}
		equal = equal && x.n.Cmp(member.n) == 0
		lengths = append(lengths, fmt.Sprintf("%s has %s", m.head.element, member.n))
		x.columns = append(x.columns, member.columns...)
	}
	switch {
	case !equal:
		return axis{}, a.fail("the members of a zip need equally many values: %s", strings.Join(lengths, ", "))
	case x.n.Sign() == 0:
		return axis{}, a.fail("the members of the zip have no values")
	}
	return x, nil
}

// options returns the options of the group h.key that the glob s selects.
func (a *argument) options(h head, s *spec, opts Options) ([]string, error) {
	if opts.Groups == nil {
		return nil, a.fail("glob chooses among the options of a config group, but there is no config")
	}
	for _, p := range slices.Concat(s.include, s.exclude) {
		if p.class() != aText {
			return nil, a.fail("a pattern of glob is text, not %s", p.class())
		}
	}
	names, err := opts.Groups(h.key)
	if err != nil {
		return nil, fault.At(fmt.Errorf("the options of %s: %w", h.key, err), a.word, len(a.element)+1)
	}
	matches := func(patterns []*value, name string) bool {
		return slices.ContainsFunc(patterns, func(p *value) bool { return match(p.text, name) })
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !matches(s.include, name) || matches(s.exclude, name)
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}

// has reports whether the axis is longer than i.
func (x *axis) has(i int) bool { return !x.n.IsInt64() || int64(i) < x.n.Int64() }

// open returns a function for each column that gives its i-th override.
func (x *axis) open() []func(int) config.Override {
	columns := make([]func(int) config.Override, len(x.columns))
	for i := range x.columns {
		columns[i] = x.columns[i].open(x.order)
	}
	return columns
}

func (c *column) open(order []int) func(int) config.Override {
	value := func(i int) config.Override { return c.list[i] }
	if c.span != nil {
		walk := c.span.walk()
		value = func(i int) config.Override { return c.head.override(walk(i)) }
	}
	if order == nil {
		return value
	}
	return func(i int) config.Override { return value(order[i]) }
}

// override sets what h names to v. The value null of a deletion counts as
// none, as in Hydra.
func (h head) override(v *value) config.Override {
	o := config.Override{Op: h.op, Key: h.key, Package: h.pkg}
	if v == nil {
		v = null()
	}
	if h.op != config.Delete || v.kind != config.Null {
		o.Value = v.node()
	}
	var buffer [64]byte
	o.Text = string(v.append(append(append(buffer[:0], h.element...), '=')))
	return o
}

// isLoose reports whether v may read back as something else than it is: Hydra
// writes each value of a sweep as text and reads it again, so that
// choice('1','2') are integers.
func (v *value) isLoose() bool {
	if v.kind == config.String {
		return v.quote == 0
	}
	return slices.ContainsFunc(v.items, (*value).isLoose)
}

// read returns the value that text is. It is not ok if Hydra would fail here,
// or find a sweep: then a value stays what it is.
func read(text string) (v *value, ok bool) {
	a, err := parseArgument("="+text, 0)
	if err != nil || a.value.hasSweep() {
		return nil, false
	}
	return a.value, true
}
