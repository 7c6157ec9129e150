package expr

import (
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// An arithmetic is one of + - * / in a program. CEL's own work on two ints or two
// doubles only; a learning rate that is 1 in one run and 0.5 in another would
// have a double in the latter alone.
type arithmetic struct {
	interpreter.InterpretableCall
	left, right interpreter.InterpretableV2
}

// mix is a decorator of CEL's planner.
func mix(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || len(call.Args()) != 2 {
		return i, nil
	}
	switch call.Function() {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide:
		return &arithmetic{call, call.Args()[0], call.Args()[1]}, nil
	}
	return i, nil
}

func (a *arithmetic) Eval(vars interpreter.Activation) ref.Val {
	return a.Exec(interpreter.AsFrame(vars))
}

func (a *arithmetic) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left, right := a.left.Exec(frame), a.right.Exec(frame)
	if types.IsUnknownOrError(left) {
		return left
	}
	if types.IsUnknownOrError(right) {
		return right
	}
	if isNumber(left) && isNumber(right) && left.Type() != right.Type() {
		left, right = left.ConvertToType(types.DoubleType), right.ConvertToType(types.DoubleType)
	}
	out := ref.Val(types.NewErr("no such overload"))
	switch a.Function() {
	case operators.Add:
		if l, ok := left.(traits.Adder); ok {
			out = l.Add(right)
		}
	case operators.Subtract:
		if l, ok := left.(traits.Subtractor); ok {
			out = l.Subtract(right)
		}
	case operators.Multiply:
		if l, ok := left.(traits.Multiplier); ok {
			out = l.Multiply(right)
		}
	case operators.Divide:
		if l, ok := left.(traits.Divider); ok {
			out = l.Divide(right)
		}
	}
	if types.IsError(out) {
		return types.LabelErrNode(a.ID(), out)
	}
	return out
}
