package script

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// A cause is why a value or an outcome is not known before the job runs.
type cause struct {
	line   int    // where it comes into the script
	what   string // completes "this hangs on …"
	mend   string // what the user can do
	decide string // the same if it is not a value that hangs, but whether a launch is reached; empty: mend
}

// outcomeOf is the cause of what hangs on how the run of a launch ends.
func outcomeOf(line int) *cause {
	return &cause{line: line, what: "the outcome of another launch",
		mend: "submit the two one after another, the second as a job that depends on the first"}
}

// endless is the cause of what comes behind a loop that does not end here.
func endless(loop syntax.Pos) *cause {
	return &cause{line: int(loop.Line()), what: "a loop that does not end before the job runs",
		mend: "a loop that waits for something belongs into the program, or into the job behind the launch"}
}

// The text of an unknown value is mark, the number of its cause, markEnd: two
// characters that Unicode keeps out of texts. It flows through the script as any
// other value does; where an operation could lose it, the result is made
// unknown as a whole (see [evaluator.expanded]).
const (
	mark    = '\U0010FFFE'
	markEnd = '\U0010FFFF'
)

// unknown returns the text of a value that is unknown because of c.
func (e *evaluator) unknown(c *cause) string {
	for i, known := range e.causes {
		if *known == *c {
			return string(mark) + strconv.Itoa(i) + string(markEnd)
		}
	}
	e.causes = append(e.causes, c)
	return string(mark) + strconv.Itoa(len(e.causes)-1) + string(markEnd)
}

// causeIn returns why s is unknown, nil if it is known. Of several causes the
// first counts.
func (e *evaluator) causeIn(s string) *cause {
	at := strings.IndexRune(s, mark)
	if at < 0 {
		return nil
	}
	digits, _, _ := strings.Cut(s[at+len(string(mark)):], string(markEnd))
	if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n < len(e.causes) {
		return e.causes[n]
	}
	return &cause{line: e.line, what: "a value that is not known before the job runs", mend: "write the value down"}
}

func (e *evaluator) causeInAll(words []string) *cause {
	for _, w := range words {
		if c := e.causeIn(w); c != nil {
			return c
		}
	}
	return nil
}

func (e *evaluator) causeInVar(v expand.Variable) *cause {
	switch v.Kind {
	case expand.Indexed:
		return e.causeInAll(v.List)
	case expand.Associative:
		for k, value := range v.Map {
			if c := e.causeIn(k + value); c != nil {
				return c
			}
		}
		return nil
	}
	return e.causeIn(v.Str)
}

// hangs is the error for a launch at line that needs what c withholds; what says
// which part of it does.
func (e *evaluator) hangs(line int, c *cause, what string) error {
	where := ""
	if c.line != line && c.line > 0 {
		where = " (line " + strconv.Itoa(c.line) + ")"
	}
	return fault.Hint(e.script.errorf(line, "%s on %s%s", what, c.what, where), "%s", c.mend)
}

// lossy tells whether the expansion of a word could lose the mark of an unknown
// value that it reads: its length, a part of it, a number made of it, an element
// that it chooses.
func lossy(word *syntax.Word) bool {
	for node := range syntax.Preorder(word) {
		switch n := node.(type) {
		case *syntax.ArithmExp:
			return true
		case *syntax.ParamExp:
			if n.Length || n.Excl || n.Slice != nil || n.Repl != nil || n.Exp != nil || n.Names != 0 {
				return true
			}
			if index, ok := n.Index.(*syntax.Word); n.Index != nil && (!ok || index.Lit() == "") {
				return true
			}
		}
	}
	return false
}
