package reader

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// TestPaper reduces 105 runs, 7 methods at 3 noise levels with 5 seeds, to the
// mean and the standard deviation of the test loss by one query, and works the
// same out from the numbers that went in.
func TestPaper(t *testing.T) {
	methods := []string{"sgd", "adam", "rmsprop", "adagrad", "lbfgs", "momentum", "nesterov"}
	stds := []float64{0.1, 1, 10}
	runs := map[int]files{}
	type key struct {
		Method string  `json:"config.method"`
		Std    float64 `json:"config.std"`
	}
	losses := map[key][]float64{}
	for m, method := range methods {
		for s, std := range stds {
			for seed := range 5 {
				id := len(runs) + 1
				lines := ""
				loss := 0.0
				for epoch := range 3 {
					loss = (float64(m) + std*0.37 + float64(seed*seed)*0.011) / float64(epoch+1)
					lines += fmt.Sprintf(`{"epoch":%d,"loss":%s}`+"\n", epoch, floatText(loss))
				}
				losses[key{method, std}] = append(losses[key{method, std}], loss)
				runs[id] = files{
					"metadata/info.yaml":   record(id, "COMPLETE"),
					"metadata/config.json": fmt.Sprintf(`{"method":%q,"std":%v,"seed":%d,"s":%d}`, method, std, seed, s),
					"metrics/test.jsonl":   lines,
				}
			}
		}
	}
	if len(runs) != 105 {
		t.Fatal(len(runs))
	}
	out, notes, err := mlxp(t, writeLog(t, runs), "query", "--json", "--group", "config.method,config.std",
		"--agg", "mean=mean(metrics.test.loss.last()),std=std(metrics.test.loss.last())", `info.status == "COMPLETE"`)
	if err != nil || notes != "" {
		t.Fatal(notes, err)
	}
	var rows []struct {
		key
		N         int
		Mean, Std float64
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 21 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		values := losses[row.key]
		sum, squares := 0.0, 0.0
		for _, x := range values {
			sum += x
		}
		mean := sum / float64(len(values))
		for _, x := range values {
			squares += (x - mean) * (x - mean)
		}
		std := math.Sqrt(squares / float64(len(values)-1))
		if row.N != 5 || math.Abs(row.Mean-mean) > 1e-12 || math.Abs(row.Std-std) > 1e-12 {
			t.Errorf("%+v: want %v ± %v", row, mean, std)
		}
	}
}
