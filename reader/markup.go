package reader

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// writeMarkdown writes a table of GitHub's Markdown. Its columns are padded, so
// that it is readable as it is.
func (t *Table) writeMarkdown(w io.Writer) error {
	s := t.spread().sheet()
	escape := strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", `\<`, "*", `\*`, "_", `\_`, "`", "\\`")
	widths := make([]int, len(s.columns))
	for i := range s.columns {
		s.columns[i].name = escape.Replace(s.columns[i].name)
		widths[i] = max(3, width(s.columns[i].name))
		for _, row := range s.rows {
			row[i] = escape.Replace(row[i])
			widths[i] = max(widths[i], width(row[i]))
		}
	}
	line := func(cell func(i int) string) error {
		var b strings.Builder
		for i := range s.columns {
			text := cell(i)
			pad := strings.Repeat(" ", widths[i]-width(text))
			if s.columns[i].right {
				text = pad + text
			} else {
				text += pad
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString("|\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	if err := line(func(i int) string { return s.columns[i].name }); err != nil {
		return err
	}
	if err := line(func(i int) string {
		if s.columns[i].right {
			return strings.Repeat("-", widths[i]-1) + ":"
		}
		return strings.Repeat("-", widths[i])
	}); err != nil {
		return err
	}
	for _, row := range s.rows {
		if err := line(func(i int) string { return row[i] }); err != nil {
			return err
		}
	}
	return nil
}

// writeLaTeX writes a tabular. Its lines are those of the package booktabs.
func (t *Table) writeLaTeX(w io.Writer) error {
	s := t.spread().sheet()
	escape := strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
		"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "±", `$\pm$`, "…", `\ldots{}`, "<", `$<$`, ">", `$>$`, "|", `$|$`)
	var b strings.Builder
	b.WriteString(`\begin{tabular}{`)
	for _, c := range s.columns {
		if c.right {
			b.WriteByte('r')
		} else {
			b.WriteByte('l')
		}
	}
	b.WriteString("}\n\\toprule\n")
	line := func(cell func(i int) string) {
		for i := range s.columns {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(escape.Replace(cell(i)))
		}
		b.WriteString(" \\\\\n")
	}
	line(func(i int) string { return s.columns[i].name })
	b.WriteString("\\midrule\n")
	for _, row := range s.rows {
		line(func(i int) string { return row[i] })
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// spread joins each column mean(X) with its std(X), so that they read
// "0.312 ± 0.021" in one column: that of the mean, named X if nobody named it.
func (t *Table) spread() *Table {
	partner := map[int]int{} // of a mean
	drop := map[int]bool{}
	for i, mean := range t.Columns {
		for j, std := range t.Columns {
			if mean.Function == "mean" && std.Function == "std" && mean.Arg == std.Arg && !drop[j] {
				partner[i], drop[j] = j, true
				break
			}
		}
	}
	if len(partner) == 0 {
		return t
	}
	out := &Table{}
	for i, c := range t.Columns {
		if _, ok := partner[i]; ok && c.Name == c.Function+"("+c.Arg+")" {
			c.Name = c.Arg
		}
		if !drop[i] {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, row := range t.Rows {
		var values []any
		for i, v := range row.Values {
			if drop[i] {
				continue
			}
			if j, ok := partner[i]; ok {
				mean, isMean := asFloat(v)
				std, isStd := asFloat(row.Values[j])
				if isMean && isStd {
					v = meanStd{mean, std}
				}
			}
			values = append(values, v)
		}
		out.Rows = append(out.Rows, Row{Values: values})
	}
	return out
}

// A meanStd is a mean with its standard deviation.
type meanStd struct{ mean, std float64 }

// String writes both to the second significant digit of std.
func (m meanStd) String() string {
	const sign = " ± "
	if !(m.std > 0) || math.IsInf(m.std, 0) || math.IsNaN(m.mean) || math.IsInf(m.mean, 0) {
		return shortFloat(m.mean) + sign + shortFloat(m.std)
	}
	digits := 1 - int(math.Floor(math.Log10(m.std)))
	if digits > 6 || digits < -6 {
		return fmt.Sprintf("%.3g%s%.2g", m.mean, sign, m.std)
	}
	digits = max(digits, 0)
	return strconv.FormatFloat(m.mean, 'f', digits, 64) + sign + strconv.FormatFloat(m.std, 'f', digits, 64)
}
