package reader

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/logdir"
)

// A Record is one run as a query sees it. Its files are read when something
// asks for what they hold, and each at most once. What cannot be read is
// absent, and said in Warnings. It is not safe for concurrent use.
type Record struct {
	Run      logdir.Run
	Warnings []string // about broken files met so far, in the order met

	log    *Log
	demand *demand
	index  *logdir.Index // nil: none is used
	files  metadataFiles

	seriesIndex *seriesIndex // nil: none is used

	info      *info
	config    *config.Node
	hasConfig bool // config was read
	loaded    bool // columns were
	columns   []*Series
	extra     map[string]*Series // series that no expression names
	all       []*Series          // summaries of all
	hasAll    bool
	artifacts []Artifact
	hasFiles  bool // artifacts were
}

func newRecord(l *Log, run logdir.Run, d *demand) *Record {
	return &Record{Run: run, log: l, demand: d}
}

// ID is the run's number.
func (r *Record) ID() int { return r.Run.ID }

func (r *Record) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.Warnings, text) {
		r.Warnings = append(r.Warnings, text)
	}
}

// Field returns what an expression finds under the names id, config, info,
// metrics and artifacts.
func (r *Record) Field(name string) (any, bool) {
	switch name {
	case expr.ID:
		return int64(r.Run.ID), true
	case expr.Config:
		if !r.hasConfig {
			if m, ok := r.keptConfig(); ok {
				return m, true
			}
		}
		if c := r.Config(); c != nil {
			return nodes.Value(c), true
		}
		return nil, false
	case expr.Info:
		return r.meta(), true
	case expr.Metrics:
		return metrics{r, ""}, true
	case expr.Artifacts:
		return artifactList(r.Artifacts()), true
	}
	return nil, false
}

// Names returns the names that Field knows.
func (r *Record) Names() []string { return expr.Run }

// Config returns the run's config, nil if there is none that can be read. It is
// the resolved one as soon as the run has started.
func (r *Record) Config() *config.Node {
	if !r.hasConfig {
		r.hasConfig = true
		r.config = r.readConfig()
	}
	return r.config
}

// Status returns the status to show: see [logdir.Info.ShownStatus]. It is empty
// if the record cannot be read.
func (r *Record) Status() logdir.Status { return r.meta().status }

// Info returns a value of the run's record, nil if it is not there.
func (r *Record) Info(name string) any {
	v, _ := r.meta().Field(name)
	return plain(v)
}

func (r *Record) meta() *info {
	if r.info == nil {
		r.info = r.readInfo()
	}
	return r.info
}

func (r *Record) legacy() bool { return r.meta().legacy }

// restarted tells whether the run has been started again.
func (r *Record) restarted() bool { return several(r.meta().json("attempts")) }

// several tells whether a JSON list has more than one element, without reading them:
// each run of a group is asked for its attempts, and most have one.
func several(list []byte) bool {
	list = bytes.TrimSpace(list)
	depth, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 1 && list[0] == '[':
			return true
		}
	}
	return false
}

// restarts returns where in a metrics file the attempts after the first begin.
func (r *Record) restarts(file string) []int64 {
	attempts, ok := r.Info("attempts").(nodes.List)
	if !ok || attempts.Len() < 2 {
		return nil
	}
	var bounds []int64
	for i := range attempts.Len() {
		attempt, _ := attempts.At(i).(nodes.Map)
		if attempt.Node == nil {
			continue
		}
		sizes, _ := attempt.Field("metrics_bytes")
		if m, ok := sizes.(nodes.Map); ok {
			size, _ := m.Field(file)
			if n, ok := size.(int64); ok && n > 0 {
				bounds = append(bounds, n)
			}
		}
	}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

// Metric returns the series of that name, such as "train.loss", nil if the run
// has none.
func (r *Record) Metric(name string) *Series {
	s, _ := r.series(name)
	return s
}

// series returns a series and whether an expression names it.
func (r *Record) series(name string) (s *Series, named bool) {
	if !r.loaded {
		r.loaded = true
		r.columns = r.loadMetrics(r.demand)
	}
	if i, ok := slices.BinarySearch(r.demand.names, name); ok {
		return r.columns[i], true
	}
	if s, ok := r.extra[name]; ok {
		return s, false
	}
	return r.reread(name), false
}

// reread reads one series that was not asked for in time.
func (r *Record) reread(name string) *Series {
	s := r.loadMetrics(&demand{names: []string{name}, whole: []bool{true}})[0]
	if r.extra == nil {
		r.extra = map[string]*Series{}
	}
	r.extra[name] = s
	return s
}

// Metrics returns summaries of all series of the run, by name. The values of a
// series are read when they are asked for.
func (r *Record) Metrics() []*Series {
	if !r.hasAll {
		r.hasAll = true
		r.all = r.loadAll()
	}
	return r.all
}

// has tells whether the name of a series begins with prefix.
func (r *Record) has(prefix string) bool {
	return slices.ContainsFunc(r.Metrics(), func(s *Series) bool { return strings.HasPrefix(s.Name, prefix) })
}

// duration returns how long the run took, or has taken so far; nil if it never
// started or nobody knows.
func (r *Record) duration() any {
	if s, ok := asFloat(r.Info("seconds")); ok {
		return time.Duration(s * float64(time.Second))
	}
	if started, err := time.Parse(time.RFC3339, r.meta().text("started")); err == nil && r.Status() == logdir.Running {
		return time.Since(started)
	}
	return nil
}
