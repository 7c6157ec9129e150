package launcher

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// poolOptions say how the runs of a command are executed.
type poolOptions struct {
	jobs     int // at a time
	failFast bool
	gpus     *gpus // nil: runs are given none
}

// poolFlags are those of commands that execute runs.
var poolFlags = []cli.Flag{
	&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Value: 1, Usage: "run `N` at a time"},
	&cli.StringFlag{Name: "gpus", Usage: "give each run one of these graphics processors: `LIST` such as 0-3, or all"},
	&cli.IntFlag{Name: "per-gpu", Value: 1, Usage: "with --gpus: `K` runs share one"},
	&cli.BoolFlag{Name: "fail-fast", Usage: "start no more runs after one that fails"},
}

// readPool reads poolFlags. With --gpus and no -j, as many runs go at a time as have
// a place.
func readPool(c *cli.Context, w World) (poolOptions, error) {
	o := poolOptions{jobs: c.Int("jobs"), failFast: c.Bool("fail-fast")}
	if o.jobs < 1 {
		return o, errors.New("-j needs a number from 1")
	}
	if c.IsSet("per-gpu") && c.String("gpus") == "" {
		return o, errors.New("--per-gpu goes with --gpus")
	}
	var err error
	o.gpus, err = newGPUs(w, c.String("gpus"), c.Int("per-gpu"), func() int {
		root, _ := LogDir(w, c.String("log-dir")) // may keep an answer; what is wrong with it is told where it is needed
		return len(supervise.HostGPUs(root, w.Environ))
	})
	if err != nil || o.gpus == nil {
		return o, err
	}
	if !c.IsSet("jobs") {
		o.jobs = o.gpus.size()
	}
	o.jobs = min(o.jobs, o.gpus.size())
	return o, nil
}

// A pool runs claimed runs, some at a time.
type pool struct {
	world    World
	jobs     int // at a time
	failFast bool
	gpus     *gpus // nil: runs are given none
	report   *reporter
	signals  *signals

	// execute executes a run instead of this process; nil: this process does.
	execute func(w World, run logdir.Run, received <-chan os.Signal) (*logdir.Info, error)
}

// run executes runs in order. It starts no more once a signal asks to end, the
// disk is full, or a run does not complete and failFast is set.
func (p *pool) run(runs []logdir.Run) {
	var wait sync.WaitGroup
	defer wait.Wait()
	slots := make(chan struct{}, p.jobs)
	failed := make(chan struct{})
	var once sync.Once
	for _, run := range runs {
		select {
		case slots <- struct{}{}:
		case <-p.signals.stop:
		case <-failed:
		}
		if isClosed(p.signals.stop) || isClosed(failed) { // select takes any of several
			return
		}
		wait.Go(func() {
			defer func() { <-slots }()
			complete, err := p.one(run)
			full := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
			if full {
				p.report.warn("the disk is full: no more runs are started")
			}
			if full || !complete && p.failFast {
				once.Do(func() { close(failed) })
			}
		})
	}
}

// status is the error that gives mlxp its exit status when runs were executed.
func (p *pool) status(runs []logdir.Run) error {
	for _, run := range runs {
		if p.report.runs[run.ID] || slices.Contains(p.report.held, run.ID) {
			continue
		}
		if sig := p.signals.ended(); sig != nil {
			return endedBy(sig)
		}
		return exit(fault.Incomplete)
	}
	return p.report.complete(nil)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// one executes one run and tells whether it completed. It does nothing if a
// signal has asked to end. An error is reported already.
func (p *pool) one(run logdir.Run) (complete bool, err error) {
	listener, done := p.signals.subscribe()
	defer done()
	if listener == nil {
		return false, nil
	}
	environ, gpu, done := p.gpus.take(p.world.Environ)
	defer done()
	p.report.starting(run, gpu)
	world := p.world
	world.Environ = environ
	var info *logdir.Info
	if p.execute != nil {
		info, err = p.execute(world, run, listener.received)
	} else {
		info, err = executeRun(world, run, gpu, p.jobs == 1, listener, p.report, nil)
	}
	p.report.ended(run, info, err)
	if p.jobs == 1 && byCtrlC(info, err) {
		p.signals.interrupt()
	}
	return err == nil && info.Status == logdir.Complete, err
}

// executeRun executes the next attempt of run in this process. It shows what
// the program prints if show is set. j is the job that does so, nil if it is none
// that was submitted.
func executeRun(w World, run logdir.Run, gpu string, show bool, l *listener, report *reporter, j *job) (*logdir.Info, error) {
	opts := supervise.Options{
		Environ: w.Environ,
		Signals: l.received,
		Stopped: l.stopped,
		Notice:  report.notice,
		Warn:    report.warn,
		Unshown: report.unshown,
		Unkept:  report.unkept,
		Version: w.Version,
		Guard:   w.Guard,
		GPU:     gpu,
		Code:    executed(w, run, report),
		Resolve: func(conf *config.Node, info *logdir.Info) (*config.Node, error) {
			hydra, err := readHydra(run)
			if err != nil {
				return nil, err
			}
			return config.Resolve(conf, resolver(w, withRun(func() *config.Node { return hydra }, run, string(info.Cwd)), false, report.notice))
		},
	}
	if show {
		opts.Stdin, opts.Stdout, opts.Stderr = w.Stdin, w.Stdout, w.Stderr
	}
	if job, ok := scheduler.Current(w.getenv); ok {
		opts.Scheduler = &logdir.Scheduler{Name: job.Scheduler.Name, JobID: job.ID, Array: job.Array}
		if task, err := strconv.Atoi(job.Task); err == nil {
			opts.Scheduler.Task = &task
		}
	}
	if j != nil {
		j.within(&opts)
	}
	return supervise.Run(run, opts)
}

// byCtrlC tells whether a run was ended by SIGINT. A program that had the terminal
// gets it alone: it is meant for mlxp, too.
func byCtrlC(info *logdir.Info, err error) bool {
	return err == nil && info.Signal != nil && *info.Signal == unix.SignalName(unix.SIGINT)
}

// endedBy is the error for runs that sig has ended or kept from starting.
func endedBy(sig os.Signal) error { return fault.Signal(sig.(unix.Signal)) }
