package script

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// command executes what a statement consists of.
func (e *evaluator) command(stmt *syntax.Stmt) {
	switch c := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		e.call(c)
	case *syntax.Block:
		e.list(c.Stmts, nil)
	case *syntax.Subshell:
		e.subshell(func() { e.list(c.Stmts, nil) })
	case *syntax.BinaryCmd:
		if c.Op == syntax.AndStmt || c.Op == syntax.OrStmt {
			e.andOr(c)
		} else {
			e.pipe(c)
		}
	case *syntax.IfClause:
		e.ifClause(c)
	case *syntax.WhileClause:
		e.while(c)
	case *syntax.ForClause:
		e.forClause(c)
	case *syntax.CaseClause:
		e.caseClause(c)
	case *syntax.FuncDecl:
		if c.Name == nil {
			e.leave("")
			return
		}
		file := e.script.Path
		if n := len(e.sources); n > 0 {
			file = e.sources[n-1]
		}
		e.sh.funcs[c.Name.Value] = &function{c.Body, file}
		e.status = status{}
	case *syntax.ArithmCmd:
		n, cause := e.arithm(c.X)
		e.status = status{code: boolStatus(n != 0), cause: cause}
	case *syntax.LetClause:
		var n int
		var cause, first *cause
		for _, x := range c.Exprs {
			if n, cause = e.arithm(x); first == nil {
				first = cause
			}
		}
		e.status = status{code: boolStatus(n != 0), cause: first}
	case *syntax.TestClause:
		holds, cause := e.test(c.X)
		e.status = status{code: boolStatus(holds), cause: cause}
	case *syntax.DeclClause:
		e.declClause(c)
	case *syntax.TimeClause:
		if c.Stmt != nil {
			e.one(c.Stmt, nil)
		}
	case *syntax.CoprocClause:
		if line := e.launchIn(c); line > 0 {
			e.fail(e.script.errorf(line, "a launch inside coproc"))
		}
		e.leave("")
	default:
		e.leave("")
	}
}

// andOr executes X && Y and X || Y. A command that is left for the job is taken
// to succeed, so Y of && is reached; what else it does then is known only if a
// launch hangs on the same outcome.
func (e *evaluator) andOr(c *syntax.BinaryCmd) {
	and := c.Op == syntax.AndStmt
	launches := e.launchIn(c.Y) > 0
	if and && launches {
		e.assuming++
	}
	e.noErrExit++
	known := len(e.launches)
	e.one(c.X, nil)
	e.noErrExit--
	if and && launches {
		e.assuming--
	}
	if e.stopped() {
		return
	}
	if cause := e.status.cause; cause != nil {
		switch {
		case launches && len(e.launches) > known:
			e.failReached(e.launchIn(c.Y), outcomeOf(e.launches[known].Line))
		case and && e.status.assumed && (launches || e.assuming > 0):
			e.one(c.Y, nil)
		default:
			assumed, code := e.status.assumed, e.status.code
			e.skip(c.Y, cause, !assumed || (code == 0) == and)
			e.status = status{cause: cause, assumed: assumed, code: code}
		}
		return
	}
	if e.status.ok() == and {
		e.one(c.Y, nil)
		return
	}
	e.status.exempt = true
}

// pipe executes X | Y, X before Y.
func (e *evaluator) pipe(c *syntax.BinaryCmd) {
	out := &output{}
	known := len(e.launches)
	e.noErrExit++
	e.subshell(func() {
		e.stdout = out
		if c.Op == syntax.PipeAll {
			e.stderr = out
		}
		e.one(c.X, nil)
	})
	e.noErrExit--
	left := e.status
	if e.err != nil {
		return
	}
	between := len(e.launches)
	if e.sh.options["lastpipe"] {
		stdin := e.stdin
		e.stdin = &input{data: out.String()}
		e.one(c.Y, nil)
		e.stdin = stdin
	} else {
		e.subshell(func() {
			e.stdin = &input{data: out.String()}
			e.one(c.Y, nil)
		})
	}
	if e.err != nil {
		return
	}
	if between > known && len(e.launches) > between {
		e.fail(e.script.errorf(e.launches[between].Line, "two launches in one pipeline: neither could be a job without the other"))
		return
	}
	if e.sh.options["pipefail"] && e.status.cause == nil && e.status.ok() && (left.cause != nil || !left.ok()) {
		e.status = left
	}
}

func (e *evaluator) ifClause(c *syntax.IfClause) {
	if len(c.Cond) == 0 { // else
		e.list(c.Then, nil)
		return
	}
	e.noErrExit++
	e.list(c.Cond, nil)
	e.noErrExit--
	switch {
	case e.stopped():
	case e.status.cause != nil:
		cause, likely := e.status.cause, e.status.code == 0
		hard := !e.status.assumed
		for _, stmt := range c.Then {
			e.skip(stmt, cause, hard || likely)
		}
		if c.Else != nil {
			e.skip(c.Else, cause, hard || !likely)
		}
		e.status = status{cause: cause}
	case e.status.ok():
		e.list(c.Then, nil)
	case c.Else != nil:
		e.ifClause(c.Else)
	default:
		e.status = status{}
	}
}

func (e *evaluator) while(c *syntax.WhileClause) {
	launch := 0
	for _, stmt := range slices.Concat(c.Cond, c.Do) {
		launch = max(launch, e.launchIn(stmt))
	}
	before, doubts := e.sh.clone(), len(e.doubts)
	defer func() { e.doubts = e.doubts[:min(doubts, len(e.doubts))] }()
	for round := 0; ; round++ {
		e.noErrExit++
		known := len(e.launches)
		e.list(c.Cond, nil)
		e.noErrExit--
		if e.endsLoop() {
			return
		}
		cause := e.status.cause
		if cause == nil && launch == 0 && round >= maxRounds {
			cause = endless(c.Pos())
		}
		if cause == nil && len(e.launches) > known {
			cause = outcomeOf(e.launches[known].Line)
		}
		if cause != nil {
			e.skip(c, cause, true)
			e.status = status{cause: cause}
			return
		}
		if e.status.ok() == c.Until {
			e.status = status{}
			return
		}
		e.body(c.Do, launch, before)
		if e.endsLoop() {
			return
		}
	}
}

// body executes a loop's body once.
func (e *evaluator) body(stmts []*syntax.Stmt, launch int, before *shell) {
	f := &frame{}
	if launch > 0 {
		f.start = e.sh.changeFrom(before)
	}
	e.loops++
	e.list(stmts, f)
	e.loops--
}

// endsLoop tells whether the loop that is being executed ends now, and takes one
// loop off break and continue.
func (e *evaluator) endsLoop() bool {
	if e.err != nil {
		return true
	}
	switch e.flow.kind {
	case onward:
		return false
	case breaking, continuing:
		if e.flow.n--; e.flow.n > 0 {
			return true
		}
		ends := e.flow.kind == breaking
		e.flow = flow{}
		return ends
	}
	return true
}

func (e *evaluator) forClause(c *syntax.ForClause) {
	if c.Select {
		e.skip(c, &cause{line: e.line, what: "an answer to select", mend: "write the choices as a for loop"}, true)
		return
	}
	launch := 0
	for _, stmt := range c.Do {
		launch = max(launch, e.launchIn(stmt))
	}
	before, doubts := e.sh.clone(), len(e.doubts)
	defer func() { e.doubts = e.doubts[:min(doubts, len(e.doubts))] }()
	if loop, ok := c.Loop.(*syntax.CStyleLoop); ok {
		e.forArithm(c, loop, launch, before)
		return
	}
	loop := c.Loop.(*syntax.WordIter)
	items := e.sh.params
	if loop.InPos.IsValid() {
		items = nil
		for _, word := range loop.Items {
			items = append(items, e.matched(word, e.wordFields(word))...)
		}
	}
	if e.stopped() {
		return
	}
	e.status = status{}
	if cause := e.causeInAll(items); cause != nil {
		e.skipBodies(c, cause, c.Do)
		return
	}
	for _, item := range items {
		e.assign(loop.Name.Value, item)
		e.body(c.Do, launch, before)
		if e.endsLoop() {
			return
		}
	}
}

// matched returns the fields of a word that a loop goes over, or an unknown one
// if it is a pattern that no file matches yet: a command of the job may make
// some.
func (e *evaluator) matched(word *syntax.Word, fields []string) []string {
	isPattern := slices.ContainsFunc(word.Parts, func(part syntax.WordPart) bool {
		lit, ok := part.(*syntax.Lit)
		return ok && strings.ContainsAny(lit.Value, "*?")
	})
	if !isPattern || e.leftCommands == 0 || len(fields) > 1 || e.sh.flags['f'] {
		return fields
	}
	if len(fields) == 1 {
		if _, err := os.Lstat(e.abs(fields[0])); err == nil {
			return fields
		}
	}
	text := "a pattern"
	if len(fields) == 1 {
		text = shortened(fields)
	}
	return []string{e.unknown(&cause{line: e.line, what: "the files that match " + text + ", of which there is none now", mend: "make them before you submit, or write their names down"})}
}

func (e *evaluator) forArithm(c *syntax.ForClause, loop *syntax.CStyleLoop, launch int, before *shell) {
	if loop.Init != nil {
		e.arithm(loop.Init)
	}
	e.status = status{}
	for round := 0; ; round++ {
		if loop.Cond != nil {
			n, cause := e.arithm(loop.Cond)
			if cause == nil && launch == 0 && round >= maxRounds {
				cause = endless(c.Pos())
			}
			if cause != nil {
				e.skipBodies(c, cause, c.Do)
				return
			}
			if n == 0 {
				return
			}
		}
		e.body(c.Do, launch, before)
		if e.endsLoop() {
			return
		}
		if loop.Post != nil {
			e.arithm(loop.Post)
		}
		if e.stopped() {
			return
		}
	}
}

func (e *evaluator) caseClause(c *syntax.CaseClause) {
	word := e.literal(c.Word)
	if e.stopped() {
		return
	}
	e.status = status{}
	bodies := make([][]*syntax.Stmt, len(c.Items))
	for i, item := range c.Items {
		bodies[i] = item.Stmts
	}
	if cause := e.causeIn(word); cause != nil {
		e.skipBodies(c, cause, bodies...)
		return
	}
	through := false
	for _, item := range c.Items {
		matches := through
		for _, p := range item.Patterns {
			if matches {
				break
			}
			pat := e.text(p, expand.Pattern)
			if cause := e.causeIn(pat); cause != nil {
				e.skipBodies(c, cause, bodies...)
				return
			}
			matches = e.matches(pat, word)
		}
		if !matches {
			continue
		}
		e.list(item.Stmts, nil)
		if e.stopped() {
			return
		}
		switch item.Op {
		case syntax.Fallthrough:
			through = true
		case syntax.Resume, syntax.ResumeKorn:
			through = false
		default:
			return
		}
	}
}

// matches tells whether a text is what a pattern describes. A pattern that is
// none matches nothing, as in bash.
func (e *evaluator) matches(pat, text string) bool {
	expr, err := pattern.Regexp(pat, pattern.EntireString|pattern.ExtendedOperators)
	var negated *pattern.NegExtGlobError
	if errors.As(err, &negated) {
		e.fail(fault.Hint(e.script.errorf(e.line, "a pattern with !(…) is not read here"), "turn the choice round: match the pattern itself in a branch of its own"))
	}
	if err != nil {
		return false
	}
	re, err := regexp.Compile(expr)
	return err == nil && re.MatchString(text)
}

// callFunction executes a function.
func (e *evaluator) callFunction(name string, f *function, args []string) {
	params, doubts := e.sh.params, len(e.doubts)
	e.sh.params = args
	if f.file != e.script.Path {
		e.foreign++
		e.sources = append(e.sources, f.file)
		defer func() {
			e.foreign--
			e.sources = e.sources[:len(e.sources)-1]
		}()
	}
	e.calls = append(e.calls, name)
	e.locals = append(e.locals, map[string]expand.Variable{})
	loops := e.loops
	e.loops = 0
	e.one(f.body, &frame{function: name, args: args})
	e.loops = loops
	for local, outer := range e.locals[len(e.locals)-1] {
		if outer.Declared() || outer.Set {
			e.sh.vars[local] = outer
		} else {
			delete(e.sh.vars, local)
		}
	}
	e.locals = e.locals[:len(e.locals)-1]
	e.calls = e.calls[:len(e.calls)-1]
	e.sh.params = params
	e.doubts = e.doubts[:min(doubts, len(e.doubts))]
	if e.flow.kind == returning {
		e.flow = flow{}
	}
}
