package reader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/fault"
)

// best says which rows to keep: those with the least value, or the greatest,
// among the rows that agree on some others.
type best struct {
	most  bool
	value int   // the index of the value in a row
	per   []int // the indices of those to agree on

	expr *expr.Expr   // of the value, and
	keys []*expr.Expr // of those, where the rows are runs
}

// compileBest compiles Query.Best and Query.Per for rows that are runs. It
// returns nil if the best is not asked for.
func compileBest(text string, per []string) (*best, error) {
	if text == "" {
		return nil, nil
	}
	b := new(best)
	text, b.most = strings.CutPrefix(strings.TrimSpace(text), "-")
	var err error
	if b.expr, err = expr.Compile(text, expr.Run...); err != nil {
		g, _ := expr.CompileGroup(text, expr.Run...)
		if g == nil || len(g.Calls) == 0 {
			return nil, err
		}
		// Of one run each of these two is the value itself.
		if call := g.Calls[0]; call.Text == text && slices.Contains([]string{"min", "max"}, call.Function) {
			b.expr, b.most = call.Arg, b.most || call.Function == "max"
		} else {
			return nil, fault.Hint(fault.At(fmt.Errorf("%s is about a group of runs", call.Text), text, strings.Index(text, call.Text)), "--group says which")
		}
	}
	keys, err := parseColumns(per)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		b.keys = append(b.keys, k.expr)
	}
	b.per = make([]int, len(b.keys))
	return b, nil
}

// bestRows returns the best of rows whose values are given. All that are equally
// good are; those without a value, or with NaN, never are.
func bestRows[T any](b *best, rows []T, values func(T) []any) []T {
	key := func(row T) string {
		var k strings.Builder
		for _, i := range b.per {
			k.WriteString(keyOf(values(row)[i]))
			k.WriteByte(0)
		}
		return k.String()
	}
	tops := map[string]any{}
	for _, row := range rows {
		v := values(row)[b.value]
		if isLast(v) {
			continue
		}
		top, ok := tops[key(row)]
		if c := compare(v, top); !ok || !b.most && c < 0 || b.most && c > 0 {
			tops[key(row)] = v
		}
	}
	return slices.DeleteFunc(rows, func(row T) bool {
		v := values(row)[b.value]
		return isLast(v) || compare(v, tops[key(row)]) != 0
	})
}
