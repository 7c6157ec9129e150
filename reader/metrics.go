package reader

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/logdir"
)

// A demand is what expressions want of metrics: which series, and of each
// whether its values or only its summary.
type demand struct {
	names []string // sorted
	whole []bool   // of names[i]: its values are wanted
	last  bool     // nothing but the last values is wanted
}

// demandOf collects what the expressions name.
func demandOf(exprs []*expr.Expr) *demand {
	whole := map[string]bool{}
	last := true
	for _, e := range exprs {
		for _, f := range e.Fields {
			if f.Path[0] != expr.Metrics {
				continue
			}
			if len(f.Path) == 1 { // which series it comes to only a run can tell
				last = false
				continue
			}
			name := strings.Join(f.Path[1:], ".")
			summary := f.Guarded || slices.Contains(expr.Reductions, f.Call)
			whole[name] = whole[name] || !summary
			last = last && f.Call == "last"
		}
	}
	d := &demand{last: last}
	for name := range whole {
		d.names = append(d.names, name)
	}
	slices.Sort(d.names)
	for _, name := range d.names {
		d.whole = append(d.whole, whole[name])
	}
	return d
}

// below tells whether a name that begins with prefix is wanted.
func (d *demand) below(prefix string) bool {
	i, _ := slices.BinarySearch(d.names, prefix)
	return i < len(d.names) && strings.HasPrefix(d.names[i], prefix)
}

// loadMetrics reads the series that d wants from a run's metric files. A series
// that the run does not have is nil.
func (r *Record) loadMetrics(d *demand) []*Series {
	// Of a run that was started again a file is read from its start: it takes all
	// of an attempt to know what the next one replaced.
	l := loader{record: r, last: d.last && !r.restarted(), columns: make([]column, len(d.names))}
	for i := range l.columns {
		l.columns[i].name, l.columns[i].whole = d.names[i], d.whole[i]
	}
	files := r.metricFiles()
	if l.last {
		slices.Reverse(files) // of a series in several files, the last counts
	}
	for _, file := range files {
		prefix := metricPrefix(file)
		w := &wanted{}
		for i, name := range d.names {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				w.names = append(w.names, rest)
				w.columns = append(w.columns, i)
			}
		}
		if len(w.names) > 0 {
			l.read(file, w)
		}
	}
	return l.series()
}

// loadAll reads the summaries of all series of a run. The names are sorted.
func (r *Record) loadAll() []*Series {
	l := loader{record: r}
	index := map[string]int{}
	for _, file := range r.metricFiles() {
		prefix := metricPrefix(file)
		l.scanner.found = func(name string) int {
			i, ok := index[name] // without its prefix, which costs an allocation
			if !ok {
				full := prefix + name
				i = slices.IndexFunc(l.columns, func(c column) bool { return c.name == full })
				if i < 0 {
					i = len(l.columns)
					l.columns = append(l.columns, column{name: full})
				}
				index[name] = i
			}
			return i
		}
		clear(index)
		l.read(file, &wanted{all: true})
	}
	all := slices.DeleteFunc(l.series(), func(s *Series) bool { return s == nil })
	slices.SortFunc(all, func(a, b *Series) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// series returns what was read, nil for a column without a value.
func (l *loader) series() []*Series {
	out := make([]*Series, len(l.columns))
	for i := range l.columns {
		out[i] = l.columns[i].series
	}
	return out
}

// metricPrefix returns what stands before the names in a metrics file.
func metricPrefix(file string) string {
	if file == logdir.MetricsJSONL {
		return ""
	}
	return strings.TrimSuffix(path.Base(file), path.Ext(file)) + "."
}

// metricFiles lists the metrics files of a run, as paths in its directory.
func (r *Record) metricFiles() []string {
	files := []string{logdir.MetricsJSONL}
	entries, err := os.ReadDir(r.Run.Path(logdir.MetricsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		r.warn("%v", relative(logdir.MetricsDir, err))
	}
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if ext == ".jsonl" || ext == ".json" && r.legacy() {
			files = append(files, logdir.MetricsDir+"/"+e.Name())
		}
	}
	return files
}

// A column gathers a series.
type column struct {
	name   string
	whole  bool
	series *Series
	file   []stepped // of the file that is read, where attempts overlap
}

// stepped is a value of a run that was started again.
type stepped struct {
	cell    cell
	step    float64 // NaN: none
	attempt int
}

func (l *loader) add(c *column, v cell) {
	if c.series == nil {
		c.series = &Series{Name: c.name, record: l.record, whole: c.whole}
	}
	c.series.add(v)
}

// endFile takes over what a file with several attempts held: a value whose step
// a later attempt has too was replaced by it.
func (l *loader) endFile(c *column) {
	newest := map[float64]int{}
	for _, v := range c.file {
		if v.step == v.step {
			newest[v.step] = max(newest[v.step], v.attempt)
		}
	}
	for _, v := range c.file {
		if v.step != v.step || v.attempt == newest[v.step] {
			l.add(c, v.cell)
		}
	}
	c.file = nil
}

// A loader reads the metric files of one run.
type loader struct {
	record  *Record
	last    bool // the last values will do
	scanner lineScanner
	columns []column
}

// read reads one file. What is not a whole object does not count, and neither
// does anything that cannot be read: the record gets a warning.
func (l *loader) read(file string, w *wanted) {
	f, err := l.record.open(file)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.record.warn("%v", err)
		}
		return
	}
	defer f.Close()
	bounds := l.record.restarts(file)
	if l.last {
		if err := l.readLast(f, w, file); err != nil {
			l.record.warn("%v", relative(file, err))
		}
		return
	}
	l.scanner.root, l.scanner.lists, l.scanner.steps = w, false, len(bounds) > 0
	bad, firstBad, lines := 0, 0, 0
	torn := false
	attempt := 0
	take := func() {
		for _, c := range l.scanner.cells {
			if len(bounds) == 0 {
				l.add(&l.columns[c.column], c)
			} else {
				col := &l.columns[c.column]
				col.file = append(col.file, stepped{c, l.scanner.step, attempt})
			}
		}
	}
	line := func(text []byte) {
		lines++
		if l.scanner.scan(text, take) != nil {
			if bad++; bad == 1 {
				firstBad = lines
			}
		}
	}
	buf, _ := l.record.log.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer l.record.log.buffers.Put(buf)
	*buf, err = eachLine(f, *buf, func(text []byte, offset int64, whole bool) {
		for attempt < len(bounds) && bounds[attempt] < offset+int64(len(text)) {
			if cut := bounds[attempt] - offset; cut > 0 {
				// What the attempt before was writing when it was stopped: if it is
				// no whole line, nothing is wrong with that.
				before := bad
				line(text[:cut])
				bad = before
				text, offset = text[cut:], bounds[attempt]
			}
			attempt++
		}
		before := bad
		line(text)
		torn = !whole && bad > before
	})
	if err != nil {
		l.record.warn("%v", relative(file, err))
	}
	if torn {
		bad--
		l.record.warnTorn(file)
	}
	switch {
	case bad == 1:
		l.record.warn("%s: line %d is not a JSON object", file, firstBad)
	case bad > 1:
		l.record.warn("%s: %d lines are not JSON objects, the first is line %d", file, bad, firstBad)
	}
	if l.scanner.lists {
		l.record.warn("%s: a metric is a list; only numbers, texts and bools are read", file)
	}
	if len(bounds) > 0 {
		for i := range l.columns {
			l.endFile(&l.columns[i])
		}
	}
}

// warnTorn tells of a last line that is not whole, unless it may still be
// written.
func (r *Record) warnTorn(file string) {
	if r.Status().Ended() {
		r.warn("%s: the last line is cut off", file)
	}
}

// metrics is the metrics of a run as an expression sees them, or those whose
// names begin with prefix.
type metrics struct {
	record *Record
	prefix string // "train.", or ""
}

func (m metrics) Loaded() bool { return m.record.loaded }

// Field returns a series, or the series below a name.
func (m metrics) Field(name string) (any, bool) {
	full := m.prefix + name
	series, wantedName := m.record.series(full)
	below := metrics{m.record, full + "."}
	if series != nil {
		if m.record.demand.below(below.prefix) {
			return seriesAnd{series, below}, true
		}
		return series, true
	}
	if m.record.demand.below(below.prefix) {
		return below, true
	}
	if wantedName && m.record.has(below.prefix) {
		return below, true
	}
	return nil, false
}

// Names returns the names at this level.
func (m metrics) Names() []string {
	var names []string
	for _, s := range m.record.Metrics() {
		if rest, ok := strings.CutPrefix(s.Name, m.prefix); ok {
			first, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(names, first) {
				names = append(names, first)
			}
		}
	}
	return names
}

// seriesAnd is a series train where there is a series train.loss too.
type seriesAnd struct {
	*Series
	metrics
}
