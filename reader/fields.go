package reader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	masking "github.com/mlxp/mlxp/internal/secret"
)

// examples is how many values [Log.Fields] shows of a field.
const examples = 3

// exampleWidth is how much of each a table shows.
const exampleWidth = 40

// Fields lists the fields that the runs matching where have: those of config,
// metrics and info, each with its types, the number of runs that have it, and a
// few of its values. The metrics of every matching run are read. What a record
// holds about mlxp and its processes is left out.
func (l *Log) Fields(ctx context.Context, where string) (*Table, error) {
	p, err := newPlan(where, nil)
	if err != nil {
		return nil, l.explain(ctx, err)
	}
	type field struct {
		path   []string
		types  []string
		runs   int
		values []any
		keys   []string
	}
	index := map[string]*field{}
	var all [3][]*field
	warned := notes{}
	add := func(part int, path []string, kind string, v any) {
		name := pathText(path)
		f := index[name]
		if f == nil {
			f = &field{path: slices.Clone(path)}
			index[name] = f
			all[part] = append(all[part], f)
		}
		f.runs++
		if !slices.Contains(f.types, kind) {
			f.types = append(f.types, kind)
		}
		if key := keyOf(v); len(f.values) < examples && !slices.Contains(f.keys, key) {
			f.values, f.keys = append(f.values, v), append(f.keys, key)
		}
	}
	p.read = func(r *Record) any {
		r.Config()
		r.Metrics()
		return r.meta().node()
	}
	tallies, err := l.rows(ctx, p, func(r row) {
		eachLeaf(r.record.Config(), []string{expr.Config}, func(path []string, v any) { add(0, path, kindOf(v), v) })
		eachLeaf(r.read.(*config.Node), []string{expr.Info}, func(path []string, v any) { add(2, path, kindOf(v), v) })
		for _, s := range r.record.Metrics() {
			add(1, append([]string{expr.Metrics}, strings.Split(s.Name, ".")...), "series", short(s))
		}
		warned.record(r.record)
	})
	if err != nil {
		return nil, err
	}
	if err := tallies.err(ctx, l); err != nil {
		return nil, err
	}
	t := &Table{Notes: append(warned.lines(), tallies.notes(ctx, l)...)}
	for _, name := range []string{"field", "type", "runs", "examples"} {
		t.Columns = append(t.Columns, Column{Name: name})
	}
	for part := range all {
		if part == 1 {
			slices.SortFunc(all[part], func(a, b *field) int { return slices.Compare(a.path, b.path) })
		}
		for _, f := range all[part] {
			var shown []any
			for _, v := range f.values {
				if _, isText := v.(string); isText && secret(f.path) {
					v = masking.Mask
				}
				shown = append(shown, v)
			}
			t.Rows = append(t.Rows, Row{Values: []any{pathText(f.path), strings.Join(f.types, "|"), int64(f.runs), sample(shown)}})
		}
	}
	t.Total = len(t.Rows)
	return t, nil
}

// sample is a list of values that a table shows one beside the other.
type sample []any

func (s sample) Len() int     { return len(s) }
func (s sample) At(i int) any { return s[i] }

func (s sample) String() string {
	var parts []string
	for _, v := range s {
		parts = append(parts, middle(short(v), exampleWidth))
	}
	return strings.Join(parts, ", ")
}

// kindOf names the type of a value as CEL's type() does for its own.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case int64, uint64:
		return "int"
	case float64:
		return "float"
	case string:
		return "text"
	case []byte:
		return "bytes"
	case nodes.Map:
		return "map"
	case nodes.List:
		return "list"
	default:
		return fmt.Sprintf("%T", v)
	}
}

// Diff lists what differs between the runs matching where: the fields below
// root, config or info, that do not have one value in all of them, and the
// values they have with the runs that have each. Of info it leaves out what is
// about mlxp and its processes, and what differs between any two runs.
func (l *Log) Diff(ctx context.Context, where, root string) (*Table, error) {
	whole, err := l.Query(ctx, Query{Where: where})
	if err != nil {
		return nil, err
	}
	t := &Table{Notes: whole.Notes, Columns: []Column{{Name: "field"}, {Name: "value"}, {Name: "n"}, {Name: "runs"}}}
	for _, path := range whole.leaves(root, true) {
		if root == expr.Info && slices.Contains([]string{"id", "created", "started", "ended"}, path[1]) {
			continue
		}
		type value struct {
			v    any
			runs []int
		}
		index := map[string]*value{}
		var values []*value
		for _, row := range whole.Rows {
			v := lookup(row.Record, path)
			key := keyOf(v)
			if index[key] == nil {
				index[key] = &value{v: v}
				values = append(values, index[key])
			}
			index[key].runs = append(index[key].runs, row.ID)
		}
		slices.SortStableFunc(values, func(a, b *value) int { return compare(a.v, b.v) })
		for _, v := range values {
			shown := v.v
			if _, isText := shown.(string); isText && secret(path) {
				shown = masking.Mask
			}
			t.Rows = append(t.Rows, Row{Values: []any{pathText(path), shown, int64(len(v.runs)), idList(v.runs)}})
		}
	}
	t.Total = len(t.Rows)
	return t, nil
}

// idList is a list of runs that a table shows in ranges.
type idList []int

func (l idList) Len() int     { return len(l) }
func (l idList) At(i int) any { return int64(l[i]) }
func (l idList) String() string {
	return strings.TrimPrefix(strings.TrimPrefix(runList(l), "runs "), "run ")
}
