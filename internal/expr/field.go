package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// A Field is a path that an expression names: config.optimizer.lr, or
// metrics["train.loss"]. A part that is computed ends it: config[info.user]
// names the fields config and info.user.
type Field struct {
	Path    []string // the root first
	Offset  int      // of its root in the expression, in bytes
	Guarded bool     // it stands in has(): that no run has it is no mistake
	Call    string   // the series function called on it, such as "last"; "" if none is
	Texts   []string // that it is compared with by ==, != or in

	nodes []int64 // of its chain in the AST
}

// String returns the path as it is written in CEL.
func (f Field) String() string { return PathText(f.Path) }

// PathText writes a path as it is written in CEL: config.a["b-c"][0].
func PathText(path []string) string {
	var b strings.Builder
	for i, part := range path {
		switch {
		case i == 0:
			b.WriteString(part)
		case isIdent(part):
			b.WriteString("." + part)
		case isIndex(part):
			b.WriteString("[" + part + "]")
		default:
			b.WriteString("[" + strconv.Quote(part) + "]")
		}
	}
	return b.String()
}

func isIdent(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && s != "in" && s != "true" && s != "false" && s != "null"
}

func isIndex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// fieldsOf collects the fields that an expression names, in the order of its
// text. offset tells where a node begins.
func fieldsOf(root ast.Expr, offset func(id int64) int) []Field {
	var fields []Field
	var visit func(e ast.Expr, bound []string, call string)
	texts := map[int64][]string{} // by the node that is compared with them
	visit = func(e ast.Expr, bound []string, call string) {
		if f, ok := chain(e, bound); ok {
			f.Offset = offset(f.nodes[len(f.nodes)-1])
			f.Call, f.Texts = call, texts[e.ID()]
			fields = append(fields, f)
			return
		}
		switch e.Kind() {
		case ast.CallKind:
			c := e.AsCall()
			if c.IsMemberFunction() {
				visit(c.Target(), bound, c.FunctionName())
			}
			switch c.FunctionName() {
			case operators.Equals, operators.NotEquals, operators.In:
				left, right := c.Args()[0], c.Args()[1]
				texts[left.ID()], texts[right.ID()] = textsIn(right), textsIn(left)
			}
			for _, arg := range c.Args() {
				visit(arg, bound, "")
			}
		case ast.SelectKind:
			visit(e.AsSelect().Operand(), bound, "")
		case ast.ListKind:
			for _, item := range e.AsList().Elements() {
				visit(item, bound, "")
			}
		case ast.MapKind:
			for _, entry := range e.AsMap().Entries() {
				visit(entry.AsMapEntry().Key(), bound, "")
				visit(entry.AsMapEntry().Value(), bound, "")
			}
		case ast.ComprehensionKind:
			c := e.AsComprehension()
			visit(c.IterRange(), bound, "")
			inner := append(slices.Clip(bound), c.IterVar(), c.IterVar2(), c.AccuVar())
			visit(c.AccuInit(), bound, "")
			visit(c.LoopCondition(), inner, "")
			visit(c.LoopStep(), inner, "")
			visit(c.Result(), inner, "")
		}
	}
	visit(root, nil, "")
	slices.SortStableFunc(fields, func(a, b Field) int { return a.Offset - b.Offset })
	return fields
}

// textsIn returns the text that an expression is, or those in the list that it is.
func textsIn(e ast.Expr) (texts []string) {
	switch e.Kind() {
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			texts = append(texts, string(s))
		}
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			texts = append(texts, textsIn(item)...)
		}
	}
	return texts
}

// chain reads an expression that is a name followed by constant selections.
func chain(e ast.Expr, bound []string) (Field, bool) {
	var f Field
	for {
		f.nodes = append(f.nodes, e.ID())
		switch e.Kind() {
		case ast.IdentKind:
			f.Path = append(f.Path, e.AsIdent())
			slices.Reverse(f.Path)
			return f, !slices.Contains(bound, e.AsIdent())
		case ast.SelectKind:
			s := e.AsSelect()
			f.Path = append(f.Path, s.FieldName())
			f.Guarded = f.Guarded || s.IsTestOnly()
			e = s.Operand()
		case ast.CallKind:
			c := e.AsCall()
			if c.FunctionName() != operators.Index || c.Args()[1].Kind() != ast.LiteralKind {
				return Field{}, false
			}
			switch key := c.Args()[1].AsLiteral().(type) {
			case types.String:
				f.Path = append(f.Path, string(key))
			case types.Int:
				f.Path = append(f.Path, strconv.FormatInt(int64(key), 10))
			default:
				return Field{}, false
			}
			e = c.Args()[0]
		default:
			return Field{}, false
		}
	}
}
