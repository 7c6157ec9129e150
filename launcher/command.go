package launcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// LaunchName is the name under which main asks for a launch, which has none on
// the command line: its words are the overrides, then --, then the program and
// its words.
const LaunchName = "launch"

// Runs is what commands about existing runs need from outside this package.
type Runs struct {
	LogDir func(*cli.Context) (string, error)
	// Select returns the runs for which a CEL expression holds, and tells notice
	// what the user should know of them.
	Select func(root, where string, notice func(string)) ([]int, error)
	// ParseLaunch reads the words of a launch, those behind mlxp, as they would be
	// typed in w.
	ParseLaunch func(w World, args []string) (Launch, error)
	// Compare compares what two runs of root measured and made.
	Compare func(root string, a, b int, tolerance float64) (Comparison, error)
}

// A Comparison is what verify tells of two runs.
type Comparison struct {
	Series     int      `json:"series"`     // that agree
	Values     int      `json:"values"`     // in them
	Artifacts  int      `json:"artifacts"`  // that agree
	Difference string   `json:"difference"` // the first one; empty: there is none
	LeftOut    []string `json:"left_out"`   // series that hold times and do not count
}

// named returns the log dir and the runs that the words of a command name: by
// number, or by --where. Each is named once, in order.
func (r Runs) named(c *cli.Context, notice func(string)) (root string, ids []int, err error) {
	if root, err = r.LogDir(c); err != nil {
		return "", nil, err
	}
	if ids, err = idsOf(c.Args().Slice()); err != nil {
		return "", nil, err
	}
	name := c.Command.Name
	switch where := c.String("where"); {
	case where != "" && len(ids) > 0:
		return "", nil, fmt.Errorf("%s takes run numbers or --where, not both", name)
	case where != "":
		if ids, err = r.Select(root, where, notice); err != nil {
			return "", nil, err
		}
	case len(ids) == 0:
		return "", nil, fault.Hint(fmt.Errorf("%s needs run numbers", name), "mlxp %s 43, or mlxp %s --where CEL", name, name)
	}
	slices.Sort(ids)
	return root, slices.Compact(ids), nil
}

// idsOf reads the numbers of runs.
func idsOf(words []string) ([]int, error) {
	ids := make([]int, len(words))
	for i, word := range words {
		id, err := strconv.Atoi(word)
		if err != nil || id < 1 {
			return nil, fault.Hint(fmt.Errorf("%s is not the number of a run", word), "run numbers are 1, 2, 3, …")
		}
		ids[i] = id
	}
	return ids, nil
}

// Commands are the commands that start runs.
func Commands(w World, runs Runs) []*cli.Command {
	return []*cli.Command{launchCommand(w), resumeCommand(w, runs), removeCommand(w, runs), subCommand(w, runs), statusCommand(w, runs), cancelCommand(w, runs), rerunCommand(w, runs), verifyCommand(w, runs), gcCommand(w, runs), jobCommand(w)}
}

func launchCommand(w World) *cli.Command {
	return &cli.Command{
		Name:      LaunchName,
		Hidden:    true,
		Usage:     "launch one run, or a sweep",
		ArgsUsage: "[OVERRIDE…] -- PROGRAM [WORD…]",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config-dir", Usage: "the `DIR` of the config"},
			&cli.StringFlag{Name: "config-name", Value: "config", Usage: "the primary config"},
			&cli.BoolFlag{Name: "no-config", Usage: "the overrides alone are the config"},
			&cli.StringFlag{Name: "where", Usage: "only the combinations for which `CEL` holds"},
			&cli.BoolFlag{Name: "skip-done", Usage: "not those that a complete run has already"},
			&cli.IntFlag{Name: "limit", Usage: "only the first `N`"},
			&cli.Uint64Flag{Name: "seed-sweep", Usage: "another order for shuffle"},
			&cli.StringFlag{Name: "vcs", Usage: "the code version to run: `MODE` off, commit or snapshot"},
			&cli.BoolFlag{Name: "dry-run", Usage: "list the runs only"},
			&cli.StringFlag{Name: "cfg", Usage: "print the composed config: `job`"},
			&cli.StringFlag{Name: "package", Usage: "with --cfg: only what is at this `KEY`"},
			&cli.StringFlag{Name: "info", Usage: "list the files of the config: `defaults`"},
			&cli.BoolFlag{Name: "resolve", Usage: "with --cfg: interpolations resolved"},
			&cli.BoolFlag{Name: "json", Usage: "with --dry-run or --cfg: as JSON"},
			&cli.BoolFlag{Name: "strict", Usage: "an unknown resolver in the config is an error"},
		}, poolFlags...),
		Action: func(c *cli.Context) error {
			o, err := readLaunch(c, w)
			if err != nil {
				return err
			}
			return launch(w, o)
		},
	}
}

// readLaunch reads the flags and words of a launch.
func readLaunch(c *cli.Context, w World) (Launch, error) {
	words := c.Args().Slice()
	i := slices.Index(words, "--")
	o := Launch{
		line:        Line{Overrides: words[:i], Words: words[i+1:]},
		logDir:      c.String("log-dir"),
		configDir:   c.String("config-dir"),
		configName:  c.String("config-name"),
		configNamed: c.IsSet("config-name"),
		noConfig:    c.Bool("no-config"),
		where:       c.String("where"),
		skipDone:    c.Bool("skip-done"),
		limit:       c.Int("limit"),
		seed:        c.Uint64("seed-sweep"),
		dryRun:      c.Bool("dry-run"),
		vcs:         c.String("vcs"),
		cfg:         c.String("cfg"),
		pkg:         c.String("package"),
		info:        c.String("info"),
		resolve:     c.Bool("resolve"),
		json:        c.Bool("json"),
		strict:      c.Bool("strict"),
		quiet:       c.Bool("quiet"),
		verbose:     c.Bool("verbose"),
	}
	var err error
	if o.pool, err = readPool(c, w); err != nil {
		return o, err
	}
	if c.IsSet("limit") && o.limit < 1 {
		return o, errors.New("--limit needs a number from 1")
	}
	for _, name := range []string{"where", "cfg", "info", "config-dir", "config-name", "package", "log-dir", "vcs", "gpus"} {
		if c.IsSet(name) && c.String(name) == "" {
			return o, fmt.Errorf("--%s is empty", name)
		}
	}
	switch {
	case o.json && o.cfg == "" && !o.dryRun:
		return o, errors.New("--json goes with --dry-run or --cfg")
	case (o.resolve || o.pkg != "") && o.cfg == "":
		return o, errors.New("--resolve and --package go with --cfg")
	}
	return o, nil
}

// LaunchReader is the command that main has in place of the launch to read its words:
// it hands them to take.
func LaunchReader(w World, take func(Launch)) *cli.Command {
	c := launchCommand(w)
	c.Action = func(c *cli.Context) error {
		o, err := readLaunch(c, w)
		if err == nil {
			take(o)
		}
		return err
	}
	return c
}

// A Launch is the command line of a launch, read.
type Launch struct {
	line                          Line
	logDir, configDir, configName string
	configNamed                   bool // on the command line
	noConfig                      bool
	where                         string
	skipDone                      bool
	limit                         int // 0: none
	seed                          uint64
	pool                          poolOptions
	dryRun, resolve, json, strict bool
	vcs                           string
	cfg, pkg, info                string
	quiet, verbose                bool
}

// launch plans the runs of a command line and executes them.
func launch(w World, o Launch) error {
	report := newReporter(w, o.quiet, o.verbose)
	if n := scheduler.Tasks(w.getenv); n > 1 {
		return fault.Hint(fmt.Errorf("mlxp is started %d times at once here, by srun or mpirun: each would be a run of its own", n),
			"put mlxp in front: mlxp -- srun %s", shellWords(o.line.Words))
	}
	place, err := o.place(w, report.notice)
	if err != nil {
		return err
	}
	report.detail(place.String())
	for _, notice := range slices.Concat(o.line.hydraFlags(), o.line.looseEquals()) {
		report.notice(notice)
	}
	plan, err := NewPlan(Request{
		Line: o.line, World: w, Place: place,
		Settings: o.settings(), Seed: o.seed, Limit: o.limit, Notice: report.notice,
	})
	if err != nil {
		return err
	}
	f, err := newFilter(w, plan, o)
	if err != nil {
		return err
	}
	switch {
	case o.info != "":
		return printDefaults(w, plan, o)
	case o.cfg != "":
		return printConfigs(w, plan, f, o)
	case o.dryRun:
		return printPlan(w, plan, f, o)
	}
	jobs, err := f.keep(plan, report.notice)
	if err != nil || len(jobs) == 0 {
		return err // nothing is left to do: keep has said so
	}
	if err := check(w, jobs, o.strict); err != nil {
		return err
	}
	return start(w, plan, jobs, o, report)
}

// settings are those that flags set.
func (o Launch) settings() []config.Override {
	var settings []config.Override
	if o.logDir != "" {
		settings = append(settings, config.Override{Key: settingsKey + "logger.parent_log_dir", Value: text(o.logDir)})
	}
	if o.vcs != "" {
		settings = append(settings, config.Override{Key: settingsKey + "version_manager.mode", Value: text(o.vcs)})
	}
	return settings
}

// place finds the config.
func (o Launch) place(w World, notice func(string)) (ConfigPlace, error) {
	switch {
	case o.noConfig:
		return ConfigPlace{Name: o.configName}, nil
	case o.configDir != "":
		return givenConfig(w.Cwd, o.configDir, o.configName)
	}
	place, err := FindConfig(w.Cwd, o.configName, notice)
	if err == nil && place.Dir == "" && o.configNamed {
		err = fault.Hint(fmt.Errorf("--config-name: there is no %s.yaml in ./%s", o.configName, strings.Join(configDirs, ", ./")), "--config-dir DIR says where it is")
	}
	return place, err
}

// start makes the run directories of jobs and executes them.
func start(w World, plan *Plan, jobs []Job, o Launch, report *reporter) error {
	s := plan.Settings
	root, remove, err := logRoot(w, s)
	if err != nil {
		return err
	}
	defer remove()
	code, err := keepVersion(context.Background(), w, s, root, report)
	if err != nil {
		return err
	}
	if err := code.fits(w, jobs, report.notice); err != nil {
		return err
	}
	return launchRuns(w, root, plan, code, jobs, o.pool, report)
}

// launchRuns makes the directories of jobs in root and executes them.
func launchRuns(w World, root string, plan *Plan, code version, jobs []Job, o poolOptions, report *reporter) error {
	s := plan.Settings
	signals := catchSignals()
	var runs []logdir.Run
	if id := s.Logger.ForcedLogID; id > 0 {
		if len(jobs) > 1 {
			return fault.Hint(errors.New("logger.forced_log_id names one run, and this is a sweep"), "leave it out: every run of a sweep gets a number")
		}
		run, exists, err := forced(root, id)
		if err != nil {
			return err
		}
		if exists {
			if err := sameRun(run, plan, jobs[0]); err != nil {
				return err
			}
			runs = []logdir.Run{run}
		}
	}
	if runs == nil {
		log, err := logdir.Open(root)
		if err != nil {
			return err
		}
		b := &batch{world: w, plan: plan, code: code, jobs: jobs}
		made, err := create(log, []*batch{b}, nil, signals.stop)
		if err != nil {
			return err
		}
		runs = b.runs
		if !made {
			report.warn("interrupted: nothing was started, and no run is left")
			return endedBy(signals.ended())
		}
	}
	if !s.UseLogger {
		root = ""
	}
	report.start(root, len(runs), min(o.jobs, len(runs)))
	return execute(w, runs, o, signals, report)
}

// execute executes runs and returns the error that gives mlxp its exit status.
// report knows where they are.
func execute(w World, runs []logdir.Run, o poolOptions, signals *signals, report *reporter) error {
	p := &pool{world: w, jobs: report.jobs, failFast: o.failFast, gpus: o.gpus, report: report, signals: signals}
	if len(runs) == 1 {
		listener, done := signals.subscribe()
		defer done()
		if listener == nil {
			return endedBy(signals.ended())
		}
		environ, gpu, giveBack := o.gpus.take(w.Environ)
		defer giveBack()
		report.starting(runs[0], gpu)
		w.Environ = environ
		info, err := executeRun(w, runs[0], gpu, true, listener, report, nil)
		if isHeld(err) {
			report.warn(err.Error()) // who was faster tells how it ends
			return nil
		}
		if err != nil {
			return err
		}
		report.ended(runs[0], info, nil)
		if byCtrlC(info, nil) {
			return endedBy(unix.SIGINT)
		}
		return report.complete(exit(*info.ExitCode))
	}
	p.run(runs)
	report.summary(runs, sweepOf(runs[0]))
	return p.status(runs)
}

// sweepOf is the number by which a query finds the sweep of run.
func sweepOf(run logdir.Run) int {
	if info, err := run.ReadInfo(); err == nil && info.Sweep != nil {
		return info.Sweep.ID
	}
	return run.ID
}

func exit(status int) error {
	if status == 0 {
		return nil
	}
	return fault.Silent(status)
}
