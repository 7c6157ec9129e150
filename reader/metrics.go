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

	computed bool // an expression works out which series it wants
}

// demandOf collects what the expressions name.
func demandOf(exprs []*expr.Expr) *demand {
	whole := map[string]bool{}
	last, computed := true, false
	for _, e := range exprs {
		for _, f := range e.Fields {
			if f.Path[0] != expr.Metrics {
				continue
			}
			if len(f.Path) == 1 { // which series it comes to only a run can tell
				last, computed = false, true
				continue
			}
			name := strings.Join(f.Path[1:], ".")
			summary := f.Guarded || slices.Contains(expr.Reductions, f.Call)
			whole[name] = whole[name] || !summary
			last = last && f.Call == "last"
			// metrics.loss[0] is a value of the series loss, or the series loss.0.
			for i := 2; i < len(f.Path); i++ {
				if isDigits(f.Path[i]) {
					whole[strings.Join(f.Path[1:i], ".")] = true
				}
			}
		}
	}
	d := &demand{last: last, computed: computed}
	for name := range whole {
		d.names = append(d.names, name)
	}
	slices.Sort(d.names)
	for _, name := range d.names {
		d.whole = append(d.whole, whole[name])
	}
	return d
}

// has tells whether a series is wanted.
func (d *demand) has(name string) bool {
	_, ok := slices.BinarySearch(d.names, name)
	return ok
}

// below tells whether a name that begins with prefix is wanted, one that is not
// just the place of a value in a series.
func (d *demand) below(prefix string) bool {
	i, _ := slices.BinarySearch(d.names, prefix)
	for ; i < len(d.names) && strings.HasPrefix(d.names[i], prefix); i++ {
		if next, _, _ := strings.Cut(d.names[i][len(prefix):], "."); !isDigits(next) {
			return true
		}
	}
	return false
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// loadMetrics reads the series that d wants from a run's metric files, or from
// the index what that has of them. A series that the run does not have is nil.
func (r *Record) loadMetrics(d *demand) []*Series {
	l := r.newLoader(d)
	if r.seriesIndex == nil {
		l.load()
		return l.values()
	}
	said := len(r.Warnings)
	if l.goOn(r.seriesIndex); !l.load() {
		// What is kept and what is new do not make what the files are as a whole.
		r.Warnings = r.Warnings[:said]
		l = r.newLoader(d)
		l.load()
	}
	l.keep(r.seriesIndex)
	return l.values()
}

func (r *Record) newLoader(d *demand) *loader {
	// Of a run that was started again a file is read from its start: it takes all
	// of an attempt to know what the next one replaced.
	l := &loader{record: r, last: d.last && !r.restarted(), columns: make([]column, len(d.names))}
	for i := range l.columns {
		sources := sourcesOf(d.names[i], r.legacy())
		l.columns[i] = column{name: d.names[i], whole: d.whole[i], sources: sources, files: make([]readFile, len(sources)), holder: -1}
	}
	return l
}

// sourcesOf lists the files that a series may be in, in the order in which they
// count: metrics.jsonl and, for train.loss, metrics/train.jsonl.
func sourcesOf(name string, legacy bool) []string {
	var files []string
	for i := range len(name) {
		if name[i] != '.' || strings.IndexByte(name[:i], '/') >= 0 {
			continue
		}
		files = append(files, logdir.MetricsDir+"/"+name[:i]+".jsonl")
		if legacy {
			files = append(files, logdir.MetricsDir+"/"+name[:i]+".json")
		}
	}
	slices.Sort(files)
	return append([]string{logdir.MetricsJSONL}, files...)
}

// loadAll reads the summaries of all series of a run. The names are sorted.
func (r *Record) loadAll() []*Series {
	l := &loader{record: r}
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
					l.columns = append(l.columns, column{name: full, holder: -1})
				}
				index[name] = i
			}
			return i
		}
		clear(index)
		l.read(file, 0, &wanted{all: true}, true)
	}
	all := slices.DeleteFunc(l.values(), func(s *Series) bool { return s == nil })
	slices.SortFunc(all, func(a, b *Series) int { return strings.Compare(a.Name, b.Name) })
	return all
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
	below := metrics{m.record, full + "."}
	if d := m.record.demand; !d.computed && !d.has(full) && d.below(below.prefix) {
		return below, true // whether there is a series of that name as well, nobody asks
	}
	series, wantedName := m.record.series(full)
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
