package launcher

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
	"github.com/mlxp/mlxp/scheduler/script"
)

func subCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "sub",
		Usage:     "submit every run that a script launches to a batch scheduler",
		ArgsUsage: "SCRIPT [ARG…]",
		Description: `SCRIPT is a job script for sh or bash with header lines (#SBATCH, #OAR, #PBS,
#$, #BSUB, #MSUB) in which mlxp -- PROGRAM … launches runs. It is worked out
here, without executing any program of yours, to find the runs; each becomes a
job: the script with that one run in place of the launches. What loads modules,
copies data and so on runs in the job.

    mlxp sub train.sh
    mlxp sub --dry-run train.sh          print the job scripts
    mlxp sub --local -j 4 train.sh       the same scripts, on this machine

It prints a line for each job: its id, a tab, the numbers of its runs. mlxp
status shows what becomes of them, mlxp cancel cancels, mlxp resume submits again.

Exit status: 0 if the scheduler took all jobs, 1 if it refused any; with --local
as of a launch. 2: nothing was submitted, and no run was made.`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "print the job scripts; submit and write nothing"},
			&cli.BoolFlag{Name: "json", Usage: "print a JSON object for each job, with --dry-run for each run"},
			&cli.BoolFlag{Name: "local", Usage: "run the job scripts on this machine, without a scheduler"},
			&cli.IntFlag{Name: "max-running", Usage: "let at most `N` tasks of an array run at a time"},
			&cli.BoolFlag{Name: "no-array", Usage: "submit each run as a job of its own"},
			&cli.StringSliceFlag{Name: "allow", Usage: "`CMD` is harmless: its output may be worked out here"},
			&cli.IntFlag{Name: "requeue-on-timeout", Usage: "let a run that its time limit ended start again, at most `N` times"},
		}, poolFlags...),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return fault.Hint(errors.New("sub needs a script"), "mlxp sub train.sh")
			}
			o := subOptions{
				path: c.Args().First(), args: c.Args().Tail(),
				dryRun: c.Bool("dry-run"), json: c.Bool("json"), local: c.Bool("local"), noArray: c.Bool("no-array"),
				maxRunning: c.Int("max-running"), allow: c.StringSlice("allow"), requeue: c.Int("requeue-on-timeout"),
				logDir: c.String("log-dir"), quiet: c.Bool("quiet"), verbose: c.Bool("verbose"),
			}
			var err error
			if o.pool, err = readPool(c, w); err != nil {
				return err
			}
			switch {
			case c.IsSet("max-running") && o.maxRunning < 1:
				return errors.New("--max-running needs a number from 1")
			case c.IsSet("requeue-on-timeout") && o.requeue < 1:
				return errors.New("--requeue-on-timeout needs a number from 1")
			case !o.local && (c.IsSet("jobs") || c.IsSet("gpus") || c.IsSet("fail-fast")):
				return fault.Hint(errors.New("-j, --gpus and --fail-fast go with --local"), "--max-running N limits how many jobs of an array run at a time")
			}
			return sub(c.Context, w, runs, o)
		},
	}
}

type subOptions struct {
	path                         string
	args                         []string
	dryRun, json, local, noArray bool
	maxRunning                   int // 0: no limit
	allow                        []string
	requeue                      int
	pool                         poolOptions // of --local
	logDir                       string
	quiet, verbose               bool
}

// sub submits what a script launches.
func sub(ctx context.Context, w World, runs Runs, o subOptions) error {
	report := newReporter(w, o.quiet, o.verbose)
	text, err := os.ReadFile(w.abs(o.path))
	if err != nil {
		return err
	}
	parsed, err := script.Parse(o.path, text)
	if err != nil {
		return err
	}
	w.Environ = scheduler.CleanEnviron(w.Environ)
	s := &submission{w: w, o: o, script: parsed, report: report, token: newToken()}
	if err := s.readHeader(ctx); err != nil {
		return err
	}
	launches, err := parsed.Evaluate(ctx, script.Options{
		Environ: w.Environ, Dir: s.dir, Args: o.args, Allow: o.allow,
		Known: s.known(), JobOnly: s.jobOnly, Self: w.Self,
	})
	if err != nil {
		return err
	}
	for _, l := range launches {
		if err := s.plan(runs, l); err != nil {
			return fmt.Errorf("%s:%d: %w", o.path, l.Line, err)
		}
	}
	if len(s.batches) == 0 {
		return nil // --skip-done has said so
	}
	s.site(ctx)
	if o.dryRun {
		return s.print()
	}
	if err := s.keepVersions(ctx); err != nil {
		return err
	}
	s.lookAround()
	signals := catchSignals()
	made, err := s.create(signals.stop)
	if err != nil {
		return err
	}
	if !made {
		report.warn("interrupted: nothing was submitted, and no run is left")
		return endedBy(signals.ended())
	}
	if o.local {
		return s.runHere(signals)
	}
	return s.handOver(ctx, signals.stop)
}

// newToken makes the name of a submission.
func newToken() string { return strings.ToLower(rand.Text()[:8]) }

// plan works out the runs of a launch that the script makes.
func (s *submission) plan(runs Runs, l script.Launch) error {
	w := s.w
	w.Cwd, w.Environ = l.Dir, l.Environ
	o, err := runs.ParseLaunch(w, l.Args)
	if err != nil {
		return err
	}
	if o.logDir == "" && s.o.logDir != "" {
		o.logDir = s.w.abs(s.o.logDir)
	}
	place, err := o.place(w, s.report.notice)
	if err != nil {
		return err
	}
	plan, err := NewPlan(Request{
		Line: o.line, World: w, Place: place,
		Settings: o.settings(), Seed: o.seed, Limit: o.limit, Notice: s.report.notice,
	})
	if err != nil {
		return err
	}
	if !plan.Settings.UseLogger {
		s.report.notice("use_logger false is without effect here: a job needs the directory of its run")
		plan.Settings.UseLogger = true
	}
	f, err := newFilter(w, plan, o)
	if err != nil {
		return err
	}
	jobs, err := f.keep(plan, s.report.notice)
	if err != nil || len(jobs) == 0 {
		return err
	}
	for _, job := range jobs {
		if err := checkLater(w, job, o.strict); err != nil {
			return err
		}
	}
	b := &batch{world: w, plan: plan, jobs: jobs, launch: &l}
	if s.scheduler != nil {
		if err := startable(s.scheduler, b.root()); err != nil {
			return err
		}
	}
	s.batches = append(s.batches, b)
	return nil
}

// startable returns an error if a scheduler cannot start jobs whose scripts are in the
// log dir root.
func startable(s *scheduler.Scheduler, root string) error {
	if s.Unfit == nil {
		return nil
	}
	found := s.Unfit().FindStringIndex(root)
	if found == nil {
		return nil
	}
	return fault.Hint(fault.At(fmt.Errorf("%s cannot start a job in a directory of such a name", s.Name), root, found[0]),
		"--log-dir DIR puts the runs elsewhere; the code may stay where it is")
}

// checkLater finds out, as far as that can be known here, whether a job can start
// on its node: there its interpolations are resolved, with the variables that are
// set there, and its program may be there only by then.
func checkLater(w World, job Job, strict bool) error {
	r := resolver(w, withRun(job.Hydra, logdir.Run{}, w.Cwd), strict, func(string) {})
	r.Env = func(name string) (string, bool) {
		value, ok := supervise.LookupEnv(w.Environ, name)
		return cmp.Or(value, "1"), ok || value == ""
	}
	resolved, err := config.Resolve(job.Config, r)
	if err != nil {
		return err
	}
	words, err := supervise.Fill(job.Command, resolved, nil)
	if err != nil {
		return err
	}
	for _, word := range words {
		if strings.IndexByte(word, 0) >= 0 {
			return errNUL
		}
	}
	return nil
}

// keepVersions makes the backups that the launches ask for: one for those that are
// launched in one place with the same settings.
func (s *submission) keepVersions(ctx context.Context) error {
	kept := map[string]version{}
	for _, b := range s.batches {
		v := b.plan.Settings.VersionManager
		key := fmt.Sprintf("%q %q %+v", b.world.Cwd, b.root(), v)
		code, ok := kept[key]
		if !ok {
			var err error
			if code, err = keepVersion(ctx, b.world, b.plan.Settings, b.root(), s.report); err != nil {
				return err
			}
			kept[key] = code
		}
		if err := code.fits(b.world, b.jobs, s.report.notice); err != nil {
			return err
		}
		b.code = code
	}
	return nil
}

// root is the log dir of the batch, absolute.
func (b *batch) root() string { return b.world.abs(string(b.plan.Settings.Logger.ParentLogDir)) }

// lookAround warns where jobs on other nodes may not find what they need.
func (s *submission) lookAround() {
	if s.o.local {
		return
	}
	seen := map[string]bool{}
	var all []string
	look := func(what, path string) {
		if seen[path] || path == "" {
			return
		}
		seen[path] = true
		if why := localOnly(path); why != "" {
			all = append(all, fmt.Sprintf("%s (%s) is %s", what, visible.Text(path), why))
		}
	}
	look("mlxp itself", s.w.Self)
	for _, b := range s.batches {
		look("the code", b.code.workDir)
		look("the log dir", b.root())
	}
	if len(all) > 0 {
		s.report.notice("other nodes may not see this: " + strings.Join(all, "; "))
	}
}

// create makes the runs of the submission. It tells whether it did, as [create]
// does.
func (s *submission) create(stop <-chan struct{}) (bool, error) {
	byRoot := map[string][]*batch{}
	var roots []string
	for _, b := range s.batches {
		root := b.root()
		if byRoot[root] == nil {
			roots = append(roots, root)
		}
		byRoot[root] = append(byRoot[root], b)
	}
	for _, root := range roots {
		log, err := logdir.Open(root)
		if err != nil {
			return false, err
		}
		batches := byRoot[root]
		made, err := create(log, batches, func(b *batch, i int) error {
			run := b.runs[i]
			if b.queue == nil {
				b.queue = make([]*logdir.Job, len(b.runs))
			}
			b.queue[i] = &logdir.Job{
				Scheduler: s.name(), Token: s.token, Submission: batches[0].runs[0].ID,
				Name: s.jobName(b, run), User: userName(s.w), MaxRunning: s.o.maxRunning,
			}
			text, err := s.jobScript(b, run)
			if err != nil {
				return err
			}
			return run.FreezeJob(b.queue[i], []byte(text))
		}, stop)
		if err != nil || !made {
			return made, err
		}
		s.logs = append(s.logs, log)
	}
	return true, nil
}

// numberOf is how many runs the submission has.
func (s *submission) numberOf() int {
	n := 0
	for _, b := range s.batches {
		n += len(b.jobs)
	}
	return n
}

// localOnly tells why a path is likely to be on a file system of this host alone,
// "" if it is not.
func localOnly(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm", "/run"} {
		if target == dir || strings.HasPrefix(target, dir+"/") {
			return "below " + dir
		}
	}
	if kind := memoryFS(target); kind != "" {
		return "in memory (" + kind + ")"
	}
	return ""
}
