package reader

import (
	"context"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/expr"
)

// A sortKey is one entry of Query.Sort.
type sortKey struct {
	expr  *expr.Expr // nil: the key is a column
	name  string     // of a column of the overview, if it is one, and
	err   error      // what is wrong if no run has that
	value int        // the index in a row's values
	down  bool
}

// parseSort compiles sort keys. A key that is the name of a column means that
// column; without columns it may be one of the overview. The keys with an
// expression or a name get their index from the caller.
func parseSort(entries []string, columns []selected) ([]sortKey, error) {
	var keys []sortKey
	for _, entry := range entries {
		parts, err := splitEntry(entry)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			text, down := strings.CutPrefix(part.Text, "-")
			key := sortKey{down: down}
			name := strings.TrimSpace(text)
			if key.value = slices.IndexFunc(columns, func(c selected) bool { return c.Name == name }); key.value < 0 {
				key.expr, err = expr.Compile(text, expr.Run...)
				if err != nil {
					err = expr.Move(err, entry, part.Offset+len(part.Text)-len(text))
					if len(columns) > 0 || strings.ContainsAny(name, " ()[]<>=\"'") {
						return nil, err
					}
					key.name, key.err = name, err
				}
			}
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// unsortable returns an error for a key that no run has a value for because it
// is misspelt.
func (l *Log) unsortable(ctx context.Context, k sortKey, t *tallies, rows []row) error {
	switch {
	case k.expr != nil && t.values[k.value].Values == 0:
		return l.misnamed(ctx, t.values[k.value])
	case k.err == nil || len(rows) == 0 || k.name == statusColumn || k.name == timeColumn:
		return nil
	case slices.ContainsFunc(rows, func(r row) bool { return r.values[k.value] != nil }):
		return nil
	}
	return k.err
}

// sortRows sorts rows by the keys; rows that agree on all of them keep their
// order. NaN and absent values come last in both directions.
func sortRows(rows []row, keys []sortKey) {
	slices.SortStableFunc(rows, func(a, b row) int { return compareBy(a.values, b.values, keys) })
}

func compareBy(a, b []any, keys []sortKey) int {
	for _, k := range keys {
		x, y := a[k.value], b[k.value]
		if xl, yl := isLast(x), isLast(y); xl || yl {
			if c := lastRank(x) - lastRank(y); c != 0 {
				return c
			}
			continue
		}
		if c := compare(x, y); c != 0 {
			if k.down {
				return -c
			}
			return c
		}
	}
	return 0
}

// lastRank puts NaN behind the values, and what is absent behind NaN.
func lastRank(v any) int {
	switch {
	case v == nil:
		return 2
	case isLast(v):
		return 1
	}
	return 0
}
