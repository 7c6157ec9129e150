package launcher

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

func cancelCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "cancel",
		Usage:     "cancel the jobs of runs",
		ArgsUsage: "ID… | --where CEL",
		Description: `A job that waits is taken out of its queue; the program of one that runs gets
SIGTERM, as when the scheduler cancels it. The runs stay, and mlxp resume submits
them again.

    mlxp cancel 43 44
    mlxp cancel --where 'info.sweep.id == 41'

Exit status: 0 if the schedulers took all cancellations, 1 otherwise.`,
		Flags: []cli.Flag{&cli.StringFlag{Name: "where", Usage: "the runs for which `CEL` holds"}},
		Action: func(c *cli.Context) error {
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			root, ids, err := runs.named(c, report.notice)
			if err != nil {
				return err
			}
			return cancel(c.Context, w, root, ids, report)
		},
	}
}

// cancel cancels the jobs of runs.
func cancel(ctx context.Context, w World, root string, ids []int, report *reporter) error {
	byScheduler := map[string][]submitted{}
	n := 0
	for _, id := range ids {
		run, err := logdir.Find(root, id)
		if err != nil {
			return err
		}
		info, err := run.ReadInfo()
		if err != nil {
			return err
		}
		job, err := run.ReadJob()
		if err != nil {
			return err
		}
		switch {
		case info.Status == logdir.Complete:
			report.notice(fmt.Sprintf("run %d is complete", id))
		case job == nil || job.Scheduler == localName:
			report.notice(fmt.Sprintf("run %d was not submitted: who launched it can end it, with Ctrl-C", id))
		case !job.Queued():
			report.notice(fmt.Sprintf("run %d has no job", id))
		default:
			byScheduler[job.Scheduler] = append(byScheduler[job.Scheduler], submitted{run, job})
		}
	}
	failed := false
	for _, name := range slices.Sorted(maps.Keys(byScheduler)) {
		s := scheduler.ByName(name)
		if s == nil {
			return fmt.Errorf("there is no scheduler %s", name)
		}
		jobs := byScheduler[name]
		var words []string
		for _, j := range jobs {
			// Before the scheduler is told, so that a job that ends knows why.
			j.job.Cancelled = logdir.Now()
			if err := j.run.WriteJob(j.job); err != nil {
				return fault.Exit(err, fault.Incomplete)
			}
			words = append(words, j.job.JobID)
		}
		client := &scheduler.Client{Scheduler: s, Environ: scheduler.CleanEnviron(w.Environ), Timeout: patience}
		if err := client.CancelJobs(ctx, words); err != nil {
			failed = true
			report.warn(err.Error())
			for _, j := range jobs {
				j.job.Cancelled = logdir.Time{}
				if err := j.run.WriteJob(j.job); err != nil {
					report.warn(err.Error())
				}
			}
			continue
		}
		n += len(jobs)
		for _, j := range jobs {
			if owner, err := j.run.LastClaim(); err != nil || owner != nil {
				continue // it has started: it records its end itself
			}
			j.job.Reason = logdir.Cancelled
			if err := j.run.WriteJob(j.job); err != nil {
				report.warn(err.Error())
			}
		}
	}
	if n > 0 && !report.quiet {
		report.say("%d %s cancelled", n, plural(n, "job"))
	}
	if failed {
		return fault.Silent(fault.Incomplete)
	}
	return nil
}
