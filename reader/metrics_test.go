package reader

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/expr"
)

// attempts is the line of a record that tells where attempts began in a file.
func attempts(file string, sizes ...int) string {
	var parts []string
	for i, n := range sizes {
		parts = append(parts, fmt.Sprintf(`{"n":%d,"hostname":"h","metrics_bytes":{%q:%d}}`, i, file, n))
	}
	return "attempts: [" + strings.Join(parts, ",") + "]"
}

func TestMetrics(t *testing.T) {
	first := `{"step":0,"loss":1}` + "\n" + `{"step":1,"loss":2}` + "\n" + `{"step":2,"loss":3}` + "\n"
	again := `{"step":1,"loss":20}` + "\n" + `{"step":2,"loss":30}` + "\n" + `{"step":3,"loss":40}` + "\n"
	for _, c := range []struct {
		name string
		run  files
		want string // name=values, sorted by name
		warn string
	}{
		{"no files", files{}, ``, ""},
		{"empty file", files{"metrics.jsonl": ""}, ``, ""},
		{"three ways to write one name", files{
			"metrics.jsonl":       `{"train":{"loss":1}}` + "\n" + `{"train.loss":2}` + "\n",
			"metrics/train.jsonl": `{"loss":3}` + "\n",
		}, `train.loss=[1,2,3]`, ""},
		{"keys differ from line to line", files{"metrics.jsonl": `{"a":1,"b":2.0}` + "\n" + `{"b":3}` + "\n\n" + `{}` + "\n" + `{"a":4}` + "\n"}, `a=[1,4] b=[2.0,3.0]`, ""},
		{"a series and a group of that name", files{"metrics.jsonl": `{"train":1,"train.loss":2}` + "\n"}, `train=[1] train.loss=[2]`, ""},
		{"texts and bools", files{"metrics.jsonl": `{"a":"x","b":true}` + "\n" + `{"a":1,"b":null}` + "\n"}, `a=["x",1] b=[true]`, ""},
		{"a number, then a text", files{"metrics.jsonl": `{"a":1}` + "\n" + `{"a":2.5}` + "\n" + `{"a":"x"}` + "\n"}, `a=[1.0,2.5,"x"]`, ""},
		{"not finite", files{"metrics.jsonl": `{"a":NaN}` + "\n" + `{"a":-Infinity}` + "\n" + `{"a":"Infinity"}` + "\n"}, `a=["NaN","-Infinity","Infinity"]`, ""},
		{"lists are no metrics", files{"metrics.jsonl": `{"a":[1,2],"b":1}` + "\n"}, `b=[1]`, "a metric is a list"},
		{"a last line without its end", files{"metrics.jsonl": `{"a":1}` + "\n" + `{"a":2}`}, `a=[1,2]`, ""},
		{"torn in a number", files{"metrics.jsonl": `{"a":1}` + "\n" + `{"a":2.`}, `a=[1]`, "last line is cut off"},
		{"torn behind a number", files{"metrics.jsonl": `{"a":1}` + "\n" + `{"a":2`}, `a=[1]`, "last line is cut off"},
		{"objects without newlines", files{"metrics.jsonl": strings.Repeat(`{"a":1}{"a":2,"b":3}`, 2)}, `a=[1,2,1,2] b=[3,3]`, ""},
		{"two objects on a line", files{"metrics.jsonl": `{"a":1}` + "\n" + `{"a":2} {"a":3}` + "\n" + `{"a":4}` + "\n"}, `a=[1,2,3,4]`, ""},
		{"torn in the second object of a line", files{"metrics.jsonl": `{"a":1}{"a":2`}, `a=[1]`, "last line is cut off"},
		{"an object and something else", files{"metrics.jsonl": `{"a":1} what` + "\n" + `{"a":2}` + "\n"}, `a=[1,2]`, "line 1 is not a JSON object"},
		{"steps of several objects on a line", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, 38)),
			"metrics.jsonl":      `{"step":0,"loss":1}` + `{"step":1,"loss":2}` + `{"step":1,"loss":3}{"step":2,"loss":4}`,
		}, `loss=[1,3,4] step=[0,1,2]`, ""},
		{"a broken line", files{"metrics.jsonl": `{"a":1}` + "\n" + "what\n" + `{"a":3}` + "\n"}, `a=[1,3]`, "line 2 is not a JSON object"},
		{"zeros of a sparse file", files{"metrics.jsonl": `{"a":1}` + "\n" + strings.Repeat("\x00", 4096) + "\n" + `{"a":3}` + "\n"}, `a=[1,3]`, "line 2"},
		{"Windows", files{"metrics.jsonl": "{\"a\":1}\r\n{\"a\":2}\r\n"}, `a=[1,2]`, ""},
		{"other files", files{"metrics/notes.txt": "x", "metrics/a.json": `{"x":1}`, "metrics/b.jsonl": `{"x":1}`}, `b.x=[1]`, ""},
		{"a later attempt replaces", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, len(first))),
			"metrics.jsonl":      first + again,
		}, `loss=[1,20,30,40] step=[0,1,2,3]`, ""},
		{"a later attempt in another file", files{
			"metadata/info.yaml":  record(1, "COMPLETE", attempts("metrics/train.jsonl", 0, len(first))),
			"metrics/train.jsonl": first + again,
		}, `train.loss=[1,20,30,40] train.step=[0,1,2,3]`, ""},
		{"a later attempt, a series in two files", files{
			"metadata/info.yaml":  record(1, "COMPLETE", attempts("metrics.jsonl", 0, 28)),
			"metrics.jsonl":       `{"step":0,"train":{"x":1}}` + "\n\n" + `{"step":0,"train":{"x":2}}` + "\n",
			"metrics/train.jsonl": `{"x":3}` + "\n",
		}, `step=[0] train.x=[2,3]`, ""},
		{"torn between attempts", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, len(first)+7)),
			"metrics.jsonl":      first + `{"step"` + again,
		}, `loss=[1,20,30,40] step=[0,1,2,3]`, ""},
		{"three attempts", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, len(first), len(first)+len(again))),
			"metrics.jsonl":      first + again + `{"step":2,"loss":300}` + "\n",
		}, `loss=[1,20,40,300] step=[0,1,3,2]`, ""},
		{"a later attempt that wrote nothing", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, len(first))),
			"metrics.jsonl":      first,
		}, `loss=[1,2,3] step=[0,1,2]`, ""},
		{"epochs, several lines each", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, 48)),
			"metrics.jsonl":      `{"epoch":0,"a":1}` + "\n" + `{"epoch":0,"a":2}` + "\n" + `{"epoch":1}` + "\n" + `{"epoch":0,"a":3}` + "\n" + `{"epoch":0,"a":4}` + "\n",
		}, `a=[3,4] epoch=[1,0,0]`, ""},
		{"a restart without steps", files{
			"metadata/info.yaml": record(1, "COMPLETE", attempts("metrics.jsonl", 0, 8)),
			"metrics.jsonl":      `{"a":1}` + "\n" + `{"a":2}` + "\n",
		}, `a=[1,2]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.run["metadata/info.yaml"] == "" {
				c.run["metadata/info.yaml"] = record(1, "COMPLETE")
			}
			log, err := Open(writeLog(t, map[int]files{1: c.run}))
			if err != nil {
				t.Fatal(err)
			}
			r, err := log.Find(1)
			if err != nil {
				t.Fatal(err)
			}
			var got, named []string
			for _, s := range r.Metrics() {
				named = append(named, s.Name+"="+string(appendJSON(nil, r.Metric(s.Name))))
				got = append(got, s.Name+"="+string(appendJSON(nil, s))) // read again
				// Reading the end alone gives the same last value.
				last := r.loadMetrics(&demand{names: []string{s.Name}, whole: []bool{false}, last: true})[0]
				if got, want := keyOf(last.summary.Last()), keyOf(s.At(s.Len()-1)); got != want {
					t.Errorf("%s: the last value from the end is %s, want %s", s.Name, got, want)
				}
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
			if text := strings.Join(named, " "); text != c.want {
				t.Errorf("by name: got  %s\nwant %s", text, c.want)
			}
			warnings := strings.Join(r.Warnings, "\n")
			if (warnings == "") != (c.warn == "") || !strings.Contains(warnings, c.warn) {
				t.Errorf("warnings %q, want %q", warnings, c.warn)
			}
		})
	}
}

// TestLongLines: lines longer than what is read at a time, from both ends.
func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	text := `{"a":1,"pad":"` + long + `"}` + "\n" + `{"a":2,"pad":"` + long + `"}` + "\n" + `{"b":"` + long + `"}` + "\n"
	log, err := Open(writeLog(t, map[int]files{1: {"metadata/info.yaml": record(1, "COMPLETE"), "metrics.jsonl": text}}))
	if err != nil {
		t.Fatal(err)
	}
	table, err := log.Query(t.Context(), Query{Fields: []string{"metrics.a", "metrics.b.len()"}})
	if err != nil || string(appendJSON(nil, table.Rows[0].Values)) != `[1,[1,2],1]` {
		t.Errorf("got %v, %v", table, err)
	}
	table, err = log.Query(t.Context(), Query{Fields: []string{"metrics.a.last()"}})
	if err != nil || string(appendJSON(nil, table.Rows[0].Values)) != `[1,2]` {
		t.Errorf("got %v, %v", table, err)
	}
}

// TestSummary: what a series tells of itself is what its values say.
func TestSummary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var text strings.Builder
		var values []float64
		for range 1 + random.IntN(20) {
			x := math.Round(random.NormFloat64()*100) / 8
			if random.IntN(15) == 0 {
				x = math.NaN()
			}
			values = append(values, x)
			fmt.Fprintf(&text, `{"a":%s}`+"\n", floatText(x))
		}
		finite := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
		low, high := math.NaN(), math.NaN()
		if len(finite) > 0 {
			low, high = slices.Min(finite), slices.Max(finite)
		}
		sum := 0.0
		for _, x := range values {
			sum += x
		}
		want := []any{int64(len(values)), values[0], values[len(values)-1], low, high, sum, sum / float64(len(values))}
		log, err := Open(writeLog(t, map[int]files{1: {"metadata/info.yaml": record(1, "COMPLETE"), "metrics.jsonl": text.String()}}))
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, f := range []string{"len", "first", "last", "min", "max", "sum", "mean"} {
			fields = append(fields, "metrics.a."+f+"()")
		}
		table, err := log.Query(t.Context(), Query{Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendJSON(nil, table.Rows[0].Values[1:])); got != string(appendJSON(nil, want)) {
			t.Errorf("%s: got %s, want %s", text.String(), got, appendJSON(nil, want))
		}
	}
	if got := new(expr.Summary); got.Len != 0 {
		t.Error("the zero Summary is not empty")
	}
}

func TestQuantileT(t *testing.T) {
	// Abramowitz and Stegun, table 26.10.
	for df, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 10: 2.228, 30: 2.042, 120: 1.980} {
		if got := quantileT(0.975, df); math.Abs(got-want) > 5e-4 {
			t.Errorf("%d degrees of freedom: got %v, want %v", df, got, want)
		}
	}
}
