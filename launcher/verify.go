package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

func verifyCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "run again, or take a second run, and compare metrics and artifacts",
		ArgsUsage: "ID [ID2]",
		Description: `Compares every metric series value by value and every artifact by its hash, and
prints the first difference. Series whose name says that they hold times do not
count: those that end in time, timestamp, seconds, duration or elapsed, or hold
per_second. With one ID, that run is repeated first as mlxp rerun does; with two,
nothing is started.

    mlxp verify 12
    mlxp verify 12 40 --tolerance 1e-6

Exit status: 0 if nothing differs, 1 if something does, or the repeated run failed.`,
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "tolerance", Usage: "numbers may differ by this part of the larger one: `T`"},
			&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"},
			&cli.BoolFlag{Name: "local", Usage: "repeat here what was submitted to a scheduler"},
		},
		Action: func(c *cli.Context) error {
			ids, err := idsOf(c.Args().Slice())
			if err != nil {
				return err
			}
			if len(ids) != 1 && len(ids) != 2 {
				return fault.Hint(errors.New("verify needs the number of a run, or of two"), "mlxp verify 12, or mlxp verify 12 40")
			}
			if t := c.Float64("tolerance"); !(t >= 0 && t < 1) {
				return errors.New("--tolerance needs a number from 0 to 1, such as 1e-6")
			}
			root, err := runs.LogDir(c)
			if err != nil {
				return err
			}
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			if len(ids) == 1 {
				quiet := w
				quiet.Stdout = w.Stderr // the result alone goes to stdout
				if err := waitsForScheduler(root, ids[0], c.Bool("local")); err != nil {
					return err
				}
				again, err := rerun(c.Context, quiet, root, ids[0], nil, poolOptions{jobs: 1}, true, report)
				var failed fault.Silent
				switch {
				case errors.As(err, &failed):
					return fault.Exit(fmt.Errorf("run %d, which repeats run %d, ended with exit status %d", again, ids[0], int(failed)), fault.Incomplete)
				case err != nil:
					return err
				}
				ids = append(ids, again)
			}
			result, err := runs.Compare(root, ids[0], ids[1], c.Float64("tolerance"))
			if err != nil {
				return err
			}
			return printComparison(w, ids[0], ids[1], result, c.Bool("json"), report)
		},
	}
}

// waitsForScheduler refuses to compare with a run that a scheduler would start at
// some time.
func waitsForScheduler(root string, id int, local bool) error {
	run, err := logdir.Find(root, id)
	if err != nil {
		return err
	}
	job, err := run.ReadJob()
	if err != nil || job == nil || job.Scheduler == localName || local {
		return err
	}
	return fault.Hint(fmt.Errorf("run %d was submitted to %s, which starts a repetition when it likes", id, job.Scheduler),
		"mlxp rerun %d, and mlxp verify %d NEW when that is complete; or --local, which runs it here", id, id)
}

func printComparison(w World, a, b int, result Comparison, asJSON bool, report *reporter) error {
	if len(result.LeftOut) > 0 {
		report.notice("not compared, since they hold times: " + strings.Join(result.LeftOut, ", "))
	}
	switch {
	case asJSON:
		if err := json.NewEncoder(w.Stdout).Encode(struct {
			Runs [2]int `json:"runs"`
			Same bool   `json:"same"`
			Comparison
		}{[2]int{a, b}, result.Difference == "", result}); err != nil {
			return err
		}
	case result.Difference != "":
		fmt.Fprintf(w.Stdout, "runs %d and %d differ: %s\n", a, b, result.Difference)
	default:
		fmt.Fprintf(w.Stdout, "runs %d and %d agree: %d metric series (%d values), %d artifacts\n", a, b, result.Series, result.Values, result.Artifacts)
	}
	if result.Difference != "" {
		return exit(fault.Incomplete)
	}
	return nil
}
