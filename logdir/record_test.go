package logdir

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/process"
)

func at(t *testing.T, text string) Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return Time{moment}
}

func ptr[T any](v T) *T { return &v }

// full is a record with every key, as design section 5 shows it.
func full(t *testing.T) *Info {
	return &Info{
		Schema: 1, ID: 43, Status: Complete, ExitCode: ptr(0),
		Command:   jsontext.Texts([]string{"python3", "train.py", "lr=0.1"}),
		Words:     jsontext.Texts([]string{"python3", "train.py", "lr=0.1,1"}),
		Overrides: jsontext.Texts([]string{"lr=0.1"}),
		Sweep:     &Sweep{41, 2, 4},
		Created:   at(t, "2026-11-23T04:01:02.123Z"), Started: at(t, "2026-11-23T04:01:03.120Z"), Ended: at(t, "2026-11-23T05:05:03.13+01:00"),
		Seconds: ptr(240.01), Hostname: "gpu07", WorkDir: "/home/a/.work_dir/proj/0b1c/exp", Cwd: "/home/a/proj/exp", User: "a",
		Process: &process.Process{Pid: 4711, Start: 123456789, Boot: "6c7a", PidNS: 4026531836},
		Resources: &Resources{OS: "linux", Arch: "amd64", CPU: "EPYC 7543", CPUs: 32, Memory: 540000000000,
			GPUs: []GPU{{0, "A100", "GPU-1"}}, CPUSeconds: 812.2, PeakMemory: 8123456789},
		VersionManager: &VersionManager{Mode: "snapshot", CommitHash: "0b1c", Parent: "9f8e", Branch: "main", RepoPath: "/home/a/proj",
			Path: "exp", Remote: "git@host:proj", Dirty: ptr(true), Backup: "/home/a/.work_dir/proj/0b1c"},
		Scheduler: &Scheduler{"slurm", "1234_2", "1234", ptr(2)},
		Attempts: []Attempt{{N: 0, Hostname: "gpu07", Job: "1234_2", Started: at(t, "2026-11-23T04:01:03.120Z"), Ended: at(t, "2026-11-23T04:05:03.130Z"),
			Status: Complete, ExitCode: ptr(0), MetricsBytes: map[string]int64{"metrics.jsonl": 0}}},
		Mlxp: "0.1.0",
	}
}

const fullText = `schema: 1
id: 43
status: "COMPLETE"
reason: null
exit_code: 0
signal: null
command: ["python3","train.py","lr=0.1"]
words: ["python3","train.py","lr=0.1,1"]
overrides: ["lr=0.1"]
sweep: {"id":41,"index":2,"size":4}
created: "2026-11-23T04:01:02.123Z"
started: "2026-11-23T04:01:03.120Z"
ended: "2026-11-23T04:05:03.130Z"
seconds: 240.01
hostname: "gpu07"
work_dir: "/home/a/.work_dir/proj/0b1c/exp"
cwd: "/home/a/proj/exp"
user: "a"
process: {"pid":4711,"start":123456789,"boot":"6c7a","pidns":4026531836}
resources: {"os":"linux","arch":"amd64","cpu":"EPYC 7543","cpus":32,"memory":540000000000,"gpus":[{"index":0,"name":"A100","uuid":"GPU-1"}],"cpu_seconds":812.2,"peak_memory":8123456789}
version_manager: {"mode":"snapshot","commit_hash":"0b1c","parent":"9f8e","branch":"main","repo_path":"/home/a/proj","path":"exp","remote":"git@host:proj","dirty":true,"backup":"/home/a/.work_dir/proj/0b1c","environment":null}
scheduler: {"name":"slurm","scheduler_job_id":"1234_2","array":"1234","task":2}
attempts: [{"n":0,"hostname":"gpu07","job":"1234_2","started":"2026-11-23T04:01:03.120Z","ended":"2026-11-23T04:05:03.130Z","status":"COMPLETE","exit_code":0,"metrics_bytes":{"metrics.jsonl":0}}]
rerun_of: null
mlxp: "0.1.0"
`

func TestRecordForm(t *testing.T) {
	text, err := encodeRecord(full(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != fullText {
		t.Errorf("record:\n%s\nwant:\n%s", text, fullText)
	}
	back, err := decodeInfo(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := encodeRecord(back)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != fullText {
		t.Errorf("read and written again:\n%s\nwant:\n%s", again, fullText)
	}
}

// A record that knows little has no more keys than it must.
func TestRecordOfANewRun(t *testing.T) {
	text, err := encodeRecord(&Info{Schema: 1, ID: 1, Status: Created, Overrides: jsontext.Texts(nil), Words: jsontext.Texts([]string{"true"})})
	if err != nil {
		t.Fatal(err)
	}
	want := "schema: 1\nid: 1\nstatus: \"CREATED\"\nreason: null\nsignal: null\nwords: [\"true\"]\noverrides: []\nrerun_of: null\n"
	if string(text) != want {
		t.Errorf("record:\n%s\nwant:\n%s", text, want)
	}
}

// Any bytes in a command come back, and each value stays on its line.
func TestRecordHoldsAnyBytes(t *testing.T) {
	words := []string{"a\nb", "\xff\xfe", "\u2028", "'\"\\", "<&>", "\x00", "é😀", "#: - ?"}
	info := &Info{Schema: 1, ID: 1, Status: Created, Command: jsontext.Texts(words)}
	text, err := encodeRecord(info)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines != 7 {
		t.Errorf("%d lines in\n%s", lines, text)
	}
	back, err := decodeInfo(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := jsontext.Strings(back.Command); !reflect.DeepEqual(got, words) {
		t.Errorf("command = %q, want %q", got, words)
	}
}

func TestReadInfoRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, says string }{
		{"an empty file", "", "lacks schema or status"},
		{"a cut line", "schema: 1\nstatus: \"CREA", "line 2 is cut off"},
		{"a value that is not JSON", "schema: 1\nstatus: CREATED\n", "line 2 is not a key with a JSON value"},
		{"a line without a key", "schema: 1\n[1]\n", "line 2"},
		{"zeros after a crash of the machine", "\x00\x00\x00\n", "line 1"},
		{"a newer schema", "schema: 2\nstatus: \"CREATED\"\n", "newer mlxp"},
		{"a wrong type", "schema: 1\nstatus: 3\n", "status"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := Run{t.TempDir(), 1}
			if err := os.Mkdir(run.Path(MetadataDir), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(run.Path(InfoYAML), []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := run.ReadInfo()
			if !errors.Is(err, ErrNoRecord) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("ReadInfo: %v; want ErrNoRecord and %q", err, test.says)
			}
		})
	}
}

func TestReadInfoPassesOverComments(t *testing.T) {
	info, err := decodeInfo([]byte("# moved from the old disk\n\nschema: 1\nstatus: \"CREATED\"\nid: 7\nfuture: {\"x\":1}\n"))
	if err != nil || info.ID != 7 {
		t.Errorf("decodeInfo = %+v, %v; want id 7", info, err)
	}
}

func TestWriteInfoReplaces(t *testing.T) {
	run := Run{t.TempDir(), 1}
	if err := os.Mkdir(run.Path(MetadataDir), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, status := range []Status{Created, Starting, Complete} {
		if err := run.WriteInfo(&Info{Schema: 1, ID: 1, Status: status}); err != nil {
			t.Fatal(err)
		}
		if info, err := run.ReadInfo(); err != nil || info.Status != status {
			t.Errorf("ReadInfo = %v, %v; want %s", info, err, status)
		}
	}
	entries, err := os.ReadDir(run.Path(MetadataDir))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v left in metadata; want info.yaml alone", entries, err)
	}
}

func TestRecordJSON(t *testing.T) {
	object, err := RecordJSON([]byte(fullText))
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(object, &record); err != nil || record["hostname"] != "gpu07" {
		t.Errorf("RecordJSON = %s, %v", object, err)
	}
}

// Whatever the file holds, reading it does not panic, and what reads as a
// record can be written and read again.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(fullText))
	f.Add([]byte("schema: 1\nstatus: \"X\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := decodeInfo(text)
		if err != nil {
			return
		}
		again, err := encodeRecord(info)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeInfo(again); err != nil {
			t.Fatalf("%v in\n%s", err, again)
		}
	})
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	if _, err := Find(root, 3); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Find of a run that is not there: %v", err)
	}
	for _, name := range []string{"3", "10", "2", "007", "x", ".mlxp", "1.5"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := Runs(root)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	if !reflect.DeepEqual(ids, []int{2, 3, 10}) {
		t.Errorf("Runs = %v, want 2 3 10", ids)
	}
	if runs, err := Runs(filepath.Join(root, "none")); err != nil || runs != nil {
		t.Errorf("Runs of a dir that is not there = %v, %v", runs, err)
	}
}
