package script

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// assignment makes one assignment. kind is "-A" or "-a" where a declaration says
// so.
func (e *evaluator) assignment(a *syntax.Assign, kind string) {
	if e.stopped() {
		return
	}
	name := a.Name.Value
	v := e.sh.vars[name]
	if target, resolved := v.Resolve(environ{e}); target != "" {
		name, v = target, resolved
	}
	switch {
	case a.Array != nil:
		e.assignArray(name, v, a, kind)
	case a.Index != nil:
		e.assignElement(name, v, a)
	default:
		text := e.literal(a.Value)
		switch {
		case a.Append && v.Kind == expand.Indexed, !a.Append && v.Kind == expand.Indexed:
			e.setElement(&v, 0, text, a.Append)
		case a.Append && v.Kind == expand.String && v.Set:
			v.Str += text
		default:
			v.Kind, v.Str, v.List, v.Map, v.Indexes = expand.String, text, nil, nil, nil
		}
		v.Set = true
		e.set(name, v)
	}
}

// assignArray assigns name=(…).
func (e *evaluator) assignArray(name string, v expand.Variable, a *syntax.Assign, kind string) {
	if kind == "-A" || kind == "" && v.Kind == expand.Associative {
		m := map[string]string{}
		if a.Append {
			maps.Copy(m, v.Map)
		}
		for _, element := range a.Array.Elems {
			if word, ok := element.Index.(*syntax.Word); ok {
				m[e.literal(word)] = e.literal(element.Value)
			}
		}
		v.Set, v.Kind, v.Map, v.Str, v.List, v.Indexes = true, expand.Associative, m, "", nil, nil
		e.set(name, v)
		return
	}
	if a.Append && v.Set && v.Kind == expand.String {
		v.List = []string{v.Str}
	}
	if !a.Append {
		v.List, v.Indexes = nil, nil
	}
	v.List = slices.Clone(v.List)
	v.Indexes = slices.Clone(v.Indexes)
	next := lastIndex(v) + 1
	for _, element := range a.Array.Elems {
		if element.Index != nil {
			at, cause := e.arithm(element.Index)
			if cause != nil || at < 0 || at > maxIndex {
				e.unknownArray(name, v, cause)
				return
			}
			e.setElement(&v, at, e.literal(element.Value), false)
			next = at + 1
			continue
		}
		for _, field := range e.wordFields(element.Value) {
			e.setElement(&v, next, field, false)
			next++
		}
	}
	if v.List == nil {
		v.List = []string{}
	}
	v.Set, v.Kind, v.Str, v.Map = true, expand.Indexed, "", nil
	e.set(name, v)
}

// maxIndex bounds the index of an array's element.
const maxIndex = 1 << 24

// unknownArray sets an array that has an element whose index is unknown, or
// which is none.
func (e *evaluator) unknownArray(name string, v expand.Variable, c *cause) {
	if c == nil {
		e.status = status{code: 1}
		return
	}
	v.Set, v.Kind, v.Str, v.List, v.Map, v.Indexes = true, expand.String, e.unknown(c), nil, nil, nil
	e.set(name, v)
}

// assignElement assigns name[index]=value.
func (e *evaluator) assignElement(name string, v expand.Variable, a *syntax.Assign) {
	if v.Kind == expand.Associative {
		word, ok := a.Index.(*syntax.Word)
		if !ok {
			e.fail(e.script.errorf(e.line, "a key of %s that is not a word", name))
			return
		}
		key, value := e.literal(word), e.literal(a.Value)
		v.Map = maps.Clone(v.Map)
		if v.Map == nil {
			v.Map = map[string]string{}
		}
		if a.Append {
			value = v.Map[key] + value
		}
		v.Map[key], v.Set = value, true
		e.set(name, v)
		return
	}
	at, cause := e.arithm(a.Index)
	if at < 0 {
		at += lastIndex(v) + 1
	}
	text := e.literal(a.Value)
	if cause != nil || at < 0 || at > maxIndex {
		e.unknownArray(name, v, cause)
		return
	}
	if v.Kind == expand.String && v.Set {
		v.List = []string{v.Str}
	}
	v.List, v.Indexes = slices.Clone(v.List), slices.Clone(v.Indexes)
	e.setElement(&v, at, text, a.Append)
	v.Set, v.Kind, v.Str = true, expand.Indexed, ""
	e.set(name, v)
}

func lastIndex(v expand.Variable) int {
	switch {
	case len(v.List) == 0:
		return -1
	case v.Indexes != nil:
		return v.Indexes[len(v.Indexes)-1]
	}
	return len(v.List) - 1
}

// setElement sets or appends to an element of an array.
func (e *evaluator) setElement(v *expand.Variable, at int, text string, add bool) {
	if v.Indexes == nil && at > len(v.List) {
		v.Indexes = make([]int, len(v.List))
		for i := range v.Indexes {
			v.Indexes[i] = i
		}
	}
	place, found := at, at < len(v.List)
	if v.Indexes != nil {
		place = sort.SearchInts(v.Indexes, at)
		found = place < len(v.Indexes) && v.Indexes[place] == at
	}
	switch {
	case found && add:
		v.List = slices.Clone(v.List)
		v.List[place] += text
	case found:
		v.List = slices.Clone(v.List)
		v.List[place] = text
	default:
		v.List = slices.Insert(v.List, place, text)
		if v.Indexes != nil {
			v.Indexes = slices.Insert(v.Indexes, place, at)
		}
	}
}

// declClause executes declare, export, local, readonly as bash parses them.
func (e *evaluator) declClause(c *syntax.DeclClause) {
	e.status = status{}
	d := e.declaring(c.Variant.Value)
	for _, a := range c.Args {
		if e.stopped() {
			return
		}
		if a.Name == nil || a.Naked && strings.HasPrefix(a.Name.Value, "-") {
			word := a.Value
			if a.Name != nil {
				word = &syntax.Word{Parts: []syntax.WordPart{a.Name}}
			}
			for _, field := range e.wordFields(word) {
				d.field(e, field)
			}
			continue
		}
		d.begin(e, a.Name.Value)
		if !a.Naked {
			e.assignment(a, d.kind)
		}
		d.finish(e, a.Name.Value)
	}
}

// A declaration is a declare, export, local, readonly or typeset with its
// options.
type declaring struct {
	local, export, unexport, readonly, print bool
	kind                                     string
}

func (e *evaluator) declaring(variant string) *declaring {
	d := &declaring{}
	switch variant {
	case "export":
		d.export = true
	case "readonly":
		d.readonly = true
	case "nameref":
		d.kind = "-n"
	default:
		d.local = len(e.locals) > 0
	}
	return d
}

// field takes an option, NAME or NAME=value that came out of an expansion.
func (d *declaring) field(e *evaluator, field string) {
	if strings.HasPrefix(field, "-") || strings.HasPrefix(field, "+") {
		for _, c := range field[1:] {
			switch c {
			case 'x':
				d.export, d.unexport = field[0] == '-', field[0] == '+'
			case 'r':
				d.readonly = true
			case 'g':
				d.local = false
			case 'a', 'A', 'n':
				d.kind = "-" + string(c)
			case 'f', 'F', 'p':
				d.print = true
			case 'i', 'l', 'u':
				e.fail(fault.Hint(e.script.errorf(e.line, "declare -%c is not read here", c), "write $((…)), ${x,,} or ${x^^} where the value is used"))
			}
		}
		return
	}
	name, value, set := strings.Cut(field, "=")
	name, add := strings.CutSuffix(name, "+")
	if !syntax.ValidName(name) {
		if c := e.causeIn(field); c != nil {
			e.status = status{cause: c, assumed: true}
			return
		}
		e.status = status{code: 1}
		return
	}
	d.begin(e, name)
	if set {
		if add {
			value = e.value(name) + value
		}
		e.assign(name, value)
	}
	d.finish(e, name)
}

// begin hides the outer variable, if this is a local one.
func (d *declaring) begin(e *evaluator, name string) {
	if !d.local || d.print {
		return
	}
	hidden := e.locals[len(e.locals)-1]
	if _, again := hidden[name]; !again {
		hidden[name] = e.sh.vars[name]
		e.sh.vars[name] = expand.Variable{Exported: e.sh.vars[name].Exported}
	}
}

// finish gives the variable its attributes.
func (d *declaring) finish(e *evaluator, name string) {
	if d.print {
		return
	}
	v := e.sh.vars[name]
	if d.export {
		v.Exported = true
	}
	if d.unexport {
		v.Exported = false
	}
	if d.readonly {
		v.ReadOnly = true
	}
	switch {
	case d.kind == "-A" && v.Kind != expand.Associative:
		v.Kind = expand.Associative
	case d.kind == "-a" && !v.Set:
		v.Kind = expand.Indexed
	case d.kind == "-n":
		v.Kind = expand.NameRef
	}
	e.sh.vars[name] = v
}
