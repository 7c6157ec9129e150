package script

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A shell is the state of one shell: what a subshell gets a copy of.
type shell struct {
	vars     map[string]expand.Variable
	funcs    map[string]*function
	params   []string
	dir      string // may be unknown, or not be there
	dirStack []string
	flags    map[byte]bool   // of set: e u f a
	options  map[string]bool // set -o and shopt
	loaded   *cause          // a command before may have set variables: module load, conda activate
	optIndex int             // getopts: OPTIND as it left it
	optPlace int             // getopts: the place within the word at OPTIND
}

// A function is one that the script defined.
type function struct {
	body *syntax.Stmt
	file string // that defines it: the script, or what it sources
}

func (s *shell) clone() *shell {
	c := *s
	c.vars = maps.Clone(s.vars)
	c.funcs = maps.Clone(s.funcs)
	c.flags = maps.Clone(s.flags)
	c.options = maps.Clone(s.options)
	c.dirStack = slices.Clone(s.dirStack)
	return &c
}

// newShell returns the state in which the script starts.
func (e *evaluator) newShell() *shell {
	s := &shell{
		vars: map[string]expand.Variable{}, funcs: map[string]*function{},
		params: e.o.Args, dir: e.o.Dir,
		flags: map[byte]bool{}, options: map[string]bool{},
	}
	for _, pair := range e.o.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && syntax.ValidName(name) {
			s.vars[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
		}
	}
	for name, value := range e.o.Known {
		s.vars[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
	}
	delete(s.vars, "HOSTNAME") // another one on the node
	set := func(name, value string) {
		s.vars[name] = expand.Variable{Set: true, Exported: s.vars[name].Exported, Kind: expand.String, Str: value}
	}
	set("PWD", e.o.Dir)
	set("IFS", " \t\n")
	set("OPTIND", "1")
	set("UID", strconv.Itoa(os.Getuid()))
	set("EUID", strconv.Itoa(os.Geteuid()))
	if !e.script.posix {
		set("BASH", "/bin/bash")
		set("BASH_VERSION", "5.0.0(1)-release")
		s.vars["BASH_VERSINFO"] = expand.Variable{Set: true, Kind: expand.Indexed, List: []string{"5", "0", "0", "1", "release"}}
	}
	_, options := e.script.shellName()
	for _, option := range options {
		if strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") {
			for _, c := range []byte(option[1:]) {
				s.flags[c] = true
			}
		}
	}
	return s
}

// inJobOnly are the variables that a shell sets by itself and that differ in the
// job.
var inJobOnly = map[string]bool{
	"$": true, "!": true, "PPID": true, "BASHPID": true, "SECONDS": true,
	"EPOCHSECONDS": true, "EPOCHREALTIME": true, "HOSTNAME": true, "SHLVL": true,
}

// lookup returns a variable or special parameter as the script would see it.
func (e *evaluator) lookup(name string) expand.Variable {
	text := func(s string) expand.Variable { return expand.Variable{Set: true, Kind: expand.String, Str: s} }
	switch name {
	case "#":
		return text(strconv.Itoa(len(e.sh.params)))
	case "@", "*":
		return expand.Variable{Set: true, Kind: expand.Indexed, List: append([]string{}, e.sh.params...)}
	case "?":
		if e.status.cause != nil {
			return text(e.unknown(e.status.cause))
		}
		return text(strconv.Itoa(e.status.code))
	case "-":
		var flags []byte
		for f, on := range e.sh.flags {
			if on {
				flags = append(flags, f)
			}
		}
		slices.Sort(flags)
		return text(string(flags))
	case "0":
		return text(e.script.Path)
	case "RANDOM":
		return text(strconv.Itoa(rand.IntN(1 << 15)))
	case "SRANDOM":
		return text(strconv.Itoa(int(rand.Uint32())))
	case "BASH_SOURCE":
		if e.script.posix {
			break
		}
		list := slices.Clone(e.sources)
		slices.Reverse(list)
		return expand.Variable{Set: true, Kind: expand.Indexed, List: append(list, e.script.Path)}
	case "FUNCNAME":
		if e.script.posix {
			break
		}
		list := slices.Clone(e.calls)
		slices.Reverse(list)
		return expand.Variable{Set: len(list) > 0, Kind: expand.Indexed, List: list}
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n >= 1 && n <= len(e.sh.params) {
			return text(e.sh.params[n-1])
		}
		return expand.Variable{}
	}
	if v, ok := e.sh.vars[name]; ok {
		return v
	}
	if n, ok := strings.CutPrefix(name, mappedPrefix); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(e.mapped) {
			return e.mapped[i]
		}
	}
	if inJobOnly[name] || e.o.JobOnly != nil && e.o.JobOnly(name) {
		return text(e.unknown(&cause{
			line: e.line, what: "$" + name + ", which only the job has",
			mend:   e.jobOnlyMend(name),
			decide: "each launch becomes a job whatever $" + name + " is: take the test away, or put it behind the launch",
		}))
	}
	if c := e.sh.loaded; c != nil && syntax.ValidName(name) && !e.mayBeUnset[name] {
		return text(e.unknown(&cause{
			line: c.line, what: "$" + name + ", which " + c.what + " may set",
			mend: "write the value down; ${" + name + "-} if it is to be empty",
		}))
	}
	return expand.Variable{}
}

func (e *evaluator) jobOnlyMend(name string) string {
	if !syntax.ValidName(name) {
		return "write the value down, or let the program find it out"
	}
	return "let the program read " + name + ", or write 'key=${oc.env:" + name + "}', which is resolved where the run starts"
}

// value returns a variable as text.
func (e *evaluator) value(name string) string { return e.lookup(name).String() }

// assign sets a variable that is text, and keeps its attributes.
func (e *evaluator) assign(name, value string) {
	v := e.sh.vars[name]
	v.Set, v.Kind, v.Str, v.List, v.Map, v.Indexes = true, expand.String, value, nil, nil, nil
	e.set(name, v)
}

// set sets a variable. One that is read-only stays as it is, and the status is 1.
func (e *evaluator) set(name string, v expand.Variable) {
	if old := e.sh.vars[name]; old.ReadOnly {
		e.status = status{code: 1}
		return
	}
	size := len(v.Str)
	for _, s := range v.List {
		size += len(s)
	}
	for k, s := range v.Map {
		size += len(k) + len(s)
	}
	if size > maxValue {
		e.fail(e.script.errorf(e.line, "%s grows beyond %d MiB", name, maxValue>>20))
		return
	}
	if e.sh.flags['a'] {
		v.Exported = true
	}
	e.sh.vars[name] = v
}

// maxValue bounds a variable, and what a command may print.
const maxValue = 16 << 20

// A change is what differs between two moments of a shell.
type change struct {
	vars   map[string]expand.Variable // an unset one has Set false
	fresh  map[string]bool            // those that were not set before
	dir    string                     // empty: the same
	params []string                   // nil: the same
}

// kept by the shell itself
var ownVars = map[string]bool{"PWD": true, "OLDPWD": true, "IFS": false, "_": true, "BASH_REMATCH": true, "REPLY": false}

// changeFrom returns what leads from before to s.
func (s *shell) changeFrom(before *shell) *change {
	c := &change{vars: map[string]expand.Variable{}, fresh: map[string]bool{}}
	for name, v := range s.vars {
		if old, ok := before.vars[name]; !ownVars[name] && (!ok || !sameVar(old, v)) {
			c.vars[name], c.fresh[name] = v, !old.Declared()
		}
	}
	for name := range before.vars {
		if _, ok := s.vars[name]; !ok && !ownVars[name] {
			c.vars[name] = expand.Variable{}
		}
	}
	if s.dir != before.dir {
		c.dir = s.dir
	}
	if !slices.Equal(s.params, before.params) {
		c.params = append([]string{}, s.params...)
	}
	return c
}

func sameVar(a, b expand.Variable) bool {
	return a.Set == b.Set && a.Exported == b.Exported && a.Kind == b.Kind && a.Str == b.Str &&
		slices.Equal(a.List, b.List) && slices.Equal(a.Indexes, b.Indexes) && maps.Equal(a.Map, b.Map)
}

// lines returns the change as shell text, one command a line: of the variables
// that read holds (all if it is nil) and of those that programs see. What is
// unknown here is left as it comes in the job, but set.
func (c *change) lines(read map[string]bool) []string {
	if c == nil {
		return nil
	}
	known := func(s string) bool { return !strings.ContainsRune(s, mark) }
	var lines []string
	if c.dir != "" && known(c.dir) {
		lines = append(lines, "cd "+Quote(c.dir))
	}
	if c.params != nil && known(strings.Join(c.params, "")) && (read == nil || read["@"]) {
		lines = append(lines, strings.TrimRight("set -- "+QuoteAll(c.params), " "))
	}
	names := make([]string, 0, len(c.vars))
	for name, v := range c.vars {
		if read == nil || read[name] || v.Exported {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if text := declaration(name, c.vars[name], c.fresh[name]); known(text) {
			lines = append(lines, text)
		} else if c.vars[name].Kind == expand.Indexed { // process ids to wait for, as a rule
			lines = append(lines, name+"=()")
		} else if c.fresh[name] {
			lines = append(lines, name+"=")
		}
	}
	return lines
}

// declaration returns the command that gives a variable its value; fresh is one
// that there is not yet.
func declaration(name string, v expand.Variable, fresh bool) string {
	if !v.Set {
		return "unset " + name
	}
	var text string
	switch v.Kind {
	case expand.Indexed:
		var elements []string
		for i, value := range v.List {
			element := Quote(value)
			if v.Indexes != nil {
				element = "[" + strconv.Itoa(v.Indexes[i]) + "]=" + element
			}
			elements = append(elements, element)
		}
		text = name + "=(" + strings.Join(elements, " ") + ")"
	case expand.Associative:
		var elements []string
		for _, key := range slices.Sorted(maps.Keys(v.Map)) {
			elements = append(elements, "["+Quote(key)+"]="+Quote(v.Map[key]))
		}
		text = name + "=(" + strings.Join(elements, " ") + ")"
		if fresh {
			text = "declare -gA " + text
		}
		return text
	case expand.NameRef:
		return "declare -n " + name + "=" + Quote(v.Str)
	default:
		text = name + "=" + Quote(v.Str)
	}
	if v.Exported {
		return "export " + text
	}
	return text
}
