package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/mlxp/mlxp/internal/fault"
)

// A Tally evaluates an expression for one run after another and remembers what
// came of it. It is not safe for concurrent use: several goroutines take one
// each and [Tally.Merge] them in the end.
//
// For a run that lacks a field which the result hangs on there is no value, and
// no match, also under "!". The same holds where an operation does not work on
// what the run has: a number compared with a text has no order. A population in
// which only some runs hold a text under a key can therefore be asked like any
// other. But if a comparison went wrong in every run that came to it, and no
// run matched, that is an error of the expression: see [Tally.Err]. This
// includes == and !=, which give an answer all the same.
type Tally struct {
	Expr    *Expr
	Runs    int   // evaluated
	Values  int   // that gave a value
	Matches int   // for which the filter held
	Lacking []int // for each of Expr.Fields the runs without a value for want of it
	Unseen  []int // for each of Expr.Fields the runs that were looked at and lack it; -1: some run has it

	program     cel.Program
	comparisons []*comparisons
	failed      int // runs in which something else did not work
	failure     *types.Err
	odd         string // the kind of a filter's result that was no bool
	scope       scope
}

// A Lazy object is one whose fields cost something to look up.
type Lazy interface {
	Object
	// Loaded tells whether looking a field up is cheap by now.
	Loaded() bool
}

// Tally returns a new tally of the expression.
func (e *Expr) Tally() (*Tally, error) {
	t := &Tally{Expr: e, Lacking: make([]int, len(e.Fields)), Unseen: make([]int, len(e.Fields))}
	var err error
	t.program, err = e.env.Program(e.ast, cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(t.watch), cel.CustomDecoratorV2(mix))
	if err != nil {
		// A constant that does not work, such as a regular expression.
		return nil, fault.At(errors.New(strings.TrimPrefix(err.Error(), "error during planning: ")), e.Text, 0)
	}
	return t, nil
}

// scope presents a run to CEL.
type scope struct{ run Object }

func (s *scope) ResolveName(name string) (any, bool) { return s.run.Field(name) }
func (s *scope) Parent() cel.Activation              { return nil }

// Value returns what the expression is for a run; ok is false if it is nothing.
func (t *Tally) Value(run Object) (v any, ok bool) {
	t.Runs++
	t.scope.run = run
	out, _, err := t.program.Eval(&t.scope)
	t.look(run)
	if err != nil {
		t.fail(err)
		return nil, false
	}
	t.Values++
	return fromCEL(out), true
}

// Match tells whether the condition holds for a run.
func (t *Tally) Match(run Object) bool {
	v, ok := t.Value(run)
	if !ok {
		return false
	}
	b, isBool := v.(bool)
	if !isBool {
		t.Values--
		t.failed++
		t.odd = max(t.odd, kindOf(toCEL(v)))
		return false
	}
	if b {
		t.Matches++
	}
	return b
}

func (t *Tally) fail(err error) {
	var e *types.Err
	if !errors.As(err, &e) {
		e = types.NewErrFromString(err.Error()).(*types.Err)
	}
	if isAbsent(e) {
		for i, f := range t.Expr.Fields {
			if slices.Contains(f.nodes, e.NodeID()) {
				t.Lacking[i]++
			}
		}
		return
	}
	for _, c := range t.comparisons {
		if c.node == e.NodeID() {
			return // counted there
		}
	}
	t.failed++
	t.worst(e)
}

// worst remembers a failure. Which one does not hang on the order of the runs.
func (t *Tally) worst(e *types.Err) {
	if t.failure == nil || e != nil && e.Error() < t.failure.Error() {
		t.failure = e
	}
}

// look finds out which of the fields the run has, as long as none had them.
func (t *Tally) look(run Object) {
	for i, f := range t.Expr.Fields {
		if t.Unseen[i] < 0 {
			continue
		}
		switch found, known := has(run, f.Path); {
		case found:
			t.Unseen[i] = -1
		case known:
			t.Unseen[i]++
		}
	}
}

func has(v any, path []string) (found, known bool) {
	for _, part := range path {
		if lazy, ok := v.(Lazy); ok && !lazy.Loaded() {
			return false, false
		}
		var ok bool
		switch x := toCEL(v).(type) {
		case objectVal:
			v, ok = x.Field(part)
		case listVal:
			if !isIndex(part) {
				var o Object
				if o, ok = x.List.(Object); ok {
					v, ok = o.Field(part)
				}
				break
			}
			var i int
			if _, err := fmt.Sscan(part, &i); err == nil && i < x.Len() {
				v, ok = x.At(i), true
			}
		}
		if !ok {
			return false, true
		}
	}
	return true, true
}

// absent makes the error for a value that is not there.
func absent(format string, args ...any) *types.Err {
	return types.WrapErr(absence(fmt.Sprintf(format, args...))).(*types.Err)
}

type absence string

func (a absence) Error() string { return string(a) }

func isAbsent(err *types.Err) bool {
	var a absence
	if errors.As(err, &a) {
		return true
	}
	// The interpreter's own errors have no type that could be asked for.
	for _, prefix := range []string{"no such key", "no such attribute", "index out of bounds"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return true
		}
	}
	return false
}

// Merge adds what other has counted. Both are of the same expression.
func (t *Tally) Merge(other *Tally) {
	t.Runs += other.Runs
	t.Values += other.Values
	t.Matches += other.Matches
	for i := range t.Lacking {
		t.Lacking[i] += other.Lacking[i]
		if t.Unseen[i] < 0 || other.Unseen[i] < 0 {
			t.Unseen[i] = -1
		} else {
			t.Unseen[i] += other.Unseen[i]
		}
	}
	for i, c := range other.comparisons {
		mine := t.comparisons[i]
		if c.wrong > 0 {
			mine.saw(c.left, c.right)
		}
		mine.fine += c.fine
		mine.wrong += c.wrong
	}
	t.failed += other.failed
	t.worst(other.failure)
	t.odd = max(t.odd, other.odd)
}

// Err returns the error of an expression that could not work on any of the runs
// it was evaluated for, nil as long as one of them makes sense of it.
func (t *Tally) Err() error {
	if t.Expr.filter && t.Matches > 0 || !t.Expr.filter && t.Values > 0 {
		return nil
	}
	for _, c := range t.comparisons {
		if c.wrong > 0 && c.fine == 0 {
			left, right := t.Expr.operands(c.node)
			err := fmt.Errorf("%s is %s and %s is %s: %s cannot compare them", left, c.left, right, c.right, c.operator)
			return fault.Hint(fault.At(err, t.Expr.Text, t.Expr.offset(c.node)), "%s", remedy(c, left, right))
		}
	}
	if t.failed > 0 && t.Values == 0 {
		if t.failure == nil {
			return notCondition(t.Expr.Text, t.odd)
		}
		return fault.At(errors.New(t.why()), t.Expr.Text, t.Expr.offset(t.failure.NodeID()))
	}
	return nil
}

// why says what did not work.
func (t *Tally) why() string {
	text := t.failure.Error()
	if !strings.HasPrefix(text, "no such overload") {
		return text
	}
	what := "an operation"
	if op := t.Expr.call(t.failure.NodeID()); op != "" {
		what = op
	}
	if left, right := t.Expr.operands(t.failure.NodeID()); right != "" {
		return fmt.Sprintf("%s does not work on what %s and %s are", what, left, right)
	}
	return what + " does not work on what it is given"
}

func remedy(c *comparisons, left, right string) string {
	switch {
	case c.left == "a series":
		return "take one of its values: " + left + ".last()"
	case c.right == "a series":
		return "take one of its values: " + right + ".last()"
	case c.left == "a text" && c.right == "a time":
		return "timestamp(" + left + ") makes a time of a text; texts of times compare as well: " + left + " " + c.operator + ` "2026-01-31"`
	case c.left == "a time" && c.right == "a text":
		return "timestamp(" + right + ") makes a time of a text such as \"2026-01-31T00:00:00Z\""
	case c.left == "a number" && strings.HasPrefix(right, `"`):
		return "a number is written without quotes"
	case c.left == "a text" && c.right == "a number":
		return "double(" + left + ") makes a number of a text"
	}
	return "type(x) tells what a value is; string(x), int(x) and double(x) convert it"
}

// Notes tells in how many runs something did not work, and why. That == found a
// number here and a text there is no such thing, unless it never found two of a
// kind.
func (t *Tally) Notes() []string {
	var notes []string
	for _, c := range t.comparisons {
		equality := c.operator == "==" || c.operator == "!="
		if c.wrong > 0 && !(equality && c.fine > 0) {
			left, right := t.Expr.operands(c.node)
			notes = append(notes, fmt.Sprintf("%s: %s is %s and %s is %s in %s", t.Expr.Text, left, c.left, right, c.right, runs(c.wrong)))
		}
	}
	if t.failed > 0 {
		what := "the result is " + t.odd
		if t.failure != nil {
			what = t.why()
		}
		notes = append(notes, fmt.Sprintf("%s: %s in %s", t.Expr.Text, what, runs(t.failed)))
	}
	return notes
}

// Lacks tells how many runs there was no value for, for want of each field that
// other runs have.
func (t *Tally) Lacks() []string {
	var notes []string
	for i, f := range t.Expr.Fields {
		if n := t.Lacking[i]; n > 0 && t.Unseen[i] < 0 {
			verb := "lack"
			if n == 1 {
				verb = "lacks"
			}
			notes = append(notes, fmt.Sprintf("%s %s %s", runs(n), verb, f))
		}
	}
	return notes
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}

// Strangers returns the fields that no run has, of all that were looked at.
func (t *Tally) Strangers() []Field {
	var out []Field
	for i, f := range t.Expr.Fields {
		if t.Unseen[i] > 0 && !f.Guarded {
			out = append(out, f)
		}
	}
	return out
}
