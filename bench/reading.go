package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A question is asked of a log dir, of mlxp and of DuckDB, which reads the same
// files.
type question struct {
	runs, steps int // of the log dir
	mlxp        []string
	sql         string
}

// DuckDB reads a config as it is; of a record, which is no JSON as a whole, it
// takes the line that it needs.
var questions = map[string]question{
	"filter": {
		runs: 10_000,
		mlxp: []string{"--json", "--agg", "count()", `config.optimizer.lr < 0.03 && info.status == "COMPLETE"`},
		sql:  countSQL,
	},
	"filter100k": {
		runs: 100_000,
		mlxp: []string{"--json", "--agg", "count()", `config.optimizer.lr < 0.03 && info.status == "COMPLETE"`},
		sql:  countSQL,
	},
	"average": {
		runs: 1000, steps: 1000,
		mlxp: []string{"--json", "--group", "config.method", "--agg", "mean(metrics.test.loss.mean()),count()"},
		sql: `SELECT c.method, avg(m.loss) AS loss, count(DISTINCT m.run) AS n FROM
			(SELECT parse_path(filename)[-3] AS run, method FROM read_json('logs/*/metadata/config.json', filename=true)) c JOIN
			(SELECT parse_path(filename)[-3] AS run, loss FROM read_json('logs/*/metrics/test.jsonl', columns={loss: 'DOUBLE'}, format='newline_delimited', filename=true)) m
			ON c.run = m.run GROUP BY c.method ORDER BY c.method`,
	},
	"curve": {
		runs: 1000, steps: 1000,
		mlxp: []string{"--json", "--group", "config.method", "--agg", "curve=mean(metrics.test.loss)"},
		sql: `SELECT c.method, m.step, avg(m.loss) AS loss, count(DISTINCT m.run) AS n FROM
			(SELECT parse_path(filename)[-3] AS run, method FROM read_json('logs/*/metadata/config.json', filename=true)) c JOIN
			(SELECT parse_path(filename)[-3] AS run, step, loss FROM read_json('logs/*/metrics/test.jsonl', columns={step: 'BIGINT', loss: 'DOUBLE'}, format='newline_delimited', filename=true)) m
			ON c.run = m.run GROUP BY c.method, m.step ORDER BY c.method, m.step`,
	},
	"last": {
		runs: 1000, steps: 1000,
		mlxp: []string{"--json", "--fields", "metrics.test.loss.last()", "--sort", "metrics.test.loss.last()", "--limit", "5"},
		sql: `SELECT run, arg_max(loss, step) AS loss FROM
			(SELECT parse_path(filename)[-3] AS run, step, loss FROM read_json('logs/*/metrics/test.jsonl', columns={step: 'BIGINT', loss: 'DOUBLE'}, format='newline_delimited', filename=true))
			GROUP BY run ORDER BY loss LIMIT 5`,
	},
}

const countSQL = `SELECT count(*) AS n FROM
	(SELECT parse_path(filename)[-3] AS run FROM read_json('logs/*/metadata/config.json', columns={optimizer: 'STRUCT(lr DOUBLE)'}, filename=true) WHERE optimizer.lr < 0.03) c JOIN
	(SELECT parse_path(filename)[-3] AS run FROM read_text('logs/*/metadata/info.yaml') WHERE regexp_matches(content, '(?m)^status: "COMPLETE"$')) i
	ON c.run = i.run`

func init() {
	for name, what := range map[string][2]string{
		"filter":     {"filter 10,000 runs on config and info", "cold 500 ms, warm 60 ms"},
		"filter100k": {"filter 100,000 runs on config and info", "warm 600 ms"},
		"average":    {"group and average a metric, 1,000 runs of 1,000 steps", "cold 0.7 times DuckDB, warm 0.2 times"},
		"curve":      {"the average curve of each group, same runs", ""},
		"last":       {"the five runs with the least last value, same runs", ""},
	} {
		measurements = append(measurements, measurement{name, what[0], what[1], func(b *bench) (string, error) { return b.ask(questions[name]) }})
	}
	slices.SortStableFunc(measurements, func(x, y measurement) int { return strings.Compare(x.name, y.name) })
}

// ask measures how long a question takes, with an index and without, and how
// long DuckDB takes for it.
func (b *bench) ask(q question) (string, error) {
	if err := b.writeLogs(q.runs, q.steps); err != nil {
		return "", err
	}
	own := filepath.Join(b.dir, "logs", ".mlxp")
	var cold, warm []time.Duration
	peak := int64(0)
	var answer string
	for range 5 {
		if err := os.RemoveAll(own); err != nil {
			return "", err
		}
		if err := os.Mkdir(own, 0o777); err != nil {
			return "", err
		}
		took, rss, out, err := b.query(q.mlxp)
		if err != nil {
			return "", err
		}
		cold, peak, answer = append(cold, took), max(peak, rss), out
	}
	for range 11 {
		took, rss, out, err := b.query(q.mlxp)
		if err != nil {
			return "", err
		}
		if out != answer {
			return "", fmt.Errorf("the answer from the index is %s, without %s", out, answer)
		}
		warm, peak = append(warm, took), max(peak, rss)
	}
	c, w := ms(median(cold)), ms(median(warm))
	result := fmt.Sprintf("cold %.0f ms, warm %.0f ms, %d MB", c, w, peak/1e6)
	if q.steps == 0 {
		result += fmt.Sprintf(" (two stats a run: %.0f ms)", ms(b.stats(q.runs)))
	}
	duck, err := b.duckdb(q.sql)
	if errors.Is(err, errNoDuckDB) {
		return result + "; DuckDB is not installed", nil
	}
	if err != nil {
		return "", err
	}
	return result + fmt.Sprintf("; DuckDB %.0f ms: %.2f and %.2f times", duck, c/duck, w/duck), nil
}

// stats tells how long it takes to look at two files of each run, on two
// processors: nobody who wants to know whether they have changed is faster.
func (b *bench) stats(runs int) time.Duration {
	var took []time.Duration
	for range 5 {
		start := time.Now()
		var wait sync.WaitGroup
		for half := range 2 {
			wait.Go(func() {
				var st syscall.Stat_t
				for id := 1 + half; id <= runs; id += 2 {
					dir := fmt.Sprintf("%s/logs/%d/metadata/", b.dir, id)
					_ = syscall.Stat(dir+"info.yaml", &st)
					_ = syscall.Stat(dir+"config.json", &st)
				}
			})
		}
		wait.Wait()
		took = append(took, time.Since(start))
	}
	return median(took)
}

// query runs mlxp query and tells how long the process took and how much memory.
func (b *bench) query(args []string) (took time.Duration, rss int64, out string, err error) {
	cmd := exec.Command(b.mlxp, append([]string{"-q", "query"}, args...)...)
	cmd.Dir = b.dir
	start := time.Now()
	text, err := cmd.Output()
	took = time.Since(start)
	if err != nil {
		return 0, 0, "", fmt.Errorf("query: %w", err)
	}
	return took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10, string(text), nil
}

//go:embed duckdb.mjs
var duckdbScript string

var errNoDuckDB = errors.New("DuckDB is not installed")

// duckdb returns the median of the milliseconds that DuckDB takes for a query, in
// processes of their own, whose start does not count. MLXP_NODE_MODULES is where
// its Node package is.
func (b *bench) duckdb(sql string) (float64, error) {
	modules := os.Getenv("MLXP_NODE_MODULES")
	if modules == "" {
		return 0, errNoDuckDB
	}
	var took []float64
	for range 5 {
		cmd := exec.Command("node", "--input-type=module", "-e", duckdbScript, "--", "--", filepath.Join(modules, "@duckdb", "node-api", "lib", "index.js"), sql)
		cmd.Dir = b.dir
		cmd.Stderr = os.Stderr
		text, err := cmd.Output()
		if err != nil {
			return 0, fmt.Errorf("DuckDB: %w", err)
		}
		var answer struct{ Milliseconds float64 }
		if err := json.Unmarshal(text, &answer); err != nil {
			return 0, err
		}
		took = append(took, answer.Milliseconds)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// writeLogs makes a log dir of runs as mlxp records them, each with two metrics
// files of that many lines.
func (b *bench) writeLogs(runs, steps int) error {
	random := rand.New(rand.NewPCG(5, 6))
	for id := 1; id <= runs; id++ {
		dir := filepath.Join(b.dir, "logs", fmt.Sprint(id))
		for _, sub := range []string{"metadata", "metrics", "artifacts"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
				return err
			}
		}
		lr, method, seed := 0.01*float64(1+id%5), []string{"sgd", "adam", "lion"}[id%3], id%10
		status, code := "COMPLETE", 0
		if id%20 == 0 {
			status, code = "FAILED", 1
		}
		moment := time.Date(2026, 3, 1, 0, 0, id, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
		info := fmt.Sprintf(`schema: 1
id: %d
status: "%s"
reason: null
exit_code: %d
signal: null
command: ["python3","train.py","optimizer.lr=%v","method=%s","seed=%d"]
words: ["python3","train.py","optimizer.lr=0.01,0.02,0.03,0.04,0.05","method=sgd,adam,lion","seed=range(10)"]
overrides: ["optimizer.lr=%v","method=%s","seed=%d"]
sweep: {"id":1,"index":%d,"size":%d}
created: "2026-03-01T00:00:00.000Z"
started: "%s"
ended: "%s"
seconds: %v
hostname: "gpu%02d"
work_dir: "/home/ana/proj"
cwd: "/home/ana/proj"
user: "ana"
process: {"pid":%d,"start":%d,"boot":"6c7a55aa-33c1-4f3d-8a0a-2a1d6f2b7c11","pidns":4026531836}
resources: {"os":"linux","arch":"amd64","cpu":"AMD EPYC 7543 32-Core Processor","cpus":8,"memory":540000000000,"gpus":[{"index":0,"name":"NVIDIA A100-SXM4-80GB","uuid":"GPU-3c4a6a33-8a2e-4d6b-9a80-1b8f1f6f3f0e"}],"cpu_seconds":%v,"peak_memory":%d}
version_manager: {"mode":"off","commit_hash":"0b1c0de50b1c0de50b1c0de50b1c0de50b1c0de5","branch":"main","repo_path":"/home/ana/proj","dirty":false,"environment":null}
attempts: [{"n":0,"hostname":"gpu%02d","started":"%s","ended":"%s","status":"%s","exit_code":%d,"metrics_bytes":{"metrics.jsonl":0}}]
rerun_of: null
mlxp: "0.1.0"
`, id, status, code, lr, method, seed, lr, method, seed, id-1, runs, moment, moment, 100*random.Float64(), id%8, 1000+id, 123456+id,
			200*random.Float64(), 800000000+4096*random.IntN(10000), id%8, moment, moment, status, code)
		config := fmt.Sprintf(`{
  "method": "%s",
  "seed": %d,
  "optimizer": {
    "name": "sgd",
    "lr": %v,
    "momentum": 0.9,
    "weight_decay": 0.0001
  },
  "model": {
    "name": "mlp",
    "layers": [
      64,
      32
    ],
    "dropout": 0.1
  },
  "data": {
    "path": "/data/mnist",
    "batch_size": 128,
    "shuffle": true
  },
  "epochs": 20
}
`, method, seed, lr)
		for name, text := range map[string]string{"metadata/info.yaml": info, "metadata/config.json": config, "metadata/config.yaml": config, "metrics.jsonl": ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				return err
			}
		}
		for _, name := range []string{"train", "test"} {
			if steps == 0 {
				break
			}
			var text bytes.Buffer
			for step := range steps {
				fmt.Fprintf(&text, `{"step": %d, "loss": %v, "accuracy": %v}`+"\n", step, random.Float64(), random.Float64())
			}
			if err := os.WriteFile(filepath.Join(dir, "metrics", name+".jsonl"), text.Bytes(), 0o666); err != nil {
				return err
			}
		}
	}
	time.Sleep(3 * time.Second) // files that change now are not kept yet
	return nil
}
