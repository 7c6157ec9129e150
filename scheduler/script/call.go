package script

import (
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// call executes a simple command: assignments, a launch, a function, a builtin,
// a harmless command, or one that is left for the job.
func (e *evaluator) call(c *syntax.CallExpr) {
	e.substituted = false
	var args []string
	var from []int // the word that each of args comes from
	for i, word := range c.Args {
		for _, field := range e.wordFields(word) {
			args, from = append(args, field), append(from, i)
		}
	}
	if e.stopped() {
		return
	}
	if len(args) == 0 {
		if !e.substituted {
			e.status = status{}
		}
		e.substituted = false
		for _, a := range c.Assigns {
			e.assignment(a, "")
		}
		return
	}
	restore := e.prefix(c.Assigns)
	defer restore()
	if e.stopped() {
		return
	}
	e.run(args, from)
	e.status.exempt = false
}

// prefix makes the assignments before a command, and returns what takes them
// back.
func (e *evaluator) prefix(assigns []*syntax.Assign) (restore func()) {
	old := map[string]expand.Variable{}
	for _, a := range assigns {
		name := a.Name.Value
		if _, twice := old[name]; !twice {
			old[name] = e.sh.vars[name]
		}
		e.assignment(a, "")
		v := e.sh.vars[name]
		v.Exported = true
		e.sh.vars[name] = v
	}
	shell := e.sh
	return func() {
		for name, v := range old {
			if v.Declared() {
				shell.vars[name] = v
			} else {
				delete(shell.vars, name)
			}
		}
	}
}

// run executes the words of a call.
func (e *evaluator) run(args []string, from []int) {
	if e.script.posix && bashOnly[args[0]] && e.sh.funcs[args[0]] == nil {
		e.fail(fault.Hint(e.script.errorf(e.line, "%s is bash, but the script's first line asks for sh", args[0]), "begin the script with #!/bin/bash"))
		return
	}
	if f := e.sh.funcs[args[0]]; f != nil {
		e.callFunction(args[0], f, args[1:])
		return
	}
	if e.launch(args, from) || e.err != nil {
		return
	}
	if b, ok := builtins[args[0]]; ok {
		if c := e.causeInAll(args[1:]); c != nil && !takesUnknown[args[0]] {
			e.status = status{cause: c}
			return
		}
		b(e, args)
		return
	}
	if e.external(args) || e.err != nil {
		return
	}
	e.leaveCall(args)
}

// bashOnly are commands of bash that sh lacks.
var bashOnly = map[string]bool{"[[": true, "function": true, "declare": true, "typeset": true, "shopt": true, "source": true, "mapfile": true, "readarray": true, "let": true, "pushd": true, "popd": true}

// leave leaves something for the job: it is taken to succeed.
func (e *evaluator) leave(what string) {
	e.status = status{cause: e.left(what), assumed: true}
}

// left is the cause of what hangs on a command that is left for the job.
func (e *evaluator) left(command string) *cause {
	if command == "" {
		return &cause{line: e.line, what: "a command that runs only in the job", mend: "write the value down"}
	}
	return &cause{line: e.line, what: "`" + command + "`, which runs only in the job",
		mend: "write the value down, or let it run here as well: --allow " + Quote(strings.Fields(command + " ?")[0])}
}

// leaveCall leaves a command for the job. It may make the files that it names,
// and what it prints is unknown.
func (e *evaluator) leaveCall(args []string) {
	e.leftCommands++
	e.hints.note(e, args)
	c := e.left(shortened(args))
	for _, arg := range args[1:] {
		if arg != "" && arg[0] != '-' && e.causeIn(arg) == nil {
			e.touched[e.abs(arg)] = c
		}
	}
	if setsVariables[args[0]] {
		e.sh.loaded = &cause{line: c.line, what: "`" + shortened(args) + "`"}
	}
	e.stdout.write(e, e.unknown(c))
	e.status = status{cause: c, assumed: true}
}

// setsVariables are functions and commands of sites that set variables of the
// script's shell.
var setsVariables = map[string]bool{"module": true, "ml": true, "conda": true, "mamba": true, "micromamba": true, "spack": true, "pyenv": true, "nvm": true, "guix": true}

// shortened returns the words of a command for a message.
func shortened(args []string) string {
	text := strings.Join(args, " ")
	text = strings.Map(func(r rune) rune {
		if r == mark || r == markEnd {
			return '…'
		}
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 40 {
		text = string(runes[:39]) + "…"
	}
	return text
}
