package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
)

// Commands returns the commands query, show, fields and diff. logDir tells the
// log dir that a command line asks for. They understand the flags --no-color
// and --quiet where the app has them.
func Commands(logDir func(*cli.Context) (string, error)) []*cli.Command {
	commands := []*cli.Command{queryCommand(logDir), showCommand(logDir), fieldsCommand(logDir), diffCommand(logDir), logsCommand(logDir)}
	for _, c := range commands {
		c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return err }
	}
	return commands
}

// output is where and how a command writes.
type output struct {
	log   string // the log dir
	form  string
	style Style
	out   io.Writer // results
	notes io.Writer // everything else; nil for nothing
}

var outputFlags = []cli.Flag{
	&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: FormTable, Usage: "write `FORM`: " + strings.Join(Forms, ", ")},
	&cli.BoolFlag{Name: "json", Usage: "the same as -o json"},
}

func newOutput(c *cli.Context, logDir func(*cli.Context) (string, error)) (output, error) {
	o := output{form: c.String("output"), out: c.App.Writer, notes: c.App.ErrWriter}
	if c.Bool("json") {
		if c.IsSet("output") && o.form != FormJSON {
			return o, fmt.Errorf("--json and -o %s ask for two forms", o.form)
		}
		o.form = FormJSON
	}
	if o.form == "" {
		o.form = FormTable
	}
	if !slices.Contains(Forms, o.form) {
		err := fmt.Errorf("-o %s: there is no such form", o.form)
		if near, ok := nearest.Of(o.form, Forms); ok {
			return o, fault.Hint(err, "did you mean %s?", near)
		}
		return o, fault.Hint(err, "the forms are %s", strings.Join(Forms, ", "))
	}
	if c.Bool("quiet") {
		o.notes = io.Discard
	}
	if f, ok := c.App.Writer.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.style.Width = width
		}
		o.style.Color = !c.Bool("no-color") && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	var err error
	o.log, err = logDir(c)
	return o, err
}

func (o output) note(format string, args ...any) {
	fmt.Fprintf(o.notes, "mlxp: "+format+"\n", args...)
}

func (o output) write(t *Table) error {
	t = t.shaped(o.form)
	for _, n := range t.Notes {
		o.note("%s", n)
	}
	if len(t.Rows) < t.Total {
		o.note("%d of %d rows shown (--limit)", len(t.Rows), t.Total)
	}
	if o.form == FormTable && len(t.Rows) == 0 {
		o.note("no runs")
		return nil
	}
	return t.Write(o.out, o.form, o.style)
}

// condition takes the one CEL word of a command.
func condition(c *cli.Context) (string, error) {
	switch c.NArg() {
	case 0:
		return "", nil
	case 1:
		if strings.TrimSpace(c.Args().First()) == "" {
			return "", errors.New("the condition is empty; leave it out for all runs")
		}
	}
	words := c.Args().Slice()
	if ids, err := parseIDs(words); err == nil {
		where := fmt.Sprintf("id == %d", ids[0])
		if len(ids) > 1 {
			where = "id in " + string(appendJSON(nil, idList(ids)))
		}
		err := fmt.Errorf("%s is no condition", strings.Join(words, " "))
		return "", fault.Hint(err, "mlxp %s '%s'; mlxp show %s shows all of a run", c.Command.Name, where, strings.Join(words, " "))
	}
	if len(words) == 1 {
		return words[0], nil
	}
	err := fmt.Errorf("mlxp %s takes one condition, not %d words", c.Command.Name, len(words))
	if fields := c.StringSlice("fields"); len(fields) > 0 {
		return "", fault.Hint(err, "columns have commas between them: --fields '%s'", strings.Join(append(fields, words...), ","))
	}
	return "", fault.Hint(err, "put it between quotes: mlxp %s '%s'", c.Command.Name, strings.Join(words, " "))
}

type queryOptions struct {
	output
	query Query
}

func queryCommand(logDir func(*cli.Context) (string, error)) *cli.Command {
	return &cli.Command{
		Name:      "query",
		Usage:     "list, sort, group, aggregate and export runs",
		ArgsUsage: "[CEL]",
		Description: `Lists the runs for which the condition CEL holds, all of them without one. An
expression may use id, config.*, info.*, metrics.* (series, with the functions
first, last, min, max, mean, sum, len, argmin, argmax, at) and artifacts.

   mlxp query 'config.optimizer.lr < 1.0 && info.status == "COMPLETE"'
   mlxp query --fields 'config.lr,best=metrics.test.loss.min()' --sort best
   mlxp query --group config.method --agg 'mean(metrics.test.loss.last())'
   mlxp query --group config.units,config.lr --per config.units \
      --best 'mean(metrics.train.loss.last())'

Aggregates are mean, std, sem, ci95, median, min, max, count, first, collect. A
NaN makes sums and means NaN; min and max pass over it. In Markdown and LaTeX
the columns mean(X) and std(X) become one, "mean ± std", under the name of the
former. A run that lacks a field which the condition hangs on does not match.

Exit status: 0, also if no run matches; 2 for a bad query.`,
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "fields", Aliases: []string{"f"}, Usage: "columns of runs: `CEL` or NAME=CEL, several with commas"},
			&cli.StringSliceFlag{Name: "sort", Aliases: []string{"s"}, Usage: "sort by a column or `CEL`; -CEL for descending"},
			&cli.IntFlag{Name: "limit", Aliases: []string{"n"}, Usage: "show the first `N` rows only"},
			&cli.StringSliceFlag{Name: "group", Aliases: []string{"g"}, Usage: "group runs by `CEL` or NAME=CEL, several with commas"},
			&cli.StringSliceFlag{Name: "agg", Aliases: []string{"a"}, Usage: "columns of groups: `CEL` with aggregates, or NAME=CEL"},
			&cli.StringFlag{Name: "having", Usage: "keep the groups for which `CEL` holds"},
			&cli.StringFlag{Name: "best", Usage: "keep the groups for which `CEL` is least; -CEL or max(…): greatest"},
			&cli.StringSliceFlag{Name: "per", Usage: "find the best for each value of these group keys (`CEL`)"},
		}, outputFlags...),
		Action: func(c *cli.Context) error {
			o, err := newOutput(c, logDir)
			if err != nil {
				return err
			}
			where, err := condition(c)
			if err != nil {
				return err
			}
			if c.IsSet("limit") && c.Int("limit") < 1 {
				return fmt.Errorf("--limit %d: at least 1", c.Int("limit"))
			}
			return runQuery(c.Context, queryOptions{o, Query{
				Where:  where,
				Fields: c.StringSlice("fields"),
				Sort:   c.StringSlice("sort"),
				Limit:  c.Int("limit"),
				Group:  c.StringSlice("group"),
				Agg:    c.StringSlice("agg"),
				Having: c.String("having"),
				Best:   c.String("best"),
				Per:    c.StringSlice("per"),
			}})
		},
	}
}

func runQuery(ctx context.Context, o queryOptions) error {
	log, err := Open(o.log)
	if err != nil {
		return err
	}
	t, err := log.Query(ctx, o.query)
	if errors.Is(err, expr.ErrNotCondition) && len(o.query.Fields) > 0 {
		return fault.Hint(err, "if it is a column, it needs a comma before it: --fields '%s,%s'", strings.Join(o.query.Fields, ","), o.query.Where)
	}
	if err != nil {
		return err
	}
	return o.write(t)
}

func fieldsCommand(logDir func(*cli.Context) (string, error)) *cli.Command {
	return &cli.Command{
		Name:      "fields",
		Usage:     "list the fields that runs have",
		ArgsUsage: "[CEL]",
		Description: `Lists the fields of config, info and metrics that the runs have for which the
condition CEL holds: their types, how many runs have them, example values.

   mlxp fields
   mlxp fields 'config.method == "sgd"'

Exit status: 0; 2 for a bad query.`,
		Flags: outputFlags,
		Action: func(c *cli.Context) error {
			o, err := newOutput(c, logDir)
			if err != nil {
				return err
			}
			where, err := condition(c)
			if err != nil {
				return err
			}
			return runFields(c.Context, o, where)
		},
	}
}

func runFields(ctx context.Context, o output, where string) error {
	log, err := Open(o.log)
	if err != nil {
		return err
	}
	t, err := log.Fields(ctx, where)
	if err != nil {
		return err
	}
	return o.write(t)
}

func diffCommand(logDir func(*cli.Context) (string, error)) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "show what differs between runs",
		ArgsUsage: "[CEL]",
		Description: `Lists the config keys that differ between the runs for which the condition CEL
holds, with the values that they have and the runs that have each.

   mlxp diff 'id in [41, 42]'
   mlxp diff --over info 'info.status == "FAILED"'

Exit status: 0; 2 for a bad query.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "over", Value: expr.Config, Usage: "compare `WHAT`: config or info"},
		}, outputFlags...),
		Action: func(c *cli.Context) error {
			o, err := newOutput(c, logDir)
			if err != nil {
				return err
			}
			where, err := condition(c)
			if err != nil {
				return err
			}
			over := c.String("over")
			if over != expr.Config && over != expr.Info {
				return fmt.Errorf("--over %s: it is config or info", over)
			}
			return runDiff(c.Context, o, where, over)
		},
	}
}

func runDiff(ctx context.Context, o output, where, over string) error {
	log, err := Open(o.log)
	if err != nil {
		return err
	}
	t, err := log.Diff(ctx, where, over)
	if err != nil {
		return err
	}
	if o.form == FormTable && len(t.Rows) == 0 {
		o.note("nothing differs")
		return nil
	}
	return o.write(t)
}

type showOptions struct {
	output
	ids  []int
	path bool
	name string // of an artifact, with path
}

func showCommand(logDir func(*cli.Context) (string, error)) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show all that is known of runs",
		ArgsUsage: "ID… | FIRST-LAST | ID --path [NAME]",
		Description: `Shows what a run executed, how it ended, its config, a summary of its metrics, its
artifacts, and of a run that failed the end of its log.

   mlxp show 43
   mlxp show --json 43 44
   python3 plot.py "$(mlxp show 43 --path ckpt/9.pt)"

Exit status: 0; 2 if there is no such run or artifact.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "one JSON object per run and line"},
			&cli.BoolFlag{Name: "path", Usage: "print the path of the run's directory, or of its artifact or file NAME"},
		},
		Action: func(c *cli.Context) error {
			o, err := newOutput(c, logDir)
			if err != nil {
				return err
			}
			s := showOptions{output: o, path: c.Bool("path")}
			words := c.Args().Slice()
			if len(words) == 0 {
				return fault.Hint(errors.New("which run?"), "mlxp show ID; mlxp query lists the runs")
			}
			if s.path && len(words) > 2 {
				return errors.New("--path takes one run and one artifact")
			}
			if s.path && len(words) == 2 {
				s.name, words = words[1], words[:1]
			}
			if s.ids, err = parseIDs(words); err != nil {
				return err
			}
			return runShow(s)
		},
	}
}

// parseIDs reads numbers of runs: 3, or 3-5 for 3, 4 and 5.
func parseIDs(words []string) ([]int, error) {
	const most = 1000 // in a range
	var ids []int
	for _, word := range words {
		from, to, isRange := strings.Cut(word, "-")
		first, err := strconv.Atoi(from)
		last := first
		if isRange && err == nil {
			last, err = strconv.Atoi(to)
		}
		if err != nil || first < 1 || last < first || last-first >= most {
			return nil, fault.Hint(fmt.Errorf("%q is not the number of a run", word), "mlxp query lists the runs")
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func runShow(o showOptions) error {
	log, err := Open(o.log)
	if err != nil {
		return err
	}
	var runs []*Record
	for _, id := range o.ids {
		r, err := log.Find(id)
		if errors.Is(err, fs.ErrNotExist) {
			return fault.Hint(fmt.Errorf("there is no run %d in %s", id, log.Root), "mlxp query lists the runs")
		}
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	var warned notes
	for i, r := range runs {
		switch {
		case o.path:
			path, err := r.Path(o.name)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(o.out, path); err != nil {
				return err
			}
			continue
		case o.form == FormJSON:
			if _, err := o.out.Write(append(r.AppendJSON(nil), '\n')); err != nil {
				return err
			}
		default:
			if i > 0 {
				if _, err := fmt.Fprintln(o.out); err != nil {
					return err
				}
			}
			if err := r.Write(o.out, o.style); err != nil {
				return err
			}
		}
		warned.record(r)
	}
	for _, n := range warned.lines() {
		o.note("%s", n)
	}
	return nil
}
