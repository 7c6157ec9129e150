package reader

import (
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/logdir"
)

// overview returns the table to show to people. Of whole runs it makes the
// status, what varies in the config, how long each took, and the last values of
// its metrics; where nothing varies, all of the config stands behind these. A
// column without any value is left out, and so is mixed_code where no group is.
func (t *Table) overview() *Table {
	if t.mixed > 0 && !slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Values[t.mixed] == true }) {
		return t.without(func(i int) bool { return i == t.mixed })
	}
	if !t.whole {
		return t
	}
	last, notes := t.lastMetrics()
	out := &Table{Total: t.Total, Notes: slices.Concat(t.Notes, notes), Rows: make([]Row, len(t.Rows))}
	var inCEL []string // the name of each column as an expression, "" if it keeps its own
	add := func(c Column, name string, value func(i int, r *Record) any) {
		out.Columns, inCEL = append(out.Columns, c), append(inCEL, name)
		for i, row := range t.Rows {
			out.Rows[i].ID = row.ID
			out.Rows[i].Values = append(out.Rows[i].Values, value(i, row.Record))
		}
	}
	addConfig := func(leaves [][]string) {
		for _, path := range leaves {
			name := strings.Join(path[1:], ".")
			add(Column{Name: name, Path: path}, pathText(path), func(_ int, r *Record) any { return lookup(r, path) })
		}
	}
	varying := t.leaves(expr.Config, true)
	add(Column{Name: expr.ID, Path: []string{expr.ID}}, "", func(_ int, r *Record) any { return int64(r.ID()) })
	add(Column{Name: statusColumn, Path: []string{expr.Info, "status"}}, "", func(_ int, r *Record) any { return r.column(statusColumn) })
	addConfig(varying)
	add(Column{Name: timeColumn}, "", func(_ int, r *Record) any { return r.column(timeColumn) })
	for m, name := range last.names {
		if !counts(name) {
			add(Column{Name: name}, lastText(name), func(i int, _ *Record) any { return last.values[i][m] })
		}
	}
	if len(varying) == 0 {
		addConfig(t.leaves(expr.Config, false))
	}
	uses := map[string]int{}
	for _, c := range out.Columns {
		uses[c.Name]++
	}
	for i, c := range out.Columns {
		if uses[c.Name] > 1 && inCEL[i] != "" {
			out.Columns[i].Name = inCEL[i]
		}
	}
	return out.without(func(i int) bool {
		return i > 1 && !slices.ContainsFunc(out.Rows, func(r Row) bool { return r.Values[i] != nil })
	})
}

// The columns of the overview that are neither config nor metrics.
const (
	statusColumn = "status"
	timeColumn   = "time"
)

// column returns what the run has in the column of the overview of that name.
func (r *Record) column(name string) any {
	switch name {
	case statusColumn:
		if s := r.Status(); s != "" {
			return string(s)
		}
		return nil
	case timeColumn:
		return r.duration()
	}
	if v := lookup(r, append([]string{expr.Config}, strings.Split(name, ".")...)); v != nil {
		return v
	}
	return r.last([]string{name})[0]
}

// flat returns the table with a column for each value of whole runs: of the
// record, of the config, and the last one of each metric.
func (t *Table) flat() *Table {
	if !t.whole {
		return t
	}
	last, notes := t.lastMetrics()
	out := &Table{Total: t.Total, Notes: slices.Concat(t.Notes, notes), Columns: slices.Clone(t.Columns)}
	paths := slices.Concat(t.leaves(expr.Info, false), t.leaves(expr.Config, false))
	paths = slices.DeleteFunc(paths, func(path []string) bool { return slices.Equal(path, []string{expr.Info, expr.ID}) })
	for _, path := range paths {
		out.Columns = append(out.Columns, Column{Name: pathText(path), Path: path})
	}
	for _, name := range last.names {
		out.Columns = append(out.Columns, Column{Name: lastText(name)})
	}
	for i, row := range t.Rows {
		values := slices.Clone(row.Values)
		for _, path := range paths {
			values = append(values, lookup(row.Record, path))
		}
		out.Rows = append(out.Rows, Row{ID: row.ID, Values: append(values, last.values[i]...)})
	}
	return out
}

// without returns the table without some of its columns.
func (t *Table) without(column func(i int) bool) *Table {
	out := &Table{Total: t.Total, Notes: t.Notes}
	for i, c := range t.Columns {
		if !column(i) {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, row := range t.Rows {
		var values []any
		for i, v := range row.Values {
			if !column(i) {
				values = append(values, v)
			}
		}
		out.Rows = append(out.Rows, Row{ID: row.ID, Values: values, Record: row.Record})
	}
	return out
}

// lastText is the last value of a metric in CEL.
func lastText(metric string) string {
	return pathText(append([]string{expr.Metrics}, strings.Split(metric, ".")...)) + ".last()"
}

// inParallel calls do with 0 to n-1, on all processors.
func inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wait.Wait()
}

// lastValues are the last values of metrics.
type lastValues struct {
	names  []string // sorted
	values [][]any  // of each row, in the order of the names
}

// lastMetrics reads the last values of the metrics that the runs seem to have.
// The notes are about what was broken.
func (t *Table) lastMetrics() (lastValues, []string) {
	seen := make([][]string, len(t.Rows))
	inParallel(len(t.Rows), func(i int) { seen[i] = t.Rows[i].Record.metricNames() })
	names := slices.Concat(seen...)
	slices.Sort(names)
	names = slices.Compact(names)
	values := make([][]any, len(t.Rows))
	defer t.openSeries()()
	said := make([]int, len(t.Rows))
	inParallel(len(t.Rows), func(i int) {
		r := t.Rows[i].Record
		said[i] = len(r.Warnings)
		values[i] = r.last(names)
	})
	var warned notes
	for i, row := range t.Rows {
		warned.add(row.ID, row.Record.Warnings[said[i]:])
	}
	return lastValues{names, values}, warned.lines()
}

// openSeries lets the rows find series in the index. What it returns ends that.
func (t *Table) openSeries() (end func()) {
	if len(t.Rows) == 0 {
		return func() {}
	}
	root := t.Rows[0].Record.log.Root
	runs, err := logdir.Runs(root)
	if err != nil {
		return func() {}
	}
	index := openSeries(root, runs)
	for _, row := range t.Rows {
		row.Record.seriesIndex = index
	}
	return index.save
}

// last returns the last values of metrics, nil for one that the run lacks.
func (r *Record) last(names []string) []any {
	values := make([]any, len(names))
	for i, s := range r.loadMetrics(&demand{names: names, whole: make([]bool, len(names)), last: true}) {
		if s != nil {
			values[i] = s.summary.Last()
		}
	}
	return values
}

// counts tells whether a metric only numbers the lines, or says when they were
// written.
func counts(metric string) bool {
	switch path.Ext("." + metric) {
	case ".step", ".epoch", ".time", ".timestamp":
		return true
	}
	return false
}

// metricNames lists the metrics that the run seems to have, sorted: whatever
// stands in the first or last lines of a metrics file. It is a choice of names;
// their values are read in full.
func (r *Record) metricNames() []string {
	var names []string
	for _, file := range r.metricFiles() {
		prefix := metricPrefix(file)
		s := lineScanner{root: &wanted{all: true}}
		s.found = func(name string) int {
			names = append(names, prefix+name)
			return -1
		}
		for _, line := range r.glimpse(file) {
			_ = s.scan([]byte(line), func() {}) // what is no metric line names none
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// glimpse returns a few lines of a file, from its start and its end. The first
// of the latter is not whole, perhaps.
func (r *Record) glimpse(file string) []string {
	const size = 4 << 10
	f, err := r.open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil
	}
	var lines []string
	for _, offset := range []int64{0, max(0, st.Size()-size)} {
		text := make([]byte, size)
		n, _ := f.ReadAt(text, offset)
		lines = append(lines, strings.Split(string(text[:n]), "\n")...)
	}
	return lines
}

// leaves lists the leaves below a root that the rows have: all of them, or those
// that differ between the rows, also those that only some of them have. Their
// order is that of the first row that has them.
func (t *Table) leaves(root string, differing bool) [][]string {
	type leaf struct {
		path   []string
		first  string
		n      int
		varies bool
	}
	index := map[string]*leaf{}
	var all []*leaf
	readable := 0
	for _, row := range t.Rows {
		node := row.Record.Config()
		if root == expr.Info {
			node = row.Record.meta().node()
		}
		if node == nil {
			continue
		}
		readable++
		eachLeaf(node, []string{root}, func(path []string, v any) {
			name := pathText(path)
			l := index[name]
			if l == nil {
				l = &leaf{path: slices.Clone(path), first: keyOf(v)}
				index[name] = l
				all = append(all, l)
			}
			l.n++
			l.varies = l.varies || l.first != keyOf(v)
		})
	}
	var out [][]string
	for _, l := range all {
		if !differing || l.varies || l.n < readable {
			out = append(out, l.path)
		}
	}
	return out
}

// lookup returns the value at a path, nil if there is none.
func lookup(v any, path []string) any {
	for _, name := range path {
		o, ok := v.(expr.Object)
		if !ok {
			return nil
		}
		if v, ok = o.Field(name); !ok {
			return nil
		}
	}
	return plain(v)
}
