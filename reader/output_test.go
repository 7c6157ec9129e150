package reader

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// awkward is a log dir whose values are hard to write.
func awkward(t *testing.T) string {
	config := func(v string) files {
		return files{"metadata/info.yaml": record(1, "COMPLETE"), "metadata/config.json": `{"v":` + v + `,"api_key":"sesame"}`}
	}
	return writeLog(t, map[int]files{
		1: config(`"a,b\"c\nd"`), 2: config(`"日本語 | pipe_x"`), 3: config(`null`), 4: config(`[1,"x",{"y":2.0}]`),
		5: config(`1e300`), 6: config(`"\u001b[31mred"`), 7: config(`12345678901234567890`), 8: config(`""`),
	})
}

func TestForms(t *testing.T) {
	root := awkward(t)
	for _, c := range []struct {
		form, want string
	}{
		{"jsonl", `{"id":1,"v":"a,b\"c\nd"}
{"id":2,"v":"日本語 | pipe_x"}
{"id":3,"v":null}
{"id":4,"v":[1,"x",{"y":2.0}]}
{"id":5,"v":1e+300}
{"id":6,"v":"\u001b[31mred"}
{"id":7,"v":1.2345678901234567e+19}
{"id":8,"v":""}
`},
		{"csv", `id,v
1,"a,b""c
d"
2,日本語 | pipe_x
3,
4,"[1,""x"",{""y"":2.0}]"
5,1e+300
6,` + "\x1b" + `[31mred
7,1.2345678901234567e+19
8,
`},
		{"table", `id  v
 1  a,b\"c\nd
 2  日本語 | pipe_x
 3  -
 4  [1,"x",{"y":2.0}]
 5  1e+300
 6  \x1b[31mred
 7  1.23457e+19
 8  
`},
		{"markdown", `|  id | v                 |
| --: | ----------------- |
|   1 | a,b\\"c\\nd       |
|   2 | 日本語 \| pipe\_x |
|   3 | -                 |
|   4 | [1,"x",{"y":2.0}] |
|   5 | 1e+300            |
|   6 | \\x1b[31mred      |
|   7 | 1.23457e+19       |
|   8 |                   |
`},
		{"latex", `\begin{tabular}{rl}
\toprule
id & v \\
\midrule
1 & a,b\textbackslash{}"c\textbackslash{}nd \\
2 & 日本語 $|$ pipe\_x \\
3 & - \\
4 & [1,"x",\{"y":2.0\}] \\
5 & 1e+300 \\
6 & \textbackslash{}x1b[31mred \\
7 & 1.23457e+19 \\
8 &  \\
\bottomrule
\end{tabular}
`},
	} {
		t.Run(c.form, func(t *testing.T) {
			out, _, err := mlxp(t, root, "query", "-o", c.form, "--fields", "v=config.v")
			if out != c.want || err != nil {
				t.Errorf("got\n%s%v\nwant\n%s", out, err, c.want)
			}
			switch c.form {
			case "jsonl":
				for line := range strings.Lines(out) {
					if !json.Valid([]byte(line)) {
						t.Errorf("%s is not JSON", line)
					}
				}
			case "csv":
				if rows, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(rows) != 9 {
					t.Errorf("%d rows, %v", len(rows), err)
				}
			}
		})
	}
}

// TestWholeRunsAsCSV: each value of info and config is a column, and the last one
// of each metric.
func TestWholeRunsAsCSV(t *testing.T) {
	out, _, err := mlxp(t, sampleLog, "query", "-o", "csv", "id in [19, 22]")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i] + "|" + rows[2][i]
	}
	if got["info.process.pid"] != "" || got["info.id"] != "" {
		t.Errorf("columns %q", rows[0])
	}
	for name, want := range map[string]string{"id": "19|22", "info.status": "FAILED|COMPLETE", "config.optimizer.lr": "100.0|1.0", "info.logger.log_id": "|22", "info.sweep.size": "1|", "metrics.train.loss.last()": "NaN|0.3"} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
}

func TestMasks(t *testing.T) {
	root := awkward(t)
	for _, args := range [][]string{{"query"}, {"query", "--fields", "config.api_key"}, {"fields"}, {"diff"}, {"show", "1"}, {"query", "-o", "markdown", "--fields", "config"}} {
		out, _, err := mlxp(t, root, args...)
		if err != nil || strings.Contains(out, "sesame") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

func TestWidth(t *testing.T) {
	table := &Table{
		Columns: []Column{{Name: "id"}, {Name: "a long name of a column"}, {Name: "number"}, {Name: "text"}, {Name: "last"}},
		Rows: []Row{
			{Values: []any{int64(1), "abcdefghijklmnopqrstuvwxyz", 0.12345678, "日本語日本語日本語日本語", true}},
			{Values: []any{int64(22), "b", 1.5, "x", false}},
		},
	}
	for _, c := range []struct {
		width int
		want  string
	}{
		{0, `id  a long name of a column       number  text                      last
 1  abcdefghijklmnopqrstuvwxyz  0.123457  日本語日本語日本語日本語  true
22  b                                1.5  x                         false
`},
		{60, ""},
		{24, `id  a lon…lumn    number
 1  abcde…wxyz  0.123457
22  b                1.5
(too narrow for 2 more: text, last)
`},
	} {
		var out bytes.Buffer
		if err := table.Write(&out, FormTable, Style{Width: c.width}); err != nil {
			t.Fatal(err)
		}
		if c.want != "" && out.String() != c.want {
			t.Errorf("%d: got\n%swant\n%s", c.width, out.String(), c.want)
		}
		for line := range strings.Lines(out.String()) {
			if w := width(strings.TrimSuffix(line, "\n")); c.width > 0 && w > c.width && !strings.HasPrefix(line, "(") {
				t.Errorf("%d: %d wide: %s", c.width, w, line)
			}
		}
	}
}

// TestStatusIsWhole: however narrow a terminal is, a status is not shortened.
func TestStatusIsWhole(t *testing.T) {
	table := &Table{Columns: []Column{{Name: "id"}, {Name: "status", Path: []string{"info", "status"}}, {Name: "text"}}, Rows: []Row{{Values: []any{int64(1), "INTERRUPTED", "abcdefghijklmnopqrstuvwxyz"}}}}
	var out bytes.Buffer
	if err := table.Write(&out, FormTable, Style{Width: 25}); err != nil || !strings.Contains(out.String(), " INTERRUPTED  abcd…xyz\n") {
		t.Errorf("got %v\n%s", err, out.String())
	}
}

func TestColour(t *testing.T) {
	table := &Table{Columns: []Column{{Name: "status", Path: []string{"info", "status"}}, {Name: "x"}}, Rows: []Row{{Values: []any{"FAILED", "FAILED"}}}}
	for _, c := range []struct {
		colour bool
		want   string
	}{
		{true, "status  x\n\x1b[31mFAILED\x1b[0m  FAILED\n"},
		{false, "status  x\nFAILED  FAILED\n"},
	} {
		var out bytes.Buffer
		if err := table.Write(&out, FormTable, Style{Color: c.colour}); err != nil || out.String() != c.want {
			t.Errorf("got %q, %v, want %q", out.String(), err, c.want)
		}
	}
}

func TestMeanStd(t *testing.T) {
	for _, c := range []struct {
		mean, std float64
		want      string
	}{
		{0.31234, 0.0214, "0.312 ± 0.021"}, {123.4, 17.2, "123 ± 17"}, {1234, 172, "1234 ± 172"}, {0.5, 0, "0.5 ± 0.0"}, {1, 0.99, "1.00 ± 0.99"}, {1e-9, 2.5e-10, "1e-09 ± 2.5e-10"},
	} {
		if got := (meanStd{c.mean, c.std}).String(); got != c.want {
			t.Errorf("%v, %v: got %s, want %s", c.mean, c.std, got, c.want)
		}
	}
}
