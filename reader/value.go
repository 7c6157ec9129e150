package reader

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/internal/jsontext"
)

// appendText writes a JSON string.
func appendText(dst []byte, s string) []byte { return jsontext.AppendQuote(dst, s) }

// appendJSON writes a value as JSON. What is not finite is a text.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return appendText(dst, floatText(v))
		}
		return append(dst, floatText(v)...)
	case string:
		return appendText(dst, v)
	case []byte:
		return appendText(dst, base64.StdEncoding.EncodeToString(v))
	case time.Time:
		return appendText(dst, timeText(v))
	case time.Duration:
		return appendJSON(dst, v.Seconds())
	case nodes.Map:
		return v.Node.AppendJSON(dst)
	case keptMap:
		return v.node().AppendJSON(dst)
	case nodes.List:
		return v.Node.AppendJSON(dst)
	case []any:
		return appendList(dst, len(v), func(i int) any { return v[i] })
	case []float64:
		return appendList(dst, len(v), func(i int) any { return v[i] })
	case expr.List:
		return appendList(dst, v.Len(), v.At)
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		return appendObject(dst, names, func(name string) any { return v[name] })
	case *info:
		return v.appendJSON(dst)
	case metrics:
		var names []string
		for _, s := range v.record.Metrics() {
			if strings.HasPrefix(s.Name, v.prefix) {
				names = append(names, s.Name[len(v.prefix):])
			}
		}
		return appendObject(dst, names, func(name string) any { return v.record.Metric(v.prefix + name) })
	case expr.Object:
		return appendObject(dst, v.Names(), func(name string) any { x, _ := v.Field(name); return x })
	}
	return appendText(dst, fmt.Sprint(v))
}

func appendList(dst []byte, n int, at func(i int) any) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, at(i))
	}
	return append(dst, ']')
}

func appendObject(dst []byte, names []string, value func(name string) any) []byte {
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, name)
		dst = append(dst, ':')
		dst = appendJSON(dst, value(name))
	}
	return append(dst, '}')
}

// floatText writes a float so that it reads back as the same float: always with
// a "." or an "e", or as NaN, Infinity or -Infinity.
func floatText(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	form := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		form = 'e'
	}
	s := strconv.FormatFloat(x, form, -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// asFloat returns the number that a value is.
func asFloat(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		return 0, false
	case time.Duration:
		return v.Seconds(), true
	}
	return 0, false
}

// compare orders two values: numbers before texts before everything else, false
// before true, texts by their bytes. NaN and absent values come last: see last.
func compare(a, b any) int {
	if ra, rb := rank(a), rank(b); ra != rb {
		return cmp.Compare(ra, rb)
	}
	if x, ok := asFloat(a); ok {
		y, _ := asFloat(b)
		return cmp.Compare(x, y)
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(btoi(a), btoi(b.(bool)))
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return cmp.Compare(string(appendJSON(nil, a)), string(appendJSON(nil, b)))
}

func rank(v any) int {
	if _, ok := asFloat(v); ok {
		return 1
	}
	switch v.(type) {
	case bool:
		return 0
	case string:
		return 2
	case time.Time:
		return 3
	case nil:
		return 5
	}
	return 4
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isLast tells whether a value is sorted behind all others in both directions.
func isLast(v any) bool {
	x, ok := v.(float64)
	return v == nil || ok && math.IsNaN(x)
}

// keyOf returns a text that is the same for two values if and only if they make
// one group: 1 and 1.0 do, 1 and "1" do not.
func keyOf(v any) string {
	if x, ok := asFloat(v); ok && !math.IsNaN(x) {
		if i, ok := v.(int64); ok && int64(float64(i)) != i {
			return strconv.FormatInt(i, 10)
		}
		return floatText(x + 0) // 0 and -0 are one number
	}
	return string(appendJSON(nil, v))
}
