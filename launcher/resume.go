package launcher

import (
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

func resumeCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "start runs again, or for the first time, in their own directories",
		ArgsUsage: "ID… | --where CEL",
		Description: `A run starts again with its command, config and directory as they are; its
program finds MLXP_RESTARTS counted up. Runs that are complete or live are left
alone and named.

    mlxp resume 43
    mlxp resume --where 'info.sweep.id == 41 && info.status != "COMPLETE"'

Exit status: as of a launch.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "where", Usage: "the runs for which `CEL` holds"},
		}, poolFlags...),
		Action: func(c *cli.Context) error {
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			root, ids, err := runs.named(c, report.notice)
			if err != nil {
				return err
			}
			o, err := readPool(c, w)
			if err != nil {
				return err
			}
			return resume(w, root, ids, o, report)
		},
	}
}

func resume(w World, root string, ids []int, o poolOptions, report *reporter) error {
	var todo []logdir.Run
	sweeps := map[int]int{} // sizes, by number
	for _, id := range ids {
		run, err := logdir.Find(root, id)
		if err != nil {
			return err
		}
		info, err := run.ReadInfo()
		if err != nil {
			return err
		}
		if info.Sweep != nil {
			sweeps[info.Sweep.ID] = info.Sweep.Size
			if info.Status == logdir.Created && run.Pending(info.Sweep.ID) {
				return fault.Hint(fmt.Errorf("run %d is part of a sweep that was never wholly made", id), "launch it again; mlxp rm removes what is left")
			}
		}
		if info.Status == logdir.Complete {
			report.notice(fmt.Sprintf("run %d is complete", id))
			continue
		}
		live, err := run.Live()
		if err != nil {
			return err
		}
		if live != nil {
			report.notice(live.Error())
			continue
		}
		todo = append(todo, run)
	}
	if err := missing(root, sweeps, report.notice); err != nil {
		return err
	}
	if len(todo) == 0 {
		report.notice("nothing to resume")
		return nil
	}
	report.start(root, len(todo), min(o.jobs, len(todo)))
	return execute(w, todo, o, catchSignals(), report)
}

// missing tells of combinations of the sweeps that have no run in root: they were
// left out at the launch, or removed.
func missing(root string, sizes map[int]int, notice func(string)) error {
	if len(sizes) == 0 {
		return nil
	}
	runs, err := logdir.Runs(root)
	if err != nil {
		return err
	}
	there := map[int]int{}
	index := logdir.OpenIndex(root, runs)
	defer index.Save()
	for _, run := range runs {
		if info, err := index.ReadInfo(run); err == nil && info.Sweep != nil {
			there[info.Sweep.ID]++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(sizes)) {
		if n := sizes[id] - there[id]; n > 0 {
			notice(fmt.Sprintf("%d of the %d combinations of sweep %d have no run: left out when it was launched, or removed since; its command line with --skip-done makes them", n, sizes[id], id))
		}
	}
	return nil
}
