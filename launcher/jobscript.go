package launcher

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
	"github.com/mlxp/mlxp/scheduler/script"
)

// A submission is what one mlxp sub hands over.
type submission struct {
	w      World
	o      subOptions
	script *script.Script
	report *reporter
	token  string

	scheduler *scheduler.Scheduler // nil: none, the runs go on here
	client    *scheduler.Client
	limits    scheduler.Limits
	header    []string      // the script's header lines, without their directives
	dir       string        // where the script starts
	named     string        // the job's name that the script gives; empty: none
	warning   warning       // before the time limit
	options   []string      // what mlxp's own header lines say besides
	limit     time.Duration // the time limit, where mlxp has to know it; 0: it does not

	batches []*batch
	logs    []*logdir.Log
}

// localName is what stands for a scheduler in the record of a run whose job script
// is run without one.
const localName = "local"

func (s *submission) name() string {
	if s.scheduler == nil {
		return localName
	}
	return s.scheduler.Name
}

// readHeader finds out from the script's header lines whose they are and what they
// say that mlxp has to know.
func (s *submission) readHeader(ctx context.Context) error {
	s.dir = s.w.Cwd
	near := s.script.Near()
	for _, line := range slices.Sorted(maps.Keys(near)) {
		s.report.notice(fmt.Sprintf("%s:%d: no scheduler reads %s: a header line begins with # and the word in capitals, without blanks", s.o.path, line, visible.Text(strings.TrimSpace(near[line]))))
	}
	first := 0
	for _, h := range s.script.Header {
		found := scheduler.ByDirective(h.Directive)
		switch {
		case s.scheduler == nil:
			s.scheduler, first = found, h.Line
		case found != s.scheduler:
			return fault.Hint(fmt.Errorf("%s has header lines of two schedulers: %s in line %d, %s in line %d", s.o.path, s.scheduler.Directives[0], first, h.Directive, h.Line),
				"keep those of the one that gets the job: some schedulers obey the others' lines, too")
		}
		if !h.BeforeCommands && !found.Options.Anywhere {
			s.report.notice(fmt.Sprintf("%s:%d: %s after the first command is not read by the scheduler", s.o.path, h.Line, h.Directive))
			continue
		}
		s.header = append(s.header, h.Rest)
	}
	if s.scheduler == nil {
		if s.o.local {
			return nil
		}
		return fault.Hint(fmt.Errorf("%s has no header lines, such as #SBATCH --time=1:00:00", s.o.path), "they tell which scheduler gets the jobs; --local runs them here")
	}
	if !s.o.local {
		s.client = &scheduler.Client{Scheduler: s.w.site(s.scheduler), Environ: s.w.Environ, Dir: s.dir, Timeout: patience}
		s.client.Speak(ctx)
		s.client.Scheduler = s.w.site(s.client.Scheduler)
		s.scheduler = s.client.Scheduler
	}
	o := s.scheduler.Options
	if _, ok := s.scheduler.Find(s.header, o.Array); ok {
		return fault.Hint(fmt.Errorf("%s: the header asks for an array", s.o.path), "mlxp makes a job for each run, and arrays of them: leave it out; --max-running N limits how many run at a time")
	}
	var replaced []string
	for what, option := range map[string]scheduler.Option{"name": o.Name, "output": o.Output, "error": o.Error} {
		if value, ok := s.scheduler.Find(s.header, option); ok {
			replaced = append(replaced, what)
			if what == "name" {
				s.named = value
			}
		}
	}
	if len(replaced) > 0 && !s.o.local {
		s.report.notice("the script's job name and output files are replaced: each run's are named for it, and the output is job.log in its directory")
	}
	if dir, ok := s.scheduler.Find(s.header, o.Dir); ok && dir != "" {
		s.dir = s.w.abs(dir)
	}
	s.warning.signal, s.warning.early = s.scheduler.Warned(s.header)
	if s.o.local {
		s.scheduler = nil
		return nil
	}
	s.client.Dir = s.dir
	if s.o.requeue > 0 && len(s.scheduler.Requeue) == 0 && s.scheduler.RequeueExit == 0 {
		return fmt.Errorf("--requeue-on-timeout: %s has no way for a job to start again as itself", s.scheduler.Name)
	}
	if s.o.maxRunning > 0 && o.RangeLimit == "" && o.Throttle.Write == "" {
		s.report.notice(fmt.Sprintf("--max-running has no effect: %s cannot limit how many runs go at a time", s.scheduler.Name))
	}
	if o.Limit != nil {
		s.limit = o.Limit(s.values)
	}
	s.options = s.ends()
	return nil
}

// ends sees to it that a run can end before its job is killed, and the job start again
// where that is asked for, and returns the options that say so.
func (s *submission) ends() []string {
	o := s.scheduler.Options
	var options []string
	if s.again() {
		options = append(options, o.Again...)
	}
	switch {
	case o.Warn == nil:
		return options
	case s.warning.signal != "": // asked for again, in the form that reaches the run
	case o.Kills:
		s.warning = warning{o.Signal, lastWarning}
	case s.o.requeue > 0:
		s.warning = warning{o.Signal, defaultWarning}
		if s.limit > 0 {
			s.warning.early = min(defaultWarning, s.limit/2)
		}
	default:
		return options
	}
	return append(options, o.Warn(s.warning.signal, s.warning.early, s.limit)...)
}

// A warning is a signal that comes before the time limit.
type warning struct {
	signal string        // "USR1"; empty: none comes
	early  time.Duration // how long before
}

const (
	// patience is how long a scheduler may take to answer: a controller under load
	// takes its time, and what it does afterwards nobody knows.
	patience = 5 * time.Minute
	// defaultWarning is how long before the time limit a run is warned that is to be
	// requeued, where its script does not say.
	defaultWarning = 60 * time.Second
	// lastWarning is how long before the time limit a run is warned whose scheduler
	// kills without a signal, where its script does not say.
	lastWarning = 30 * time.Second
)

// known are the variables of a job whose values are known before it is submitted.
func (s *submission) known() map[string]string {
	known := map[string]string{}
	if s.scheduler != nil {
		for _, name := range s.scheduler.Dirs {
			known[name] = s.dir
		}
	}
	return known
}

// nodeVariables are set by a node, where they are not set already.
var nodeVariables = []string{"TMPDIR", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"}

// jobOnly tells whether only a job has the variable.
func (s *submission) jobOnly(name string) bool {
	if scheduler.JobOnly(name) {
		return true
	}
	for _, n := range nodeVariables {
		if n == name {
			return s.w.getenv(name) == ""
		}
	}
	return false
}

// jobName is the name of a run's job: what the script calls it, or its program, the
// run's number, and the token by which the job can be found.
func (s *submission) jobName(b *batch, run logdir.Run) string {
	base := s.named
	if base == "" {
		base = b.plan.name
	}
	clean := []byte(base)
	for i, c := range clean {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", rune(c)) {
			clean[i] = '_'
		}
	}
	tail := fmt.Sprintf("-%d-%s", run.ID, s.token)
	longest := 60
	if s.scheduler != nil && s.scheduler.Options.LongestName > 0 {
		longest = s.scheduler.Options.LongestName
	}
	name := string(clean[:max(min(len(clean), longest-len(tail)), 0)]) + tail
	if s.scheduler != nil && s.scheduler.JobName != nil {
		name = s.scheduler.JobName(name)
	}
	return name
}

// ours begins, in a job script, the header lines that mlxp adds to the user's.
const ours = "# by mlxp:"

// A heading is what mlxp adds to the header lines of a script.
type heading struct {
	scheduler *scheduler.Scheduler
	shell     []string
	user      []string // the user's header lines, which come first
	name      string   // of the job
	output    string   // the path that it writes to
	task      string   // what stands for the index of an array's task in output; empty: nothing
	tasks     int      // of the array; 0: it is none
	throttle  int      // how many of them run at a time; 0: all
	options   []string // what its lines say besides
}

// lines are the header lines of the script; written tells whether the scheduler
// writes the output.
func (h heading) lines() (lines []string, written bool) {
	s, o := h.scheduler, h.scheduler.Options
	lines = append(append(lines, h.user...), ours)
	add := func(option scheduler.Option, value string) {
		if option.Write != "" {
			lines = append(lines, s.Line(option, value))
		}
	}
	add(o.Name, h.name)
	path := os.DevNull
	if o.Path != nil && (h.tasks == 0 || h.task != "") {
		if value, ok := o.Path(h.output, h.task); ok {
			path, written = value, true
		}
	}
	add(o.Output, path)
	plain := make([]string, len(h.user))
	for i, line := range h.user {
		plain[i] = strings.TrimPrefix(line, s.Directives[0])
	}
	if _, own := s.Find(plain, o.Error); own || o.ErrorAlways {
		add(o.Error, path)
	}
	add(o.Shell, shellPath(h.shell))
	for _, option := range slices.Concat(o.Always, h.options) {
		lines = append(lines, s.Directives[0]+" "+option)
	}
	if h.tasks > 0 {
		value := fmt.Sprintf("1-%d", h.tasks)
		if o.Count {
			value = strconv.Itoa(h.tasks)
		}
		if h.throttle > 0 && o.RangeLimit != "" {
			value += fmt.Sprintf(o.RangeLimit, h.throttle)
		}
		add(o.Array, value)
		if h.throttle > 0 {
			add(o.Throttle, strconv.Itoa(h.throttle))
		}
	}
	return lines, written
}

// shellPath is the shell of "#!" as one path: that of "#!/usr/bin/env bash" is
// /bin/bash.
func shellPath(shell []string) string {
	if filepath.Base(shell[0]) == "env" && len(shell) > 1 {
		return "/bin/" + filepath.Base(shell[len(shell)-1])
	}
	return shell[0]
}

// userHeader are the script's header lines as they are written into job scripts.
func (s *submission) userHeader() []string {
	if s.scheduler == nil {
		return nil
	}
	lines := make([]string, len(s.header))
	for i, rest := range s.header {
		lines[i] = s.scheduler.Directives[0] + rest
	}
	return lines
}

// jobScript is the text of a run's job script.
func (s *submission) jobScript(b *batch, run logdir.Run) (string, error) {
	command := []string{s.w.Self, "job", "--token", s.token}
	var header []string
	written := true
	if s.scheduler != nil {
		if s.warning.signal != "" {
			command = append(command, "--warning", s.warning.signal)
		}
		if s.warning.signal != "" && (s.scheduler.Options.Kills || s.again()) {
			command = append(command, "--ends", (s.warning.early - s.warning.early/3).String())
		}
		if s.mayAgain() {
			command = append(command, "--again")
		}
		if s.limit > 0 {
			command = append(command, "--limit", s.limit.String())
		}
		if s.o.requeue > 0 {
			command = append(command, "--requeue", strconv.Itoa(s.o.requeue))
		}
		if grace := s.limits.Grace; grace > 0 {
			command = append(command, "--grace", (grace - min(endsBefore, grace/2)).String())
		}
		header, written = heading{
			scheduler: s.scheduler, shell: s.script.Shell, user: s.userHeader(),
			name: s.jobName(b, run), output: run.Path(logdir.JobLog), options: s.options,
		}.lines()
	}
	command = append(command, run.Dir)
	return s.script.Job(*b.launch, script.JobText{
		Header:  header,
		Top:     s.top(b, run, written),
		Command: command,
		Exec:    !s.outlives(b),
	})
}

// again tells whether jobs of the submission may start again by their exit status.
func (s *submission) again() bool {
	return s.o.requeue > 0 && s.scheduler != nil && s.scheduler.RequeueExit != 0
}

// mayAgain tells whether jobs of the submission may start again by an exit status that
// they would not have otherwise.
func (s *submission) mayAgain() bool {
	if s.scheduler == nil || s.scheduler.Options.MayAgain == nil {
		return false
	}
	return s.again() || s.scheduler.Options.MayAgain(s.values)
}

// values are those that the script's header lines give an option.
func (s *submission) values(names ...string) []string { return s.scheduler.Values(s.header, names...) }

// site asks what the site allows, where jobs are to go to a scheduler.
func (s *submission) site(ctx context.Context) {
	if s.client != nil {
		s.limits = s.client.Site(ctx)
	}
}

// outlives tells whether the shell of a job script has something to do when the run
// has ended.
func (s *submission) outlives(b *batch) bool {
	// Options of the shell's, as in "#!/bin/bash -e", are lost where "#!" does not count.
	options := s.scheduler != nil && s.scheduler.Options.Shell.Write != "" && len(s.script.Shell) > 1 && filepath.Base(s.script.Shell[0]) != "env"
	return b.launch.Follows || s.script.Traps || options
}

// endsBefore is how much earlier than the scheduler mlxp ends a program, so that the
// end is recorded; half of a grace time that is shorter than twice that.
const endsBefore = 5 * time.Second

// addressSpace is how much mlxp needs in a job, in KiB as ulimit -v has it: Go
// reserves memory that it does not use.
const addressSpace = 800 << 10

// top are the first lines of a job script: what has to be true on its node, where
// it starts.
func (s *submission) top(b *batch, run logdir.Run, written bool) []string {
	q := script.Quote
	self, dir := q(s.w.Self), q(run.Dir)
	lines := []string{
		`mlxp_stop() { echo "mlxp: $(uname -n): $*" >&2; exit 1; }`,
		fmt.Sprintf(`[ -x %s ] || mlxp_stop %s 'cannot be executed here: put it where all nodes see it'`, self, self),
		fmt.Sprintf(`[ -d %s ] || mlxp_stop %s 'is not there: the log dir has to be where all nodes see it'`, dir, dir),
		writeLog(run, written),
		fmt.Sprintf(`case $(ulimit -v) in unlimited) ;; *) [ "$(ulimit -v)" -ge %d ] || mlxp_stop "needs %d MB of address space and may have $(ulimit -v) kB: ask for more memory" ;; esac`, addressSpace, addressSpace>>10),
		s.from(),
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	if s.outlives(b) {
		shell := make([]string, len(s.script.Shell))
		for i, word := range s.script.Shell {
			shell[i] = q(word)
		}
		// Signals of the scheduler reach this process alone, or all: one that waits
		// for the shell passes them on to the run, which the shell would not.
		requeue := ""
		if s.again() {
			requeue = fmt.Sprintf("--requeue %d ", s.o.requeue)
		}
		if s.mayAgain() {
			requeue += "--again "
		}
		lines = append(lines, fmt.Sprintf(`[ "$MLXP_RUN_SHELL" = %s ] || exec %s job --shell %s%s -- %s "$0" "$@"`, dir, self, requeue, dir, strings.Join(shell, " ")))
	}
	// Behind that line, for which "$0" may be relative to where the script starts.
	lines = append(lines, fmt.Sprintf(`cd %s || exit`, q(s.dir)))
	return lines
}

// from lets the variables of a job name the directory that the user submitted from,
// where the scheduler was called from another one.
func (s *submission) from() string {
	if s.scheduler == nil || !s.scheduler.InPlace {
		return ""
	}
	line := "export"
	for _, name := range s.scheduler.Dirs {
		line += " " + name + "=" + script.Quote(s.dir)
	}
	return line
}

// writeLog lets the script write the run's job.log where the scheduler does not.
func writeLog(run logdir.Run, written bool) string {
	if written {
		return ""
	}
	return fmt.Sprintf(`[ "$MLXP_RUN_SHELL" = %s ] || exec >>%s 2>&1`, script.Quote(run.Dir), script.Quote(run.Path(logdir.JobLog)))
}

// arrayScript is the text of the script of an array: each task executes the job
// script of its run.
func arrayScript(h heading, dir string, runs []logdir.Run) string {
	task := h.scheduler.Options.TaskPath
	h.output, h.task, h.tasks = filepath.Join(dir, task, logdir.JobLog), task, len(runs)
	header, written := h.lines()
	log := ""
	q := script.Quote
	if !written {
		log = fmt.Sprintf(` >>%s/"$%s"/%s 2>&1`, q(dir), h.scheduler.Task, logdir.JobLog)
	}
	quoted := make([]string, len(h.shell))
	for i, word := range h.shell {
		quoted[i] = q(word)
	}
	lines := append([]string{"#!" + strings.Join(h.shell, " ")}, header...)
	lines = append(lines,
		fmt.Sprintf("# Task N executes the job script of the run that the link N beside this file leads to: runs %s.", numbers(idsOfRuns(runs))),
		fmt.Sprintf(`[ -e %s ] || { echo "mlxp: $(uname -n):" %s "is not there: the log dir has to be where all nodes see it" >&2; exit 1; }`, q(dir), q(dir)),
		fmt.Sprintf(`exec %s %s/"$%s"/%s%s`, strings.Join(quoted, " "), q(dir), h.scheduler.Task, logdir.ScriptSh, log))
	return strings.Join(lines, "\n") + "\n"
}

func idsOfRuns(runs []logdir.Run) []int {
	ids := make([]int, len(runs))
	for i, run := range runs {
		ids[i] = run.ID
	}
	return ids
}
