package sweep

import (
	"github.com/mlxp/mlxp/config"
)

// A value is what stands for one element of an override: a scalar, a list, a
// dict, or a sweep. It differs from a [config.Node] in what an override can
// say and a config cannot: quotes and sweeps.
type value struct {
	kind  config.Kind
	bool  bool
	float float64
	text  string   // String: the content; Int: decimal digits, as in config.Node
	quote byte     // String: the quote it was written in, 0 for none
	keys  []*value // Map
	items []*value // List, Map
	sweep *spec    // not nil: a sweep, and nothing above counts
}

// A form is one way to write a sweep.
type form uint8

const (
	simpleChoice form = iota // 1,2,3
	choice                   // choice(1,2,3)
	span                     // range(1,4)
	interval                 // interval(0,1)
	glob                     // glob(*)
	zipped                   // zip(a=choice(1,2),b=[x,y])
)

func (f form) String() string {
	return [...]string{"simple_choice", "choice", "range", "interval", "glob", "zip"}[f]
}

// A spec is a sweep as written, before it is expanded.
type spec struct {
	form              form
	list              []*value // simpleChoice, choice
	start, stop, step *value   // span; interval: start and stop
	include, exclude  []*value // glob: the patterns
	members           []member // zipped
	tags              []string // sorted, each once; they mean something to samplers only
	shuffle           bool
}

// A member is one named argument of zip.
type member struct {
	head   head
	value  *value
	offset int
}

func null() *value            { return &value{kind: config.Null} }
func text(s string) *value    { return &value{kind: config.String, text: s} }
func integer(d string) *value { return &value{kind: config.Int, text: d} }
func float(f float64) *value  { return &value{kind: config.Float, float: f} }
func boolean(b bool) *value   { return &value{kind: config.Bool, bool: b} }
func list(vs []*value) *value { return &value{kind: config.List, items: vs} }
func swept(s spec) *value     { return &value{sweep: &s} }

// hasSweep reports whether a sweep stands anywhere in v.
func (v *value) hasSweep() bool {
	if v.sweep != nil {
		return true
	}
	for _, item := range v.items {
		if item.hasSweep() {
			return true
		}
	}
	return false
}

// node returns v as a value of a config. v holds no sweep.
func (v *value) node() *config.Node {
	n := &config.Node{Kind: v.kind, Bool: v.bool, Float: v.float, Text: v.text}
	if len(v.items) > 0 {
		n.Items = make([]*config.Node, len(v.items))
		for i, item := range v.items {
			n.Items[i] = item.node()
		}
	}
	if len(v.keys) > 0 {
		n.Keys = make([]config.Key, len(v.keys))
		for i, k := range v.keys {
			n.Keys[i] = k.key()
		}
	}
	return n
}

// key returns the scalar v as a key of a map.
func (v *value) key() config.Key {
	k := config.Key{Kind: v.kind}
	switch v.kind {
	case config.Bool:
		k.Text = "false"
		if v.bool {
			k.Text = "true"
		}
	case config.Float:
		k.Text = config.FormatFloat(v.float)
	case config.Int, config.String:
		k.Text = v.text
	}
	return k
}
