package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// Aggregates are the functions over the runs of a group.
var Aggregates = []string{"mean", "std", "sem", "ci95", "median", "min", "max", "count", "first", "collect"}

// An Aggregate is a call in an expression about a group: std(metrics.test.loss).
type Aggregate struct {
	Function string
	Text     string // the whole call, as typed
	Arg      *Expr  // evaluated for each run of the group
}

// A GroupExpr is an expression about a group of runs. It may use the names it
// was compiled with, and aggregates of what an expression about a run gives.
type GroupExpr struct {
	Expr  *Expr // Calls[i] is its variable Variable(i)
	Calls []Aggregate
}

// Variable returns the name under which the group that a [GroupExpr] is
// evaluated for has the value of its i-th aggregate.
func Variable(i int) string { return "_" + strconv.Itoa(i) }

// CompileGroup compiles an expression about a group that has the fields vars.
func CompileGroup(text string, vars ...string) (*GroupExpr, error) {
	return compileGroup(text, subject{vars: vars, group: true})
}

// CompileGroupFilter compiles a condition on groups.
func CompileGroupFilter(text string, vars ...string) (*GroupExpr, error) {
	return compileGroup(text, subject{vars: vars, group: true, filter: true})
}

func compileGroup(text string, about subject) (*GroupExpr, error) {
	g := new(GroupExpr)
	// Each call is replaced by a variable and blanks, so that what stands
	// behind it keeps its place.
	outer := []byte(text)
	about.vars = slices.Clone(about.vars)
	for _, c := range calls(text) {
		inner := text[c.open+1 : c.end-1]
		if text[c.start:c.nameEnd] == "count" && strings.TrimSpace(inner) == "" {
			inner = ID // which every run has
		}
		arg, err := Compile(inner, Run...)
		if err != nil {
			return nil, within(err, text, c.open+1, inner)
		}
		name := Variable(len(g.Calls))
		copy(outer[c.start:c.end], name+strings.Repeat(" ", c.end-c.start-len(name)))
		about.vars = append(about.vars, name)
		g.Calls = append(g.Calls, Aggregate{text[c.start:c.nameEnd], text[c.start:c.end], arg})
	}
	var err error
	g.Expr, err = compile(string(outer), about)
	if err != nil {
		return nil, within(err, text, 0, string(outer))
	}
	g.Expr.Text = text
	return g, nil
}

// within moves the place of an error in a part of text to its place in text.
func within(err error, text string, offset int, part string) error {
	if p := fault.Place(err); p != nil && p.Text == part {
		return Move(err, text, offset)
	}
	if strings.TrimSpace(part) == "" {
		return fault.At(fmt.Errorf("an expression is missing"), text, offset)
	}
	return err
}

// Move returns err, whose place is in a part of text that begins at offset, with
// its place in text. An error without a place stays as it is.
func Move(err error, text string, offset int) error {
	p := fault.Place(err)
	if p == nil {
		return err
	}
	moved := fault.At(p.Err, text, p.Offset+offset)
	for _, h := range fault.Hints(err) {
		moved = fault.Hint(moved, "%s", h)
	}
	return moved
}

type call struct{ start, nameEnd, open, end int }

// calls finds the calls of aggregates: a name from the list that no "." stands
// before, up to the parenthesis that closes it. One inside another is left to
// the compiler, which refuses it.
func calls(text string) []call {
	var found []call
	var current *call
	var at int // the depth at which current stands
	scan(text, func(i, depth int) {
		switch {
		case current != nil && text[i] == ')' && depth == at:
			current.end = i + 1
			found = append(found, *current)
			current = nil
		case current == nil && text[i] == '(':
			name := strings.TrimRight(text[:i], " ")
			start := len(strings.TrimRightFunc(name, isNameRune))
			if slices.Contains(Aggregates, name[start:]) && !strings.HasSuffix(strings.TrimRight(name[:start], " "), ".") {
				current, at = &call{start: start, nameEnd: len(name), open: i}, depth
			}
		}
	})
	return found
}

func isNameRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
