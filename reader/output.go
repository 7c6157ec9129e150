package reader

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// The forms in which a table can be written.
const (
	FormTable    = "table"
	FormJSON     = "json"  // one array
	FormJSONL    = "jsonl" // one object a line
	FormCSV      = "csv"
	FormMarkdown = "markdown"
	FormLaTeX    = "latex" // a tabular with the lines of the package booktabs
)

// Forms lists them.
var Forms = []string{FormTable, FormJSON, FormJSONL, FormCSV, FormMarkdown, FormLaTeX}

// A Style says how a table for people looks.
type Style struct {
	Width int  // of the terminal, which nothing may exceed; 0: no limit
	Color bool // the status is coloured
}

// Write writes the table in one of the [Forms]. JSON and CSV hold everything
// exactly; the forms for people round floats, mask what looks like a secret, and
// show of whole runs the config keys that vary and the last values of metrics.
func (t *Table) Write(w io.Writer, form string, style Style) error {
	t = t.shaped(form)
	switch form {
	case FormJSON:
		return t.writeJSON(w)
	case FormJSONL:
		return t.writeJSONL(w)
	case FormCSV:
		return t.writeCSV(w)
	case FormTable:
		return t.writeText(w, style)
	case FormMarkdown:
		return t.writeMarkdown(w)
	case FormLaTeX:
		return t.writeLaTeX(w)
	}
	return fmt.Errorf("unknown output form %q: it is one of %s", form, strings.Join(Forms, ", "))
}

// shaped returns the table with the columns that a form has, and with the notes
// about what was read for them. One that is shaped stays as it is.
func (t *Table) shaped(form string) *Table {
	switch form {
	case FormTable, FormMarkdown, FormLaTeX:
		return t.overview()
	case FormCSV:
		return t.flat()
	}
	return t
}

// appendRow writes a row as a JSON object.
func (t *Table) appendRow(dst []byte, row Row) []byte {
	dst = append(dst, '{')
	for i, c := range t.Columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, c.Name)
		dst = append(dst, ':')
		dst = appendJSON(dst, row.Values[i])
	}
	if t.whole {
		dst = append(dst, `,"info":`...)
		dst = row.Record.meta().appendJSON(dst)
		dst = append(dst, `,"config":`...)
		if c := row.Record.Config(); c != nil {
			dst = c.AppendJSON(dst)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}

func (t *Table) writeJSON(w io.Writer) error {
	if len(t.Rows) == 0 {
		_, err := io.WriteString(w, "[]\n")
		return err
	}
	before := "[\n"
	var line []byte
	for _, row := range t.Rows {
		line = t.appendRow(append(line[:0], before...), row)
		if _, err := w.Write(line); err != nil {
			return err
		}
		before = ",\n"
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

func (t *Table) writeJSONL(w io.Writer) error {
	var line []byte
	for _, row := range t.Rows {
		line = append(t.appendRow(line[:0], row), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// writeCSV writes a line of names and one for each row. Absent is empty, a list
// or map is JSON.
func (t *Table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	record := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range t.Rows {
		for i, v := range row.Values {
			record[i] = exact(v)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// exact writes a value in full: a text as it is, anything else as JSON.
func exact(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return floatText(v)
	}
	s := string(appendJSON(nil, v))
	if len(s) > 1 && s[0] == '"' { // a time
		return s[1 : len(s)-1]
	}
	return s
}
