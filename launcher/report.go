package launcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/screen"
	"github.com/mlxp/mlxp/internal/secret"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
)

// A reporter tells the user of the runs of one command, on stderr.
type reporter struct {
	out     *os.File
	quiet   bool
	verbose bool
	cwd     string

	terminal bool // out is one, and can draw a line anew

	root string // the log dir; empty if nothing is kept
	size int    // runs of this command
	jobs int    // at a time
	line *progress

	mu    sync.Mutex
	runs  map[int]bool    // that ended, by number: whether they are complete
	held  []int           // that somebody else executes, or has
	count int             // that started
	first int             // number of the one that started first
	told  map[string]bool // notices, each told once
	lost  bool            // output could not be shown or kept
}

func newReporter(w World, quiet, verbose bool) *reporter {
	terminal := isTerminal(w.Stderr) && w.getenv("TERM") != "dumb" && w.getenv("NO_COLOR") == ""
	return &reporter{out: w.Stderr, terminal: terminal, cwd: w.Cwd, quiet: quiet, verbose: verbose, runs: map[int]bool{}, told: map[string]bool{}}
}

func (r *reporter) say(format string, args ...any) {
	r.line.aside(func() { fmt.Fprintf(r.out, "mlxp: "+format+"\n", args...) })
}

// notice tells once what the user may want to know.
func (r *reporter) notice(text string) {
	if !r.quiet {
		r.warn(text)
	}
}

// detail tells what only -v shows.
func (r *reporter) detail(text string) {
	if r.verbose && !r.quiet {
		r.say("%s", text)
	}
}

// warn tells once what went wrong.
func (r *reporter) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told[text] {
		r.told[text] = true
		r.say("%s", text)
	}
}

// unshown tells why output of a program could not be shown.
func (r *reporter) unshown(err error) {
	r.unkept(fmt.Errorf("%w: what the program printed is not all shown, but kept", err))
}

// unkept tells what of a run could not be kept.
func (r *reporter) unkept(err error) {
	r.warn(err.Error())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = true
}

// complete makes success an error if output could not be shown or kept: whoever asked
// for it does not have it.
func (r *reporter) complete(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.lost {
		return fault.Silent(fault.Incomplete)
	}
	return err
}

// start opens the report of size runs in root, jobs at a time.
func (r *reporter) start(root string, size, jobs int) {
	r.root, r.size, r.jobs = root, size, jobs
	if jobs > 1 && !r.quiet {
		r.say("%d runs%s, %d at a time", size, r.in(root), jobs)
		if r.terminal {
			r.line = newProgress(r.out, size)
		}
	}
}

// starting tells that a run starts, on a graphics processor if it was given one: a
// single run's only line, and with one run at a time the heading of what the run
// prints.
func (r *reporter) starting(run logdir.Run, gpu string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count++; r.count == 1 {
		r.first = run.ID
	}
	r.line.started()
	switch {
	case r.quiet:
	case r.size > 1 && (r.jobs == 1 || r.verbose):
		r.say("run %d (%d of %d)%s", run.ID, r.count, r.size, overridesOf(run))
	case r.size == 1 && r.root != "":
		r.say("run %d%s", run.ID, r.in(run.Dir))
	}
	if gpu != "" {
		r.detail(fmt.Sprintf("run %d uses graphics processor %s", run.ID, gpu))
	}
}

// ended tells how a run ended, where the user has to know. err is the error of
// a run that could not be executed.
func (r *reporter) ended(run logdir.Run, info *logdir.Info, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isHeld(err) {
		r.held = append(r.held, run.ID)
		defer r.line.ended(true)
		r.say("%v", err)
		return
	}
	complete := err == nil && info.Status == logdir.Complete
	// As behind "| head", which nobody wants to hear of.
	unread := err == nil && info.Signal != nil && *info.Signal == unix.SignalName(unix.SIGPIPE) && r.jobs == 1
	r.runs[run.ID] = complete
	defer r.line.ended(complete)
	switch {
	case err != nil:
		r.say("run %d: %s", run.ID, strings.TrimPrefix(err.Error(), fmt.Sprintf("run %d: ", run.ID)))
	case !complete && (!unread || r.verbose):
		r.say("run %d %s after %s%s", run.ID, describeEnd(info), duration(*info.Seconds), overridesText(info))
		if r.jobs > 1 {
			for _, line := range lastLines(run.Path(logdir.LogStderr), 5) {
				r.say("  %s", line)
			}
		}
		if !r.quiet && r.root != "" {
			r.say("mlxp show %d tells more; its output is in %s", run.ID, r.short(run.Path("log.*")))
		}
	case r.jobs > 1 && !r.quiet && (r.line == nil || r.verbose):
		r.say("run %d complete after %s (%d of %d)%s", run.ID, duration(*info.Seconds), len(r.runs), r.size, overridesText(info))
	case r.verbose:
		r.detail(fmt.Sprintf("run %d complete after %s", run.ID, duration(*info.Seconds)))
	}
	if err == nil && info.Resources != nil {
		r.detail(fmt.Sprintf("run %d used %s", run.ID, usedText(info.Resources)))
	}
}

// summary closes the report of the sweep of runs: how many are complete, which
// are not, and how they go on.
func (r *reporter) summary(runs []logdir.Run, sweep int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line.end()
	var incomplete, waiting []int
	for _, run := range runs {
		complete, ended := r.runs[run.ID]
		switch {
		case slices.Contains(r.held, run.ID):
		case !ended:
			waiting = append(waiting, run.ID)
		case !complete:
			incomplete = append(incomplete, run.ID)
		}
	}
	rest := len(incomplete) + len(waiting)
	if r.quiet && rest == 0 {
		return
	}
	text := fmt.Sprintf("%d of %d runs complete%s", len(runs)-rest-len(r.held), len(runs), r.in(r.root))
	if len(r.held) > 0 {
		text += "; left to another mlxp: " + numbers(r.held)
	}
	if len(incomplete) > 0 {
		text += "; not complete: " + numbers(incomplete)
	}
	if len(waiting) > 0 {
		text += "; not started: " + numbers(waiting)
	}
	r.say("%s", text)
	if rest > 0 && r.root != "" {
		r.say("hint: mlxp resume --where 'info.sweep.id == %d && info.status != \"COMPLETE\"' goes on with them", sweep)
	}
}

// usedText says what a run's processes have used.
func usedText(used *logdir.Resources) string {
	text := duration(used.CPUSeconds) + " of CPU time"
	if used.PeakMemory > 0 {
		text += fmt.Sprintf(" and %.1f MB of memory", float64(used.PeakMemory)/1e6)
	}
	return text
}

// isHeld tells whether err says that somebody else executes the run, or has
// completed it.
func isHeld(err error) bool {
	var claimed *logdir.ErrClaimed
	return errors.As(err, &claimed) || errors.Is(err, supervise.ErrComplete)
}

// describeEnd says in a few words how a run ended.
func describeEnd(info *logdir.Info) string {
	switch {
	case info.Signal != nil:
		return "interrupted by " + *info.Signal
	case info.ExitCode != nil:
		return fmt.Sprintf("failed with exit status %d", *info.ExitCode)
	}
	return strings.ToLower(string(info.Status))
}

func overridesOf(run logdir.Run) string {
	info, err := run.ReadInfo()
	if err != nil {
		return ""
	}
	return overridesText(info)
}

func overridesText(info *logdir.Info) string {
	if len(info.Overrides) == 0 {
		return ""
	}
	words := jsontext.Strings(info.Overrides)
	for i, word := range words {
		words[i] = secret.Word(word)
	}
	return ": " + visible.Text(strings.Join(words, " "))
}

// numbers lists numbers, those that follow each other as 3-7.
func numbers(ids []int) string {
	ids = slices.Sorted(slices.Values(ids))
	var parts []string
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && ids[j+1] == ids[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, fmt.Sprint(ids[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", ids[i], ids[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, " ")
}

// in says where something is, nothing if it is nowhere.
func (r *reporter) in(path string) string {
	if r.root == "" {
		return ""
	}
	return " in " + r.short(path)
}

// short writes a path below the current directory relative to it.
func (r *reporter) short(path string) string {
	rel, err := filepath.Rel(r.cwd, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}

// duration writes seconds as a person would.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// lastLines returns the last n lines of a text file that hold anything.
func lastLines(path string, n int) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	lines := screen.Last(f, n)
	for i, line := range lines {
		lines[i] = visible.Text(strings.TrimRight(line, " "))
	}
	return lines
}
