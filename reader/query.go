package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
)

// A Query is a question about the runs of a log dir. The zero Query asks for all
// of them.
//
// Without Fields, Group and Best a row is a run with its whole record and config
// (see [Row]). With Fields each row has these columns. With Group a row is a
// group of runs, with the columns n, mixed_code and one for each Agg.
type Query struct {
	Where  string   // CEL condition on runs
	Fields []string // columns: "CEL" or "NAME=CEL"
	Sort   []string // CEL or the name of a column, a leading "-" for descending; the first counts most
	Limit  int      // rows; 0 is no limit

	Group  []string // group keys: "CEL" or "NAME=CEL"
	Agg    []string // columns of a group: "CEL" or "NAME=CEL" with aggregates
	Having string   // CEL condition on groups
	Best   string   // CEL: only the rows for which it is least, or with a leading "-" greatest; an aggregate max(…) also means greatest
	Per    []string // group keys, or CEL: the best among the rows that agree on them
}

// A Table is the answer to a [Query].
type Table struct {
	Columns []Column
	Rows    []Row
	Total   int      // rows before Limit
	Notes   []string // what a user should know besides: broken files, runs that lack a field

	whole bool // rows are whole runs
	mixed int  // the index of the column mixed_code of groups; 0 if there is none
}

// A Column is a column of a [Table].
type Column struct {
	Name     string
	Path     []string // of the field that the column is, nil if it is computed
	Function string   // where it is one aggregate: its name, and
	Arg      string   // what it is of
}

// A Row is a run or a group of runs.
type Row struct {
	ID     int     // of the run; 0 for a group
	Values []any   // one for each column; nil is absent
	Record *Record // of the run, where the query asks for whole runs
}

// parseColumns compiles columns that users wrote, each entry one or several
// between commas.
func parseColumns(entries []string) ([]selected, error) {
	var out []selected
	for _, entry := range entries {
		parts, err := splitEntry(entry)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			e, err := expr.Compile(part.Text, expr.Run...)
			if err != nil {
				return nil, expr.Move(err, entry, part.Offset)
			}
			c := selected{Column{Name: part.Name}, e}
			if part.Name == "" {
				c.Name = part.Text
			}
			if len(e.Fields) == 1 && e.Fields[0].String() == strings.TrimSpace(e.Text) {
				c.Path = e.Fields[0].Path
			}
			if i := slices.IndexFunc(out, func(o selected) bool { return o.Name == c.Name }); i >= 0 {
				if out[i].expr.Text != e.Text {
					return nil, fault.At(fmt.Errorf("two columns are named %s", c.Name), entry, part.Offset)
				}
				continue
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// splitEntry cuts an entry of a query's lists at its commas.
func splitEntry(entry string) ([]expr.Part, error) {
	parts := expr.Split(entry)
	if len(parts) == 0 {
		return nil, fault.Hint(errors.New("a column, key or aggregate is empty"), "leave the flag out if nothing is meant")
	}
	return parts, nil
}

// selected is a column of runs with its expression.
type selected struct {
	Column
	expr *expr.Expr
}

// Query answers q. The error is one of the query: its place is marked, and
// nothing is known of any run.
func (l *Log) Query(ctx context.Context, q Query) (*Table, error) {
	t, err := l.query(ctx, q)
	return t, l.explain(ctx, err)
}

func (l *Log) query(ctx context.Context, q Query) (*Table, error) {
	if q.Limit < 0 {
		return nil, errors.New("a limit is 1 or more; 0 is no limit")
	}
	if len(q.Per) > 0 && q.Best == "" {
		return nil, errors.New("--per belongs to --best: the best for each value of what?")
	}
	if len(q.Group) > 0 || len(q.Agg) > 0 || q.Having != "" {
		return l.groups(ctx, q)
	}
	return l.runs(ctx, q)
}

// runs answers a query about runs one by one.
func (l *Log) runs(ctx context.Context, q Query) (*Table, error) {
	columns, err := parseColumns(q.Fields)
	if err != nil {
		return nil, err
	}
	whole := len(columns) == 0
	// id comes first in any case.
	columns = slices.DeleteFunc(columns, func(c selected) bool { return c.Name == expr.ID && len(c.Path) == 1 && c.Path[0] == expr.ID })
	if i := slices.IndexFunc(columns, func(c selected) bool { return c.Name == expr.ID }); i >= 0 {
		return nil, errors.New("a column cannot be named id: that is the run's number, and always the first column")
	}
	keys, err := parseSort(q.Sort, columns)
	if err != nil {
		return nil, err
	}
	var exprs []*expr.Expr
	for _, c := range columns {
		exprs = append(exprs, c.expr)
	}
	for i := range keys {
		if keys[i].expr != nil {
			keys[i].value = len(exprs)
			exprs = append(exprs, keys[i].expr)
		}
	}
	best, err := compileBest(q.Best, q.Per)
	if err != nil {
		return nil, err
	}
	if best != nil {
		best.value = len(exprs)
		exprs = append(exprs, best.expr)
		for i, e := range best.keys {
			best.per[i] = len(exprs)
			exprs = append(exprs, e)
		}
	}
	p, err := newPlan(q.Where, exprs)
	if err != nil {
		return nil, err
	}
	t := &Table{Columns: []Column{{Name: expr.ID, Path: []string{expr.ID}}}, whole: whole}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	var named []string // columns of the overview to sort by; their values stand behind those of the expressions
	for i := range keys {
		if keys[i].name != "" {
			keys[i].value = len(exprs) + len(named)
			named = append(named, keys[i].name)
		}
	}
	if t.whole {
		p.read = func(r *Record) any {
			r.meta()
			r.Config()
			values := make([]any, len(named))
			for i, name := range named {
				values[i] = r.column(name)
			}
			return values
		}
	}
	var rows []row
	warned := notes{}
	tallies, err := l.rows(ctx, p, func(r row) {
		if t.whole {
			r.values = append(r.values, r.read.([]any)...)
		}
		warned.record(r.record)
		if !t.whole {
			r.record = nil // and with it the series that it has read
		}
		rows = append(rows, r)
	})
	if err != nil {
		return nil, err
	}
	if err := tallies.err(ctx, l); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err := l.unsortable(ctx, k, tallies, rows); err != nil {
			return nil, err
		}
	}
	t.Notes = append(warned.lines(), tallies.notes(ctx, l)...)
	if best != nil {
		if v := tallies.values[best.value]; v.Values == 0 {
			if err := l.misnamed(ctx, v); err != nil {
				return nil, err
			}
		}
		rows = bestRows(best, rows, func(r row) []any { return r.values })
	}
	sortRows(rows, keys)
	t.Total = len(rows)
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	for _, r := range rows {
		out := Row{ID: r.id, Values: append([]any{int64(r.id)}, r.values[:len(columns)]...)}
		if t.whole {
			out.Record = r.record
		}
		t.Rows = append(t.Rows, out)
	}
	return t, nil
}
