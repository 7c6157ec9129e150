package script

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// A builtin executes a command of the shell itself. It sets the status.
type builtin func(e *evaluator, args []string)

var builtins map[string]builtin

// takesUnknown are the builtins that deal with unknown words; the status of
// every other is unknown with them.
var takesUnknown = map[string]bool{
	"echo": true, "printf": true, "cd": true, "export": true, "readonly": true, "local": true, "declare": true, "typeset": true,
	"set": true, "eval": true, "source": true, ".": true, ":": true, "true": true, "false": true, "test": true, "[": true,
	"pushd": true, "exec": true, "trap": true, "command": true, "type": true, "exit": true,
}

func init() { // they call each other
	builtins = map[string]builtin{
		":": succeed, "true": succeed,
		"false":    func(e *evaluator, _ []string) { e.status = status{code: 1} },
		"echo":     echo,
		"printf":   printf,
		"test":     classicTest,
		"[":        classicTest,
		"cd":       cd,
		"pushd":    pushd,
		"popd":     popd,
		"pwd":      pwd,
		"dirs":     func(e *evaluator, _ []string) { e.status = status{}; e.stdout.write(e, e.sh.dir+"\n") },
		"exit":     exit,
		"return":   doReturn,
		"break":    breakOut,
		"continue": breakOut,
		"export":   declare, "readonly": declare, "local": declare, "declare": declare, "typeset": declare,
		"set":     set,
		"shopt":   shopt,
		"shift":   shift,
		"unset":   unset,
		"eval":    eval,
		"source":  source,
		".":       source,
		"let":     let,
		"read":    read,
		"mapfile": mapfile, "readarray": mapfile,
		"getopts": getopts,
		"command": commandOf, "builtin": commandOf, "type": typeOf,
		"exec": execute,
		"trap": trap,
	}
	for _, name := range []string{
		"wait", "jobs", "disown", "bg", "fg", "kill", "ulimit", "umask", "enable", "times", "bind", "complete", "compgen", "compopt",
		"history", "fc", "suspend", "logout", "alias", "unalias", "caller", "help", "newgrp", "hash",
	} {
		builtins[name] = func(e *evaluator, args []string) {
			if name == "alias" && len(args) > 1 && e.sh.options["expand_aliases"] {
				e.fail(fault.Hint(e.script.errorf(e.line, "aliases are not read here"), "write a function"))
				return
			}
			c := e.left(shortened(args))
			e.stdout.write(e, e.unknown(c))
			e.status = status{cause: c, assumed: true}
		}
	}
}

func succeed(e *evaluator, _ []string) { e.status = status{} }

// setDir changes the current directory.
func (e *evaluator) setDir(dir string) {
	e.assign("OLDPWD", e.value("PWD"))
	e.sh.dir = dir
	e.assign("PWD", dir)
}

func cd(e *evaluator, args []string) {
	words := args[1:]
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
		words = words[1:]
	}
	e.status = status{}
	var to string
	switch {
	case len(words) > 1:
		e.status = status{code: 1}
		return
	case len(words) == 0:
		to = e.value("HOME")
	case words[0] == "-":
		to = e.value("OLDPWD")
	case words[0] == "":
		return
	default:
		to = words[0]
	}
	e.enter(to)
}

// enter changes to a directory. One that is not there may be there in the job:
// made by a command before, or on the node's own disk.
func (e *evaluator) enter(to string) {
	if to == "" {
		e.status = status{code: 1}
		return
	}
	if c := e.causeIn(to); c != nil {
		e.setDir(e.unknown(c))
		e.status = status{cause: c, assumed: true}
		return
	}
	full := e.abs(to)
	if c := e.causeIn(full); c != nil {
		e.setDir(e.unknown(c))
		e.status = status{cause: c, assumed: true}
		return
	}
	info, err := os.Stat(full)
	switch {
	case err == nil && !info.IsDir():
		e.status = status{code: 1}
		return
	case err != nil:
		e.status = status{assumed: true, cause: &cause{
			line: e.line, what: "the directory " + to + ", which is not there now",
			mend: "make it before you submit (mkdir -p)",
		}}
	}
	e.setDir(full)
}

func pushd(e *evaluator, args []string) {
	if len(args) != 2 || strings.HasPrefix(args[1], "+") || strings.HasPrefix(args[1], "-") {
		e.status = status{cause: e.left(shortened(args)), assumed: true}
		return
	}
	from := e.sh.dir
	e.status = status{}
	e.enter(args[1])
	if e.status.code == 0 {
		e.sh.dirStack = append(e.sh.dirStack, from)
	}
}

func popd(e *evaluator, args []string) {
	n := len(e.sh.dirStack)
	if n == 0 {
		e.status = status{code: 1}
		return
	}
	to := e.sh.dirStack[n-1]
	e.sh.dirStack = e.sh.dirStack[:n-1]
	e.status = status{}
	e.enter(to)
}

func pwd(e *evaluator, args []string) {
	dir := e.sh.dir
	if slices.Contains(args, "-P") {
		if physical, err := filepath.EvalSymlinks(dir); err == nil {
			dir = physical
		}
	}
	e.status = status{}
	e.stdout.write(e, dir+"\n")
}

func exit(e *evaluator, args []string) {
	code := e.status.code
	if len(args) > 1 {
		if e.causeIn(args[1]) != nil {
			e.exit(0, "")
			return
		}
		n, err := strconv.Atoi(args[1])
		if err != nil {
			n = 2
		}
		code = n & 255
	}
	e.exit(code, "")
}

func doReturn(e *evaluator, args []string) {
	if len(e.locals) == 0 && len(e.sources) == 0 {
		e.status = status{code: 1}
		return
	}
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			n = 2
		}
		e.status = status{code: n & 255}
	}
	e.flow = flow{kind: returning}
}

func breakOut(e *evaluator, args []string) {
	n := 1
	if len(args) > 1 {
		if n, _ = strconv.Atoi(args[1]); n < 1 {
			e.status = status{code: 1}
			return
		}
	}
	e.status = status{}
	if e.loops == 0 {
		return
	}
	n = min(n, e.loops)
	kind := breaking
	if args[0] == "continue" {
		kind = continuing
	}
	e.flow = flow{kind: kind, n: n}
}

func declare(e *evaluator, args []string) {
	e.status = status{}
	d := e.declaring(args[0])
	for _, field := range args[1:] {
		d.field(e, field)
	}
}

func set(e *evaluator, args []string) {
	e.status = status{}
	words := args[1:]
	for len(words) > 0 {
		word := words[0]
		if word == "--" || word == "-" {
			e.sh.params = slices.Clone(words[1:])
			return
		}
		if len(word) < 2 || word[0] != '-' && word[0] != '+' {
			e.sh.params = slices.Clone(words)
			return
		}
		words = words[1:]
		for _, c := range []byte(word[1:]) {
			if c != 'o' {
				e.sh.flags[c] = word[0] == '-'
				continue
			}
			if len(words) == 0 {
				return
			}
			e.setOption(words[0], word[0] == '-')
			words = words[1:]
		}
	}
}

// setOption sets an option by its name.
func (e *evaluator) setOption(name string, on bool) {
	switch name {
	case "errexit":
		e.sh.flags['e'] = on
	case "nounset":
		e.sh.flags['u'] = on
	case "noglob":
		e.sh.flags['f'] = on
	case "allexport":
		e.sh.flags['a'] = on
	default:
		if on && unread[name] {
			e.fail(fault.Hint(e.script.errorf(e.line, "the option %s is not read here", name), "write the script without it"))
		}
		e.sh.options[name] = on
	}
}

// unread are options that would make the script mean something else.
var unread = map[string]bool{"nocasematch": true, "failglob": true, "xpg_echo": true, "localvar_inherit": true, "extdebug": true, "noexec": true}

func shopt(e *evaluator, args []string) {
	e.status = status{}
	mode := ""
	for _, word := range args[1:] {
		if strings.HasPrefix(word, "-") {
			mode += word[1:]
			continue
		}
		switch {
		case strings.Contains(mode, "s"):
			e.setOption(word, true)
		case strings.Contains(mode, "u"):
			e.setOption(word, false)
		case !e.sh.options[word]:
			e.status = status{code: 1}
		}
	}
}

func shift(e *evaluator, args []string) {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			e.status = status{code: 1}
			return
		}
	}
	if n > len(e.sh.params) {
		e.status = status{code: 1}
		return
	}
	e.status = status{}
	e.sh.params = e.sh.params[n:]
}

func unset(e *evaluator, args []string) {
	e.status = status{}
	onlyFuncs := false
	for _, word := range args[1:] {
		switch {
		case word == "-f":
			onlyFuncs = true
		case strings.HasPrefix(word, "-"):
		case onlyFuncs:
			delete(e.sh.funcs, word)
		case strings.HasSuffix(word, "]"):
			e.unsetElement(word)
		default:
			if e.sh.vars[word].ReadOnly {
				e.status = status{code: 1}
				continue
			}
			if _, ok := e.sh.vars[word]; !ok {
				delete(e.sh.funcs, word)
			}
			delete(e.sh.vars, word)
		}
	}
}

func (e *evaluator) unsetElement(word string) {
	name, index, _ := strings.Cut(strings.TrimSuffix(word, "]"), "[")
	v, ok := e.sh.vars[name]
	if !ok {
		return
	}
	if v.Kind == expand.Associative {
		m := map[string]string{}
		for k, value := range v.Map {
			if k != index {
				m[k] = value
			}
		}
		v.Map = m
		e.sh.vars[name] = v
		return
	}
	n, err := strconv.Atoi(index)
	if v.Kind != expand.Indexed || err != nil {
		return
	}
	if n < 0 {
		n += lastIndex(v) + 1
	}
	var list []string
	indexes := []int{}
	for i, value := range v.List {
		at := i
		if v.Indexes != nil {
			at = v.Indexes[i]
		}
		if at != n {
			list, indexes = append(list, value), append(indexes, at)
		}
	}
	v.List, v.Indexes = list, indexes
	e.sh.vars[name] = v
}

func eval(e *evaluator, args []string) {
	text := strings.Join(args[1:], " ")
	if c := e.causeIn(text); c != nil {
		e.leftCommands++
		e.sh.loaded = &cause{line: e.line, what: "`" + shortened(args) + "`"}
		e.status = status{cause: c, assumed: true}
		return
	}
	language := syntax.LangBash
	if e.script.posix {
		language = syntax.LangPOSIX
	}
	file, err := parseAs("eval", text, language)
	if err != nil {
		e.fail(e.script.errorf(e.line, "this does not parse: %v", err))
		return
	}
	e.status = status{}
	e.foreign++
	e.list(file.Stmts, nil)
	e.foreign--
}

func source(e *evaluator, args []string) {
	if len(args) < 2 {
		e.status = status{code: 2}
		return
	}
	file, path := e.readSource(args[1])
	if file == nil {
		e.leftCommands++
		e.sh.loaded = &cause{line: e.line, what: "`" + shortened(args) + "`"}
		e.status = status{cause: e.left(shortened(args)), assumed: true}
		return
	}
	if len(e.sources) > 50 {
		e.fail(e.script.errorf(e.line, "%s sources itself", args[1]))
		return
	}
	params, doubts := e.sh.params, len(e.doubts)
	if len(args) > 2 {
		e.sh.params = args[2:]
	}
	e.status = status{}
	e.foreign++
	e.sources = append(e.sources, path)
	e.list(file.Stmts, nil)
	e.sources = e.sources[:len(e.sources)-1]
	e.foreign--
	e.doubts = e.doubts[:min(doubts, len(e.doubts))]
	if len(args) > 2 {
		e.sh.params = params
	}
	if e.flow.kind == returning {
		e.flow = flow{}
	}
}

// readSource finds and parses a file to be sourced; nil if it is for the job to
// do so.
func (e *evaluator) readSource(name string) (*syntax.File, string) {
	if e.causeIn(name) != nil {
		return nil, ""
	}
	candidates := []string{e.abs(name)}
	if !strings.Contains(name, "/") {
		for _, dir := range filepath.SplitList(e.value("PATH")) {
			candidates = append(candidates, filepath.Join(e.abs(dir), name))
		}
		candidates = append(candidates[1:], candidates[0])
	}
	language := syntax.LangBash
	if e.script.posix {
		language = syntax.LangPOSIX
	}
	for _, path := range candidates {
		if e.unsure(path) != nil {
			return nil, ""
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.ContainsRune(string(text), mark) {
			return nil, ""
		}
		file, err := parseAs(path, string(text), language)
		if err != nil {
			return nil, ""
		}
		return file, path
	}
	return nil, ""
}

func let(e *evaluator, args []string) {
	n := 0
	for _, text := range args[1:] {
		expr, err := syntax.NewParser().Arithmetic(strings.NewReader(text))
		if err != nil || expr == nil {
			e.status = status{code: 1}
			return
		}
		var c *cause
		if n, c = e.arithm(expr); c != nil {
			e.status = status{cause: c}
			return
		}
	}
	e.status = status{code: boolStatus(n != 0)}
}

// commandOf executes `command` and `builtin`, which look past functions.
func commandOf(e *evaluator, args []string) {
	words := args[1:]
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		if strings.ContainsAny(words[0], "vV") {
			typeOf(e, words)
			return
		}
		words = words[1:]
	}
	if len(words) == 0 {
		e.status = status{}
		return
	}
	if b, ok := builtins[words[0]]; ok {
		b(e, words)
		return
	}
	if !e.external(words) && e.err == nil {
		e.leaveCall(words)
	}
}

// typeOf tells of functions, builtins and mlxp; whether the job finds any other
// command is not known.
func typeOf(e *evaluator, args []string) {
	for _, name := range args[1:] {
		if strings.HasPrefix(name, "-") {
			continue
		}
		if _, ok := builtins[name]; ok || e.sh.funcs[name] != nil || e.isMlxp(name) {
			e.status = status{}
			e.stdout.write(e, name+"\n")
			continue
		}
		c := e.left("command -v " + name)
		c.what = "whether the job finds " + shortened([]string{name})
		c.mend = "write down which it is"
		e.stdout.write(e, e.unknown(c))
		e.status = status{cause: c, assumed: true}
	}
}

func execute(e *evaluator, args []string) {
	if len(args) == 1 {
		e.status = status{}
		return
	}
	if !e.external(args[1:]) && e.err == nil {
		e.leaveCall(args[1:])
	}
	e.exit(0, "")
}

func trap(e *evaluator, args []string) {
	e.status = status{}
	if len(args) > 1 && e.holdsMlxp(args[1]) && strings.Contains(args[1], "-- ") {
		e.fail(fault.Hint(e.script.errorf(e.line, "a launch inside a trap"), "write it where the script reaches it"))
	}
}
