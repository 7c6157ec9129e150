package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
)

// A harmless command neither writes files nor starts others, with the options
// that it has here. (No sed, awk, find, xargs, tee, env: each can do one or the
// other. No hostname, nproc: they answer differently on a node.)
type harmless struct {
	reads bool                     // files, and standard input: the others need their words alone
	fit   func(args []string) bool // whether the words keep it harmless; nil: always
}

var harmlessCommands = map[string]harmless{
	"seq": {}, "basename": {}, "dirname": {}, "expr": {}, "whoami": {}, "id": {},
	"echo": {}, "printf": {}, "tr": {reads: true}, "bc": {reads: true}, "rev": {reads: true}, "tac": {reads: true},
	"cat": {reads: true}, "head": {reads: true}, "tail": {reads: true, fit: without("fF", "--f", "--retry")}, "wc": {reads: true},
	"cut": {reads: true}, "paste": {reads: true}, "grep": {reads: true}, "ls": {reads: true},
	"realpath": {reads: true}, "readlink": {reads: true},
	"sort":  {reads: true, fit: without("oT", "--o", "--co", "--t", "--fi")},            // -o FILE, --compress-program
	"uniq":  {reads: true, fit: func(args []string) bool { return operands(args) < 2 }}, // uniq IN OUT
	"uname": {fit: without("na", "--n", "--a")},
	"date":  {fit: fitDate},
}

func isHarmless(name string) bool {
	_, ok := harmlessCommands[name]
	return ok
}

// without accepts words that have none of the short options, not even among
// others in one word, and no long option with one of the beginnings.
func without(short string, long ...string) func([]string) bool {
	return func(args []string) bool {
		return !slices.ContainsFunc(args, func(arg string) bool {
			if strings.HasPrefix(arg, "--") {
				return slices.ContainsFunc(long, func(l string) bool { return strings.HasPrefix(arg, l) })
			}
			return strings.HasPrefix(arg, "-") && strings.ContainsAny(arg, short)
		})
	}
}

func operands(args []string) int {
	n := 0
	for i, arg := range args {
		if arg == "--" {
			return n + len(args) - i - 1
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			n++
		}
	}
	return n
}

// fitDate accepts what does not set the clock: -s, --set, and an operand without
// a +.
func fitDate(args []string) bool {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case strings.HasPrefix(arg, "+"), arg == "-u", arg == "-R", strings.HasPrefix(arg, "-I"):
		case arg == "--utc", strings.HasPrefix(arg, "--date="), strings.HasPrefix(arg, "--iso-8601"), strings.HasPrefix(arg, "--rfc-"), strings.HasPrefix(arg, "--reference="):
		case arg == "-d" || arg == "-r" || arg == "--date":
			i++
		case strings.HasPrefix(arg, "-d"), strings.HasPrefix(arg, "-r"):
		default:
			return false
		}
	}
	return true
}

// systemDirs are where the system keeps its commands: a harmless name found
// elsewhere could be a program of the user's.
var systemDirs = []string{"/usr/bin", "/bin", "/run/current-system/sw/bin"}

// timeLimit is how long a harmless command may take.
const timeLimit = 20 * time.Second

// external executes a harmless command, or one that the user allowed, and tells
// whether args are one.
func (e *evaluator) external(args []string) bool {
	name := filepath.Base(args[0])
	if slices.Contains(e.o.Allow, args[0]) || slices.Contains(e.o.Allow, name) {
		return e.externalKnown(args, e.find(args[0]), true)
	}
	h, ok := harmlessCommands[name]
	if !ok || h.fit != nil && !h.fit(args[1:]) || name != args[0] && !slices.Contains(systemDirs, filepath.Dir(args[0])) {
		return false
	}
	if h.reads && e.causeInAll(args) == nil {
		if c := e.unsureWords(args[1:]); c != nil {
			e.unknownOutput(c)
			return true
		}
	}
	for _, dir := range systemDirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return e.externalKnown(args, path, false)
		}
	}
	return false
}

// unsureWords returns why a command that reads files may find others in the job.
func (e *evaluator) unsureWords(words []string) *cause {
	if c := e.causeIn(e.sh.dir); c != nil {
		return c
	}
	for _, word := range words {
		if word == "" || word[0] == '-' {
			continue
		}
		if out := e.files[e.abs(word)]; out != nil || e.touched[e.abs(word)] != nil {
			return e.unsure(word)
		}
	}
	return nil
}

func (e *evaluator) unknownOutput(c *cause) {
	e.stdout.write(e, e.unknown(c))
	e.status = status{cause: c}
}

// externalKnown executes a command if all that it is given is known.
func (e *evaluator) externalKnown(args []string, path string, allowed bool) bool {
	c := e.causeInAll(args)
	if c == nil && (allowed || harmlessCommands[filepath.Base(args[0])].reads) {
		c = e.causeIn(e.stdin.data)
	}
	if c == nil && allowed {
		c = e.causeIn(e.sh.dir)
	}
	if c != nil {
		e.unknownOutput(c)
		return true
	}
	e.execute(path, args, args[1:], !allowed)
	return true
}

// find returns the path of a command that the user allowed, as the script's PATH
// has it; empty if there is none.
func (e *evaluator) find(name string) string {
	if strings.Contains(name, "/") {
		return e.abs(name)
	}
	for _, dir := range filepath.SplitList(e.value("PATH")) {
		path := filepath.Join(e.abs(dir), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// execute runs a program, and takes its output and status. A harmless one gets
// nothing of the script's environment that could change what it does.
func (e *evaluator) execute(path string, args, words []string, harmless bool) {
	if path == "" {
		if args[0] == "mlxp" || e.isMlxp(args[0]) {
			e.unknownOutput(e.left(shortened(args)))
			return
		}
		e.status = status{code: 127}
		return
	}
	ctx, cancel := e.ctx, context.CancelFunc(func() {})
	if harmless {
		ctx, cancel = context.WithTimeout(e.ctx, timeLimit)
	}
	defer cancel()
	cmd := exec.CommandContext(ctx, path, words...)
	cmd.Args[0] = args[0]
	cmd.WaitDelay = time.Second
	cmd.Dir = e.sh.dir
	if _, err := os.Stat(cmd.Dir); err != nil {
		cmd.Dir = "/"
	}
	cmd.Env, _ = e.environ(e.line)
	if harmless {
		cmd.Env = slices.DeleteFunc(cmd.Env, func(pair string) bool { return !inHarmlessEnvironment(pair) })
		cmd.Env = append(cmd.Env, "PATH="+strings.Join(systemDirs, ":"))
	}
	cmd.Stdin = strings.NewReader(e.stdin.data)
	var out limited
	cmd.Stdout = &out
	err := cmd.Run()
	if harmless && harmlessCommands[filepath.Base(args[0])].reads && !e.namesFile(words) {
		e.stdin.rest()
	}
	var ended *exec.ExitError
	switch {
	case out.full:
		e.fail(e.script.errorf(e.line, "%s prints more than %d MiB", shortened(args), maxValue>>20))
	case e.ctx.Err() != nil:
		e.fail(e.ctx.Err())
	case ctx.Err() != nil:
		e.fail(fault.Hint(e.script.errorf(e.line, "%s takes more than %v", shortened(args), timeLimit), "what takes so long belongs into the job: write its result down"))
	case err == nil:
		e.status = status{}
	case errors.As(err, &ended):
		e.status = status{code: ended.ExitCode() & 255}
	default:
		e.status = status{code: 126}
	}
	e.stdout.write(e, strings.ReplaceAll(out.String(), "\x00", ""))
}

// namesFile tells whether a word is the name of a file: then the command reads
// that, not its standard input.
func (e *evaluator) namesFile(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		_, err := os.Stat(e.abs(w))
		return w != "" && w[0] != '-' && err == nil
	})
}

// inHarmlessEnvironment tells whether a variable may be in the environment of a
// harmless command: language, time zone, who the user is.
func inHarmlessEnvironment(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return strings.HasPrefix(name, "LC_") || slices.Contains([]string{"LANG", "TZ", "HOME", "USER", "LOGNAME", "PWD"}, name)
}

// limited keeps what is written up to maxValue bytes.
type limited struct {
	bytes.Buffer
	full bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxValue {
		l.full = true
		return 0, fmt.Errorf("too much output")
	}
	return l.Buffer.Write(p)
}
