package script

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// environ is the shell's variables as package expand asks for them. It notes
// when an unknown value is read.
type environ struct{ e *evaluator }

func (v environ) Get(name string) expand.Variable {
	variable := v.e.lookup(name)
	if v.e.taint == nil {
		v.e.taint = v.e.causeInVar(variable)
	}
	return variable
}

func (v environ) Set(name string, variable expand.Variable) error {
	if v.e.taint != nil { // ((i = unknown + 1)), ${x:=$unknown}
		variable = expand.Variable{Set: true, Exported: variable.Exported, Kind: expand.String, Str: v.e.unknown(v.e.taint)}
	}
	v.e.set(name, variable)
	return nil
}

func (v environ) Each(each func(string, expand.Variable) bool) {
	for name, variable := range v.e.sh.vars {
		if !each(name, variable) {
			return
		}
	}
}

// expansion returns the rules by which words are expanded now.
func (e *evaluator) expansion() *expand.Config {
	c := &expand.Config{
		Env:        environ{e},
		CmdSubst:   e.substitute,
		ProcSubst:  e.processSubstitution,
		GlobStar:   e.sh.options["globstar"],
		DotGlob:    e.sh.options["dotglob"],
		NoCaseGlob: e.sh.options["nocaseglob"],
		NullGlob:   e.sh.options["nullglob"],
		NoUnset:    e.sh.flags['u'],
		ExtGlob:    e.sh.options["extglob"],
	}
	if !e.sh.flags['f'] {
		c.ReadDir2 = func(dir string) ([]fs.DirEntry, error) {
			if cause := e.causeIn(dir); cause != nil {
				e.globbed = cause
			}
			return os.ReadDir(dir)
		}
	}
	return c
}

// expanded runs an expansion and returns why its result is unknown although it
// may not look so, nil if there is no such reason.
func (e *evaluator) expanded(lossy bool, expansion func(*expand.Config) error) *cause {
	outer := e.taint
	e.taint = nil
	err := expansion(e.expansion())
	taint := e.taint
	e.taint, e.mayBeUnset = outer, nil
	switch {
	case e.stopped():
	case err == nil:
		if lossy {
			return taint
		}
	case taint != nil: // 10 / unknown
		return taint
	default:
		e.expansionFailed(err)
	}
	return nil
}

// expansionFailed ends the script where a shell would, and evaluating where the
// parser's library knows no way on.
func (e *evaluator) expansionFailed(err error) {
	var unset expand.UnsetParameterError
	if errors.As(err, &unset) {
		e.exit(1, unset.Error())
		return
	}
	e.fail(e.script.errorf(e.line, "%v", err))
}

// wordFields expands a word to fields.
func (e *evaluator) wordFields(word *syntax.Word) []string {
	if e.stopped() {
		return nil
	}
	if lit := word.Lit(); lit != "" && !strings.ContainsAny(lit, `\*?[{~`) {
		return []string{lit}
	}
	if e.script.posix {
		word = withoutBraces(word)
	}
	word = e.settled(word)
	var fields []string
	e.globbed = nil
	cause := e.expanded(lossy(word), func(c *expand.Config) (err error) {
		fields, err = expand.Fields(c, word)
		return err
	})
	if cause == nil {
		cause = e.globbed
	}
	if cause != nil && e.causeInAll(fields) == nil {
		return []string{e.unknown(cause)}
	}
	return fields
}

// withoutBraces returns a word in which braces stand for themselves, as POSIX
// has it.
func withoutBraces(word *syntax.Word) *syntax.Word {
	parts := make([]syntax.WordPart, 0, len(word.Parts))
	for _, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); ok && strings.Contains(lit.Value, "{") {
			before, after, _ := strings.Cut(lit.Value, "{")
			rest := withoutBraces(&syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: after}}})
			parts = append(parts, &syntax.Lit{Value: before}, &syntax.SglQuoted{Value: "{"})
			parts = append(parts, rest.Parts...)
			continue
		}
		parts = append(parts, part)
	}
	return &syntax.Word{Parts: parts}
}

// literal expands a word to one text, as in an assignment.
func (e *evaluator) literal(word *syntax.Word) string {
	return e.text(word, expand.Literal)
}

func (e *evaluator) text(word *syntax.Word, expansion func(*expand.Config, *syntax.Word) (string, error)) string {
	if word == nil || e.stopped() {
		return ""
	}
	var text string
	word = e.settled(word)
	cause := e.expanded(lossy(word), func(c *expand.Config) (err error) {
		text, err = expansion(c, word)
		return err
	})
	if cause != nil && e.causeIn(text) == nil {
		return e.unknown(cause)
	}
	return text
}

// arithm evaluates an arithmetic expression, and returns why its value is not
// known.
func (e *evaluator) arithm(expr syntax.ArithmExpr) (int, *cause) {
	if e.stopped() {
		return 0, nil
	}
	if c := e.beyond(expr); c != nil {
		return 0, c
	}
	var n int
	e.mayBeUnset = nil
	e.expectUnset(expr)
	cause := e.expanded(true, func(c *expand.Config) (err error) {
		n, err = expand.Arithm(c, expr)
		return err
	})
	return n, cause
}

// substitute runs the commands of $(…) in a subshell.
func (e *evaluator) substitute(w io.Writer, node *syntax.CmdSubst) error {
	out := &output{}
	taint, unset := e.taint, e.mayBeUnset
	defer func() { e.mayBeUnset = unset }()
	e.subshell(func() {
		e.stdout = out
		if file := onlyRead(node.Stmts); file != nil {
			if in := e.open(e.literal(file)); in != nil {
				out.write(e, in.rest())
			}
			return
		}
		e.list(node.Stmts, nil)
	})
	if e.taint = taint; taint == nil {
		e.taint = e.causeIn(out.String())
	}
	e.substituted = true
	if e.err != nil {
		return e.err
	}
	_, err := io.WriteString(w, strings.ReplaceAll(out.String(), "\x00", ""))
	return err
}

// onlyRead returns FILE of the $(<FILE) that the statements are, nil if they are
// none.
func onlyRead(stmts []*syntax.Stmt) *syntax.Word {
	if len(stmts) == 1 && stmts[0].Cmd == nil && len(stmts[0].Redirs) == 1 && stmts[0].Redirs[0].Op == syntax.RdrIn {
		return stmts[0].Redirs[0].Word
	}
	return nil
}

// processSubstitution runs the commands of <(…) and returns a path that stands
// for their output. Those of >(…) are left for the job.
func (e *evaluator) processSubstitution(node *syntax.ProcSubst) (string, error) {
	path := "/dev/fd/mlxp-" + string(rune('a'+len(e.files)%26)) + itoa(len(e.files))
	out := &output{}
	taint := e.taint
	if node.Op == syntax.CmdIn {
		e.subshell(func() {
			e.stdout = out
			e.list(node.Stmts, nil)
		})
	} else if line := e.launchIn(node); line > 0 {
		e.fail(e.script.errorf(line, "a launch inside >(…)"))
	}
	e.taint = taint
	e.files[path] = out
	return path, e.err
}
