// Package supervise executes one claimed run from its start to its end:
// environment, streams, signals, record. A local launch, a resume and a batch
// job all go through [Run].
package supervise

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/process"
	"github.com/mlxp/mlxp/logdir"
)

// Options are what a run is given beside its directory.
type Options struct {
	Environ   []string          // the environment the program inherits, "NAME=value"
	Stdin     *os.File          // nil: nothing to read
	Stdout    *os.File          // where the program's output is shown as it comes; nil: kept only
	Stderr    *os.File          // likewise
	Signals   <-chan os.Signal  // to pass on to the program
	Stopped   chan<- struct{}   // gets a value when the program has stopped and waits to be continued; never waited for
	Grace     time.Duration     // from SIGINT or SIGTERM to SIGKILL; 0: DefaultGrace
	Scheduler *logdir.Scheduler // the job that this is part of, if any
	Notice    func(string)      // told what the user may want to know
	Warn      func(string)      // told what went wrong that the program does not notice
	Unshown   func(error)       // told why output of the program could not be shown, though it was kept
	Unkept    func(error)       // told what of the run could not be kept or recorded
	Version   string            // of mlxp
	GPU       string            // the graphics processor that the caller has chosen for the run; empty: none
	Guard     *Guard            // ends what belongs to the run if this process is killed; nil: nothing does

	// Gone tells whether an earlier attempt of which nothing can be known here is
	// over: its scheduler may know. nil: nobody does.
	Gone func(logdir.ClaimInfo) bool
	// Warning is the signal by which a scheduler announces the time limit; 0: none.
	Warning unix.Signal
	// Stops are the signals besides SIGTERM by which a scheduler ends the program.
	Stops []unix.Signal
	// LoginShell is the pid of the shell that [LoginShell] finds, where the scheduler kills
	// the whole job when that ends, and a signal that ends the job ends it; 0: there is none.
	LoginShell int
	// Last is how long after Warning the program gets SIGTERM, where the scheduler will
	// kill it without a word; 0: the scheduler sends SIGTERM itself.
	Last time.Duration
	// Why tells why the scheduler ends the program, once that gets SIGTERM; empty:
	// nobody knows. nil: nobody does.
	Why func() logdir.Reason
	// Warned tells why Warning came; empty: for the time limit. nil: always for that.
	Warned func() logdir.Reason

	// Code is called when the run is claimed. It makes sure that the code is
	// there which the program is, and records which that is; an error refuses the
	// start. It may return what takes longer to find out, to be called while the
	// program runs; that returns what to record. nil: nothing is recorded.
	Code func(info *logdir.Info) (later func() func(*logdir.Info), err error)

	// Resolve resolves the config's interpolations, at the first start.
	Resolve func(conf *config.Node, info *logdir.Info) (*config.Node, error)
}

// ErrComplete is the error for a run that is complete: somebody else was faster.
var ErrComplete = errors.New("it is complete")

// DefaultGrace is how long a program may go on after SIGINT or SIGTERM.
const DefaultGrace = 20 * time.Second

// Timing of the record. A run that ends within settled never gets the status
// RUNNING, which saves half of what a short run costs.
const (
	settled   = 50 * time.Millisecond
	heartbeat = 30 * time.Second
	answer    = 2 * time.Second        // how long the end of a run waits for what is still being found out
	sameTime  = 100 * time.Millisecond // how much later a signal to all processes of a job may reach one of them
	oneCtrlC  = 100 * time.Millisecond // what follows sooner is the same Ctrl-C, passed on by a wrapper such as npm or make, or told twice
	atOnce    = 500 * time.Millisecond // a program that ends this soon after Ctrl-C is not waited for aloud
)

// Run claims the next attempt of run, executes it to its end and returns the
// final record. The error is nil if the program could be started, however it
// ended; a [*logdir.ErrClaimed] if somebody else has the run. When a program
// cannot be started, that is in the record too, and the error has the exit
// status a shell would give.
func Run(run logdir.Run, opts Options) (*logdir.Info, error) {
	job := ""
	if opts.Scheduler != nil {
		job = opts.Scheduler.JobID
	}
	claim, err := run.Claim(job, opts.Gone)
	if err != nil {
		return nil, err
	}
	info, err := run.ReadInfo()
	switch {
	case err != nil:
	case info.Status == logdir.Complete:
		err = fmt.Errorf("run %d: %w", run.ID, ErrComplete)
	case len(info.Command) == 0:
		err = fmt.Errorf("run %d: its record has no command", run.ID)
	}
	if err != nil {
		claim.Drop()
		return nil, err
	}
	a := &attempt{run: run, claim: claim, info: info, opts: opts}
	info.Scheduler = opts.Scheduler
	info.Attempts = append(info.Attempts, logdir.Attempt{N: claim.N, Job: job, GPU: opts.GPU})
	if a.opts.Grace == 0 {
		a.opts.Grace = DefaultGrace
	}
	if err := a.prepare(); err != nil {
		return info, a.refuse(err)
	}
	return info, a.execute()
}

// An attempt is one start of a run's program.
type attempt struct {
	run   logdir.Run
	claim *logdir.Claim
	info  *logdir.Info
	opts  Options

	config  *config.Node // resolved
	env     []string
	path    string // of the executable
	began   time.Time
	later   func() func(*logdir.Info)
	witness oomWitness
	meter   *meter // nil: the run has not lasted
	floor   int64  // what mlxp itself had in memory when it started the program, bytes
	used    consumed
	reserve string  // a file that keeps room on the disk for the final record
	notices []error // what mlxp could not record
}

// record is this attempt's entry in the record.
func (a *attempt) record() *logdir.Attempt { return &a.info.Attempts[len(a.info.Attempts)-1] }

// prepare makes everything ready that the program needs, and records the
// attempt as STARTING.
func (a *attempt) prepare() error {
	hostname, _ := os.Hostname()
	self := process.Self()
	a.info.Status, a.info.Reason, a.info.ExitCode, a.info.Signal = logdir.Starting, nil, nil, nil
	a.info.Hostname, a.info.Process = hostname, &self
	a.info.Started, a.info.Ended = logdir.Time{}, logdir.Time{}
	a.info.Resources, a.info.Mlxp = basicResources(), a.opts.Version
	a.record().Hostname = hostname

	var err error
	if a.config, err = a.resolvedConfig(); err != nil {
		return err
	}
	if !a.filled() {
		words := jsontext.Strings(a.info.Command)
		if words, err = Fill(words, a.config, a.places()); err != nil {
			return err
		}
		a.info.Command = jsontext.Texts(words)
	}
	if a.opts.Code != nil {
		if a.later, err = a.opts.Code(a.info); err != nil {
			return err
		}
	}
	a.info.Started = logdir.Now()
	a.record().Started = a.info.Started
	if a.path, err = LookPath(string(a.info.Command[0]), string(a.info.WorkDir), a.opts.Environ); err != nil {
		return err
	}
	for _, dir := range []string{logdir.MetricsDir, logdir.ArtifactsDir} {
		if err := a.run.Mkdir(dir); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("run %d: %w", a.run.ID, err)
		}
	}
	if a.record().MetricsBytes, err = closeMetrics(a.run); err != nil {
		return err
	}
	var left []string
	a.env, left = environment(a.opts.Environ, a.config, a.variables())
	for _, why := range left {
		a.opts.Notice(why)
	}
	return a.run.WriteInfo(a.info)
}

// filled tells whether the record's command has its placeholders replaced. That
// happens once, when an attempt first gets a start time: the same write records
// both.
func (a *attempt) filled() bool {
	return slices.ContainsFunc(a.info.Attempts, func(before logdir.Attempt) bool { return !before.Started.IsZero() })
}

// refuse records that the program could not be started, and returns why, with
// an exit status that says that something was written.
func (a *attempt) refuse(why error) error {
	reason := logdir.NotStarted
	a.info.Status, a.info.Reason = logdir.Failed, &reason
	if status := fault.Status(why); status == fault.NotFound || status == fault.NotExecutable {
		a.info.ExitCode = &status
	}
	a.info.Ended = logdir.Now()
	a.recordEnd()
	appendLine(a.run.Path(logdir.LogStderr), "mlxp: "+why.Error()+"\n")
	if fault.Status(why) == fault.Usage {
		why = fault.Exit(why, fault.Incomplete)
	}
	a.giveBack()
	if err := a.run.WriteInfo(a.info); err != nil {
		return fmt.Errorf("%w; %w", why, err)
	}
	return why
}

// appendLine adds a line to a log file, as far as that is possible.
func appendLine(path, line string) {
	if f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err == nil {
		fmt.Fprint(f, line)
		f.Close()
	}
}

// resolvedConfig returns the run's final config, which the first start makes
// from its composed config.
func (a *attempt) resolvedConfig() (*config.Node, error) {
	path := a.run.Path(logdir.ConfigJSON)
	text, err := os.ReadFile(path)
	if err == nil {
		return config.ParseJSON(text)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("run %d: %w", a.run.ID, err)
	}
	source := a.run.Path(logdir.ConfigYAML)
	if text, err = os.ReadFile(source); err != nil {
		return nil, fmt.Errorf("run %d: %w", a.run.ID, err)
	}
	node, err := config.ParseYAML(text, source)
	if err != nil {
		return nil, err
	}
	if node, err = a.opts.Resolve(node, a.info); err != nil {
		return nil, fmt.Errorf("run %d: %w", a.run.ID, err)
	}
	return node, logdir.ReplaceFile(path, append(node.AppendJSONIndent(nil, "  "), '\n'))
}
