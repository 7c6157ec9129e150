// Package reader answers questions about the runs in a log dir: which match a
// condition, what they measured, how groups of them compare.
//
// Conditions, columns, sort keys and group keys are CEL expressions over a run's
// id, config, info, metrics and artifacts; see docs/query.md. Reading never
// changes a run, needs no write permission, and works on runs that are going on
// and on directories written by MLXP for Python.
//
//	log, err := reader.Open("logs")
//	table, err := log.Query(ctx, reader.Query{
//		Where: `info.status == "COMPLETE"`,
//		Group: []string{"config.method"},
//		Agg:   []string{"mean(metrics.test.loss.last())"},
//	})
//
// Of each run, only those files are read that the answer hangs on: a condition
// on the config is decided before any metrics are opened, and of these only the
// series that are named are kept. What was read stays in .mlxp of the log dir, if
// that can be written, for the next question; it changes no answer.
package reader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

// A Log is a log dir to read. Any number of goroutines may use it.
type Log struct {
	Root string // absolute

	buffers sync.Pool // of *[]byte, for reading metrics
}

// Open returns the log dir at root. It has to exist; it may be empty.
func Open(root string) (*Log, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("log dir: %w", err)
	}
	st, err := os.Stat(abs)
	if err == nil && !st.IsDir() {
		err = &fs.PathError{Op: "open", Path: abs, Err: fmt.Errorf("not a directory")}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Hint(fmt.Errorf("there is no log dir %s", abs), "are you in the directory where you launched? --log-dir DIR names the log dir")
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("log dir: %w", err), "--log-dir DIR names the log dir")
	}
	return &Log{Root: abs}, nil
}

// Runs yields the runs for which the condition where holds, all of them if it is
// empty, by number. They are read as the loop goes. An error ends the sequence:
// the condition is wrong, or ctx is done. At the end notice is called, unless it
// is nil, with each thing that a user should know besides, such as how many runs
// lack a field that the condition hangs on.
func (l *Log) Runs(ctx context.Context, where string, notice func(text string)) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		p, err := newPlan(where, nil)
		if err != nil {
			yield(nil, l.explain(ctx, err))
			return
		}
		tallies, err := p.tallies()
		if err != nil {
			yield(nil, err)
			return
		}
		runs, err := logdir.Runs(l.Root)
		if err != nil {
			yield(nil, err)
			return
		}
		index, series := logdir.OpenIndex(l.Root, runs), openSeries(l.Root, runs)
		defer series.save()
		defer index.Save()
		var warned notes
		for _, run := range runs {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			r := l.indexed(index, series, run, p.demand)
			matches := tallies.match(r)
			warned.record(r)
			r.keep()
			if matches && !yield(r, nil) {
				return
			}
		}
		if err := tallies.err(ctx, l); err != nil {
			yield(nil, err)
			return
		}
		if notice != nil {
			for _, text := range append(warned.lines(), tallies.notes(ctx, l)...) {
				notice(text)
			}
		}
	}
}

// Find returns the run of that number. The error is [fs.ErrNotExist] if there is
// none.
func (l *Log) Find(id int) (*Record, error) {
	run, err := logdir.Find(l.Root, id)
	if err != nil {
		return nil, err
	}
	return newRecord(l, run, &demand{}), nil
}

// A plan is what is asked of each run.
type plan struct {
	where  *expr.Expr // nil: every run
	values []*expr.Expr
	demand *demand

	// read, if it is set, reads what is needed besides of a run that matches.
	// It is called by several goroutines, each with runs of its own.
	read func(*Record) any
}

func newPlan(where string, values []*expr.Expr) (*plan, error) {
	p := &plan{values: values}
	exprs := values
	if where != "" {
		var err error
		if p.where, err = expr.CompileFilter(where, expr.Run...); err != nil {
			return nil, err
		}
		exprs = append([]*expr.Expr{p.where}, values...)
	}
	for _, e := range exprs {
		if err := checkStatus(e); err != nil {
			return nil, err
		}
	}
	p.demand = demandOf(exprs)
	return p, nil
}

// A row is what came of a run that matched. A value that is absent is nil, as
// null is.
type row struct {
	id     int
	record *Record
	values []any
	read   any // what the plan's read returned
}

// tallies evaluate a plan.
type tallies struct {
	where  *expr.Tally
	values []*expr.Tally
	runs   int
	absent []int // directories that hold no run
}

func (p *plan) tallies() (*tallies, error) {
	t := new(tallies)
	var err error
	if p.where != nil {
		if t.where, err = p.where.Tally(); err != nil {
			return nil, err
		}
	}
	for _, e := range p.values {
		v, err := e.Tally()
		if err != nil {
			return nil, err
		}
		t.values = append(t.values, v)
	}
	return t, nil
}

// match tells whether r is a run for which the condition holds.
func (t *tallies) match(r *Record) bool {
	if r.absent() {
		t.absent = append(t.absent, r.ID())
		return false
	}
	t.runs++
	return t.where == nil || t.where.Match(r)
}

func (t *tallies) row(r *Record) row {
	out := row{id: r.ID(), record: r, values: make([]any, len(t.values))}
	for i, v := range t.values {
		out.values[i], _ = v.Value(r)
		out.values[i] = plain(out.values[i])
		if s, ok := out.values[i].(*Series); ok && s.whole {
			s.record = nil // it needs no more of the run, which can be let go
		}
	}
	return out
}

func (t *tallies) merge(other *tallies) {
	t.runs += other.runs
	t.absent = append(t.absent, other.absent...)
	if t.where != nil {
		t.where.Merge(other.where)
	}
	for i := range t.values {
		t.values[i].Merge(other.values[i])
	}
}

// rows evaluates the plan for all runs, on all processors, and calls visit with
// the rows by number. visit owns a row only until it returns, unless it keeps the
// record on purpose.
func (l *Log) rows(ctx context.Context, p *plan, visit func(row)) (*tallies, error) {
	runs, err := logdir.Runs(l.Root)
	if err != nil {
		return nil, err
	}
	total, err := p.tallies()
	if err != nil {
		return nil, err
	}
	workers := min(runtime.GOMAXPROCS(0), 1+len(runs)/block)
	all := make([]*tallies, workers)
	for i := range all {
		if all[i], err = p.tallies(); err != nil {
			return nil, err
		}
	}
	index, series := logdir.OpenIndex(l.Root, runs), openSeries(l.Root, runs)
	defer series.save()
	defer index.Save()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	blocks := (len(runs) + block - 1) / block
	done := make([]chan []row, blocks)
	for i := range done {
		done[i] = make(chan []row, 1)
	}
	var next atomic.Int64
	ahead := make(chan struct{}, 4*workers) // blocks that are read and not yet visited
	for _, t := range all {
		go func() {
			for {
				select {
				case ahead <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= blocks {
					return
				}
				var out []row
				for _, run := range runs[i*block : min((i+1)*block, len(runs))] {
					r := l.indexed(index, series, run, p.demand)
					if t.match(r) {
						row := t.row(r)
						if p.read != nil {
							row.read = p.read(r)
						}
						out = append(out, row)
					}
					r.keep()
					if ctx.Err() != nil {
						return
					}
				}
				done[i] <- out
			}
		}()
	}
	for i := range done {
		select {
		case out := <-done[i]:
			for _, r := range out {
				visit(r)
			}
			<-ahead
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for _, t := range all {
		total.merge(t)
	}
	return total, nil
}

// block is how many runs a goroutine takes at a time.
const block = 8
