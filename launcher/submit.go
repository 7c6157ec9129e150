package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// A handover gives job scripts of runs that are made to a scheduler.
type handover struct {
	client     *scheduler.Client
	limits     scheduler.Limits
	noArray    bool
	maxRunning int
	options    []string // what mlxp's header lines say besides
	shell      []string
	header     []string // the user's header lines
	json       bool
	out        *os.File
	report     *reporter

	refusals     int    // since the last job that was accepted
	refusal      string // the last one
	jobs, queued int    // jobs and runs that were accepted
	refused      []int  // runs
	left         []int  // runs that the scheduler was not asked about

	rejected *logdir.Run // the first that the scheduler will not take as it is; nil: there is none
}

// A handed is a run with what is known of its job.
type handed struct {
	run logdir.Run
	job *logdir.Job
}

// enough refusals in a row with the same words are the answer to what follows, too.
const enough = 3

// submit hands runs over: as arrays where the scheduler has them, else one by one.
// The runs are of one log dir and of one launching statement. It returns early if
// stop is closed.
func (h *handover) submit(ctx context.Context, runs []handed, stop <-chan struct{}) error {
	size := 1
	if !h.noArray && h.client.Options.Array.Write != "" {
		size = max(h.limits.Array, 1)
	}
	for piece := range slices.Chunk(runs, size) {
		if isClosed(stop) || h.refusals >= enough {
			for _, r := range piece {
				h.left = append(h.left, r.run.ID)
			}
			continue
		}
		if err := h.piece(ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

// piece hands over the runs of one job or of one array.
func (h *handover) piece(ctx context.Context, runs []handed) error {
	first := runs[0]
	path, tasks := first.run.Path(logdir.ScriptSh), 0
	if len(runs) > 1 {
		tasks = len(runs)
		var ids []logdir.Run
		for _, r := range runs {
			ids = append(ids, r.run)
		}
		if err := first.run.MakeArray(first.job.Token, ids); err != nil {
			return err
		}
		dir := first.run.ArrayDir(first.job.Token)
		text := arrayScript(heading{
			scheduler: h.client.Scheduler, shell: h.shell, user: h.header,
			name: first.job.Name, throttle: h.maxRunning, options: h.options,
		}, dir, ids)
		name := filepath.Join(filepath.Base(dir), logdir.ScriptSh)
		if err := first.run.WriteScript(name, []byte(text)); err != nil {
			return err
		}
		path = first.run.Path(name)
	}
	h.client.Patience = 5 * time.Second
	h.client.Slow = func(command, said string) {
		if h.report.quiet {
			return
		}
		h.report.say("%s has not answered for %v; Ctrl-C ends it, and mlxp resume submits what is left", command, h.client.Patience)
		if said != "" {
			h.report.say("%s: %s", command, said)
		}
	}
	receipt, err := h.client.SubmitScript(ctx, path, tasks)
	var failure *scheduler.Error
	if errors.As(err, &failure) {
		return h.refuse(runs, failure)
	}
	if err != nil {
		return err
	}
	h.refusals, h.jobs, h.queued = 0, h.jobs+1, h.queued+len(runs)
	now := logdir.Now()
	for i, r := range runs {
		job := r.job
		job.JobID, job.Script, job.Submitted = receipt.Tasks[i], jsontext.Text(path), now
		if tasks > 0 {
			job.Array, job.Task = receipt.ID, i+1
		}
		if err := r.run.WriteJob(job); err != nil {
			h.report.warn(fmt.Sprintf("job %s was submitted, but that cannot be recorded: %v", job.JobID, err))
		}
	}
	return h.print(receipt.ID, runs)
}

// print tells of a job on stdout.
func (h *handover) print(id string, runs []handed) error {
	ids := make([]int, len(runs))
	for i, r := range runs {
		ids[i] = r.run.ID
	}
	if !h.json {
		_, err := fmt.Fprintf(h.out, "%s\t%s\n", id, numbers(ids))
		return err
	}
	return json.NewEncoder(h.out).Encode(struct {
		Scheduler string `json:"scheduler"`
		ID        string `json:"scheduler_job_id"`
		Runs      []int  `json:"runs"`
	}{h.client.Name, id, ids})
}

// refuse records that the scheduler did not take runs. If it did not answer at all
// they may be in its queue all the same: that is not said of them.
func (h *handover) refuse(runs []handed, failure *scheduler.Error) error {
	message := failure.Error()
	if message == h.refusal {
		h.refusals++
	} else {
		h.refusal, h.refusals = message, 1
	}
	if failure.Silent() || h.client.Full != nil && h.client.Full().MatchString(message) {
		h.refusals = enough
	} else if h.rejected == nil {
		h.rejected = &runs[0].run
	}
	ids := make([]int, len(runs))
	for i, r := range runs {
		ids[i] = r.run.ID
		r.job.Message = jsontext.Text(message)
		if !failure.Silent() {
			r.job.Reason = logdir.Rejected
		}
		if err := r.run.WriteJob(r.job); err != nil {
			return err
		}
	}
	h.refused = append(h.refused, ids...)
	h.report.warn(fmt.Sprintf("%s %s: %s", plural(len(ids), "run"), numbers(ids), message))
	return nil
}

// sum tells what was handed over and returns the error that gives mlxp its exit
// status.
func (h *handover) sum() error {
	if !h.report.quiet && h.queued > 0 {
		h.report.say("%d %s submitted to %s in %d %s; mlxp status shows them", h.queued, plural(h.queued, "run"), h.client.Name, h.jobs, plural(h.jobs, "job"))
	}
	rest := append(h.refused, h.left...)
	if len(rest) == 0 {
		return nil
	}
	if len(h.left) > 0 {
		h.report.say("not submitted: %s %s", plural(len(h.left), "run"), numbers(h.left))
	}
	if r := h.rejected; r != nil {
		h.report.say("hint: what is refused stays as it is: correct the header lines in %s, then mlxp resume %d; or correct your script, mlxp rm %s, and submit it again",
			h.report.short(r.Path(logdir.ScriptSh)), r.ID, numbersArgs(rest))
	} else {
		h.report.say("hint: mlxp resume %s submits %s", numbersArgs(rest), them(len(rest)))
	}
	return fault.Silent(fault.Incomplete)
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// numbersArgs writes run numbers as the words of a command, or as a condition if they
// are many.
func numbersArgs(ids []int) string {
	slices.Sort(ids)
	if len(ids) <= 5 {
		return strings.Trim(fmt.Sprint(ids), "[]")
	}
	return fmt.Sprintf(`--where 'id >= %d && id <= %d && info.status == "CREATED"'`, ids[0], ids[len(ids)-1])
}

// handOver gives the runs of the submission to the scheduler.
func (s *submission) handOver(ctx context.Context, stop <-chan struct{}) error {
	h := &handover{
		client: s.client, limits: s.limits, noArray: s.o.noArray, maxRunning: s.o.maxRunning,
		shell: s.script.Shell, header: s.userHeader(), json: s.o.json, out: s.w.Stdout, report: s.report,
		options: s.options,
	}
	for runs := range s.statements() {
		if err := h.submit(ctx, runs, stop); err != nil {
			return fault.Exit(err, fault.Incomplete)
		}
	}
	for _, log := range s.logs {
		if err := log.SyncJobs(s.runsIn(log)); err != nil {
			s.report.warn(err.Error())
		}
	}
	return h.sum()
}

// statements yields the runs of each launching statement; of several log dirs, those
// of each.
func (s *submission) statements() func(yield func([]handed) bool) {
	return func(yield func([]handed) bool) {
		var group []handed
		for i, b := range s.batches {
			if i > 0 && (b.launch.Statement != s.batches[i-1].launch.Statement || b.root() != s.batches[i-1].root()) {
				if !yield(group) {
					return
				}
				group = nil
			}
			for i, run := range b.runs {
				group = append(group, handed{run, b.queue[i]})
			}
		}
		yield(group)
	}
}

func (s *submission) runsIn(log *logdir.Log) []logdir.Run {
	var runs []logdir.Run
	for _, b := range s.batches {
		if b.root() == log.Root {
			runs = append(runs, b.runs...)
		}
	}
	return runs
}
