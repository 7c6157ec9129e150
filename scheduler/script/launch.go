package script

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// A launchCall says which words of a call are the launch.
type launchCall struct {
	line   int
	word   int      // the word of the call that holds mlxp
	before []string // what that word gives in front of mlxp: $RUNNER being "nice mlxp"
	head   string   // the wrapper before mlxp, empty if there is none
}

// transparent are commands behind which a launch may stand: they execute it
// once, here and as it is. What has a value needs that word as well.
var transparent = map[string]string{
	"time": "", "nohup": "", "nice": "", "ionice": "", "timeout": "", "env": "", "command": "", "exec": "", "stdbuf": "",
	"taskset": "", "numactl": "", "chrt": "", "setsid": "", "xvfb-run": "", "unbuffer": "", "caffeinate": "", "systemd-inhibit": "",
	"conda": "run", "mamba": "run", "micromamba": "run", "uv": "run", "poetry": "run", "pixi": "run", "pipenv": "run", "rye": "run", "hatch": "run", "pdm": "run",
	"apptainer": "exec", "singularity": "exec",
}

// spreading start their command several times: they belong behind the --.
var spreading = map[string]bool{
	"srun": true, "mpirun": true, "mpiexec": true, "mpiexec.hydra": true, "orterun": true, "aprun": true, "jsrun": true, "ibrun": true, "prun": true, "oarsh": true,
	"torchrun": true, "accelerate": true, "deepspeed": true, "horovodrun": true,
}

// textShells execute a text that is one of their words.
var textShells = map[string]bool{"sh": true, "bash": true, "dash": true, "zsh": true, "ksh": true, "ssh": true, "su": true, "sudo": true, "watch": true, "script": true, "flock": true, "sg": true}

// what mlxp does besides launching
var (
	readingCommands = []string{"query", "show", "fields", "diff", "logs"}
	actingCommands  = []string{"resume", "rerun", "verify", "rm", "gc", "sub", "cancel"}
	otherCommands   = []string{"status", "completion", "help", "job"}
	noRunFlags      = []string{"--dry-run", "--cfg", "--help", "-h", "--version", "-v"}
)

// launch notes the launch that args are, and tells whether they are one or
// another call of mlxp.
func (e *evaluator) launch(args []string, from []int) bool {
	at := slices.IndexFunc(args, e.isMlxp)
	if at < 0 {
		if textShells[filepath.Base(args[0])] && slices.ContainsFunc(args[1:], func(a string) bool {
			return e.holdsMlxp(a) && strings.Contains(a, " -- ")
		}) {
			e.fail(fault.Hint(e.script.errorf(e.line, "a launch inside a text for %s cannot be worked out", args[0]), "write the launch into the script itself"))
		}
		return false
	}
	if at > 0 && (onlyPrints[args[0]] || isHarmless(args[0])) {
		return false
	}
	words := args[at+1:]
	dashes := slices.Index(words, "--")
	head := words
	if dashes >= 0 {
		head = words[:dashes]
	}
	command := subcommand(head)
	if at > 0 && dashes < 0 && command == "" {
		return false // pip install mlxp
	}
	if command == "" && dashes < 0 {
		return e.missingDashes(words)
	}
	if slices.Contains(readingCommands, command) && at == 0 {
		e.execute(e.o.Self, args, args[1:], false)
		return true
	}
	if command != "" && !slices.Contains(actingCommands, command) || command == "" && slices.ContainsFunc(head, isNoRun) {
		return false
	}
	if !e.checkWrapper(args, at, command) {
		return true
	}
	if slices.Contains(actingCommands, command) {
		e.fail(fault.Hint(e.script.errorf(e.line, "mlxp %s would be executed in every job", command), "call it yourself, before or after mlxp sub"))
		return true
	}
	if len(e.sources) > 0 {
		e.fail(fault.Hint(e.script.errorf(e.line, "a launch inside %s, which the script sources", e.sources[len(e.sources)-1]), "move the launch into %s: each job script is made of it", e.script.Path))
		return true
	}
	call := &launchCall{line: e.line, word: from[at]}
	if at > 0 {
		call.head = args[0]
	}
	for i := range at {
		if from[i] == from[at] {
			call.before = append(call.before, args[i])
		}
	}
	restore := e.envWords(args[:at])
	e.record(call, slices.Clone(words))
	restore()
	e.status = status{cause: outcomeOf(e.line), assumed: true}
	e.stdout.write(e, e.unknown(e.status.cause))
	if call.head == "exec" {
		e.exit(0, "")
	}
	return true
}

// isNoRun tells whether a flag makes mlxp print something instead of running.
func isNoRun(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	return slices.Contains(noRunFlags, name)
}

// subcommand returns the command of mlxp that its words begin with, after flags;
// empty for a launch.
func subcommand(words []string) string {
	for i, word := range words {
		if strings.HasPrefix(word, "-") || i > 0 && strings.HasPrefix(words[i-1], "-") && !strings.Contains(words[i-1], "=") {
			if known := slices.Contains(slices.Concat(readingCommands, actingCommands, otherCommands), word); !known || takesValue(words, i) {
				continue
			}
		}
		if slices.Contains(slices.Concat(readingCommands, actingCommands, otherCommands), word) {
			return word
		}
		return ""
	}
	return ""
}

// takesValue tells whether the word before i is a flag of mlxp's that the word
// at i is the value of.
func takesValue(words []string, i int) bool {
	return i > 0 && slices.Contains([]string{"--log-dir", "--config-dir", "--config-name", "--where", "--vcs", "-j", "--jobs", "--limit", "--gpus", "--per-gpu", "--seed-sweep"}, words[i-1])
}

// missingDashes deals with a call of mlxp that has neither a command nor a --.
func (e *evaluator) missingDashes(words []string) bool {
	if len(words) == 0 || slices.ContainsFunc(words, isNoRun) {
		return false
	}
	if c := e.causeInAll(words); c != nil {
		e.fail(e.hangs(e.line, c, "the words of this launch hang"))
		return true
	}
	e.fail(fault.Hint(e.script.errorf(e.line, "mlxp %s: the -- before the program is missing", shortened(words)), "mlxp -- %s", shortened(words)))
	return true
}

// checkWrapper refuses what a launch may not stand behind.
func (e *evaluator) checkWrapper(args []string, at int, command string) bool {
	if at == 0 {
		return true
	}
	for i, word := range args[:at] {
		name := filepath.Base(word)
		if !spreading[name] {
			continue
		}
		e.fail(fault.Hint(e.script.errorf(e.line, "mlxp stands behind %s, which would start it several times for one run", name),
			"mlxp … -- %s …", strings.Join(args[i:at], " ")))
		return false
	}
	name := filepath.Base(args[0])
	needs, ok := transparent[name]
	if ok && (needs == "" || slices.Contains(args[1:at], needs)) {
		return true
	}
	what := "a launch"
	if command != "" {
		what = "mlxp " + command
	}
	e.fail(fault.Hint(e.script.errorf(e.line, "%s behind %s cannot be worked out", what, shortened(args[:1])), "write it as a loop: for x in …; do mlxp … -- …; done"))
	return false
}

// envWords makes the assignments among the words of a leading env, and returns
// what takes them back.
func (e *evaluator) envWords(words []string) (restore func()) {
	if len(words) == 0 || filepath.Base(words[0]) != "env" {
		return func() {}
	}
	outer := e.sh
	e.sh = outer.clone()
	for _, word := range words[1:] {
		if name, value, ok := strings.Cut(word, "="); ok && syntax.ValidName(name) {
			e.sh.vars[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
		}
	}
	return func() { e.sh = outer }
}

// noLaunch is what a script without launches did instead.
type noLaunch struct {
	overrides, script, submit string
	lines                     [3]int
}

// note looks at a command that is left for the job for a sign of what its author
// meant.
func (n *noLaunch) note(e *evaluator, args []string) {
	name := filepath.Base(args[0])
	runner := strings.HasPrefix(name, "python") || strings.Contains(args[0], "/") || slices.Contains([]string{"uv", "poetry", "torchrun", "accelerate", "julia", "Rscript", "srun", "mpirun", "conda"}, name)
	switch {
	case n.submit == "" && slices.Contains([]string{"sbatch", "qsub", "oarsub", "bsub", "msub"}, name):
		n.submit, n.lines[2] = name, e.line
	case n.script == "" && (textShells[name] || strings.HasSuffix(name, ".sh")):
		for _, arg := range args {
			if strings.HasSuffix(arg, ".sh") {
				n.script, n.lines[1] = arg, e.line
			}
		}
	case n.overrides == "" && runner && (slices.ContainsFunc(args[1:], looksLikeOverride) || strings.HasPrefix(name, "python")):
		n.overrides, n.lines[0] = shortened(args), e.line
	}
}

// looksLikeOverride tells whether a word is KEY=VALUE.
func looksLikeOverride(word string) bool {
	key, _, ok := strings.Cut(strings.TrimLeft(word, "+~"), "=")
	return ok && key != "" && key[0] != '-' && !strings.ContainsAny(key, " /:%")
}

// noLaunch is the error for a script that launches nothing.
func (e *evaluator) noLaunch() error {
	err := fmt.Errorf("%s launches nothing with mlxp, so there is nothing to submit", e.script.Path)
	at := func(i int) string { return fmt.Sprintf("%s:%d", e.script.Path, e.hints.lines[i]) }
	switch h := e.hints; {
	case h.overrides != "":
		return fault.Hint(err, "%s: write mlxp -- before the program:  mlxp -- %s", at(0), h.overrides)
	case h.submit != "":
		return fault.Hint(err, "%s: the script calls %s itself; write mlxp -- PROGRAM there, and mlxp sub makes the jobs", at(2), h.submit)
	case h.script != "":
		return fault.Hint(err, "%s: launches in %s are not seen; write them into this script", at(1), h.script)
	}
	return fault.Hint(err, "a launch reads mlxp -- PROGRAM WORD…")
}
