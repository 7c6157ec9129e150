package launcher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

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
		client := w.client(name, patience)
		if client == nil {
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
		if err := endJobs(ctx, client, jobs, words, report); err != nil {
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

// endJobs cancels jobs with these ids. Where the scheduler kills at once, those that
// run are asked to end before, and have a moment for it.
func endJobs(ctx context.Context, client *scheduler.Client, jobs []submitted, ids []string, report *reporter) error {
	if client.Renews { // they may have other ids by now
		users, _ := askedFor(jobs)
		entries, err := client.Look(ctx, users, ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if e, ok := scheduler.Latest(byID(entries), id); ok {
				ids[i] = e.ID
			}
		}
	}
	if len(client.Ask) == 0 {
		return client.CancelJobs(ctx, ids)
	}
	var asked []string
	var waitFor []logdir.Run
	for i, j := range jobs {
		if info, err := j.run.ReadInfo(); err == nil && !info.Status.Ended() && info.Status != logdir.Created {
			asked = append(asked, ids[i])
			waitFor = append(waitFor, j.run)
		}
	}
	if len(asked) > 0 {
		if err := client.AskJobs(ctx, asked); err != nil {
			return err
		}
		report.notice(fmt.Sprintf("%s gives no time to end: waiting up to %v for %s before it kills", client.Name, timeToEnd, plural(len(waitFor), "run")))
		await(ctx, waitFor)
	}
	return client.CancelJobs(ctx, ids)
}

// timeToEnd is how long runs have that are cancelled, before a scheduler is told to
// kill them that would do so at once.
const timeToEnd = 20 * time.Second

// await waits until runs have ended, for timeToEnd at most.
func await(ctx context.Context, runs []logdir.Run) {
	deadline := time.Now().Add(timeToEnd)
	for _, run := range runs {
		for time.Now().Before(deadline) && ctx.Err() == nil {
			if info, err := run.ReadInfo(); err != nil || info.Status.Ended() {
				break
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
}
