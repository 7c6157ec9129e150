package scheduler

import (
	"os"
	"testing"
)

// What oarstat -J -f said of a job that was cancelled, of one that made room and the
// one that followed it, and of one that root had warned: see testdata/README.md.
func TestReadOarstat(t *testing.T) {
	text, err := os.ReadFile("testdata/oarstat.json")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := readOarstat(string(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Entry{}
	for _, e := range entries {
		got[e.ID] = e
	}
	for id, want := range map[string]struct {
		word, why, next, node string
		started               bool
	}{
		"8":  {"Terminated", "exit status 3", "", "cluster", true},
		"14": {"Terminated", "exit status 99", "41", "cluster", true},
		"30": {"Running", "", "", "cluster", true},
		"41": {"Waiting", "", "", "", false},
	} {
		e := got[id]
		if e.Word != want.word || e.Why != want.why || e.Next != want.next || e.Node != want.node || e.Started.IsZero() == want.started {
			t.Errorf("job %s: %+v, want %+v", id, e, want)
		}
	}
}

// A besteffort job is warned by the scheduler that wants its place, any other one by
// the guard of its time limit.
func TestReadOarstatWarned(t *testing.T) {
	for who, want := range map[string]string{"metasched": "preempted", "sarko": ""} {
		entries, err := readOarstat(`{"14": {"state": "Running", "events": [
			{"type": "CHECKPOINT", "description": "User oar (` + who + `) requested a checkpoint on the job 14 on cluster"}]}}`)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		if got := oar.Reasons[entries[0].Why]; got != want {
			t.Errorf("warned by %s: reason %q, want %q", who, got, want)
		}
	}
}
