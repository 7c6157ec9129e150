package script

import (
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// launchIn returns the line of the first launch that a statement may make, 0 if
// it makes none: a call of mlxp that stands in it, or in a function that it
// calls, or in a text that it has evaluated.
func (e *evaluator) launchIn(node syntax.Node) int {
	return e.launchWithin(node, map[string]bool{})
}

func (e *evaluator) launchWithin(node syntax.Node, seen map[string]bool) int {
	line := 0
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case nil:
			return true
		case *syntax.FuncDecl:
			return line == 0 && n == node // a definition calls nothing
		case *syntax.CallExpr:
			if line == 0 && e.mayLaunch(n, seen) {
				line = int(n.Pos().Line())
			}
		}
		return line == 0
	})
	return line
}

// mayLaunch tells whether a call may be, or lead to, a launch.
func (e *evaluator) mayLaunch(call *syntax.CallExpr, seen map[string]bool) bool {
	if len(call.Args) == 0 {
		return false
	}
	name := commandName(call)
	if f := e.sh.funcs[name]; f != nil {
		if seen[name] {
			return false
		}
		seen[name] = true
		return e.launchWithin(f.body, seen) > 0
	}
	if onlyPrints[name] {
		return false
	}
	named, dashes := false, false
	for _, word := range call.Args {
		named = named || e.namesMlxp(word)
		dashes = dashes || word.Lit() == "--" || word.Lit() == "" // which could hold it
	}
	return named && dashes
}

// commandName returns the name of a command as far as it is written down:
// \cd is cd.
func commandName(call *syntax.CallExpr) string {
	return strings.TrimPrefix(call.Args[0].Lit(), `\`)
}

// onlyPrints are commands whose words are text, whatever they are.
var onlyPrints = map[string]bool{"echo": true, "printf": true, "test": true, "[": true, "module": true, "ml": true, "which": true, "type": true, "hash": true, "alias": true}

// namesMlxp tells whether a word, or a variable that it reads, may hold the name
// of mlxp as a word.
func (e *evaluator) namesMlxp(word *syntax.Word) bool {
	for n := range syntax.Preorder(word) {
		switch n := n.(type) {
		case *syntax.Lit:
			if e.isMlxp(n.Value) {
				return true
			}
		case *syntax.SglQuoted:
			if e.holdsMlxp(n.Value) {
				return true
			}
		case *syntax.ParamExp:
			if n.Param == nil {
				continue
			}
			v := e.sh.vars[n.Param.Value]
			if slices.ContainsFunc(append(v.List, v.Str), e.holdsMlxp) {
				return true
			}
		}
	}
	return false
}

// isMlxp tells whether a word is a name of mlxp.
func (e *evaluator) isMlxp(word string) bool {
	return filepath.Base(word) == "mlxp" || e.o.Self != "" && word == e.o.Self
}

func (e *evaluator) holdsMlxp(text string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|(){}\"'`", r) }), e.isMlxp)
}

// skip leaves statements for the job because it is not known whether they are
// executed: the variables that they set are unknown from here on, and so is what
// they print. A launch in them is an error. If they are likely to be executed,
// their break, continue, return and exit make it doubtful what comes next; if
// they are what is done when a command of the job fails, they do not.
func (e *evaluator) skip(node syntax.Node, c *cause, likely bool) {
	if line := e.launchIn(node); line > 0 {
		e.failReached(line, c)
		return
	}
	e.pass(node, c, likely)
}

// skipBodies is skip for a compound statement whose head was executed.
func (e *evaluator) skipBodies(node syntax.Node, c *cause, bodies ...[]*syntax.Stmt) {
	for _, body := range bodies {
		for _, stmt := range body {
			if line := e.launchIn(stmt); line > 0 {
				e.failReached(line, c)
				return
			}
		}
	}
	e.pass(node, c, true)
}

// failReached is the failure of a launch of which it is not known whether it is
// reached.
func (e *evaluator) failReached(line int, c *cause) {
	if c.decide != "" {
		c = &cause{line: c.line, what: c.what, mend: c.decide}
	}
	e.fail(e.hangs(line, c, "whether this launch is reached hangs"))
}

// pass does what skip does to the variables and what comes next.
func (e *evaluator) pass(node syntax.Node, c *cause, likely bool) {
	doubts := e.doubts
	e.skipWithin(node, c, map[string]bool{})
	if !likely {
		e.doubts = doubts
	}
	e.stdout.write(e, e.unknown(c))
}

func (e *evaluator) skipWithin(node syntax.Node, c *cause, seen map[string]bool) {
	unset := func(name string) {
		if v := e.sh.vars[name]; !v.ReadOnly {
			v.Set, v.Kind, v.Str, v.List, v.Map, v.Indexes = true, expand.String, e.unknown(c), nil, nil, nil
			e.sh.vars[name] = v
		}
	}
	loops := 0
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			return false
		case *syntax.Subshell, *syntax.CmdSubst:
			return false // what happens in it stays there
		case *syntax.WhileClause, *syntax.ForClause:
			loops++
			if f, ok := n.(*syntax.ForClause); ok {
				if iter, ok := f.Loop.(*syntax.WordIter); ok {
					unset(iter.Name.Value)
				}
			}
		case *syntax.Assign:
			if n.Name != nil {
				unset(n.Name.Value)
			}
		case *syntax.UnaryArithm:
			if n.Op == syntax.Inc || n.Op == syntax.Dec {
				if word, ok := n.X.(*syntax.Word); ok {
					unset(word.Lit())
				}
			}
		case *syntax.BinaryArithm:
			if word, ok := n.X.(*syntax.Word); ok && assigns[n.Op] {
				unset(word.Lit())
			}
		case *syntax.ParamExp:
			if n.Param != nil && n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				unset(n.Param.Value)
			}
		case *syntax.CallExpr:
			e.skipCall(n, c, unset, seen, loops > 0)
		}
		return true
	})
}

// assigns are the operators of arithmetic that set a variable.
var assigns = map[syntax.BinAritOperator]bool{
	syntax.Assgn: true, syntax.AddAssgn: true, syntax.SubAssgn: true, syntax.MulAssgn: true, syntax.QuoAssgn: true, syntax.RemAssgn: true,
	syntax.AndAssgn: true, syntax.OrAssgn: true, syntax.XorAssgn: true, syntax.ShlAssgn: true, syntax.ShrAssgn: true,
}

// skipCall does for a call what skip does for statements.
func (e *evaluator) skipCall(call *syntax.CallExpr, c *cause, unset func(string), seen map[string]bool, inLoop bool) {
	if len(call.Args) == 0 {
		return
	}
	name := commandName(call)
	if f := e.sh.funcs[name]; f != nil {
		if !seen[name] {
			seen[name] = true
			e.skipWithin(f.body, c, seen)
		}
		return
	}
	switch name {
	case "cd", "pushd", "popd":
		e.setDir(e.unknown(c))
	case "read", "mapfile", "readarray", "getopts", "export", "local", "declare", "typeset", "readonly", "unset", "printf", "let":
		for _, word := range call.Args[1:] {
			if v, _, _ := strings.Cut(word.Lit(), "="); syntax.ValidName(v) && (name != "printf" || len(call.Args) > 2 && call.Args[1].Lit() == "-v" && word == call.Args[2]) {
				unset(v)
			}
		}
	case "shift", "set":
		if name == "shift" || slices.ContainsFunc(call.Args, func(w *syntax.Word) bool { return w.Lit() == "--" }) {
			for i := range e.sh.params {
				e.sh.params = slices.Clone(e.sh.params)
				e.sh.params[i] = e.unknown(c)
			}
		}
	case "break", "continue":
		if !inLoop {
			e.doubts = append(e.doubts, c)
		}
	case "return", "exit":
		if len(call.Args) < 2 || call.Args[1].Lit() == "0" { // any other refuses to go on where it must not
			e.doubts = append(e.doubts, c)
		}
	}
}

// setsTrap tells whether a trap is set anywhere in the script.
func setsTrap(file *syntax.File) bool {
	for node := range syntax.Preorder(file) {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 1 && call.Args[0].Lit() == "trap" {
			return true
		}
	}
	return false
}

// readsBang tells whether the script asks for background processes by $!.
func readsBang(file *syntax.File) bool {
	for node := range syntax.Preorder(file) {
		if p, ok := node.(*syntax.ParamExp); ok && p.Param != nil && p.Param.Value == "!" {
			return true
		}
	}
	return false
}
