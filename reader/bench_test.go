package reader

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// benchLog makes n runs with two metrics files of this many lines each.
func benchLog(b *testing.B, n, lines int) *Log {
	random := rand.New(rand.NewPCG(5, 6))
	runs := map[int]files{}
	for id := 1; id <= n; id++ {
		run := files{
			"metadata/info.yaml":   record(id, "COMPLETE", `exit_code: 0`, `command: ["python3","train.py","lr=0.1"]`, `version_manager: {"mode":"off","commit_hash":"abc"}`),
			"metadata/config.json": fmt.Sprintf(`{"method":"m%d","optimizer":{"name":"sgd","lr":%v},"seed":%d,"layers":[64,32]}`, id%3, 0.01*float64(id%5+1), id%10),
		}
		for _, name := range []string{"train", "test"} {
			var text strings.Builder
			for step := range lines {
				fmt.Fprintf(&text, `{"step": %d, "loss": %v, "accuracy": %v}`+"\n", step, random.Float64(), random.Float64())
			}
			run["metrics/"+name+".jsonl"] = text.String()
		}
		runs[id] = run
	}
	log, err := Open(writeLog(b, runs))
	if err != nil {
		b.Fatal(err)
	}
	return log
}

func benchQuery(b *testing.B, log *Log, q Query) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := log.Query(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	benchQuery(b, benchLog(b, 2000, 0), Query{Where: `config.optimizer.lr < 0.03 && info.status == "COMPLETE"`, Fields: []string{"config.seed"}})
}

func BenchmarkMeanCurve(b *testing.B) {
	log := benchLog(b, 100, 1000)
	b.SetBytes(100 * 1000 * 65) // of the file that is read
	benchQuery(b, log, Query{Group: []string{"config.method"}, Agg: []string{"mean(metrics.test.loss)"}})
}

func BenchmarkLast(b *testing.B) {
	benchQuery(b, benchLog(b, 100, 1000), Query{Fields: []string{"metrics.test.loss.last()"}})
}
