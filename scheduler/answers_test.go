package scheduler

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each recorded answer to a submission is read as its id, or as a refusal.
func TestAnswers(t *testing.T) {
	text, err := os.ReadFile("testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var a struct {
			Scheduler, Case, Stdout, Stderr, ID, Lingers string
			IDs                                          []string
			Status                                       int
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		t.Run(a.Scheduler+"/"+a.Case, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, content := range map[string]string{
				"stdout": a.Stdout, "stderr": a.Stderr, "script": "#!/bin/sh\n",
				"submit": "#!/bin/sh\ncat " + dir + "/stdout\ncat " + dir + "/stderr >&2\nexit " + strconv.Itoa(a.Status) + "\n",
			} {
				if err := os.WriteFile(dir+"/"+name, []byte(content), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			s := *ByName(a.Scheduler)
			s.Submit = []string{"/bin/sh", dir + "/submit"}
			tasks := 0
			if len(a.IDs) > 1 {
				tasks = len(a.IDs)
			}
			c := Client{Scheduler: &s}
			r, err := c.SubmitScript(t.Context(), dir+"/script", tasks)
			want := a.ID
			if a.Lingers != "" && s.Despite != nil {
				want = a.Lingers
			}
			if r.ID != want || (err != nil) != (want == "") {
				t.Errorf("id %q, %v; want %q", r.ID, err, want)
			}
			if tasks > 0 && !slices.Equal(r.Tasks, a.IDs) {
				t.Errorf("tasks %q, want %q", r.Tasks, a.IDs)
			}
		})
	}
}
