package launcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// jobCommand executes one run that is there already: what a job script does.
func jobCommand(w World) *cli.Command {
	return &cli.Command{
		Name:      "job",
		Hidden:    true,
		Usage:     "execute the run whose directory is given",
		ArgsUsage: "RUN_DIR",
		Description: `Job scripts call it; there is no need to do so by hand.

    mlxp job RUN_DIR
    mlxp job --shell RUN_DIR -- bash script.sh`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "token", Usage: "the submission that this is part of: another one has superseded it otherwise"},
			&cli.DurationFlag{Name: "grace", Usage: "from the scheduler's first signal to SIGKILL"},
			&cli.StringFlag{Name: "warning", Usage: "the signal that announces the time limit"},
			&cli.IntFlag{Name: "requeue", Usage: "start again after the time limit, at most `N` times"},
			&cli.DurationFlag{Name: "ends", Usage: "from the warning to SIGTERM, where the scheduler kills without one"},
			&cli.DurationFlag{Name: "limit", Usage: "the time limit, where the scheduler does not say that it is over"},
			&cli.BoolFlag{Name: "again", Usage: "the job may start again by its exit status"},
			&cli.BoolFlag{Name: "shell", Usage: "execute the shell of a job script instead"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 || c.NArg() > 1 && !c.Bool("shell") {
				return errors.New("job needs one run directory")
			}
			run, err := logdir.OpenRun(c.Args().First())
			if err != nil {
				return err
			}
			j := &job{w: w, run: run, token: c.String("token"), grace: c.Duration("grace"), ends: c.Duration("ends"), limit: c.Duration("limit"), requeue: c.Int("requeue"), mayAgain: c.Bool("again")}
			if name := c.String("warning"); name != "" {
				j.warning = unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG"))
				if n, err := strconv.Atoi(name); err == nil {
					j.warning = unix.Signal(n)
				}
				if j.warning == 0 {
					return fmt.Errorf("--warning: there is no signal %s", name)
				}
			}
			if c.Bool("shell") {
				return j.shell(c.Args().Tail())
			}
			return j.execute()
		},
	}
}

// A job is a batch job from within.
type job struct {
	w        World
	run      logdir.Run
	token    string // empty: it was not submitted
	grace    time.Duration
	warning  unix.Signal // 0: none
	ends     time.Duration
	limit    time.Duration // 0: it need not be known
	requeue  int
	mayAgain bool
}

// shell executes the shell of a job script.
func (j *job) shell(words []string) error {
	if len(words) == 0 {
		return errors.New("job --shell needs a command")
	}
	listener, done := catchSignals().subscribe()
	defer done()
	status, err := supervise.Shell(j.run, words, j.w.Environ, listener.received)
	if err != nil {
		return err
	}
	if info, err := j.run.ReadInfo(); err == nil {
		current, ok := scheduler.Current(j.w.getenv)
		if ok && current.Scheduler.RequeueExit != 0 && j.startsAgain(info, current.Scheduler) && j.outlast(info, current.Scheduler, listener.received) {
			status = current.Scheduler.RequeueExit
		}
	}
	return exit(status)
}

// execute executes the run.
func (j *job) execute() error {
	if err := j.superseded(); err != nil {
		return err
	}
	listener, done := catchSignals().subscribe()
	defer done()
	report := newReporter(j.w, true, false)
	info, err := executeRun(j.w, j.run, "", true, listener, report, j)
	if errors.Is(err, supervise.ErrComplete) {
		return nil // a batch job that was requeued after its run's end
	}
	var claimed *logdir.ErrClaimed
	if errors.As(err, &claimed) {
		return fault.Hint(err, "a run is never executed twice at once")
	}
	if err != nil {
		return err
	}
	return exit(j.again(info, listener.received, report))
}

// superseded returns an error if the run was submitted again since this job was, or
// cancelled: a job that waited in a queue must not do what is done already.
func (j *job) superseded() error {
	if j.token == "" {
		return nil
	}
	known, err := j.run.ReadJob()
	switch {
	case err != nil:
		return err
	case known == nil:
		return nil
	case known.Token != j.token:
		return fault.Exit(fmt.Errorf("run %d was submitted again since: this job leaves it to job %s", j.run.ID, known.JobID), fault.Incomplete)
	case !known.Cancelled.IsZero() && known.Reason == logdir.Cancelled:
		return fault.Exit(fmt.Errorf("run %d was cancelled", j.run.ID), fault.Incomplete)
	}
	return nil
}

// within adds to opts what a job knows of itself.
func (j *job) within(opts *supervise.Options) {
	opts.Grace, opts.Warning, opts.Last = j.grace, j.warning, j.ends
	current, ok := scheduler.Current(j.w.getenv)
	if !ok {
		return
	}
	for _, name := range current.Scheduler.Stops {
		opts.Stops = append(opts.Stops, unix.SignalNum("SIG"+name))
	}
	if current.Scheduler.LoginShell && j.submittedAs(current.ID) {
		opts.LoginShell = supervise.LoginShell()
	}
	began := int64(0) // what the scheduler has written before is about earlier attempts
	if st, err := os.Stat(j.run.Path(logdir.JobLog)); err == nil {
		began = st.Size()
	}
	opts.Gone = func(owner logdir.ClaimInfo) bool {
		if owner.Job == "" {
			return false
		}
		if owner.Job == current.ID {
			return true // the scheduler has started this job again, so it is over where it was
		}
		e, ok := j.look(current.Scheduler, owner.Job)
		return ok && e.State == scheduler.Ended
	}
	if current.Scheduler.Options.Kills {
		opts.Warned = func() logdir.Reason {
			client := j.client(current.Scheduler, soon)
			e, _, err := client.Detail(context.Background(), current.ID)
			if err != nil {
				return ""
			}
			return logdir.Reason(current.Scheduler.Reasons[e.Why])
		}
	}
	opts.Why = func() logdir.Reason {
		if known, err := j.run.ReadJob(); err == nil && known != nil && !known.Cancelled.IsZero() {
			return logdir.Cancelled
		}
		reason := j.told(current.Scheduler, began)
		if reason != "" && reason != logdir.Cancelled {
			return reason
		}
		// A warning by SIGTERM looks like a cancellation in the output.
		e, ok := j.look(current.Scheduler, current.ID)
		why := current.Scheduler.Reasons[e.Why]
		switch {
		case ok && e.Why != "" && why != "":
			return logdir.Reason(why)
		case ok && j.warning == unix.SIGTERM && e.State == scheduler.Running:
			return logdir.TimeLimit
		}
		const early = 2 * time.Second // times in seconds, and clocks of two machines
		if ok && j.limit > 0 && !e.Started.IsZero() && time.Since(e.Started) >= j.limit-early {
			return logdir.TimeLimit
		}
		if ok && reason == "" {
			return logdir.Reason(current.Scheduler.Reasons[e.Word])
		}
		return reason
	}
}

// submittedAs tells whether the run was submitted as the job of this id, and is not
// executed by hand in another one. Its id may not be recorded yet.
func (j *job) submittedAs(id string) bool {
	known, err := j.run.ReadJob()
	return err == nil && known != nil && (known.JobID == "" || known.JobID == id)
}

// soon is how long a scheduler may take to answer a job that ends.
const soon = 5 * time.Second

// told returns why the scheduler ends the job, as it says so in the job's output
// behind offset; empty if it does not within a moment.
func (j *job) told(s *scheduler.Scheduler, offset int64) logdir.Reason {
	if s.Ends == nil {
		return ""
	}
	for range 10 {
		f, err := os.Open(j.run.Path(logdir.JobLog))
		if err != nil {
			return ""
		}
		text, err := io.ReadAll(io.NewSectionReader(f, offset, 1<<20))
		f.Close()
		if err != nil {
			return ""
		}
		reason := logdir.Reason("")
		for _, m := range s.Ends().FindAllSubmatch(text, -1) {
			// Of several what says more counts.
			if reason == "" || len(m[1]) > 0 {
				reason = logdir.Reason(s.Reasons[string(m[1])])
			}
		}
		if reason != "" {
			return reason
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ""
}

// client talks to the job's scheduler as the job may: with all that it has in its
// environment.
func (j *job) client(s *scheduler.Scheduler, patience time.Duration) *scheduler.Client {
	return &scheduler.Client{Scheduler: j.w.site(s), Environ: j.w.Environ, Timeout: patience}
}

// look asks the scheduler for one job.
func (j *job) look(s *scheduler.Scheduler, id string) (scheduler.Entry, bool) {
	client := j.client(s, soon)
	var entries []scheduler.Entry
	var err error
	for range 3 {
		entries, err = client.Look(context.Background(), []string{userName(j.w)}, []string{id})
		var failure *scheduler.Error
		if !errors.As(err, &failure) || !failure.Silent() {
			break
		}
		// A signal to all processes of the job may have ended the command.
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return scheduler.Entry{}, false
	}
	i := slices.IndexFunc(entries, func(e scheduler.Entry) bool { return e.ID == id })
	if i < 0 {
		return scheduler.Entry{}, false
	}
	return entries[i], true
}

// again lets the job start again if its time limit has ended the run, as often as
// that was asked for, and returns the exit status of the job.
func (j *job) again(info *logdir.Info, received <-chan os.Signal, report *reporter) int {
	status := *info.ExitCode
	current, ok := scheduler.Current(j.w.getenv)
	if !ok || !j.startsAgain(info, current.Scheduler) {
		return status
	}
	if current.Scheduler.RequeueExit != 0 {
		// In a shell's job the mlxp around the shell ends the job.
		if j.w.getenv(supervise.ShellVariable) != j.run.Dir && !j.outlast(info, current.Scheduler, received) {
			return status
		}
		return current.Scheduler.RequeueExit
	}
	client := j.client(current.Scheduler, patience)
	err := client.RequeueJob(context.Background(), current.ID)
	var failure *scheduler.Error
	if errors.As(err, &failure) && failure.Silent() {
		// A signal to all processes of the job may have ended the command, too.
		err = client.RequeueJob(context.Background(), current.ID)
	}
	if err != nil {
		report.warn(fmt.Sprintf("run %d was ended by its time limit, and its job cannot be started again: %v", j.run.ID, err))
	}
	return status
}

// startsAgain tells whether the job of a run that has ended is to start again.
func (j *job) startsAgain(info *logdir.Info, s *scheduler.Scheduler) bool {
	return j.endedByLimit(info) || j.preempted(info, s)
}

// preempted tells whether the run has ended because its job has to make room, by
// itself after a warning: the scheduler does not see that the job is to start again.
func (j *job) preempted(info *logdir.Info, s *scheduler.Scheduler) bool {
	return j.mayAgain && s.Options.Kills && info.Reason != nil && *info.Reason == logdir.Preempted
}

// outlast waits until the preempted job has lasted for as long as one has to that
// starts again, and tells whether it may. If it is killed before, that does as well.
func (j *job) outlast(info *logdir.Info, s *scheduler.Scheduler, received <-chan os.Signal) bool {
	if !j.preempted(info, s) || len(info.Attempts) == 0 {
		return true
	}
	left := s.RequeueAfter - time.Since(info.Attempts[len(info.Attempts)-1].Started.Time)
	if left <= 0 {
		return true
	}
	fmt.Fprintf(j.w.Stderr, "mlxp: run %d makes room; its job waits up to %v, since %s starts none again that was shorter\n", j.run.ID, left.Round(time.Second), s.Name)
	over := time.After(left)
	for {
		select {
		case <-over:
			return true
		case sig := <-received:
			if sig == unix.SIGTERM || sig == unix.SIGINT {
				return false // it is cancelled
			}
		}
	}
}

// endedByLimit tells whether its time limit has ended the run, and it may start again.
func (j *job) endedByLimit(info *logdir.Info) bool {
	if j.requeue == 0 || info.Reason == nil || *info.Reason != logdir.TimeLimit {
		return false
	}
	times := 0
	for _, a := range info.Attempts {
		if a.Reason == logdir.TimeLimit {
			times++
		}
	}
	return times <= j.requeue
}
