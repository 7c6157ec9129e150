package reader

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/process"
)

// TestGarbage puts garbage into every file of a run in turn: each command still
// answers, the run keeps its row, and the others are as they were.
func TestGarbage(t *testing.T) {
	whole := func() map[int]files {
		runs := map[int]files{}
		for id := 1; id <= 3; id++ {
			runs[id] = files{
				"metadata/info.yaml":    record(id, "COMPLETE", `exit_code: 0`, `version_manager: {"commit_hash":"abc"}`, attempts("metrics.jsonl", 0, 3)),
				"metadata/config.yaml":  fmt.Sprintf("lr: 0.%d\n", id),
				"metadata/config.json":  fmt.Sprintf(`{"lr":0.%d}`, id),
				"metadata/job.yaml":     `scheduler_job_id: "12"` + "\n",
				"metadata/claim.0":      `{"n":0}`,
				"metadata/mlxp.yaml":    "",
				"metrics.jsonl":         `{"loss":1}` + "\n",
				"metrics/train.jsonl":   `{"loss":1}` + "\n",
				"metrics/train.json":    `{"loss":1}` + "\n",
				"artifacts/ckpt/9.pt":   "x",
				"log.stderr":            "boom\n",
				"log.stdout":            "hello\n",
				"artifacts/.keys/a.txt": "",
			}
		}
		return runs
	}
	garbage := map[string]string{
		"empty":        "",
		"zeros":        strings.Repeat("\x00", 5000),
		"not UTF-8":    "\xff\xfe\x80{\n\xf0\x28",
		"cut JSON":     `{"a":{"b":[1,2`,
		"a list":       "[1, 2, 3]\n",
		"a word":       "hello",
		"wrong types":  "schema: \"x\"\nid: []\nstatus: 3\nattempts: {\"a\":1}\nversion_manager: 7\nseconds: \"x\"\ncommand: 1\nsweep: [1]\nprocess: 1\n",
		"half YAML":    "a: [1\nb: {",
		"tabs":         "\ta:\n\t\t- : :\n",
		"deep":         strings.Repeat("[", 10_000),
		"deep objects": strings.Repeat(`{"a":`, 10_000),
		"an anchor":    "a: &a [*a]\nb: *c\n",
		"running":      "schema: 1\nid: 2\nstatus: \"RUNNING\"\nprocess: {\"pid\":-5}\n",
		"huge number":  `{"lr":1` + strings.Repeat("0", 5000) + `}`,
	}
	commands := [][]string{
		{"query"},
		{"query", "-o", "csv"},
		{"query", "--json", "--fields", "config.lr,info.status,metrics.loss,metrics.train.loss.last(),artifacts.size()"},
		{"query", "--json", "--group", "config.lr", "--agg", "mean(metrics.loss.last()),std(metrics.train.loss)"},
		{"fields"},
		{"diff", "--over", "info"},
		{"show", "2"},
		{"show", "--json", "2"},
	}
	// The others are not opened, or nothing is made of what they hold.
	parsed := []string{"metadata/info.yaml", "metadata/config.json", "metrics.jsonl", "metrics/train.jsonl", "log.stderr"}
	for name := range whole()[2] {
		root := writeLog(t, whole())
		for kind, text := range garbage {
			if !slices.Contains(parsed, name) && kind != "zeros" && kind != "cut JSON" {
				continue
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				write(t, filepath.Join(root, "2", name), text)
				for _, args := range commands {
					out, _, err := mlxp(t, root, args...)
					if err != nil {
						t.Errorf("%v: %v", args, err)
						continue
					}
					if line := strings.Join(args, " "); strings.HasPrefix(line, "query --json") && !strings.Contains(line, "--group") {
						var rows []struct{ ID int }
						if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 3 {
							t.Errorf("%v: %d rows, %v\n%.300s", args, len(rows), err, out)
						}
					}
				}
			})
		}
		path := filepath.Join(root, "2", name)
		for _, kind := range []string{"missing", "directory"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if kind == "directory" {
					write(t, filepath.Join(path, "x"), "x")
				}
				for _, args := range commands {
					if _, _, err := mlxp(t, root, args...); err != nil {
						t.Errorf("%v: %v", args, err)
					}
				}
			})
		}
	}
}

// TestBrokenFilesAreSaid: a run with a broken file has a warning that names it.
func TestBrokenFilesAreSaid(t *testing.T) {
	good := record(1, "COMPLETE")
	for _, c := range []struct {
		name string
		run  files
		warn string
	}{
		{"a lost record", files{"metadata/config.yaml": "a: 1\n", "metadata/claim.0": "{}\n"}, "run 1: it has no record"},
		{"no directory", files{"": "x"}, "run 1: it has no record"},
		{"a torn record", files{"metadata/info.yaml": good + `exit_code`}, "run 1: metadata/info.yaml: line 4 is broken"},
		{"a torn config.json", files{"metadata/info.yaml": good, "metadata/config.json": `{"a":`}, "run 1: metadata/config.json"},
		{"a broken config.yaml", files{"metadata/info.yaml": good, "metadata/config.yaml": "a: [1\n"}, "run 1: metadata/config.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, notes, err := mlxp(t, writeLog(t, map[int]files{1: c.run}), "query", "--json")
			if err != nil || !strings.Contains(out, `"id":1`) || !strings.Contains(notes, c.warn) {
				t.Errorf("got %q, %q, %v", out, notes, err)
			}
		})
	}
}

// A directory without a record was never a run, nor is one of a sweep whose first
// run has no record yet. If that was removed, the others are runs.
func TestAbsentRuns(t *testing.T) {
	part := record(2, "CREATED") + `sweep: {"id":1,"index":1,"size":2}` + "\n"
	unmade := files{"metadata/config.yaml": "a: 1\n"}
	for _, c := range []struct {
		name string
		runs map[int]files
		want string // of the output
		note string
	}{
		{"no record", map[int]files{1: unmade, 2: {"metadata/info.yaml": record(2, "COMPLETE")}}, "[\n{\"id\":2}\n]", "no run in 1: "},
		{"half a sweep", map[int]files{1: unmade, 2: {"metadata/info.yaml": part}}, `[]`, "no run in 1-2: "},
		{"a sweep whose first is removed", map[int]files{2: {"metadata/info.yaml": part}}, "[\n{\"id\":2}\n]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, notes, err := mlxp(t, writeLog(t, c.runs), "query", "--json", "--fields", "id")
			if err != nil || strings.TrimSpace(out) != c.want || !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
				t.Errorf("got %q, %q, %v; want %q, %q", out, notes, err, c.want, c.note)
			}
		})
	}
}

func TestShownStatus(t *testing.T) {
	self := process.Self()
	process := func(pid int, start uint64) string {
		text, err := json.Marshal(process.Process{Pid: pid, Start: start, Boot: self.Boot, PidNS: self.PidNS})
		if err != nil {
			t.Fatal(err)
		}
		return "process: " + string(text)
	}
	root := writeLog(t, map[int]files{
		1: {"metadata/info.yaml": record(1, "RUNNING", process(self.Pid, self.Start))},
		2: {"metadata/info.yaml": record(2, "RUNNING", process(self.Pid, self.Start+1))},
		3: {"metadata/info.yaml": record(3, "RUNNING")},
		4: {"metadata/info.yaml": record(4, "CREATED")},
		5: {"metadata/info.yaml": record(5, "CREATED"), "metadata/job.yaml": `scheduler_job_id: "77"` + "\n"},
		6: {"metadata/info.yaml": record(6, "COMPLETE"), "metadata/job.yaml": `scheduler_job_id: "77"` + "\n"},
		7: {"metadata/info.yaml": record(7, "CREATED", "reason: null"), "metadata/job.yaml": "scheduler: \"slurm\"\nreason: \"rejected\"\nmessage: \"invalid partition\"\n"},
		8: {"metadata/info.yaml": record(8, "CREATED"), "metadata/job.yaml": "scheduler_job_id: \"78\"\nreason: \"cancelled\"\n"},
	})
	out, _, err := mlxp(t, root, "query", "-o", "csv", "--fields", "info.status,info.reason")
	if want := "id,info.status,info.reason\n1,RUNNING,\n2,LOST,\n3,RUNNING,\n4,CREATED,\n5,SUBMITTED,\n6,COMPLETE,\n7,CREATED,rejected\n8,CREATED,cancelled\n"; out != want || err != nil {
		t.Errorf("got %s, %v; want %s", out, err, want)
	}
	if out, _, err := mlxp(t, root, "show", "7"); !strings.Contains(out, "CREATED (rejected)") || !strings.Contains(out, "invalid partition") || err != nil {
		t.Errorf("got %s, %v", out, err)
	}
	if out, _, err := mlxp(t, root, "show", "5"); !strings.Contains(out, "77") || err != nil {
		t.Errorf("got %s, %v", out, err)
	}
	if out, _, err := mlxp(t, root, "show", "2"); !strings.Contains(out, "mlxp resume 2") || err != nil {
		t.Errorf("got %s, %v", out, err)
	}
	out, _, err = mlxp(t, root, "query", "-o", "csv", "--fields", "id", `info.status == "LOST"`)
	if want := "id\n2\n"; out != want || err != nil {
		t.Errorf("got %s, %v", out, err)
	}
}

// TestReadOnly: a log dir that nobody may write to is read, and reading changes
// nothing in one that can be written to.
func TestReadOnly(t *testing.T) {
	root := writeLog(t, map[int]files{
		1: {"metadata/info.yaml": record(1, "RUNNING"), "metrics.jsonl": `{"a":1}` + "\n", "metadata/config.yaml": "lr: 1\n"},
	})
	state := func() string {
		var b strings.Builder
		err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
			if err == nil {
				fmt.Fprintln(&b, path, info.Size(), info.ModTime().Format(time.RFC3339Nano), info.Mode())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := state()
	for _, args := range [][]string{{"query", "metrics.a.last() == 1"}, {"fields"}, {"diff"}, {"show", "1"}} {
		if _, _, err := mlxp(t, root, args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	if after := state(); after != before {
		t.Errorf("before\n%safter\n%s", before, after)
	}
}

func TestLegacy(t *testing.T) {
	out, notes, err := mlxp(t, sampleLog, "query", "-o", "jsonl", "--fields",
		"info.status,info.command,info.hostname,info.process.pid,info.seconds,info.version_manager.mode,info.version_manager.commit_hash,info.logger.log_id,config.model.units,metrics.train.loss.min(),metrics.train.epoch", "id == 22")
	want := `{"id":22,"info.status":"COMPLETE","info.command":["/usr/bin/python3","/home/ana/old/main.py"],"info.hostname":"gpu01","info.process.pid":4711,"info.seconds":30.0,"info.version_manager.mode":"commit","info.version_manager.commit_hash":"5eed5eed","info.logger.log_id":22,"config.model.units":4,"metrics.train.loss.min()":0.3,"metrics.train.epoch":[0,1,2]}` + "\n"
	if out != want || notes != "" || err != nil {
		t.Errorf("got %s%s%v\nwant %s", out, notes, err, want)
	}
	out, _, err = mlxp(t, sampleLog, "query", "-o", "csv", "--fields", "timestamp(info.started) < timestamp(info.ended)", "id == 22")
	if !strings.HasSuffix(out, "22,true\n") || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
}

// TestInterpolations: before a run has started its config is the composed one.
func TestInterpolations(t *testing.T) {
	info := record(1, "CREATED")
	root := writeLog(t, map[int]files{
		1: {"metadata/info.yaml": info, "metadata/config.yaml": "a: 1\nb: ${a}\n"},
		2: {"metadata/info.yaml": info, "metadata/config.yaml": "a: 1\nb: ${oc.env:NODE_TMP}\n"},
		3: {"metadata/info.yaml": info, "metadata/config.yaml": "a: 1\nb: ${a}\n", "metadata/config.json": `{"a":1,"b":2}`},
		4: {"metadata/info.yaml": info, "metadata/config.yaml": "a: 1\nb: ${c}\n"},
	})
	out, notes, err := mlxp(t, root, "query", "-o", "csv", "--fields", "config.b")
	if want := "id,config.b\n1,1\n2,${oc.env:NODE_TMP}\n3,2\n4,${c}\n"; out != want || notes != "" || err != nil {
		t.Errorf("got %s%s%v", out, notes, err)
	}
}

func TestShow(t *testing.T) {
	root, err := filepath.Abs(sampleLog)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := mlxp(t, root, "show", "19")
	for _, want := range []string{"run 19  FAILED, exit status 1", "ValueError: loss is NaN", "wandb_token: '***'", "train.loss", root + "/19"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if err != nil {
		t.Error(err)
	}
	out, _, err = mlxp(t, root, "show", "--json", "1", "22")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if err != nil || len(lines) != 2 || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) {
		t.Fatalf("got %s, %v", out, err)
	}
	if want := `"metrics":{"test.accuracy":{"n":5,"first":0.725,"last":0.945,"min":0.725,"max":0.945},`; !strings.Contains(lines[0], want) {
		t.Errorf("%s is not in %s", want, lines[0])
	}
	if want := `"artifacts":[{"path":"pickle/last_ckpt.pkl","bytes":6}]}`; !strings.HasSuffix(lines[1], want) {
		t.Errorf("%s does not end %s", want, lines[1])
	}
	out, _, err = mlxp(t, root, "show", "--json", "1-3", "22")
	if n := strings.Count(out, "\n"); n != 4 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	lost := writeLog(t, map[int]files{
		1: {"metadata/info.yaml": record(1, "RUNNING", `process: {"pid":2000000000,"start":1}`, `words: ["sh","a b"]`, `mlxp: "0.1.0"`,
			`resources: {"os":"linux","arch":"amd64","cpus":8,"memory":17179869184,"gpus":[{"index":0,"name":"A100"}],"cpu_seconds":3.25,"peak_memory":1610612736}`,
			`attempts: [{"n":0,"hostname":"h1","status":"INTERRUPTED","exit_code":143},{"n":1,"hostname":"h2"}]`), "metrics.jsonl": `{"x":1}`, "artifacts/f": ""},
		2: {"metadata/info.yaml": record(2, "INTERRUPTED", `reason: "signal"`, `signal: "SIGKILL"`, `exit_code: 137`)},
	})
	out, _, err = mlxp(t, lost, "show", "1", "2")
	for _, want := range []string{
		"run 1  ", "launched   sh 'a b'", "8 CPUs, 16 GiB of memory, GPU A100, 3.2s of CPU time, 1.5 GiB of memory at most", "mlxp       0.1.0",
		"attempt 1  INTERRUPTED, exit status 143, h1\n", "attempt 2  h2\n", "\nmetrics\n  name ", "\nartifacts\n  path ",
		"run 2  INTERRUPTED (signal SIGKILL), exit status 137\n",
	} {
		if !strings.Contains(out, want) || err != nil {
			t.Errorf("%q is not in\n%s%v", want, out, err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "--path", "1"}, root + "/1\n"},
		{[]string{"show", "--path", "1", "ckpt/last.json"}, root + "/1/artifacts/ckpt/last.json\n"},
		{[]string{"show", "--path", "1", "metrics/train.jsonl"}, root + "/1/metrics/train.jsonl\n"},
		{[]string{"show", "--path", "1", "last.json"}, root + "/1/artifacts/ckpt/last.json\n"},
	} {
		if out, _, err := mlxp(t, root, c.args...); out != c.want || err != nil {
			t.Errorf("%v: got %q, %v", c.args, out, err)
		}
	}
	for _, c := range []struct {
		args       []string
		want, hint string
	}{
		{[]string{"show"}, "which run", "ID"},
		{[]string{"show", "x"}, `"x" is not the number of a run`, ""},
		{[]string{"show", "3-1"}, `"3-1" is not the number of a run`, ""},
		{[]string{"show", "--path", "1", "../2/metadata"}, "no artifact", ""},
		{[]string{"show", "99"}, "there is no run 99", ""},
		{[]string{"show", "--path", "1", "lats.json"}, "no artifact lats.json", ""},
		{[]string{"show", "--path", "1", "ckpt/lst.json"}, "no artifact", "ckpt/last.json"},
	} {
		out, _, err := mlxp(t, root, c.args...)
		if err == nil || out != "" || !strings.Contains(err.Error(), c.want) || !strings.Contains(strings.Join(fault.Hints(err), ""), c.hint) {
			t.Errorf("%v: got %q, %v, %q", c.args, out, err, fault.Hints(err))
		}
	}
}

// TestPipes: a named pipe where a file should be makes nobody wait.
func TestPipes(t *testing.T) {
	for _, name := range []string{"metadata/info.yaml", "metadata/config.json", "metadata/job.yaml", "metrics.jsonl", "metrics/a.jsonl", "log.stderr"} {
		root := writeLog(t, map[int]files{1: {
			"metadata/info.yaml": record(1, "FAILED"), "metadata/config.json": "{}", "metadata/x": "", "metrics/x": "",
		}})
		path := filepath.Join(root, "1", name)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"query"}, {"query", "--fields", "metrics.loss.last(),metrics.a.x,config.y"}, {"fields"}, {"show", "1"}} {
			if _, _, err := mlxp(t, root, args...); err != nil {
				t.Errorf("%s: %v: %v", name, args, err)
			}
		}
	}
}

func TestSeveral(t *testing.T) {
	for _, text := range []string{
		``, ` `, `null`, `3`, `"a,b"`, `{"a":1,"b":2}`, `[]`, `[1]`, `[1,2]`, ` [ 1 , 2 ] `, `["a,b"]`, `["\",",1]`, `["\\",1]`, `["\\,\""]`, `[{"a":[1,2],"b":3}]`, `[[1,2]]`, `[[1],2]`,
		`[{"n":0,"hostname":"a],[b","metrics_bytes":{"metrics.jsonl":0}},{"n":1}]`,
	} {
		var list []any
		want := json.Unmarshal([]byte(text), &list) == nil && len(list) > 1
		if got := several([]byte(text)); got != want {
			t.Errorf("several(%s) = %v", text, got)
		}
	}
}
