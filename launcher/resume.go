package launcher

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/process"
	"github.com/mlxp/mlxp/logdir"
)

func resumeCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "start runs again, or for the first time, in their own directories",
		ArgsUsage: "ID… | --where CEL",
		Description: `A run starts again with its command, config and directory as they are; its
program finds MLXP_RESTARTS counted up. Runs that are complete, live or in a
scheduler's queue are left alone and named. A run that was submitted is submitted
again, with its job script as it stands in its directory.

    mlxp resume 43
    mlxp resume --where 'info.sweep.id == 41 && info.status != "COMPLETE"'

Exit status: as of a launch, or of sub.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "where", Usage: "the runs for which `CEL` holds"},
			&cli.BoolFlag{Name: "local", Usage: "run the job scripts of submitted runs on this machine"},
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
			return resume(c.Context, w, root, ids, o, c.Bool("local"), report)
		},
	}
}

// resume starts runs again that can be: those that were submitted by their
// schedulers, unless local is set, the others here.
func resume(ctx context.Context, w World, root string, ids []int, o poolOptions, local bool, report *reporter) error {
	var here []logdir.Run
	var jobs []submitted
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
		job, err := run.ReadJob()
		if err != nil {
			return err
		}
		live, err := run.Live()
		if err != nil {
			return err
		}
		if live != nil && (live.Life == process.Alive || job == nil || job.Scheduler == localName) {
			report.notice(live.Error())
			continue
		}
		if job == nil {
			here = append(here, run)
			continue
		}
		jobs = append(jobs, submitted{run, job})
	}
	if err := missing(root, sweeps, report.notice); err != nil {
		return err
	}
	jobs, err := unqueued(ctx, w, jobs, report)
	if err != nil {
		return err
	}
	if len(here)+len(jobs) == 0 {
		report.notice("nothing to resume")
		return nil
	}
	if len(jobs) == 0 {
		report.start(root, len(here), min(o.jobs, len(here)))
		return execute(w, here, o, catchSignals(), report)
	}
	if len(here) > 0 {
		return fault.Hint(fmt.Errorf("some of these runs were submitted (%s), others were launched here (%s)", numbers(idsOfJobs(jobs)), numbers(idsOfRuns(here))),
			"resume them by two commands: the first go to their scheduler, the others run here")
	}
	return submitAgain(ctx, w, root, jobs, o, local, report)
}

// submitAgain submits runs under a new token; where there is no scheduler, or local
// is set, their job scripts run here.
func submitAgain(ctx context.Context, w World, root string, jobs []submitted, o poolOptions, local bool, report *reporter) error {
	signals := catchSignals()
	token := newToken()
	var remote, scripts []resubmission
	for _, j := range jobs {
		r, err := readScript(j.run, j.job)
		if err != nil {
			return err
		}
		if local {
			r.job.Scheduler = localName
		}
		if err := r.renew(j.run, token, jobs[0].run.ID, userName(w)); err != nil {
			return err
		}
		if r.job.Scheduler == localName {
			scripts = append(scripts, r)
		} else {
			remote = append(remote, r)
		}
	}
	var err error
	if len(remote) > 0 {
		err = resubmit(ctx, w, root, remote, signals, report)
	}
	if len(scripts) > 0 {
		var runs []logdir.Run
		for _, r := range scripts {
			runs = append(runs, r.run)
		}
		err = cmp.Or(executeScripts(w, root, runs, scripts[0].shell, o, signals, report), err)
	}
	return err
}

func idsOfJobs(jobs []submitted) []int {
	ids := make([]int, len(jobs))
	for i, j := range jobs {
		ids[i] = j.run.ID
	}
	return ids
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
