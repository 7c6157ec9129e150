package fakesched

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The recorded answers of submission, which package scheduler reads ids from,
// are whole: an id stands in its answer, and a refusal has none.
func TestRecordedAnswers(t *testing.T) {
	text, err := os.ReadFile("../../scheduler/testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var a struct {
			Scheduler, Case, Stdout, Stderr, ID, Source, Lingers string
			Status                                               int
			IDs                                                  []string
		}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		count[a.Scheduler]++
		switch {
		case a.Case == "" || a.Source == "":
			t.Errorf("no case or source: %s", line)
		case a.ID != "" && (a.Status != 0 || !strings.Contains(a.Stdout, a.ID)):
			t.Errorf("id %q is not in an accepting answer: %s", a.ID, line)
		case a.Scheduler == "oar" && (a.ID == "") != (len(a.IDs) == 0):
			t.Errorf("ids %q: %s", a.IDs, line)
		}
	}
	for _, name := range []string{"slurm", "oar", "sge", "pbs", "lsf", "moab"} {
		if count[name] < 10 {
			t.Errorf("%s: %d answers", name, count[name])
		}
	}
}

// A node ends when its directory is removed, with all that it runs.
func TestNodeEnds(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm"})
	w.ok("sbatch -o /dev/null --wrap 'echo $$ >pid; sleep 60'; until test -s pid; do sleep 0.01; done")
	if err := os.RemoveAll(w.site.dir); err != nil {
		t.Fatal(err)
	}
	w.ok("while kill -0 $(cat pid) 2>/dev/null; do sleep 0.01; done")
}
