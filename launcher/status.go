package launcher

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// statusUnknown is shown for a run whose scheduler does not answer.
const statusUnknown logdir.Status = "UNKNOWN"

func statusCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show where runs stand, and what their schedulers say of them",
		ArgsUsage: "[CEL]",
		Description: `Without a condition, the runs that are not at their end: created, submitted,
running, lost, or waiting to start again. Each scheduler is asked at most every
30 s for a log dir, however many ask.

    mlxp status
    mlxp status 'config.method == "adam"'
    watch mlxp status

STATUS is the run's; STATE and WHY are what the scheduler says of its job.
UNKNOWN: the scheduler did not answer. LOST: it knows nothing of the job any more,
or who executed the run is gone; mlxp resume starts it again.`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print an array with an object for each run"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return errors.New("status takes one condition")
			}
			root, err := runs.LogDir(c)
			if err != nil {
				return err
			}
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			var all []logdir.Run
			if where := c.Args().First(); where != "" {
				ids, err := runs.Select(root, where, report.notice)
				if err != nil {
					return err
				}
				for _, id := range ids {
					if run, err := logdir.Find(root, id); err == nil { // else it was removed since
						all = append(all, run)
					}
				}
			} else if all, err = logdir.Runs(root); err != nil {
				return err
			}
			rows, err := status(c.Context, w, root, all, c.NArg() > 0, report)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printStatusJSON(w, rows)
			}
			return printStatus(w, rows, report)
		},
	}
}

// A statusRow is what is told of a run.
type statusRow struct {
	ID        int            `json:"id"`
	Status    logdir.Status  `json:"status"`
	Reason    *logdir.Reason `json:"reason"`
	Scheduler string         `json:"scheduler,omitempty"`
	Job       string         `json:"job,omitempty"`
	State     string         `json:"state,omitempty"` // the scheduler's word
	Why       string         `json:"why,omitempty"`
	Queued    *float64       `json:"queued_seconds,omitempty"` // from its submission to its start, or till now
	Node      string         `json:"node,omitempty"`
	Sign      *float64       `json:"last_sign_seconds,omitempty"` // since the last sign of life of a run that cannot be seen from here
}

// status finds out where runs stand. Those at their end are left out unless all are
// asked for.
func status(ctx context.Context, w World, root string, runs []logdir.Run, all bool, report *reporter) ([]statusRow, error) {
	type looked struct {
		run  logdir.Run
		info *logdir.Info
		job  *logdir.Job
	}
	var seen []looked
	var jobs []submitted
	there, err := logdir.Runs(root)
	if err != nil {
		return nil, err
	}
	index := logdir.OpenIndex(root, there)
	defer index.Save()
	for _, run := range runs {
		info, err := index.ReadInfo(run)
		if errors.Is(err, logdir.ErrNoRecord) {
			continue // no run, or one of MLXP's
		}
		if err != nil {
			report.warn(err.Error())
			continue
		}
		if info.Status == logdir.Complete && !all || info.Status == logdir.Created && info.Sweep != nil && run.Pending(info.Sweep.ID) {
			continue
		}
		job, err := run.ReadJob()
		if err != nil {
			report.warn(err.Error())
		}
		if job != nil && job.Scheduler == localName {
			job = nil
		}
		if info.Status.Ended() && !all && !job.Queued() {
			continue
		}
		seen = append(seen, looked{run, info, job})
		if job.Queued() && info.Status != logdir.Complete {
			jobs = append(jobs, submitted{run, job})
		}
	}
	var q queue
	if len(jobs) > 0 {
		q = lookAt(ctx, w, root, jobs)
		for name, a := range q.Asked {
			if a.Error != "" {
				report.notice(fmt.Sprintf("%s does not answer: %s", name, a.Error))
			}
		}
	}
	var rows []statusRow
	for _, s := range seen {
		row := statusRow{ID: s.run.ID, Status: s.run.ShownStatus(s.info), Reason: s.info.Reason, Node: s.info.Hostname}
		if s.job != nil {
			row.Scheduler, row.Job = s.job.Scheduler, s.job.JobID
			if s.job.Reason != "" && s.info.Status == logdir.Created {
				row.Reason = &s.job.Reason
				row.Why = string(s.job.Message)
			}
			if s.job.Queued() && s.info.Status != logdir.Complete {
				row.fromQueue(s.run, s.info, s.job, q.of(s.job))
			}
		}
		if s.info.Status.Ended() && !all && !(row.State != "" && q.of(s.job).State != scheduler.Ended) {
			continue // its job does not wait to start again
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fromQueue adds what the scheduler says of the run's job.
func (row *statusRow) fromQueue(run logdir.Run, info *logdir.Info, job *logdir.Job, s standing) {
	row.State, row.Why = s.Word, s.Why
	if s.known {
		row.Job = s.ID // it may have another one since it was submitted
	}
	if s.Node != "" {
		row.Node = s.Node
	}
	start := s.Started
	if info.Status != logdir.Created {
		start = info.Started.Time
	} else if s.State != scheduler.Running || start.IsZero() || start.After(time.Now()) {
		start = time.Now()
	}
	if !job.Submitted.IsZero() && info.Status != logdir.Complete {
		queued := max(start.Sub(job.Submitted.Time).Seconds(), 0)
		row.Queued = &queued
	}
	if info.Status.Ended() {
		return
	}
	sign := time.Duration(-1) // no attempt has begun
	if owner, err := run.LastClaim(); err == nil && owner != nil {
		sign = time.Since(owner.Sign)
	}
	alive := sign >= 0 && sign < sureAfter
	switch {
	case row.Status == logdir.Lost:
	case s.silent && !alive:
		row.Status = statusUnknown
	case s.gone && !alive:
		row.Status = logdir.Lost
	case s.known && s.State == scheduler.Ended && row.Status == logdir.Submitted:
		row.Status = logdir.Created
		why := "its job ended before the run started"
		if s.Why != "" {
			why += " (" + s.Why + ")"
		}
		row.Why = why + ": see " + run.Path(logdir.JobLog)
	case s.known && s.State == scheduler.Ended && !alive:
		row.Status = logdir.Lost
	case s.known && s.State == scheduler.Pending && row.Status != logdir.Submitted && !alive:
		row.Status = logdir.Submitted // it was stopped without a word, and waits to start again
	}
	if sign >= sureAfter && (row.Status == logdir.Running || row.Status == logdir.Starting) {
		seconds := sign.Seconds()
		row.Sign = &seconds
	}
}

func printStatusJSON(w World, rows []statusRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w.Stdout, "[]")
		return err
	}
	out := bufio.NewWriter(w.Stdout)
	for i, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		out.WriteString([]string{"[\n", ",\n"}[min(i, 1)])
		out.Write(text)
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

func printStatus(w World, rows []statusRow, report *reporter) error {
	if len(rows) == 0 {
		report.notice("no run is waiting or running")
		return nil
	}
	out := tabwriter.NewWriter(w.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tSTATUS\tJOB\tSTATE\tQUEUED\tNODE\tWHY")
	for _, row := range rows {
		why := row.Why
		if row.Reason != nil {
			why = string(*row.Reason)
			if row.Why != "" {
				why += ": " + row.Why
			}
		}
		if row.Sign != nil {
			why = "last sign of life " + duration(*row.Sign) + " ago"
		}
		queued := ""
		if row.Queued != nil {
			queued = duration(*row.Queued)
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", row.ID, row.Status, dash(row.Job), dash(row.State), dash(queued), dash(row.Node), visible.Text(why))
	}
	return out.Flush()
}

// dash is what a table shows for nothing.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
