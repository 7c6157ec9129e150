package reader

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	masking "github.com/mlxp/mlxp/internal/secret"
	"github.com/mlxp/mlxp/logdir"
)

// A sheet is a table for people: texts, with what is needed to set them.
type sheet struct {
	columns []sheetColumn
	rows    [][]string
}

type sheetColumn struct {
	name   string
	right  bool // its values are numbers
	status bool // they are statuses
}

const (
	absentText = "-"
)

// short writes a value for people on one line: floats to six digits, a series by
// its length and ends.
func short(v any) string {
	switch v := v.(type) {
	case nil:
		return absentText
	case string:
		return printable(v)
	case float64:
		return shortFloat(v)
	case time.Duration:
		return shortDuration(v.Seconds())
	case []any:
		if len(v) > 3 && allNumbers(v) {
			return shortSeries(len(v), v[0], v[len(v)-1])
		}
	case *Series:
		return shortSeries(v.Len(), v.summary.First(), v.summary.Last())
	case seriesAnd:
		return short(v.Series)
	case time.Time:
		return v.Local().Format("2006-01-02 15:04:05")
	case fmt.Stringer:
		return printable(v.String())
	case nodes.Map, nodes.List, keptMap, metrics:
		return printable(string(appendJSON(nil, v)))
	}
	return printable(exact(v))
}

func allNumbers(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { _, ok := asFloat(v); return !ok })
}

func shortSeries(n int, first, last any) string {
	switch n {
	case 0:
		return "[0]"
	case 1:
		return "[1] " + short(first)
	}
	return fmt.Sprintf("[%d] %s … %s", n, short(first), short(last))
}

// shortFloat writes a float in full if that is short, else to six digits.
func shortFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	if s := floatText(x); len(s) <= 8 {
		return s
	}
	s := strconv.FormatFloat(x, 'g', 6, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// shortDuration writes seconds as people say them: 3.2s, 4m05s, 2h03m, 3d04h.
func shortDuration(seconds float64) string {
	switch n := int64(math.Round(seconds)); {
	case seconds < 0 || math.IsNaN(seconds):
		return absentText
	case seconds < 59.95:
		return strconv.FormatFloat(seconds, 'f', 1, 64) + "s"
	case n < 3600:
		return fmt.Sprintf("%dm%02ds", n/60, n%60)
	case n < 24*3600:
		return fmt.Sprintf("%dh%02dm", n/3600, n/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", n/86400, n/3600%24)
	}
}

// printable replaces what a terminal would not print as it is.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// secret tells whether the values under a path are masked in tables.
func secret(path []string) bool {
	if len(path) < 2 || path[0] != expr.Config && path[0] != expr.Info {
		return false
	}
	return masking.Key(path...)
}

// cellText writes a value of a column.
func cellText(c Column, v any) string {
	if _, isText := v.(string); isText && secret(c.Path) {
		return masking.Mask
	}
	if m, ok := v.(nodes.Map); ok && len(c.Path) > 0 {
		v = nodes.Map{Node: masked(m.Node, c.Path)}
	}
	return short(v)
}

// sheet turns a table into texts.
func (t *Table) sheet() *sheet {
	s := new(sheet)
	for _, c := range t.Columns {
		s.columns = append(s.columns, sheetColumn{name: c.Name, right: true, status: slices.Equal(c.Path, []string{expr.Info, "status"})})
	}
	for _, row := range t.Rows {
		out := make([]string, len(row.Values))
		for i, v := range row.Values {
			out[i] = cellText(t.Columns[i], v)
			_, isMean := v.(meanStd)
			if _, ok := asFloat(v); !ok && !isMean && v != nil {
				s.columns[i].right = false
			}
		}
		s.rows = append(s.rows, out)
	}
	return s
}

func (t *Table) writeText(w io.Writer, style Style) error { return t.sheet().write(w, style) }

const gap = "  "

func (s *sheet) write(w io.Writer, style Style) error {
	widths, least := make([]int, len(s.columns)), make([]int, len(s.columns))
	for i, c := range s.columns {
		for _, row := range s.rows {
			widths[i] = max(widths[i], width(row[i]))
		}
		if least[i] = widths[i]; !c.right && !c.status { // a number with digits left out is another number
			least[i] = min(widths[i], narrowest)
		}
		widths[i] = max(widths[i], width(c.name))
		least[i] = max(least[i], min(widths[i], narrowest))
	}
	shown := len(s.columns)
	if style.Width > 0 {
		shown = fit(widths, least, style.Width)
	}
	var line strings.Builder
	put := func(cells func(i int) string, header bool) error {
		line.Reset()
		for i, c := range s.columns[:shown] {
			text := middle(cells(i), widths[i])
			pad := strings.Repeat(" ", widths[i]-width(text))
			if !header && c.status && style.Color {
				text = colour(text)
			}
			if i > 0 {
				line.WriteString(gap)
			}
			switch {
			case c.right:
				line.WriteString(pad + text)
			case i == shown-1:
				line.WriteString(text)
			default:
				line.WriteString(text + pad)
			}
		}
		line.WriteByte('\n')
		_, err := io.WriteString(w, line.String())
		return err
	}
	if err := put(func(i int) string { return s.columns[i].name }, true); err != nil {
		return err
	}
	for _, row := range s.rows {
		if err := put(func(i int) string { return row[i] }, false); err != nil {
			return err
		}
	}
	if shown == len(s.columns) {
		return nil
	}
	var rest []string
	for _, c := range s.columns[shown:] {
		rest = append(rest, c.name)
	}
	_, err := fmt.Fprintf(w, "(too narrow for %d more: %s)\n", len(rest), strings.Join(rest, ", "))
	return err
}

// narrowest is the width that a column may be made as narrow as.
const narrowest = 8

// fit makes the widest columns narrower until all fit into total, none below its
// least, and returns how many fit.
func fit(widths, least []int, total int) int {
	shown, sum := len(widths), -len(gap)
	for i := range widths {
		if sum += len(gap) + least[i]; sum > total && i > 0 {
			shown = i
			break
		}
	}
	sum = len(gap) * (shown - 1)
	for _, w := range widths[:shown] {
		sum += w
	}
	for ; sum > total; sum-- {
		widest := -1
		for i, w := range widths[:shown] {
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return shown
}

// middle shortens a text to n columns by leaving out its middle.
func middle(text string, n int) string {
	if width(text) <= n || n < 1 {
		return text
	}
	head := runewidth.Truncate(text, n-n/2, "")
	var tail string
	runes := []rune(text)
	for i := len(runes) - 1; i >= 0 && width(head)+1+width(string(runes[i:])) <= n; i-- {
		tail = string(runes[i:])
	}
	for width(head)+1+width(tail) > n {
		head = runewidth.Truncate(head, width(head)-1, "")
	}
	return head + "…" + tail
}

// colour colours a status for a terminal.
func colour(status string) string {
	code := ""
	switch logdir.Status(status) {
	case logdir.Complete:
		code = "32" // green
	case logdir.Failed, logdir.Lost:
		code = "31" // red
	case logdir.Interrupted:
		code = "33" // yellow
	case logdir.Running, logdir.Starting:
		code = "36" // cyan
	default:
		return status
	}
	return "\x1b[" + code + "m" + status + "\x1b[0m"
}

// width is how many columns of a terminal a text takes.
func width(s string) int { return runewidth.StringWidth(s) }
