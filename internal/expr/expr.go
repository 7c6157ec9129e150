// Package expr compiles and evaluates the CEL expressions that users write
// about runs: the condition of a query or of --where, a column, a sort key.
//
// It does no input or output: an expression reaches its values through
// [Object] and [List], which the caller implements and which are asked only for
// what the expression reaches.
//
// CEL's own rules hold (https://github.com/google/cel-spec), with these choices:
// numbers compare and calculate across int and float; the functions first, last, min, max,
// mean, sum, len, argmin, argmax and at(i) work on lists and series of numbers;
// what a field that is absent, or a number that is compared with a text, means
// for the runs that are asked is told at [Tally].
package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/mlxp/mlxp/internal/fault"
)

// The names that an expression about a run may begin with.
const (
	ID        = "id"
	Config    = "config"
	Info      = "info"
	Metrics   = "metrics"
	Artifacts = "artifacts"
)

// Run lists the names that an expression about a run may use.
var Run = []string{ID, Config, Info, Metrics, Artifacts}

// An Expr is a compiled expression. Any number of goroutines may use it, each
// with a [Tally] of its own.
type Expr struct {
	Text   string
	Fields []Field // the fields it names, in the order of the text

	env    *cel.Env
	ast    *cel.Ast
	filter bool
}

// Compile compiles an expression that may use the names vars. An error points
// at its place in text.
func Compile(text string, vars ...string) (*Expr, error) { return compile(text, subject{vars: vars}) }

// CompileFilter compiles a condition: an expression that is true or false. One
// that can be neither is an error.
func CompileFilter(text string, vars ...string) (*Expr, error) {
	return compile(text, subject{vars: vars, filter: true})
}

// A subject is what an expression is about.
type subject struct {
	vars   []string
	filter bool // it is a condition
	group  bool // on a group of runs: aggregates stand in it
}

func compile(text string, about subject) (*Expr, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("an expression is empty")
	}
	env, err := environment(about.vars)
	if err != nil {
		return nil, err
	}
	if err := foreign(env, text); err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, explain(text, about, issues.Errors()[0])
	}
	e := &Expr{Text: text, env: env, ast: checked, filter: about.filter}
	if t := checked.OutputType(); about.filter && t.Kind() != types.BoolKind && t.Kind() != types.DynKind {
		return nil, notCondition(text, kindName(t.Kind()))
	}
	e.Fields = fieldsOf(checked.NativeRep().Expr(), e.offset)
	return e, nil
}

// maxLength is that of an expression, in characters. The parser's time grows
// fast with the length of a text that is no expression.
const maxLength = 10_000

func environment(vars []string) (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		cel.CustomTypeAdapter(adapter{}),
		cel.ParserExpressionSizeLimit(maxLength),
		at(),
	}
	opts = append(opts, mixed()...)
	for _, name := range vars {
		opts = append(opts, cel.Variable(name, cel.DynType))
	}
	for _, name := range Reductions {
		opts = append(opts, seriesFunction(name))
	}
	return cel.NewEnv(opts...)
}

// offset returns the byte at which a node of the AST begins.
func (e *Expr) offset(node int64) int {
	r, _ := e.ast.NativeRep().SourceInfo().GetOffsetRange(node)
	return byteOffset(e.Text, int(r.Start))
}

// byteOffset turns an offset in characters, as CEL counts, into one in bytes.
func byteOffset(text string, runes int) int {
	for i := range text {
		if runes--; runes < 0 {
			return i
		}
	}
	return len(text)
}

// ErrNotCondition is in the tree of the error of a condition that is neither true
// nor false.
var ErrNotCondition = errors.New("not a condition")

func notCondition(text, kind string) error {
	err := fmt.Errorf("the expression is %s, %w", kind, ErrNotCondition)
	return fault.Hint(fault.At(err, text, 0), "compare it with something, so that it is true or false")
}
