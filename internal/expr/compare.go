package expr

import (
	"math"
	"strconv"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// A comparison is one of == != < <= > >= in a program. It tells its tally when
// it was asked to compare a number with a text, or what has no order.
type comparison struct {
	interpreter.InterpretableCall
	left, right interpreter.InterpretableV2
	count       *comparisons
}

// comparisons counts what one comparison of the expression was asked.
type comparisons struct {
	node        int64
	operator    string // "<"
	fine, wrong int
	left, right string // the kinds, when it went wrong: the first in the alphabet
}

// saw remembers the kinds of a comparison that went wrong.
func (c *comparisons) saw(left, right string) {
	if c.left == "" || left+right < c.left+c.right {
		c.left, c.right = left, right
	}
}

// watch is a decorator of CEL's planner.
func (t *Tally) watch(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || len(call.Args()) != 2 {
		return i, nil
	}
	switch call.Function() {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
	default:
		return i, nil
	}
	op, _ := operators.FindReverse(call.Function())
	count := &comparisons{node: call.ID(), operator: op}
	t.comparisons = append(t.comparisons, count)
	return &comparison{call, call.Args()[0], call.Args()[1], count}, nil
}

func (c *comparison) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

func (c *comparison) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left, right := c.left.Exec(frame), c.right.Exec(frame)
	if types.IsUnknownOrError(left) {
		return left
	}
	if types.IsUnknownOrError(right) {
		return right
	}
	left, right = nonFinite(left, right), nonFinite(right, left)
	var out ref.Val
	switch c.Function() {
	case operators.Equals:
		out = types.Equal(left, right)
	case operators.NotEquals:
		out = types.Bool(types.Equal(left, right) != types.True)
	default:
		out = order(c.Function(), left, right)
	}
	if out == nil || isNumber(left) && isText(right) || isText(left) && isNumber(right) {
		c.count.saw(kindOf(left), kindOf(right))
		c.count.wrong++
		if out == nil {
			return types.NewErrWithNodeID(c.ID(), "%s does not work on %s and %s", c.count.operator, kindOf(left), kindOf(right))
		}
		return out
	}
	c.count.fine++
	return out
}

// order compares two values, nil meaning that they have no order.
func order(op string, left, right ref.Val) ref.Val {
	c, ok := left.(traits.Comparer)
	if !ok || kindOf(left) != kindOf(right) {
		return nil
	}
	if isNaN(left) || isNaN(right) {
		return types.False
	}
	sign, ok := c.Compare(right).(types.Int)
	if !ok {
		return nil
	}
	switch op {
	case operators.Less:
		return types.Bool(sign < 0)
	case operators.LessEquals:
		return types.Bool(sign <= 0)
	case operators.Greater:
		return types.Bool(sign > 0)
	}
	return types.Bool(sign >= 0)
}

// nonFinite reads the texts "NaN", "Infinity" and "-Infinity" as the numbers
// they stand for in JSON, where they are compared with a number.
func nonFinite(v, with ref.Val) ref.Val {
	if s, ok := v.(types.String); ok && isNumber(with) {
		switch s {
		case "NaN", "Infinity", "-Infinity":
			x, _ := strconv.ParseFloat(string(s), 64)
			return types.Double(x)
		}
	}
	return v
}

func isNumber(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint, types.Double:
		return true
	}
	return false
}

func isText(v ref.Val) bool { _, ok := v.(types.String); return ok }

func isNaN(v ref.Val) bool {
	d, ok := v.(types.Double)
	return ok && math.IsNaN(float64(d))
}

// operands returns how the two sides of an operation are called in a message;
// right is empty if the node is something else.
func (e *Expr) operands(node int64) (left, right string) {
	ast.PostOrderVisit(e.ast.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.ID() == node && x.Kind() == ast.CallKind && len(x.AsCall().Args()) == 2 {
			left, right = e.operand(x.AsCall().Args()[0], "the left side"), e.operand(x.AsCall().Args()[1], "the right side")
		}
	}))
	return left, right
}

// call returns how the function or operator at a node is written, "" if there is
// none.
func (e *Expr) call(node int64) (name string) {
	ast.PostOrderVisit(e.ast.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.ID() != node || x.Kind() != ast.CallKind {
			return
		}
		name = x.AsCall().FunctionName()
		if op, ok := operators.FindReverse(name); ok {
			name = op
		} else {
			name += "()"
		}
	}))
	return name
}

func (e *Expr) operand(x ast.Expr, otherwise string) string {
	if x.Kind() == ast.LiteralKind {
		switch v := x.AsLiteral().(type) {
		case types.String:
			return strconv.Quote(string(v))
		case types.Int, types.Uint, types.Double, types.Bool:
			return string(v.ConvertToType(types.StringType).(types.String))
		}
	}
	if f, ok := chain(x, nil); ok {
		return f.String()
	}
	if x.Kind() == ast.CallKind && x.AsCall().IsMemberFunction() {
		if f, ok := chain(x.AsCall().Target(), nil); ok {
			return f.String() + "." + x.AsCall().FunctionName() + "()"
		}
	}
	return otherwise
}
