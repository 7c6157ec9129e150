package script

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// commandMark stands for the command that executes the run.
const commandMark = string(mark) + "command" + string(markEnd)

// A reducer makes of the statement that launches only what leads to one launch:
// of a loop the one round, of an if the branch that was taken.
type reducer struct {
	script  *Script
	path    []step
	call    *launchCall
	read    map[string]bool // the variables that what remains reads; nil: any
	texts   []string        // shell text for the placeholders
	follows bool
}

// placeholder returns a statement that is printed as text.
func (r *reducer) placeholder(at syntax.Pos, text string) *syntax.Stmt {
	return &syntax.Stmt{Position: at, Cmd: &syntax.CallExpr{Args: []*syntax.Word{r.word(at, text)}}}
}

// word returns a word that is printed as text. It cannot be text itself: the
// printer would take line breaks and backslashes in it for its own.
func (r *reducer) word(at syntax.Pos, text string) *syntax.Word {
	r.texts = append(r.texts, text)
	lit := string(mark) + strconv.Itoa(len(r.texts)-1) + string(markEnd)
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{ValuePos: at, ValueEnd: at, Value: lit}}}
}

// fill puts the texts in the place of their placeholders.
func (r *reducer) fill(printed string) string {
	var pairs []string
	for i, text := range r.texts {
		pairs = append(pairs, string(mark)+strconv.Itoa(i)+string(markEnd), text)
	}
	return strings.NewReplacer(pairs...).Replace(printed)
}

// list reduces the list in which step i stands.
func (r *reducer) list(i int) []*syntax.Stmt {
	f, at := r.path[i].frame, r.path[i].stmt
	var list []*syntax.Stmt
	if f.start != nil {
		for _, line := range f.start.lines(r.readFrom(i)) {
			list = append(list, r.placeholder(f.stmts[0].Pos(), line))
		}
	}
	after := false
	for _, stmt := range f.stmts {
		switch {
		case stmt == at:
			list = append(list, r.stmt(i)...)
			after = true
		case f.launched[stmt], isRead(stmt) && f.changes[stmt] != nil && !after:
			if stmt.Background && r.script.waits && f.launched[stmt] {
				list = append(list, r.placeholder(stmt.Pos(), ": &"))
			}
			for _, line := range f.changes[stmt].lines(r.read) {
				list = append(list, r.placeholder(stmt.Pos(), line))
			}
		default:
			list = append(list, r.script.quiet(stmt))
			_, declares := stmt.Cmd.(*syntax.FuncDecl)
			r.follows = r.follows || after && !declares
		}
	}
	return list
}

// readFrom returns the variables to set at the start of the loop's round that
// step i is in: not those that are set again before they are read.
func (r *reducer) readFrom(i int) map[string]bool {
	if r.read == nil {
		return nil
	}
	read := map[string]bool{}
	for name := range r.read {
		read[name] = r.read[name] && r.needs(i, name)
	}
	return read
}

// needs tells whether what is executed from the list of step i on may read a
// variable before it sets it.
func (r *reducer) needs(i int, name string) bool {
	for j := i; j < len(r.path); j++ {
		f := r.path[j].frame
		if j > i && f.start != nil {
			if _, set := f.start.vars[name]; set {
				return false
			}
		}
		for _, stmt := range f.stmts {
			if stmt == r.path[j].stmt {
				break
			}
			if f.launched[stmt] || isRead(stmt) && f.changes[stmt] != nil {
				if _, set := f.changes[stmt].vars[name]; set {
					return false
				}
				continue
			}
			read := readNames([]syntax.Node{stmt})
			if read == nil || read[name] {
				return true
			}
			if sets(stmt, name) {
				return false
			}
		}
	}
	return true
}

// sets tells whether a statement is an assignment to a variable.
func sets(stmt *syntax.Stmt, name string) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 0 && slices.ContainsFunc(call.Assigns, func(a *syntax.Assign) bool {
		return a.Name.Value == name && !a.Append && a.Index == nil
	})
}

// stmt reduces the statement of step i.
func (r *reducer) stmt(i int) []*syntax.Stmt {
	stmt := r.path[i].stmt
	if i == len(r.path)-1 {
		return []*syntax.Stmt{r.launch(stmt)}
	}
	next := r.path[i+1]
	switch c := stmt.Cmd.(type) {
	case *syntax.Block:
		return r.inline(stmt, r.list(i+1), stmt.Redirs)
	case *syntax.Subshell:
		r.follows = true
		inner := *c
		inner.Stmts = r.list(i + 1)
		return []*syntax.Stmt{r.with(stmt, &inner)}
	case *syntax.IfClause:
		if before, ok := branch(c, next.frame.stmts); ok {
			var list []*syntax.Stmt
			for _, cond := range before {
				list = append(list, r.condition(cond)...)
			}
			return r.inline(stmt, append(list, r.list(i+1)...), stmt.Redirs)
		}
	case *syntax.WhileClause:
		return r.loop(stmt, i+1)
	case *syntax.ForClause:
		if contains(c.Do, next.stmt) {
			return r.loop(stmt, i+1)
		}
	case *syntax.CaseClause:
		for _, item := range c.Items {
			if contains(item.Stmts, next.stmt) {
				return r.inline(stmt, r.list(i+1), stmt.Redirs)
			}
		}
	case *syntax.BinaryCmd:
		return []*syntax.Stmt{r.binary(stmt, c, i+1)}
	case *syntax.CallExpr:
		if next.frame.function != "" {
			return r.function(stmt, c, i+1)
		}
		if !within(c, next.stmt) { // eval
			return r.inline(stmt, r.list(i+1), stmt.Redirs)
		}
	}
	r.follows = true
	replacement := wrap(r.list(i + 1))
	launched := next.frame.launched
	return []*syntax.Stmt{r.with(copyOf(stmt, func(n syntax.Node) syntax.Node {
		if n == syntax.Node(next.stmt) {
			return replacement
		}
		if s, ok := n.(*syntax.Stmt); ok && launched[s] {
			return nothing(s)
		}
		return nil
	}), nil)}
}

// with returns a statement like stmt with another command, in the foreground
// unless the script asks for the process by $!. A nil command leaves it.
func (r *reducer) with(stmt *syntax.Stmt, command syntax.Command) *syntax.Stmt {
	s := *stmt
	if command != nil {
		s.Cmd = command
	}
	s.Semicolon = syntax.Pos{}
	s.Background = s.Background && r.script.waits
	r.follows = r.follows || s.Negated || s.Background
	return &s
}

// inline returns what stands in the place of a compound statement: the list, in
// braces if redirections or ! hold for all of it.
func (r *reducer) inline(stmt *syntax.Stmt, list []*syntax.Stmt, redirs []*syntax.Redirect) []*syntax.Stmt {
	if len(redirs) == 0 && !stmt.Negated && (!stmt.Background || !r.script.waits) {
		return list
	}
	s := r.with(stmt, &syntax.Block{Lbrace: stmt.Pos(), Rbrace: stmt.End(), Stmts: list})
	s.Redirs = redirs
	return []*syntax.Stmt{s}
}

// wrap makes one statement of a list.
func wrap(list []*syntax.Stmt) *syntax.Stmt {
	if len(list) == 1 && !list[0].Background {
		return list[0]
	}
	return &syntax.Stmt{Position: list[0].Pos(), Cmd: &syntax.Block{Lbrace: list[0].Pos(), Rbrace: list[len(list)-1].End(), Stmts: list}}
}

// launch returns the statement of the launch with the command in the place of
// the words from mlxp on.
func (r *reducer) launch(stmt *syntax.Stmt) *syntax.Stmt {
	stmt = onOneLine(stmt)
	c := *stmt.Cmd.(*syntax.CallExpr)
	at := c.Args[r.call.word].Pos()
	words := slices.Clone(c.Args[:r.call.word])
	for _, before := range r.call.before {
		words = append(words, r.word(at, Quote(before)))
	}
	c.Args = append(words, r.word(at, commandMark))
	return r.with(stmt, &c)
}

// loop returns the one round of a loop that step i is in. What the loop reads
// its variables from is not read again.
func (r *reducer) loop(stmt *syntax.Stmt, i int) []*syntax.Stmt {
	list := r.list(i)
	var redirs []*syntax.Redirect
	for _, redir := range stmt.Redirs {
		switch redir.Op {
		case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc, syntax.DplIn:
		default:
			redirs = append(redirs, redir)
		}
	}
	if breaks(list) {
		pos := stmt.Pos()
		lit := func(s string) *syntax.Lit { return &syntax.Lit{ValuePos: pos, ValueEnd: pos, Value: s} }
		once := &syntax.ForClause{ForPos: pos, DoPos: pos, DonePos: list[len(list)-1].End(), Do: list, Loop: &syntax.WordIter{
			Name: lit("mlxp_round"), InPos: pos, Items: []*syntax.Word{{Parts: []syntax.WordPart{lit("1")}}},
		}}
		list = []*syntax.Stmt{{Position: pos, Cmd: once}}
	}
	return r.inline(stmt, list, redirs)
}

// breaks tells whether statements hold a break or continue of their own loop.
func breaks(list []*syntax.Stmt) bool {
	found := false
	for _, stmt := range list {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.FuncDecl, *syntax.Subshell, *syntax.CmdSubst:
				return false
			case *syntax.CallExpr:
				if len(n.Args) > 0 && (n.Args[0].Lit() == "break" || n.Args[0].Lit() == "continue") {
					found = true
				}
			}
			return true
		})
	}
	return found
}

// branch returns the conditions that lead to the branch whose statements are
// list, and whether it is one.
func branch(c *syntax.IfClause, list []*syntax.Stmt) (conditions [][]*syntax.Stmt, ok bool) {
	for ; c != nil; c = c.Else {
		if len(c.Cond) > 0 {
			conditions = append(conditions, c.Cond)
		}
		if len(list) > 0 && len(c.Then) > 0 && list[0] == c.Then[0] {
			return conditions, true
		}
	}
	return nil, false
}

// condition returns what remains of a condition that is decided: nothing if it
// only asks, else its commands without their outcome.
func (r *reducer) condition(list []*syntax.Stmt) []*syntax.Stmt {
	if onlyAsks(list) {
		return nil
	}
	var quiet []*syntax.Stmt
	for _, stmt := range list {
		quiet = append(quiet, r.script.quiet(stmt))
	}
	at := list[0].Pos()
	return []*syntax.Stmt{{Position: at, Cmd: &syntax.BinaryCmd{
		OpPos: at, Op: syntax.OrStmt, X: wrap(quiet), Y: r.placeholder(list[len(list)-1].End(), ":"),
	}}}
}

// onlyAsks tells whether commands change nothing that later ones see.
func onlyAsks(list []*syntax.Stmt) bool {
	pure := true
	for _, stmt := range list {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Redirect:
				pure = false
			case *syntax.CallExpr:
				pure = pure && len(n.Args) > 0 && asking[n.Args[0].Lit()]
			case *syntax.CmdSubst:
				return false
			case *syntax.UnaryArithm:
				pure = pure && n.Op != syntax.Inc && n.Op != syntax.Dec
			case *syntax.BinaryArithm:
				pure = pure && !assigns[n.Op]
			case *syntax.DeclClause, *syntax.FuncDecl, *syntax.LetClause:
				pure = false
			}
			return pure
		})
	}
	return pure
}

var asking = map[string]bool{"[": true, "test": true, "true": true, "false": true, ":": true}

// binary returns what remains of X && Y, X || Y, X | Y with step i in one of
// them.
func (r *reducer) binary(stmt *syntax.Stmt, c *syntax.BinaryCmd, i int) *syntax.Stmt {
	b := *c
	if r.path[i].stmt == c.X {
		r.follows = true
		b.X, b.Y = wrap(r.list(i)), r.script.quiet(c.Y)
		return r.with(stmt, &b)
	}
	b.Y = wrap(r.list(i))
	piped := c.Op == syntax.Pipe || c.Op == syntax.PipeAll
	if piped {
		switch r.path[i].stmt.Cmd.(type) {
		case *syntax.ForClause, *syntax.WhileClause: // has read its variables already
			r.follows = true
			y := *b.Y
			return r.with(stmt, &syntax.Subshell{Lparen: stmt.Pos(), Rparen: stmt.End(), Stmts: []*syntax.Stmt{&y}})
		}
	}
	if !piped && onlyAsks([]*syntax.Stmt{c.X}) {
		if len(stmt.Redirs) == 0 && !stmt.Negated {
			return b.Y
		}
		return r.with(stmt, &syntax.Block{Lbrace: stmt.Pos(), Rbrace: stmt.End(), Stmts: []*syntax.Stmt{b.Y}})
	}
	r.follows = r.follows || piped
	b.X = r.script.quiet(c.X)
	return r.with(stmt, &b)
}

// function returns a function with what remains of the body, and its call: so
// local, return and $1 mean what they did.
func (r *reducer) function(stmt *syntax.Stmt, c *syntax.CallExpr, i int) []*syntax.Stmt {
	f := r.path[i].frame
	name := "mlxp_" + f.function
	if !syntax.ValidName(name) {
		name = "mlxp_function"
	}
	at := stmt.Pos()
	lit := &syntax.Lit{ValuePos: at, ValueEnd: at, Value: name}
	body := r.list(i)
	decl := &syntax.Stmt{Position: at, Cmd: &syntax.FuncDecl{Position: at, Parens: true, Name: lit,
		Body: &syntax.Stmt{Position: at, Cmd: &syntax.Block{Lbrace: at, Rbrace: at, Stmts: body}}}}
	call := *c
	call.Args = []*syntax.Word{{Parts: []syntax.WordPart{lit}}}
	if slices.ContainsFunc(f.args, func(a string) bool { return strings.ContainsRune(a, mark) }) {
		call.Args = append(call.Args, c.Args[1:]...)
	} else if len(f.args) > 0 {
		call.Args = append(call.Args, r.word(at, QuoteAll(f.args)))
	}
	return []*syntax.Stmt{decl, r.with(stmt, &call)}
}

func contains(list []*syntax.Stmt, stmt *syntax.Stmt) bool { return slices.Contains(list, stmt) }

// within tells whether a statement stands somewhere in a node.
func within(node syntax.Node, stmt *syntax.Stmt) bool {
	for n := range syntax.Preorder(node) {
		if n == syntax.Node(stmt) {
			return true
		}
	}
	return false
}

// nothing returns a statement that does nothing in the place of another.
func nothing(stmt *syntax.Stmt) *syntax.Stmt {
	at := stmt.Pos()
	return &syntax.Stmt{Position: at, Cmd: &syntax.CallExpr{Args: []*syntax.Word{{Parts: []syntax.WordPart{&syntax.Lit{ValuePos: at, ValueEnd: at, Value: ":"}}}}}}
}

// quiet returns a statement without the launches that stand in it: they were not
// reached, and must not be in the job.
func (s *Script) quiet(stmt *syntax.Stmt) *syntax.Stmt {
	if !namesLaunch(stmt) {
		return stmt
	}
	return copyOf(stmt, func(n syntax.Node) syntax.Node {
		if inner, ok := n.(*syntax.Stmt); ok {
			if call, ok := inner.Cmd.(*syntax.CallExpr); ok && launchCallIn(call) {
				return nothing(inner)
			}
		}
		return nil
	})
}

// namesLaunch tells whether a launch is written down in a statement.
func namesLaunch(stmt *syntax.Stmt) bool {
	for n := range syntax.Preorder(stmt) {
		if call, ok := n.(*syntax.CallExpr); ok && launchCallIn(call) {
			return true
		}
	}
	return false
}

// launchCallIn tells whether a call is written as a launch: the word mlxp, and
// -- behind it or a word that may be one.
func launchCallIn(call *syntax.CallExpr) bool {
	for i, word := range call.Args {
		lit := word.Lit()
		if lit != "mlxp" && !strings.HasSuffix(lit, "/mlxp") || i > 0 && onlyPrints[call.Args[0].Lit()] {
			continue
		}
		return slices.ContainsFunc(call.Args[i+1:], func(w *syntax.Word) bool { return w.Lit() == "--" || w.Lit() == "" })
	}
	return false
}
