package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
	"github.com/mlxp/mlxp/logdir"
)

// notes gathers the warnings of records: each once, with the runs it is about.
type notes struct {
	texts []string
	runs  map[string][]int
}

func (n *notes) record(r *Record) { n.add(r.ID(), r.Warnings) }

func (n *notes) add(id int, texts []string) {
	for _, text := range texts {
		if n.runs == nil {
			n.runs = map[string][]int{}
		}
		if n.runs[text] == nil {
			n.texts = append(n.texts, text)
		}
		n.runs[text] = append(n.runs[text], id)
	}
}

func (n *notes) lines() []string {
	var out []string
	for _, text := range n.texts {
		out = append(out, runList(n.runs[text])+": "+text)
	}
	return out
}

// runList writes ascending numbers of runs: "run 3", "runs 1-4, 9".
func runList(ids []int) string {
	var parts []string
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && ids[j+1] == ids[j]+1 {
			j++
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d-%d", ids[i], ids[j]))
		} else {
			parts = append(parts, fmt.Sprint(ids[i]))
		}
		i = j + 1
	}
	word := "runs "
	if len(ids) == 1 {
		word = "run "
	}
	return word + strings.Join(parts, ", ")
}

// err returns the error of a query whose expressions make no sense of any run.
// A condition that names a field which no run has is one of them, if it matched
// nothing.
func (t *tallies) err(ctx context.Context, l *Log) error {
	all := t.values
	if t.where != nil {
		all = append([]*expr.Tally{t.where}, all...)
	}
	for _, v := range all {
		if err := v.Err(); err != nil {
			return err
		}
	}
	if t.where == nil || t.where.Matches > 0 {
		return nil
	}
	return l.misnamed(ctx, t.where)
}

// checkStatus returns an error if an expression compares the status with a text that
// is none: the answer would be wrong without a word.
func checkStatus(e *expr.Expr) error {
	var names []string
	for _, s := range logdir.Statuses {
		names = append(names, string(s))
	}
	for _, f := range e.Fields {
		if !slices.Equal(f.Path, []string{expr.Info, "status"}) {
			continue
		}
		for _, text := range f.Texts {
			if slices.Contains(names, text) {
				continue
			}
			err := fault.At(fmt.Errorf("%q is no status", text), e.Text, f.Offset)
			if near, ok := nearest.Of(text, names); ok {
				return fault.Hint(err, "did you mean %q?", near)
			}
			return fault.Hint(err, "there are %s", strings.Join(names, ", "))
		}
	}
	return nil
}

// misnamed returns an error for a field of an expression that no run has. That
// of a metric or of the record is none as long as nothing like it is known: there
// may be one later.
func (l *Log) misnamed(ctx context.Context, t *expr.Tally) error {
	for _, f := range t.Strangers() {
		near, ok := l.meant(ctx, f.Path)
		if !ok && (f.Path[0] == expr.Metrics || isInfoPath(f.Path)) {
			continue
		}
		err := fault.At(fmt.Errorf("no run has %s", f), t.Expr.Text, f.Offset)
		if last := len(f.Path) - 1; f.Path[0] == expr.Metrics && f.Path[last] == "-1" {
			return fault.Hint(err, "write %s.last()", expr.PathText(f.Path[:last]))
		}
		if ok {
			return fault.Hint(err, "did you mean %s?", near)
		}
		return fault.Hint(err, "mlxp fields lists what the runs have; has(%s) asks whether a run has it", f)
	}
	return nil
}

// explain returns the error of a query. For an unknown name it tells the field
// that is probably meant.
func (l *Log) explain(ctx context.Context, err error) error {
	var unknown *expr.Unknown
	if !errors.As(err, &unknown) {
		return err
	}
	near, ok := l.meant(ctx, unknown.Path)
	if !ok {
		return err
	}
	if strings.HasPrefix(near, expr.Metrics) && !strings.HasSuffix(near, ")") {
		near += "." + cmp.Or(unknown.Call, "last") + "()"
	}
	p := fault.Place(err)
	return fault.Hint(fault.At(unknown, p.Text, p.Offset), "did you mean %s?", near)
}

// notes tells what did not work in some of the runs.
func (t *tallies) notes(ctx context.Context, l *Log) []string {
	var out []string
	all := t.values
	if t.where != nil {
		out = append(out, t.where.Lacks()...)
		all = append([]*expr.Tally{t.where}, all...)
	}
	for _, v := range all {
		out = append(out, v.Notes()...)
		for _, f := range v.Strangers() {
			text := fmt.Sprintf("no run has %s", f)
			if near, ok := l.meant(ctx, f.Path); ok {
				text += fmt.Sprintf(": did you mean %s?", near)
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return append(slices.Compact(out), t.absentNote()...)
}

// absentNote tells of the directories that hold no run.
func (t *tallies) absentNote() []string {
	if len(t.absent) == 0 {
		return nil
	}
	slices.Sort(t.absent)
	what := strings.TrimPrefix(strings.TrimPrefix(runList(t.absent), "runs "), "run ")
	return []string{fmt.Sprintf("no run in %s: a launch is making it, or was killed while it did; mlxp rm removes what is left", what)}
}

// known is how many runs are looked at for a name to suggest.
const known = 200

// fields lists the fields of the runs, the parts of the result being config,
// info and metrics.
func (l *Log) fields(ctx context.Context) (all [3][][]string) {
	runs, err := logdir.Runs(l.Root)
	if err != nil {
		return all
	}
	seen := map[string]bool{}
	add := func(part int, path ...string) {
		if text := pathText(path); !seen[text] {
			seen[text] = true
			all[part] = append(all[part], path)
		}
	}
	for _, run := range runs[:min(len(runs), known)] {
		if ctx.Err() != nil {
			break
		}
		r := newRecord(l, run, &demand{})
		eachPath(r.Config(), []string{expr.Config}, func(path []string, _ *config.Node) { add(0, slices.Clone(path)...) })
		for _, key := range r.meta().Names() {
			add(1, expr.Info, key)
		}
		for _, name := range r.metricNames() {
			add(2, append([]string{expr.Metrics}, strings.Split(name, ".")...)...)
		}
	}
	for _, key := range infoKeys() {
		add(1, expr.Info, key)
	}
	return all
}

// meant returns the field that a path is probably meant to be, in CEL. A path
// without config, info or metrics in front is looked for in all of them, one in
// config also in the others.
func (l *Log) meant(ctx context.Context, path []string) (string, bool) {
	all := l.fields(ctx)
	part := slices.Index([]string{expr.Config, expr.Info, expr.Metrics}, path[0])
	if part < 0 {
		return nearestPath(path, slices.Concat(all[:]...))
	}
	path = path[1:]
	if len(path) == 0 {
		return "", false
	}
	if call := path[len(path)-1]; part == 2 && slices.Contains(expr.Reductions, call) {
		if field := append([]string{expr.Metrics}, path[:len(path)-1]...); slices.ContainsFunc(all[2], func(p []string) bool { return slices.Equal(p, field) }) {
			return pathText(field) + "." + call + "()", true
		}
	}
	if near, ok := nearestPath(path, all[part]); ok || part > 0 {
		return near, ok
	}
	return nearestPath(path, slices.Concat(all[1:]...))
}

// nearestPath returns that of the fields which is most like a path below its
// root: the same, or nearly; else one whose last part is the same, or nearly.
func nearestPath(path []string, fields [][]string) (string, bool) {
	name, last := strings.Join(path, "."), path[len(path)-1]
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = strings.Join(f[1:], ".")
	}
	i := slices.Index(texts, name)
	if near, ok := nearest.Of(name, texts); i < 0 && ok {
		i = slices.Index(texts, near)
	}
	for _, like := range []func(part string) bool{
		func(part string) bool { return part == last },
		func(part string) bool { _, ok := nearest.Of(last, []string{part}); return ok },
	} {
		if i < 0 {
			i = slices.IndexFunc(fields, func(f []string) bool { return like(f[len(f)-1]) })
		}
	}
	if i < 0 {
		return "", false
	}
	return pathText(fields[i]), true
}

// infoKeys lists the keys of a record.
func infoKeys() []string {
	var keys []string
	t := reflect.TypeFor[logdir.Info]()
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}

func isInfoPath(path []string) bool {
	return len(path) > 1 && path[0] == expr.Info && slices.Contains(infoKeys(), path[1])
}
