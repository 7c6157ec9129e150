package expr

import (
	"github.com/google/cel-go/cel"
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

// mixed declares + - * / of an int and a double: where the kinds are known
// beforehand CEL refuses what is not declared.
func mixed() []cel.EnvOption {
	var opts []cel.EnvOption
	for name, function := range map[string]string{"add": operators.Add, "subtract": operators.Subtract, "multiply": operators.Multiply, "divide": operators.Divide} {
		opts = append(opts, cel.Function(function,
			cel.Overload(name+"_int64_double", []*cel.Type{cel.IntType, cel.DoubleType}, cel.DoubleType),
			cel.Overload(name+"_double_int64", []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType)))
	}
	return opts
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
	out := types.NewErr("no such overload")
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
