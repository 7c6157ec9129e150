//go:build differential

package reader

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The same questions are asked of mlxp and of DuckDB, which reads the same files
// and knows nothing of mlxp. .ci/differential runs this: it needs node, DuckDB's
// package in MLXP_NODE_MODULES, and for the exports a Python with pandas in
// MLXP_PANDAS.

// sampleRuns makes a log dir of runs that lack this and that.
func sampleRuns(t *testing.T) string {
	r := rand.New(rand.NewPCG(3, 4))
	runs := map[int]files{}
	for id := 1; id <= 240; id++ {
		config := fmt.Sprintf(`"method":%q,"seed":%d`, []string{"sgd", "adam", "lion"}[r.IntN(3)], r.IntN(8))
		if r.IntN(5) > 0 { // an int in some runs, a float in others
			config += fmt.Sprintf(`,"lr":%s`, []string{"1", "0.5", "0.01", "2.0", "1e-3"}[r.IntN(5)])
		}
		if r.IntN(3) > 0 {
			config += fmt.Sprintf(`,"model":{"units":%d,"name":"m-%d","layers":[%d,%d]}`, 1+r.IntN(4), r.IntN(5), r.IntN(9), r.IntN(9))
		}
		if r.IntN(4) == 0 {
			config += fmt.Sprintf(`,"odd key":%d,"flag":%v,"none":null`, r.IntN(3), r.IntN(2) == 0)
		}
		status := []string{"COMPLETE", "COMPLETE", "FAILED", "INTERRUPTED"}[r.IntN(4)]
		run := files{
			"metadata/info.yaml":   record(id, status, fmt.Sprintf("exit_code: %d", r.IntN(3)), fmt.Sprintf("seconds: %v", r.Float64()*100), fmt.Sprintf("hostname: %q", fmt.Sprintf("gpu%02d", r.IntN(4)))),
			"metadata/config.json": "{" + config + "}",
		}
		for _, name := range []string{"train", "test"} {
			if r.IntN(8) == 0 {
				continue
			}
			lines := ""
			for step := range 1 + r.IntN(12) {
				line := fmt.Sprintf(`"step":%d,"loss":%v`, step, r.NormFloat64())
				if r.IntN(6) > 0 {
					line += fmt.Sprintf(`,"acc":%d`, r.IntN(100))
				}
				lines += "{" + line + "}\n"
			}
			run["metrics/"+name+".jsonl"] = lines
		}
		// Of this series every run has three values.
		run["metrics/even.jsonl"] = fmt.Sprintf("{\"x\":%v}\n{\"x\":%v}\n{\"x\":%d}\n", r.Float64(), r.NormFloat64(), r.IntN(5))
		runs[id] = run
	}
	return writeLog(t, runs)
}

// tables are the log dir as DuckDB sees it: a row of run for each run, and a table
// of lines for each metrics file, n being the number of the line.
const tables = `WITH config AS (
	SELECT parse_path(filename)[-3]::INT AS id, * EXCLUDE filename FROM read_json('*/metadata/config.json', filename=true,
		columns={method: 'VARCHAR', seed: 'BIGINT', lr: 'DOUBLE', model: 'STRUCT(units BIGINT, name VARCHAR, layers BIGINT[])', "odd key": 'BIGINT', flag: 'BOOLEAN'})
), info AS (
	SELECT parse_path(filename)[-3]::INT AS id, regexp_extract(content, 'status: "([A-Z]*)"', 1) AS status, regexp_extract(content, 'exit_code: ([0-9]+)', 1)::INT AS exit_code,
		regexp_extract(content, 'seconds: ([^\n]+)', 1)::DOUBLE AS seconds, regexp_extract(content, 'hostname: "([^"]*)"', 1) AS hostname FROM read_text('*/metadata/info.yaml')
), run AS (SELECT * FROM config JOIN info USING (id)),
lines AS (
	SELECT parse_path(filename)[-3]::INT AS id, parse_path(filename)[-1] AS file, generate_subscripts(string_split(rtrim(content, chr(10)), chr(10)), 1) AS n, unnest(string_split(rtrim(content, chr(10)), chr(10)))::JSON AS line FROM read_text('*/metrics/*.jsonl')
), train AS (SELECT id, n, (line->>'step')::BIGINT AS step, (line->>'loss')::DOUBLE AS loss, (line->>'acc')::DOUBLE AS acc FROM lines WHERE file = 'train.jsonl'),
test AS (SELECT id, n, (line->>'step')::BIGINT AS step, (line->>'loss')::DOUBLE AS loss, (line->>'acc')::DOUBLE AS acc FROM lines WHERE file = 'test.jsonl'),
even AS (SELECT id, n, (line->>'x')::DOUBLE AS x FROM lines WHERE file = 'even.jsonl'),
testloss AS (SELECT id, arg_max(loss, n) AS last, arg_min(loss, n) AS first, min(loss) AS least, max(loss) AS most, avg(loss) AS mean, sum(loss) AS total, count(loss) AS len, arg_min(n, loss) - 1 AS argmin, arg_max(n, loss) - 1 AS argmax FROM test GROUP BY id)
`

func TestAgainstDuckDB(t *testing.T) {
	root := sampleRuns(t)
	cases := []struct{ args, sql string }{
		// Conditions. A run that lacks a field is one with NULL.
		{`config.lr < 1`, `SELECT id FROM run WHERE lr < 1`},
		{`!(config.lr < 1)`, `SELECT id FROM run WHERE NOT lr < 1`},
		{`config.lr == 1 || config.seed == 3`, `SELECT id FROM run WHERE lr = 1 OR seed = 3`},
		{`config.model.units > 2 && config.method in ["sgd", "lion"]`, `SELECT id FROM run WHERE model.units > 2 AND method IN ('sgd', 'lion')`},
		{`config.method.startsWith("a") && config.model.name.matches("^m-[0-2]$")`, `SELECT id FROM run WHERE starts_with(method, 'a') AND regexp_full_match(model.name, 'm-[0-2]')`},
		{`!(config.model.units == 2) && info.status == "COMPLETE"`, `SELECT id FROM run WHERE NOT model.units = 2 AND status = 'COMPLETE'`},
		{`has(config.model) && !has(config.lr)`, `SELECT id FROM run WHERE model IS NOT NULL AND lr IS NULL`},
		{`config["odd key"] >= 1`, `SELECT id FROM run WHERE "odd key" >= 1`},
		{`config.flag`, `SELECT id FROM run WHERE flag`},
		{`config.flag ? config.seed > 3 : config.seed < 2`, `SELECT id FROM run WHERE CASE WHEN flag IS NULL THEN NULL WHEN flag THEN seed > 3 ELSE seed < 2 END`},
		{`config.model.layers.exists(n, n == 3)`, `SELECT id FROM run WHERE list_contains(model.layers, 3)`},
		{`config.model.layers.all(n, n > 2) && config.model.layers.size() == 2`, `SELECT id FROM run WHERE len(list_filter(model.layers, lambda n: n > 2)) = 2`},
		{`info.seconds > 50.0 && info.exit_code != 0 && info.hostname != "gpu01"`, `SELECT id FROM run WHERE seconds > 50 AND exit_code != 0 AND hostname != 'gpu01'`},
		{`metrics.test.loss.last() < 0.0`, `SELECT id FROM testloss WHERE last < 0`},
		{`!(metrics.test.loss.last() < 0.0)`, `SELECT id FROM testloss WHERE NOT last < 0`},
		{`metrics.test.loss.exists(x, x > 2.0)`, `SELECT DISTINCT id FROM test WHERE loss > 2`},
		{`config.seed < 4 && metrics.test.loss.min() < metrics.train.loss.min()`, `SELECT run.id FROM run JOIN testloss USING (id) JOIN (SELECT id, min(loss) AS m FROM train GROUP BY id) t USING (id) WHERE seed < 4 AND least < m`},
		{`id % 7 == 3 && id > 20`, `SELECT id FROM run WHERE id % 7 = 3 AND id > 20`},
		// Columns.
		{`--fields config.lr,config.model.units,info.seconds`, `SELECT id, lr, model.units, seconds FROM run`},
		{`--fields metrics.test.loss.first(),metrics.test.loss.last(),metrics.test.loss.min(),metrics.test.loss.max(),metrics.test.loss.mean(),metrics.test.loss.sum(),metrics.test.loss.len(),metrics.test.loss.argmin(),metrics.test.loss.argmax()`,
			`SELECT run.id, first, last, least, most, mean, total, len, argmin, argmax FROM run LEFT JOIN testloss USING (id)`},
		{`--fields metrics.train.acc`, `SELECT run.id, list(acc ORDER BY n) FILTER (acc IS NOT NULL) FROM run LEFT JOIN train USING (id) GROUP BY run.id`},
		{`--fields metrics.train.acc.len(),metrics.train.acc.sum() config.method=="adam"`, `SELECT run.id, nullif(count(acc), 0), sum(acc) FROM run LEFT JOIN train USING (id) WHERE method = 'adam' GROUP BY run.id`},
		{`--fields metrics.test.step.at(metrics.test.loss.argmin())`, `SELECT run.id, (SELECT arg_min(step, loss) FROM test WHERE test.id = run.id) FROM run`},
		{`--fields config.seed,config.lr*2.0+double(config.seed)`, `SELECT id, seed, lr * 2 + seed FROM run`},
		// Groups.
		{`--group config.method --agg mean(config.lr),std(config.lr),min(config.lr),max(config.lr),median(config.lr),count(config.lr)`,
			`SELECT method, count(*), false, avg(lr), stddev_samp(lr), min(lr), max(lr), median(lr), count(lr) FROM run GROUP BY method ORDER BY method`},
		{`--group config.method,config.seed --agg mean(metrics.test.loss.last()),sem(metrics.test.loss.last())`,
			`SELECT method, seed, count(*), false, avg(last), stddev_samp(last) / sqrt(count(last)) FROM run LEFT JOIN testloss USING (id) GROUP BY method, seed ORDER BY method, seed`},
		{`--group config.method --agg mean(metrics.even.x)`,
			`SELECT method, any_value(runs), false, list(m ORDER BY n) FROM (SELECT method, n, avg(x) AS m, count(*) AS runs FROM run JOIN even USING (id) GROUP BY method, n) GROUP BY method ORDER BY method`},
		{`--group config.method --agg std(metrics.even.x),max(metrics.even.x)`,
			`SELECT method, any_value(runs), false, list(s ORDER BY n), list(m ORDER BY n) FROM (SELECT method, n, stddev_samp(x) AS s, max(x) AS m, count(*) AS runs FROM run JOIN even USING (id) GROUP BY method, n) GROUP BY method ORDER BY method`},
		{`--group config.model.units --agg mean(info.seconds) --having n>30&&mean(info.seconds)>48.0 has(config.model)`,
			`SELECT model.units AS u, count(*) AS n, false, avg(seconds) AS s FROM run WHERE model IS NOT NULL GROUP BY u HAVING n > 30 AND s > 48 ORDER BY u`},
		{`--agg mean(info.status=="COMPLETE"),count()`, `SELECT count(*), false, avg((status = 'COMPLETE')::INT), count(*) FROM run`},
		{`--group config.method,config.seed --best mean(metrics.test.loss.min()) --per config.method`,
			`SELECT method, seed, n, false, m FROM (SELECT method, seed, count(*) AS n, avg(least) AS m, rank() OVER (PARTITION BY method ORDER BY avg(least)) AS k FROM run LEFT JOIN testloss USING (id) GROUP BY method, seed) WHERE k = 1 ORDER BY method`},
		{`--fields config.method,metrics.test.loss.min() --best metrics.test.loss.min() --per config.method`,
			`SELECT id, method, least FROM (SELECT run.id, method, least, rank() OVER (PARTITION BY method ORDER BY least) AS k FROM run JOIN testloss USING (id)) WHERE k = 1`},
		{`--fields metrics.test.loss.max() --sort -metrics.test.loss.max() --limit 7`, `SELECT id, most FROM testloss ORDER BY most DESC LIMIT 7`},
	}
	var queries []string
	for _, c := range cases {
		sql := c.sql
		if !strings.Contains(sql, "GROUP BY method") && !strings.Contains(sql, "ORDER BY u") && !strings.Contains(sql, "LIMIT") && !strings.HasPrefix(sql, "SELECT count(*), false") {
			sql = "SELECT * FROM (" + sql + ") ORDER BY id"
		}
		queries = append(queries, tables+"("+sql+")")
	}
	want := duckdb(t, root, queries...)
	for i, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			words := strings.Fields(c.args)
			if !strings.HasPrefix(c.args, "--") {
				words = []string{"--fields", "id", c.args}
			}
			for _, pass := range []string{"without an index", "with it"} {
				out, _, err := mlxp(t, root, append([]string{"query", "--json"}, words...)...)
				if err != nil {
					t.Fatal(err)
				}
				compareRows(t, pass, rowsOf(t, out), want[i])
			}
		})
	}
}

// Whatever mlxp exports is read by others as what it is.
func TestExportsAgainstDuckDBAndPandas(t *testing.T) {
	root := sampleRuns(t)
	fields := []string{"--fields", "method=config.method,lr=config.lr,units=config.model.units,name=config.model.name,flag=config.flag,loss=metrics.test.loss.last(),curve=metrics.even.x,status=info.status"}
	export := func(form string) string {
		out, _, err := mlxp(t, root, append([]string{"query", "-o", form}, fields...)...)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, "export."+form)
		write(t, path, out)
		return path
	}
	text, _, err := mlxp(t, root, append([]string{"query", "--json"}, fields...)...)
	if err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, text)
	var scalars [][]any
	for _, row := range want {
		scalars = append(scalars, append(append([]any{}, row[:7]...), row[8]))
	}
	csv, jsonl := export("csv"), export("jsonl")
	read := duckdb(t, root, `SELECT * EXCLUDE curve FROM read_csv_auto('`+csv+`') ORDER BY id`,
		`SELECT curve::DOUBLE[] FROM read_csv_auto('`+csv+`') ORDER BY id`, `SELECT * FROM read_json_auto('`+jsonl+`') ORDER BY id`)
	compareRows(t, "read_csv_auto", scalars, read[0])
	compareRows(t, "read_csv_auto, lists", columnOf(want, 7), read[1])
	compareRows(t, "read_json_auto", want, read[2])
	python := os.Getenv("MLXP_PANDAS")
	if python == "" {
		t.Log("no pandas: not compared")
		return
	}
	for _, read := range []string{"read_csv(sys.argv[1])", "read_json(sys.argv[2], lines=True)"} {
		script := "import json, sys, pandas\nd = pandas." + read + `.drop(columns="curve")
print(json.dumps([[None if v != v else v.item() if hasattr(v, "item") else v for v in row] for row in d.astype(object).values.tolist()]))`
		out, err := exec.Command(python, "-c", script, csv, jsonl).Output()
		if err != nil {
			t.Fatalf("%s: %v", read, err)
		}
		var got [][]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		compareRows(t, "pandas."+read, scalars, got)
	}
}

func columnOf(rows [][]any, i int) [][]any {
	out := make([][]any, len(rows))
	for k, row := range rows {
		out[k] = []any{row[i]}
	}
	return out
}

// rowsOf reads rows of mlxp's JSON, the values in their order.
func rowsOf(t *testing.T, text string) [][]any {
	t.Helper()
	var objects []json.RawMessage
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for _, o := range objects {
		dec := json.NewDecoder(strings.NewReader(string(o)))
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
		var row []any
		for dec.More() {
			var v any
			if _, err := dec.Token(); err != nil {
				t.Fatal(err)
			}
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	return rows
}

// duckdb returns the rows of each query.
func duckdb(t *testing.T, dir string, queries ...string) [][][]any {
	t.Helper()
	script, err := os.ReadFile("../bench/duckdb.mjs")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"--input-type=module", "-e", string(script), "--", "--", filepath.Join(os.Getenv("MLXP_NODE_MODULES"), "@duckdb", "node-api", "lib", "index.js")}
	cmd := exec.Command("node", append(words, queries...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("DuckDB: %v", err)
	}
	var all [][][]any
	for line := range strings.Lines(string(out)) {
		var answer struct{ Rows [][]any }
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		all = append(all, answer.Rows)
	}
	if len(all) != len(queries) {
		t.Fatalf("%d answers of %d", len(all), len(queries))
	}
	return all
}

func compareRows(t *testing.T, what string, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows and %d", what, len(got), len(want))
	}
	for i := range got {
		if !sameValue(got[i], want[i]) {
			t.Fatalf("%s: row %d: %v and %v", what, i, got[i], want[i])
		}
	}
}

// sameValue compares what JSON holds: numbers but for the last digits, which hang
// on the order of a sum. DuckDB writes large ints as texts.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameValue(x[i], y[i]) {
				return false
			}
		}
		return true
	case bool: // pandas has numbers for them where some are absent
		y, ok := b.(float64)
		return a == b || ok && y == float64(btoi(x))
	case float64:
		if s, ok := b.(string); ok {
			var y float64
			if _, err := fmt.Sscan(s, &y); err != nil {
				return false
			}
			b = y
		}
		y, ok := b.(float64)
		return ok && math.Abs(x-y) <= 1e-11*max(1, math.Abs(x))
	}
	return a == b
}
