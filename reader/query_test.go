package reader

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

// TestQuery pins the JSON of queries on the log dir in testdata.
func TestQuery(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
		note string // a part of what is said besides
	}{
		{"no rows", []string{`config.seed == 77`}, `[]`, ""},
		{"typed numbers", []string{"--fields", "config.optimizer.lr,config.seed", "id == 4"}, `[
{"id":4,"config.optimizer.lr":1.0,"config.seed":1}
]`, ""},
		{"named columns, last beside others", []string{"--fields", "lr=config.optimizer.lr,best=metrics.test.loss.min()", "--fields", "metrics.test.loss.last()", "config.model.units == 2 && config.seed == 1"}, `[
{"id":1,"lr":10.0,"best":0.275,"metrics.test.loss.last()":0.275},
{"id":4,"lr":1.0,"best":0.06875,"metrics.test.loss.last()":0.06875},
{"id":19,"lr":100.0,"best":null,"metrics.test.loss.last()":null}
]`, ""},
		{"absent and not finite", []string{"--fields", "metrics.train.loss", "id > 18"}, `[
{"id":19,"metrics.train.loss":[3.5,"NaN"]},
{"id":20,"metrics.train.loss":null},
{"id":21,"metrics.train.loss":[1.0,0.8,0.6,0.5,0.4]},
{"id":22,"metrics.train.loss":[0.9,"NaN",0.3]}
]`, "run 19: metrics.jsonl: the last line is cut off"},
		{"sort down, NaN and absent last", []string{"--fields", "l=metrics.train.loss.last()", "--sort", "-l", "id > 17"}, `[
{"id":21,"l":0.4},
{"id":22,"l":0.3},
{"id":18,"l":0.0325},
{"id":19,"l":"NaN"},
{"id":20,"l":null}
]`, ""},
		{"sort up, NaN and absent last", []string{"--fields", "l=metrics.train.loss.last()", "--sort", "l", "id > 18"}, `[
{"id":22,"l":0.3},
{"id":21,"l":0.4},
{"id":19,"l":"NaN"},
{"id":20,"l":null}
]`, ""},
		{"sort by what is no column", []string{"--fields", "config.seed", "--sort", "config.seed,-id", "--limit", "2", "id < 7"}, `[
{"id":4,"config.seed":1},
{"id":1,"config.seed":1}
]`, "2 of 6 rows shown"},
		{"not under not either", []string{"--fields", "config.seed", `!(config.wandb_token == "x") && id > 20`}, `[
{"id":21,"config.seed":9}
]`, "1 run lacks config.wandb_token"},
		{"has", []string{"--fields", "id", `!has(config.wandb_token)`}, `[
{"id":22}
]`, ""},
		{"statuses", []string{"--fields", "info.status,info.exit_code", "id in [18, 19, 20, 22]"}, `[
{"id":18,"info.status":"COMPLETE","info.exit_code":0},
{"id":19,"info.status":"FAILED","info.exit_code":1},
{"id":20,"info.status":"CREATED","info.exit_code":null},
{"id":22,"info.status":"COMPLETE","info.exit_code":null}
]`, ""},
		{"artifacts", []string{"--fields", "artifacts.map(a, a.path)", `artifacts.exists(a, a.path.endsWith(".pkl"))`}, `[
{"id":22,"artifacts.map(a, a.path)":["pickle/last_ckpt.pkl"]}
]`, ""},
		{"groups", []string{"--group", "config.model.units", "--agg", "m=mean(metrics.test.loss.last()),std(metrics.test.loss.last())", "id < 7 || id > 12 && id < 19"}, `[
{"config.model.units":2,"n":6,"mixed_code":false,"m":0.1875,"std(metrics.test.loss.last())":0.12431059890451819},
{"config.model.units":4,"n":6,"mixed_code":false,"m":0.09375,"std(metrics.test.loss.last())":0.062155299452259095}
]`, ""},
		{"element by element", []string{"--group", "u=config.model.units", "--agg", "c=mean(metrics.train.loss)", "config.optimizer.lr == 1.0 && id < 7"}, `[
{"u":2,"n":3,"mixed_code":false,"c":[0.3,0.15,0.09999999999999999,0.075,0.06]}
]`, ""},
		{"having, by expression and by name", []string{"--group", "config.model.units", "--agg", "m=mean(metrics.test.loss.last())", "--having", "n == 6 && std(config.seed) > 0.0 && m < 0.12 && config.model.units != 2", "id < 19"}, `[
{"config.model.units":4,"n":6,"mixed_code":false,"m":0.09375}
]`, ""},
		{"the best run, as if of a group", []string{"--fields", "config.seed", "--best", "min(metrics.test.loss.min())", "--per", "config.model.units", "id < 19"}, `[
{"id":4,"config.seed":1},
{"id":7,"config.seed":1},
{"id":16,"config.seed":1}
]`, ""},
		{"the greatest run", []string{"--fields", "config.seed", "--best", "max(metrics.test.loss.min())", "id < 19"}, `[
{"id":3,"config.seed":3}
]`, ""},
		{"a value of a series that some lack", []string{"--fields", "metrics.train.loss[1],metrics.train.loss.at(-1)", "id in [18, 20]"}, `[
{"id":18,"metrics.train.loss[1]":0.08125,"metrics.train.loss.at(-1)":0.0325},
{"id":20,"metrics.train.loss[1]":null,"metrics.train.loss.at(-1)":null}
]`, ""},
		{"ints and floats in one sum", []string{"--fields", "config.seed * 0.5 + 1, metrics.train.loss.last() * 100 / 2", "id in [4]"}, `[
{"id":4,"config.seed * 0.5 + 1":1.5,"metrics.train.loss.last() * 100 / 2":2.75}
]`, ""},
		{"all runs are one group", []string{"--agg", "max(id),count(metrics.test.loss),first(config.optimizer.name)"}, `[
{"n":22,"mixed_code":true,"max(id)":22,"count(metrics.test.loss)":18,"first(config.optimizer.name)":"sgd"}
]`, ""},
		{"collect and median", []string{"--group", "config.model.units", "--agg", "collect(config.seed),median(config.seed),min(config.seed),sem(config.seed),ci95(config.seed)", "id in [1,2,3]"}, `[
{"config.model.units":2,"n":3,"mixed_code":false,"collect(config.seed)":[1,2,3],"median(config.seed)":2.0,"min(config.seed)":1,"sem(config.seed)":0.5773502691896258,"ci95(config.seed)":2.484137711}
]`, ""},
		{"rates of bools", []string{"--agg", `mean(info.status == "COMPLETE")`, "id in [18,19]"}, `[
{"n":2,"mixed_code":true,"mean(info.status == \"COMPLETE\")":0.5}
]`, ""},
		{"series of several lengths", []string{"--agg", "mean(metrics.train.loss)", "id in [18,21,22]"}, `[
{"n":3,"mixed_code":true,"mean(metrics.train.loss)":null}
]`, "different lengths, 5 and 3"},
		{"the best learning rate for each number of units", []string{"--group", "config.model.units,config.optimizer.lr", "--best", "mean(metrics.train.loss.last())", "--per", "config.model.units", "--agg", "mean(metrics.test.loss.last())", `id < 19`}, `[
{"config.model.units":2,"config.optimizer.lr":1.0,"n":3,"mixed_code":false,"mean(metrics.test.loss.last())":0.075,"mean(metrics.train.loss.last())":0.06},
{"config.model.units":3,"config.optimizer.lr":10.0,"n":3,"mixed_code":false,"mean(metrics.test.loss.last())":0.049999999999999996,"mean(metrics.train.loss.last())":0.04},
{"config.model.units":4,"config.optimizer.lr":1.0,"n":3,"mixed_code":false,"mean(metrics.test.loss.last())":0.0375,"mean(metrics.train.loss.last())":0.03}
]`, ""},
		{"the best run for each", []string{"--fields", "config.seed", "--best", "-metrics.test.accuracy.last()", "--per", "config.model.units", `id < 19`}, `[
{"id":4,"config.seed":1},
{"id":7,"config.seed":1},
{"id":16,"config.seed":1}
]`, ""},
		{"max is greatest", []string{"--group", "config.model.units", "--best", "max(metrics.test.accuracy.last())", `id < 19`}, `[
{"config.model.units":4,"n":6,"mixed_code":false,"max(metrics.test.accuracy.last())":0.993125}
]`, ""},
		{"collect maps", []string{"--agg", "collect(config.model)[1].units,collect({\"a\": id})", "id in [6, 7]"}, `[
{"n":2,"mixed_code":false,"collect(config.model)[1].units":3,"collect({\"a\": id})":[{"a":6},{"a":7}]}
]`, ""},
		{"count of nothing is that of runs", []string{"--agg", "count()", "id < 4"}, `[
{"n":3,"mixed_code":false,"count()":3}
]`, ""},
		{"one run has no spread", []string{"--agg", "std(id),sem(id),ci95(id),mean(id)", "id == 3"}, `[
{"n":1,"mixed_code":false,"std(id)":null,"sem(id)":null,"ci95(id)":null,"mean(id)":3.0}
]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, notes, err := mlxp(t, sampleLog, append([]string{"query", "--json"}, c.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "collect and median" {
				if i := strings.Index(out, "2.484137711"); i >= 0 { // the last digits depend on libm
					out = out[:i+11] + out[strings.Index(out, "}"):]
				}
			}
			if out != c.want+"\n" {
				t.Errorf("got\n%swant\n%s", out, c.want)
			}
			if !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// TestBadQuery pins what is refused: what is said, where the caret stands.
func TestBadQuery(t *testing.T) {
	for _, c := range []struct {
		args             []string
		want, rest, hint string
	}{
		{[]string{`config.lr < 1`}, "no run has config.lr", "config.lr", "config.optimizer.lr"},
		{[]string{`config.optimzer.lr < 1`}, "no run has config.optimzer.lr", "config.optimzer", "config.optimizer.lr"},
		{[]string{`metrics.train.los.last() < 1`}, "no run has metrics.train.los", "metrics", "metrics.train.loss"},
		{[]string{`info.statu == "x"`}, "no run has info.statu", "info", "info.status"},
		{[]string{`confg.seed < 1`}, `unknown name "confg"`, "confg", "config"},
		{[]string{`metrics.train.loss[-1] < 1`}, `no run has metrics.train.loss["-1"]`, "metrics", "write metrics.train.loss.last()"},
		{[]string{`info.status != "complete"`}, `"complete" is no status`, "info.status", `did you mean "COMPLETE"?`},
		{[]string{`id < 3 && "DONE" == info["status"]`}, `"DONE" is no status`, `info["status"]`, "there are CREATED, SUBMITTED"},
		{[]string{`info.status in ["FAILED", "LOSTT"]`}, `"LOSTT" is no status`, "info.status", `did you mean "LOST"?`},
		{[]string{"--agg", `mean(info.status == "Completed")`}, `"Completed" is no status`, "info.status", `did you mean "COMPLETE"?`},
		{[]string{`config.seed <`}, "ends too early", "", ""},
		{[]string{`config.seed < "x"`}, `config.seed is a number and "x" is a text`, `< "x"`, ""},
		{[]string{`metrics.train.loss < 1`}, "metrics.train.loss is a series", "< 1", "metrics.train.loss.last()"},
		{[]string{`config.seed`}, "not a condition", "config.seed", ""},
		{[]string{`config.seed == 1 & config.epochs == 5`}, "no operator &", "& config", "&&"},
		{[]string{"a", "b"}, "one condition", "", "quotes"},
		{[]string{" "}, "empty", "", ""},
		{[]string{"--fields", "id,config.seed,x=confg.lr"}, `unknown name "confg"`, "confg.lr", ""},
		{[]string{"--sort", "-config.seed,-confg.lr"}, `unknown name "confg"`, "confg.lr", ""},
		{[]string{"--agg", "n,mean(confg.lr)"}, `unknown name "confg"`, "confg.lr", ""},
		{[]string{"--agg", "mean(config.seed", "--group", "id"}, "missing", "", ""},
		{[]string{"--having", "n < m"}, `unknown name "m"`, "m", ""},
		{[]string{"--having", "n"}, "not a condition", "n", ""},
		{[]string{"--group", "config.seed", "--fields", "id"}, "--group about groups", "", "--agg"},
		{[]string{"--per", "config.seed"}, "--per belongs to --best", "", ""},
		{[]string{"--group", "config.seed", "--best", "mean(id)", "--per", "config.epochs"}, "not a group key", "config.epochs", "--group"},
		{[]string{"--best", "mean(id)"}, "mean", "", "--group"},
		{[]string{"--limit", "0"}, "at least 1", "", ""},
		{[]string{"-o", "jason"}, "no such form", "", "json"},
		{[]string{"--json", "-o", "csv"}, "two forms", "", ""},
		{[]string{"--fields", "id=config.seed"}, "named id", "", ""},
		{[]string{"--fields", ""}, "is empty", "", ""},
		{[]string{"--sort", ","}, "is empty", "", ""},
		{[]string{"--agg", ""}, "is empty", "", ""},
		{[]string{"--fields", "a=id,a=config.seed"}, "two columns are named a", "config.seed", ""},
		{[]string{"--group", "n=config.seed"}, "two columns are named n", "", ""},
		{[]string{"--agg", "n=mean(id)"}, "two columns are named n", "mean(id)", ""},
		{[]string{`status == "COMPLETE"`}, `unknown name "status"`, "status", "info.status"},
		{[]string{`train.loss.last() < 1`}, `unknown name "train"`, "train", "metrics.train.loss.last()"},
		{[]string{`train.loss < 1`}, `unknown name "train"`, "train", "metrics.train.loss.last()"},
		{[]string{`config.train.loss < 1`}, "no run has config.train.loss", "config", "metrics.train.loss"},
		{[]string{`lr < 1`}, `unknown name "lr"`, "lr", "config.optimizer.lr"},
		{[]string{"--sort", "config.sede"}, "no run has config.sede", "config.sede", "config.seed"},
		{[]string{"--sort", "sede"}, `unknown name "sede"`, "sede", "config.seed"},
		{[]string{"--sort", "-metrics.train.loss.last"}, "no run has metrics.train.loss.last", "metrics", "metrics.train.loss.last()"},
		{[]string{"--fields", "config.seed", "--sort", "status"}, `unknown name "status"`, "status", "info.status"},
		{[]string{"--group", "config.seed", "--sort", "mean(metrics.train.los.last())"}, "no run has metrics.train.los", "metrics", "metrics.train.loss"},
		{[]string{"--group", "config.seed", "--agg", "config.epochs"}, "config.epochs is no key", "config.epochs", "mean(config.epochs)"},
		{[]string{"--best", "metrics.train.los.min()"}, "no run has metrics.train.los", "metrics", "metrics.train.loss"},
		{[]string{"3"}, "no condition", "", "'id == 3'"},
		{[]string{"3", "5-6"}, "no condition", "", "'id in [3,5,6]'"},
		{[]string{"--fields", "config.seed", "config.epochs"}, "not a condition", "", "'config.seed,config.epochs'"},
		{[]string{"--fields", "config.seed", "config.epochs", "id"}, "one condition", "", "'config.seed,config.epochs,id'"},
		{[]string{"--nonsense"}, "not defined", "", ""},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			out, _, err := mlxp(t, sampleLog, append([]string{"query"}, c.args...)...)
			if err == nil {
				t.Fatalf("no error, but\n%s", out)
			}
			if out != "" || fault.Status(err) != fault.Usage {
				t.Errorf("status %d, output %q", fault.Status(err), out)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
			if p := fault.Place(err); c.rest != "" && (p == nil || !strings.HasPrefix(p.Text[p.Offset:], c.rest)) {
				t.Errorf("place %+v, want before %q", p, c.rest)
			}
			if hints := strings.Join(fault.Hints(err), "\n"); !strings.Contains(hints, c.hint) {
				t.Errorf("hints %q, want %q", hints, c.hint)
			}
		})
	}
}

// TestSortByColumns: a table sorts by the names it shows.
func TestSortByColumns(t *testing.T) {
	for sort, want := range map[string]string{
		"status,-id":                         "22 21 18 1 20 19",
		"-optimizer.lr,id":                   "19 1 18 20 21 22",
		"train.loss":                         "18 1 22 21 19 20",
		"-train.loss":                        "21 22 1 18 19 20",
		"-model.units,-id":                   "20 22 21 18 19 1",
		"-time,id":                           "22 18 21 1 19 20",
		"config.optimizer.lr,-train.loss,id": "21 22 18 20 1 19",
	} {
		out, _, err := mlxp(t, sampleLog, "query", "--json", "--sort", sort, "id in [1, 18, 19, 20, 21, 22]")
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ ID int }
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, strconv.Itoa(r.ID))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: got %s, want %s", sort, text, want)
		}
	}
	if out, _, err := mlxp(t, sampleLog, "query", "--json", "--sort", "train.loss", "id > 100"); out != "[]\n" || err != nil {
		t.Errorf("no rows: got %s, %v", out, err)
	}
}

// TestOverview: which columns the table of whole runs has.
func TestOverview(t *testing.T) {
	run := func(id int, config, metrics string) files {
		return files{"metadata/info.yaml": record(id, "INTERRUPTED"), "metadata/config.json": config, "metrics.jsonl": metrics}
	}
	for _, c := range []struct {
		name string
		runs map[int]files
		want string
		note string
	}{
		{"one run", map[int]files{1: run(1, `{"a":1,"b-c":{"d":2}}`, `{"x":3}`+"\n")}, "id  status       x  a  b-c.d\n 1  INTERRUPTED  3  1      2\n", ""},
		{"one name for two", map[int]files{1: run(1, `{"y":1,"status":"s"}`, `{"y":2}`+"\n"), 2: run(2, `{"y":2,"status":"t"}`, "")},
			"id  status       config.y  config.status  metrics.y.last()\n 1  INTERRUPTED         1  s                             2\n 2  INTERRUPTED         2  t                             -\n", ""},
		{"a column without values", map[int]files{1: run(1, `{"a":1}`, `{"l":[1]}`+"\n"), 2: run(2, `{"a":2,"b":null}`, `{"l":null}`+"\n")}, "id  status       a\n 1  INTERRUPTED  1\n 2  INTERRUPTED  2\n", ""},
		{"a torn metric", map[int]files{1: run(1, `{}`, `{"x":3}`+"\n"+`{"x":`)}, "id  status       x\n 1  INTERRUPTED  3\n", "run 1: metrics.jsonl: the last line is cut off"},
		{"a broken metric", map[int]files{1: run(1, `{}`, `{"x":3}`+"\nwhat\n")}, "id  status       x\n 1  INTERRUPTED  3\n", "run 1: metrics.jsonl: a line near the end is not a JSON object"},
	} {
		out, notes, err := mlxp(t, writeLog(t, c.runs), "query")
		if out != c.want || err != nil || (notes == "") != (c.note == "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s: got\n%s%s%v\nwant\n%s%s", c.name, out, notes, err, c.want, c.note)
		}
	}
}

// TestRunsNotices: a loop over runs hears what a table says.
func TestRunsNotices(t *testing.T) {
	log, err := Open(sampleLog)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	var notices []string
	for r, err := range log.Runs(t.Context(), `config.wandb_token == "x" || metrics.train.loss.last() > 3.0 || id == 20`, func(text string) { notices = append(notices, text) }) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID())
	}
	if text := strings.Join(notices, "\n"); len(ids) != 1 || !strings.Contains(text, "run 19: metrics.jsonl: the last line is cut off") || !strings.Contains(text, "1 run lacks config.wandb_token") {
		t.Errorf("got %v, %q", ids, text)
	}
}

func TestMissingLogDir(t *testing.T) {
	_, _, err := mlxp(t, t.TempDir()+"/logs", "query")
	if err == nil || !strings.Contains(err.Error(), "there is no log dir") || strings.Contains(err.Error(), "stat") || len(fault.Hints(err)) == 0 {
		t.Errorf("got %v", err)
	}
	out, _, err := mlxp(t, t.TempDir(), "query", "--json", "config.lr < 1")
	if err != nil || out != "[]\n" {
		t.Errorf("an empty log dir: got %q, %v", out, err)
	}
}

// Runs of one commit are of one version, whatever was not committed when they were
// launched; not so without a kept version, or where a program changed the copy.
func TestMixedCode(t *testing.T) {
	version := func(id int, more string) files {
		return files{"metadata/info.yaml": record(id, "COMPLETE") + "version_manager: {" + more + "}\n"}
	}
	for _, c := range []struct {
		name, a, b string
		mixed      bool
	}{
		{"one commit", `"mode":"commit","commit_hash":"a","dirty":true`, `"mode":"commit","commit_hash":"a","dirty":false`, false},
		{"two commits", `"mode":"commit","commit_hash":"a"`, `"mode":"commit","commit_hash":"b"`, true},
		{"a changed copy", `"mode":"commit","commit_hash":"a"`, `"mode":"commit","commit_hash":"a","changes":["f"]`, true},
		{"not committed", `"mode":"off","commit_hash":"a","dirty":true`, `"mode":"off","commit_hash":"a","dirty":false`, true},
		{"not known to be dirty", `"mode":"off","commit_hash":"a"`, `"mode":"off","commit_hash":"a","dirty":false`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := mlxp(t, writeLog(t, map[int]files{1: version(1, c.a), 2: version(2, c.b)}), "query", "--json", "--group", "1", "--agg", "min(id)")
			if want := fmt.Sprintf(`"mixed_code":%v`, c.mixed); err != nil || !strings.Contains(out, want) {
				t.Errorf("got %s, %v; want %s", out, err, want)
			}
		})
	}
}
