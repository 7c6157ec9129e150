package script

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// A JobText is what a job script has beside the user's script.
type JobText struct {
	Header  []string // the lines behind "#!": those of the scheduler
	Top     []string // shell text to begin with: checks, the directory
	Command []string // the words that execute the run; they are quoted here
	Exec    bool     // the command replaces the shell: only if nothing follows and no trap is set
}

// follows tells whether something is executed behind a launch.
func (s *Script) follows(l Launch) bool {
	r := s.reducer(l)
	r.list(0)
	return r.follows || r.call.head == "time"
}

func (s *Script) reducer(l Launch) *reducer {
	return &reducer{script: s, path: l.path, call: l.call}
}

// Job returns the text of the job script for a launch: the user's script with
// its launching statement reduced to this launch, and the other ones left out.
// The runs of one launch differ in the command alone, which is cheap.
func (s *Script) Job(l Launch, j JobText) (string, error) {
	if l.eval == nil {
		return "", fmt.Errorf("a launch that Evaluate did not return")
	}
	body, err := s.common(l)
	if err != nil {
		return "", err
	}
	command := QuoteAll(j.Command)
	if j.Exec && l.call.head != "exec" && l.call.head != "command" {
		command = "exec " + command
	}
	var b strings.Builder
	b.WriteString("#!" + strings.Join(s.Shell, " ") + "\n")
	for _, line := range slices.Concat(j.Header, j.Top) {
		b.WriteString(line + "\n")
	}
	b.WriteString(strings.ReplaceAll(body, commandMark, command))
	return b.String(), nil
}

// common returns what the job scripts of a launch's runs have in common, with
// commandMark for the command. It is kept until another launch's is asked for.
func (s *Script) common(l Launch) (string, error) {
	l.eval.mu.Lock()
	defer l.eval.mu.Unlock()
	if l.eval.text != "" && l.eval.index == l.index {
		return l.eval.text, nil
	}
	r := s.reducer(l)
	r.read = s.readBehind(l)
	body := s.body(l, r)
	if strings.Contains(body, scriptVariable) {
		path := s.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.eval.dir, path)
		}
		body = scriptVariable + "=" + Quote(path) + "\n" + body
	}
	if len(l.eval.args) > 0 {
		body = "set -- " + QuoteAll(l.eval.args) + "\n" + body
	}
	language := syntax.LangBash
	if s.posix {
		language = syntax.LangPOSIX
	}
	if _, err := parseAs("job script", body, language); err != nil {
		return "", fault.Hint(s.errorf(l.Line, "no job script can be made of this launch: %v", err), "write the statement around it more simply")
	}
	l.eval.index, l.eval.text = l.index, body
	return body, nil
}

// scriptVariable holds the path of the user's script where that reads $0: in the
// job, $0 is another.
const scriptVariable = "mlxp_script"

// body returns the user's statements.
func (s *Script) body(l Launch, r *reducer) string {
	regions := s.regions()
	launching := r.stmt(0)
	needed := s.needed(l, launching)
	var b strings.Builder
	newLine := func() {
		if text := b.String(); text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteByte('\n')
		}
	}
	for i, stmt := range s.file.Stmts {
		change, launched := l.eval.changes[i]
		switch {
		case i == l.Statement:
			newLine()
			b.WriteString(s.comments(stmt))
			for _, reduced := range launching {
				if len(reduced.Comments) > 0 && len(stmt.Comments) > 0 && reduced.Comments[0].Hash == stmt.Comments[0].Hash {
					reduced.Comments = nil
				}
				b.WriteString(r.fill(s.print(reduced)))
			}
			if i+1 < len(s.file.Stmts) && blankBetween(s.text, stmt, s.file.Stmts[i+1]) {
				b.WriteByte('\n')
			}
		case launched:
			newLine()
			if stmt.Background && s.waits {
				b.WriteString(": &\n")
			}
			for _, line := range change.lines(r.read) {
				b.WriteString(line + "\n")
			}
		case namesLaunch(stmt):
			newLine()
			if decl, ok := stmt.Cmd.(*syntax.FuncDecl); ok && decl.Name != nil && !needed[decl.Name.Value] {
				continue
			}
			b.WriteString(s.print(s.quiet(stmt)))
		case regions == nil:
			newLine()
			b.WriteString(s.print(stmt))
		default:
			b.WriteString(regions[i])
		}
	}
	newLine()
	return b.String()
}

// needed returns the names of the functions that the job script of a launch may
// call: named by a statement that stays, or by such a function.
func (s *Script) needed(l Launch, reduced []*syntax.Stmt) map[string]bool {
	needed := map[string]bool{}
	bodies := map[string][]*syntax.Stmt{}
	var queue []*syntax.Stmt
	queue = append(queue, reduced...)
	for i, stmt := range s.file.Stmts {
		_, launched := l.eval.changes[i]
		if decl, ok := stmt.Cmd.(*syntax.FuncDecl); ok && decl.Name != nil {
			bodies[decl.Name.Value] = append(bodies[decl.Name.Value], decl.Body)
		} else if !launched {
			queue = append(queue, stmt)
		}
	}
	for len(queue) > 0 {
		stmt := queue[0]
		queue = queue[1:]
		for n := range syntax.Preorder(stmt) {
			if word, ok := n.(*syntax.Word); ok && word.Lit() != "" && !needed[word.Lit()] && bodies[word.Lit()] != nil {
				needed[word.Lit()] = true
				queue = append(queue, bodies[word.Lit()]...)
			}
		}
	}
	return needed
}

// comments returns the comments that stand before a statement, header lines left
// out.
func (s *Script) comments(stmt *syntax.Stmt) string {
	var b strings.Builder
	for _, c := range stmt.Comments {
		if stmt.Pos().After(c.Pos()) && !s.isHeader(c) {
			b.WriteString("#" + c.Text + "\n")
		}
	}
	return b.String()
}

func (s *Script) isHeader(c syntax.Comment) bool {
	return int(c.Hash.Offset()) == 0 && strings.HasPrefix(s.text, "#!") || slices.ContainsFunc(s.Header, func(h HeaderLine) bool { return c.Hash.Col() == 1 && h.Line == int(c.Hash.Line()) })
}

func blankBetween(text string, a, b *syntax.Stmt) bool {
	from, to := int(a.End().Offset()), int(b.Pos().Offset())
	return from < to && to <= len(text) && strings.Contains(text[from:to], "\n\n")
}

// print returns a statement as the printer writes it.
func (s *Script) print(stmt *syntax.Stmt) string {
	copied := *stmt
	copied.Comments = slices.DeleteFunc(slices.Clone(stmt.Comments), s.isHeader)
	var b strings.Builder
	file := &syntax.File{Stmts: []*syntax.Stmt{copyOf(&copied, s.ownPath)}}
	if err := syntax.NewPrinter(syntax.Indent(2)).Print(&b, file); err != nil {
		return s.text[stmt.Pos().Offset():stmt.End().Offset()] + "\n"
	}
	return strings.TrimLeft(b.String(), "\n")
}

// ownPath replaces $0 and $BASH_SOURCE.
func (s *Script) ownPath(n syntax.Node) syntax.Node {
	p, ok := n.(*syntax.ParamExp)
	if !ok || !readsOwnPath(p) {
		return nil
	}
	c := *p
	lit := *p.Param
	lit.Value = scriptVariable
	c.Param, c.Index, c.Short, c.Rbrace = &lit, nil, false, p.End()
	return &c
}

func readsOwnPath(p *syntax.ParamExp) bool {
	if p.Param == nil || p.Length || p.Excl {
		return false
	}
	if p.Param.Value == "0" {
		return true
	}
	index, _ := p.Index.(*syntax.Word)
	return p.Param.Value == "BASH_SOURCE" && (p.Index == nil || index != nil && index.Lit() == "0")
}

// regions returns the text of each statement as the user wrote it, with what
// stands between it and the next; nil if here-documents keep the statements from
// being taken apart.
func (s *Script) regions() []string {
	starts := make([]int, 0, len(s.file.Stmts)+1)
	for _, stmt := range s.file.Stmts {
		start := stmt.Pos()
		if len(stmt.Comments) > 0 && start.After(stmt.Comments[0].Pos()) {
			start = stmt.Comments[0].Pos()
		}
		starts = append(starts, int(start.Offset()))
	}
	starts = append(starts, len(s.text))
	regions := make([]string, len(s.file.Stmts))
	for i, stmt := range s.file.Stmts {
		for n := range syntax.Preorder(stmt) {
			if redir, ok := n.(*syntax.Redirect); ok && redir.Hdoc != nil && int(redir.Hdoc.End().Offset()) > starts[i+1] {
				return nil
			}
		}
		regions[i] = s.edited(starts[i], starts[i+1], stmt)
	}
	return regions
}

// edited returns a part of the script's text without header lines, and with the
// script's own path where that is read.
func (s *Script) edited(from, to int, stmt *syntax.Stmt) string {
	type edit struct {
		from, to int
		text     string
	}
	var edits []edit
	line := 0
	for offset := 0; offset < len(s.text); {
		next := len(s.text)
		if i := strings.IndexByte(s.text[offset:], '\n'); i >= 0 {
			next = offset + i + 1
		}
		line++
		if offset >= from && next <= to && slices.ContainsFunc(s.Header, func(h HeaderLine) bool { return h.Line == line }) {
			edits = append(edits, edit{offset, next, ""})
		}
		offset = next
	}
	if from == 0 && strings.HasPrefix(s.text, "#!") {
		edits = append(edits, edit{0, strings.IndexByte(s.text+"\n", '\n') + 1, ""})
	}
	for n := range syntax.Preorder(stmt) {
		if p, ok := n.(*syntax.ParamExp); ok && readsOwnPath(p) {
			switch at := int(p.Param.Pos().Offset()); {
			case p.Short:
				edits = append(edits, edit{int(p.Pos().Offset()), int(p.End().Offset()), "${" + scriptVariable + "}"})
			case p.Index != nil:
				edits = append(edits, edit{at, int(p.Index.End().Offset()) + 1, scriptVariable})
			default:
				edits = append(edits, edit{at, int(p.Param.End().Offset()), scriptVariable})
			}
		}
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var b strings.Builder
	at := from
	for _, e := range edits {
		if e.from < at {
			continue
		}
		b.WriteString(s.text[at:e.from] + e.text)
		at = min(e.to, len(s.text))
	}
	b.WriteString(s.text[at:to])
	return b.String()
}

// readBehind returns the names of the variables that what remains of a script
// reads once a launch's statement begins; nil if they cannot be told.
func (s *Script) readBehind(l Launch) map[string]bool {
	var nodes []syntax.Node
	for i, stmt := range s.file.Stmts {
		_, launched := l.eval.changes[i]
		if _, isFunc := stmt.Cmd.(*syntax.FuncDecl); isFunc || !launched || i == l.Statement {
			nodes = append(nodes, stmt)
		}
	}
	return readNames(nodes)
}

// readNames returns the names of the variables that statements read, @ for
// positional parameters; nil if they cannot be told. The words of a launch do
// not count: they are replaced.
func readNames(nodes []syntax.Node) map[string]bool {
	read := map[string]bool{}
	written := map[*syntax.Lit]bool{}
	for _, node := range nodes {
		syntax.Walk(node, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.CallExpr:
				if len(n.Args) > 0 && slices.Contains([]string{"eval", ".", "source"}, commandName(n)) {
					read = nil
				}
				if launchCallIn(n) && len(n.Assigns) == 0 && n.Args[0].Lit() == "mlxp" {
					return false
				}
			case *syntax.ParamExp:
				if n.Excl {
					read = nil
				}
				if n.Param != nil && read != nil {
					read[parameter(n.Param.Value)] = true
				}
			case *syntax.Assign:
				written[n.Name] = !n.Append && !n.Naked
			case *syntax.WordIter:
				written[n.Name] = true
			case *syntax.Lit: // in arithmetic, names stand without a $
				if read != nil && !written[n] && syntax.ValidName(n.Value) {
					read[n.Value] = true
				}
			}
			return read != nil
		})
		if read == nil {
			return nil
		}
	}
	return read
}

// parameter returns the name under which a parameter is noted: @ for all
// positional ones.
func parameter(name string) string {
	if syntax.ValidName(name) {
		return name
	}
	return "@"
}
