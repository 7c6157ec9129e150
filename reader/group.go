package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
)

// The columns that a table of groups has besides its keys and aggregates.
const (
	countColumn = "n"          // the number of runs in the group
	mixedColumn = "mixed_code" // whether they come from different versions of the code
)

// A grouped is a column of groups: an expression with aggregates.
type grouped struct {
	Column
	expr  *expr.GroupExpr
	first int // the index of its first aggregate among all of them
}

// A group gathers its runs.
type group struct {
	keys  []any
	n     int
	code  string // the version of its first run
	mixed bool
	cells []accumulator // one for each aggregate
}

// A grouping is a query about groups, compiled.
type grouping struct {
	keys    []selected
	columns []grouped // the aggregates that are shown
	having  *grouped
	best    *best
	sort    []sortKey
	extra   []grouped // sort keys that are no column
	calls   []expr.Aggregate
}

func compileGrouping(q Query) (*grouping, error) {
	g := new(grouping)
	if len(q.Fields) > 0 {
		return nil, fault.Hint(errors.New("--fields is about runs, --group about groups of them"), "--agg NAME=CEL makes a column of groups: --agg 'mean(metrics.test.loss.last())'")
	}
	var err error
	if g.keys, err = parseColumns(q.Group); err != nil {
		return nil, err
	}
	for _, k := range g.keys {
		if err := g.free(k.Name, 1); err != nil {
			return nil, err
		}
	}
	for _, entry := range q.Agg {
		parts, err := splitEntry(entry)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if part.Name == "" && (part.Text == countColumn || part.Text == mixedColumn) {
				continue // they are always there
			}
			c, err := g.compile(part.Text, false)
			if err != nil {
				return nil, expr.Move(err, entry, part.Offset)
			}
			c.Name = part.Name
			if c.Name == "" {
				c.Name = part.Text
			}
			if i := slices.IndexFunc(g.columns, func(o grouped) bool { return o.Name == c.Name }); i >= 0 && g.columns[i].expr.Expr.Text == part.Text {
				continue
			}
			if err := g.free(c.Name, 0); err != nil {
				return nil, fault.At(err, entry, part.Offset)
			}
			g.columns = append(g.columns, *c)
		}
	}
	if q.Best != "" {
		if err := g.compileBest(q.Best, q.Per); err != nil {
			return nil, err
		}
	}
	if q.Having != "" {
		if g.having, err = g.compile(q.Having, true); err != nil {
			return nil, err
		}
	}
	return g, g.compileSort(q.Sort)
}

// free tells whether a column may have a name that most others have already.
func (g *grouping) free(name string, most int) error {
	count := 0
	for _, other := range g.names() {
		if other == name {
			count++
		}
	}
	if count > most {
		return fault.Hint(fmt.Errorf("two columns are named %s", name), "NAME=CEL gives a column another name; n and mixed_code are always there")
	}
	return nil
}

// compile compiles an expression about a group. It may use n, mixed_code, the
// keys, and the columns that there are so far, by name.
func (g *grouping) compile(text string, filter bool) (*grouped, error) {
	vars := []string{countColumn, mixedColumn}
	for _, k := range g.keys {
		if len(k.Path) > 0 {
			vars = append(vars, k.Path[0])
		} else {
			vars = append(vars, k.Name)
		}
	}
	for _, c := range g.columns {
		vars = append(vars, c.Name)
	}
	slices.Sort(vars)
	vars = slices.DeleteFunc(slices.Compact(vars), func(name string) bool { return strings.ContainsFunc(name, notIdent) })
	compile := expr.CompileGroup
	if filter {
		compile = expr.CompileGroupFilter
	}
	e, err := compile(text, vars...)
	if err != nil {
		return nil, err
	}
	c := &grouped{Column{Name: text}, e, len(g.calls)}
	if len(e.Calls) == 1 && e.Calls[0].Text == strings.TrimSpace(text) {
		call := e.Calls[0]
		c.Function, c.Arg = call.Function, call.Arg.Text
	}
	g.calls = append(g.calls, e.Calls...)
	return c, nil
}

func notIdent(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// compileBest compiles Query.Best for groups. Its value is shown, also if it is
// no column.
func (g *grouping) compileBest(text string, per []string) error {
	text, most := strings.CutPrefix(strings.TrimSpace(text), "-")
	c, err := g.compile(text, false)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(g.columns, func(o grouped) bool { return o.expr.Expr.Text == text || o.Name == text })
	if i < 0 {
		i = len(g.columns)
		g.columns = append(g.columns, *c)
	}
	g.best = &best{most: most || c.Function == "max", value: len(g.keys) + 2 + i}
	for _, entry := range per {
		parts, err := splitEntry(entry)
		if err != nil {
			return err
		}
		for _, part := range parts {
			i := slices.IndexFunc(g.keys, func(k selected) bool { return k.Name == part.Text || k.expr.Text == part.Text })
			if i < 0 {
				return fault.Hint(fault.At(fmt.Errorf("%s is not a group key", part.Text), entry, part.Offset), "add it: --group %s,…", part.Text)
			}
			g.best.per = append(g.best.per, i)
		}
	}
	return nil
}

// compileSort resolves sort keys: a column by its name, or any expression about
// a group. The values of a row are keys, n, mixed_code, columns, extra.
func (g *grouping) compileSort(entries []string) error {
	names := g.names()
	for _, entry := range entries {
		parts, err := splitEntry(entry)
		if err != nil {
			return err
		}
		for _, part := range parts {
			text, down := strings.CutPrefix(part.Text, "-")
			text = strings.TrimSpace(text)
			i := slices.Index(names, text)
			if i < 0 {
				c, err := g.compile(text, false)
				if err != nil {
					return expr.Move(err, entry, part.Offset+len(part.Text)-len(text))
				}
				i = len(names) + len(g.extra)
				g.extra = append(g.extra, *c)
			}
			g.sort = append(g.sort, sortKey{value: i, down: down})
		}
	}
	for i := range g.keys { // whatever is asked, the order does not depend on chance
		g.sort = append(g.sort, sortKey{value: i})
	}
	return nil
}

func (g *grouping) names() []string {
	var names []string
	for _, k := range g.keys {
		names = append(names, k.Name)
	}
	names = append(names, countColumn, mixedColumn)
	for _, c := range g.columns {
		names = append(names, c.Name)
	}
	return names
}

// groups answers a query about groups of runs.
func (l *Log) groups(ctx context.Context, q Query) (*Table, error) {
	g, err := compileGrouping(q)
	if err != nil {
		return nil, err
	}
	var exprs []*expr.Expr
	for _, k := range g.keys {
		exprs = append(exprs, k.expr)
	}
	for _, c := range g.calls {
		exprs = append(exprs, c.Arg)
	}
	p, err := newPlan(q.Where, exprs)
	if err != nil {
		return nil, err
	}
	p.read = func(r *Record) any { return codeVersion(r) }
	index := map[string]*group{}
	var all []*group
	warned := notes{}
	tallies, err := l.rows(ctx, p, func(r row) {
		keys, values := r.values[:len(g.keys)], r.values[len(g.keys):]
		var id strings.Builder
		for _, k := range keys {
			id.WriteString(keyOf(k))
			id.WriteByte(0)
		}
		to := index[id.String()]
		if to == nil {
			to = &group{keys: keys, code: r.read.(string), cells: make([]accumulator, len(g.calls))}
			index[id.String()] = to
			all = append(all, to)
		}
		to.n++
		to.mixed = to.mixed || r.read.(string) != to.code
		for i, c := range g.calls {
			to.cells[i].keep = c.Function == "median"
			cell := &to.cells[i]
			cell.add(values[i], c.Function)
			if cell.wrong != "" && cell.at == 0 {
				cell.at = r.record.ID()
			}
		}
		warned.record(r.record)
	})
	if err != nil {
		return nil, err
	}
	if err := tallies.err(ctx, l); err != nil {
		return nil, err
	}
	for _, c := range g.extra { // an order by what no run has is none
		for i := range c.expr.Calls {
			if v := tallies.values[len(g.keys)+c.first+i]; v.Values == 0 {
				if err := l.misnamed(ctx, v); err != nil {
					return nil, err
				}
			}
		}
	}
	t := &Table{Notes: append(warned.lines(), tallies.notes(ctx, l)...)}
	for _, k := range g.keys {
		t.Columns = append(t.Columns, k.Column)
	}
	t.mixed = len(t.Columns) + 1
	t.Columns = append(t.Columns, Column{Name: countColumn}, Column{Name: mixedColumn})
	for _, c := range g.columns {
		t.Columns = append(t.Columns, c.Column)
	}
	rows, notes, err := g.rows(all)
	if err != nil {
		return nil, err
	}
	t.Notes = append(t.Notes, notes...)
	slices.SortStableFunc(rows, func(a, b []any) int { return compareBy(a, b, g.sort) })
	t.Total = len(rows)
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	for _, values := range rows {
		t.Rows = append(t.Rows, Row{Values: values[:len(t.Columns)]})
	}
	return t, nil
}

// codeVersion tells what is known of the code that a run executed.
func codeVersion(r *Record) string {
	vm, ok := r.meta().Field("version_manager")
	version, isMap := vm.(expr.Object)
	if !ok || !isMap {
		return ""
	}
	commit, _ := version.Field("commit_hash")
	if mode, _ := version.Field("mode"); mode == "commit" || mode == "snapshot" {
		// Nothing but the commit was there, unless a program has changed it.
		changes, changed := version.Field("changes")
		if list, ok := changes.(expr.List); changed && ok && list.Len() > 0 {
			return exact(commit) + " changed in " + strconv.Itoa(r.ID())
		}
		return exact(commit)
	}
	if dirty, _ := version.Field("dirty"); dirty == true {
		return exact(commit) + " dirty"
	}
	return exact(commit)
}

// rows evaluates the columns of all groups, and leaves out those that having or
// best does.
func (g *grouping) rows(all []*group) (rows [][]any, notes []string, err error) {
	evaluate := slices.Concat(g.columns, g.extra)
	tallies := make([]*expr.Tally, len(evaluate))
	for i, c := range evaluate {
		if tallies[i], err = c.expr.Expr.Tally(); err != nil {
			return nil, nil, err
		}
	}
	var having *expr.Tally
	if g.having != nil {
		if having, err = g.having.expr.Expr.Tally(); err != nil {
			return nil, nil, err
		}
	}
	for _, gr := range all {
		scope := &groupScope{g, gr, map[string]any{}, 0}
		values := append(slices.Clone(gr.keys), int64(gr.n), gr.mixed)
		for i, c := range evaluate {
			scope.first = c.first
			v, _ := tallies[i].Value(scope)
			values = append(values, v)
			if i < len(g.columns) {
				scope.columns[c.Name] = v
			}
		}
		for i, c := range g.calls {
			if why := gr.cells[i].wrong; why != "" && c.Function != "count" && c.Function != "first" && c.Function != "collect" {
				notes = append(notes, fmt.Sprintf("%s: %s is absent: at run %d, %s", g.name(gr), c.Text, gr.cells[i].at, why))
			}
		}
		if having != nil {
			scope.first = g.having.first
			if !having.Match(scope) {
				continue
			}
		}
		rows = append(rows, values)
	}
	check := tallies
	if having != nil {
		check = append(check, having)
	}
	for _, t := range check {
		if err := t.Err(); err != nil {
			return nil, nil, err
		}
		for _, f := range t.Strangers() {
			if slices.Contains(expr.Run, f.Path[0]) {
				err := fault.At(fmt.Errorf("%s is no key of the groups", f), t.Expr.Text, f.Offset)
				return nil, nil, fault.Hint(err, "an aggregate takes it of all runs of a group: mean(%s); --group %s makes it a key", f, f)
			}
		}
		notes = append(notes, t.Notes()...)
	}
	if g.best != nil {
		rows = bestRows(g.best, rows, func(row []any) []any { return row })
	}
	return rows, slices.Compact(notes), nil
}

// name says which group it is: config.method=sgd.
func (g *grouping) name(gr *group) string {
	var parts []string
	for i, k := range g.keys {
		parts = append(parts, k.Name+"="+short(gr.keys[i]))
	}
	if len(parts) == 0 {
		return "all runs"
	}
	return strings.Join(parts, " ")
}

// groupScope is a group as an expression sees it.
type groupScope struct {
	grouping *grouping
	group    *group
	columns  map[string]any
	first    int // the index of the expression's first aggregate
}

func (s *groupScope) Field(name string) (any, bool) {
	switch name {
	case countColumn:
		return int64(s.group.n), true
	case mixedColumn:
		return s.group.mixed, true
	}
	if v, ok := s.columns[name]; ok {
		return v, v != nil
	}
	var i int
	if n, _ := fmt.Sscanf(name, "_%d", &i); n == 1 && name == expr.Variable(i) && s.first+i < len(s.grouping.calls) {
		v := s.group.cells[s.first+i].value(s.grouping.calls[s.first+i].Function)
		return v, v != nil
	}
	var tree dict
	for i, k := range s.grouping.keys {
		switch {
		case len(k.Path) == 0 && k.Name == name, len(k.Path) == 1 && k.Path[0] == name:
			return s.group.keys[i], s.group.keys[i] != nil
		case len(k.Path) > 1 && k.Path[0] == name:
			if tree == nil {
				tree = dict{}
			}
			if s.group.keys[i] != nil {
				tree.put(k.Path[1:], s.group.keys[i])
			}
		case k.Name == name:
			return s.group.keys[i], s.group.keys[i] != nil
		}
	}
	return tree, tree != nil
}

func (s *groupScope) Names() []string { return s.grouping.names() }

// dict is a map that an expression sees.
type dict map[string]any

func (d dict) put(path []string, v any) {
	if len(path) == 1 {
		d[path[0]] = v
		return
	}
	below, ok := d[path[0]].(dict)
	if !ok {
		below = dict{}
		d[path[0]] = below
	}
	below.put(path[1:], v)
}

func (d dict) Field(name string) (any, bool) { v, ok := d[name]; return v, ok }

func (d dict) Names() []string {
	names := make([]string, 0, len(d))
	for name := range d {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
