package scheduler

import (
	"slices"
	"testing"
	"time"
)

func TestSlurmAnswer(t *testing.T) {
	for _, test := range []struct {
		name, stdout string
		id           string
	}{
		{"as it is", "Submitted batch job 12\n", "12"},
		{"parsable", "13\n", "13"},
		{"parsable, of a federation", "13;east\n", "13"},
		{"of another cluster", "Submitted batch job 12 on cluster east\n", "12"},
		{"a wrapper speaks first", "Project: 17 hours left\nSubmitted batch job 12\n", "12"},
		{"a wrapper speaks last", "Submitted batch job 12\nsee http://cluster/jobs/12\n", "12"},
		{"nothing", "", ""},
		{"a refusal", "sbatch: error: Batch job submission failed: Invalid partition name specified\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Client{Scheduler: slurm}
			ids := c.ids(test.stdout)
			got := ""
			if len(ids) > 0 {
				got = ids[len(ids)-1]
			}
			if got != test.id {
				t.Errorf("id %q, want %q", got, test.id)
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	c := Client{Scheduler: slurm}
	r, err := c.receipt([]string{"14"}, 3)
	if err != nil || r.ID != "14" || !slices.Equal(r.Tasks, []string{"14_1", "14_2", "14_3"}) {
		t.Errorf("an array of 3: %+v, %v", r, err)
	}
	each := Client{Scheduler: &Scheduler{Submit: []string{"submit"}}}
	r, err = each.receipt([]string{"4", "5", "6"}, 3)
	if err != nil || !slices.Equal(r.Tasks, []string{"4", "5", "6"}) {
		t.Errorf("tasks with ids of their own: %+v, %v", r, err)
	}
	if _, err := each.receipt([]string{"4", "5"}, 3); err == nil {
		t.Error("two ids for three tasks are no error")
	}
}

// What squeue of Slurm 22.05 printed.
func TestReadSqueue(t *testing.T) {
	entries, err := readSqueue(`32_3|PENDING|JobArrayTaskLimit||2026-11-23T03:00:00|N/A|train-12-k3f9x2ab
35|RUNNING|None|n2|2026-11-23T03:00:00|2026-11-23T03:01:00|a|b
36|PENDING|Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions||2026-11-23T03:00:00|N/A|x
`)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	e := entries[0]
	submitted := time.Date(2026, 11, 23, 3, 0, 0, 0, time.Local)
	if e.ID != "32_3" || e.Task != "3" || e.Word != "PENDING" || e.Why != "JobArrayTaskLimit" || e.Name != "train-12-k3f9x2ab" || !e.Submitted.Equal(submitted) || !e.Started.IsZero() {
		t.Errorf("%+v", e)
	}
	if e := entries[1]; e.Why != "" || e.Node != "n2" || e.Name != "a|b" || e.Started.IsZero() || e.Task != "" {
		t.Errorf("%+v", e)
	}
}

func TestReadSacct(t *testing.T) {
	entries, err := readSacct("12_1|COMPLETED|0:0|n1|2026-11-23T03:00:00|2026-11-23T03:00:01|a\n12_2|CANCELLED by 1000|0:15|None assigned|2026-11-23T03:00:00|Unknown|a\n")
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if e := entries[1]; e.Word != "CANCELLED" || e.Why != "exit code 0:15" || e.Node != "" || e.Task != "2" {
		t.Errorf("%+v", e)
	}
}

// What slurmstepd of Slurm 22.05 writes into the output of jobs.
func TestSlurmEnds(t *testing.T) {
	for text, want := range map[string]string{
		"slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:10:00 DUE TO JOB REQUEUE ***":                                 "preempted",
		"slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:10:00 DUE TO PREEMPTION ***":                                  "preempted",
		"slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:10:00 DUE TO TIME LIMIT ***":                                  "time_limit",
		"slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:10:00 ***":                                                    "cancelled",
		"slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:10:00 DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***": "preempted",
	} {
		m := slurm.Ends().FindStringSubmatch(text)
		if m == nil {
			t.Errorf("not found in %s", text)
		} else if got := slurm.Reasons[m[1]]; got != want {
			t.Errorf("%q of %s is %q, want %q", m[1], text, got, want)
		}
	}
}

func TestSlurmSite(t *testing.T) {
	got := slurmSite(func(...string) (string, error) {
		return "Configuration data as of 2026-11-23T03:00:00\nKillWait                = 2 sec\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n", nil
	})
	if got != (Limits{Array: 1000, Grace: 2 * time.Second}) {
		t.Errorf("%+v", got)
	}
}

func TestSlurmPath(t *testing.T) {
	for _, test := range []struct{ path, task, want string }{
		{"/a/logs/12/job.log", "", `"/a/logs/12/job.log"`},
		{"/a b/it's,100%j:x/job.log", "", `"/a b/it's,100%%j:x/job.log"`},
		{"/a%a/12/array-x/%a/job.log", "%a", `"/a%%a/12/array-x/%a/job.log"`},
		{"/a\\b/job.log", "", ""},
		{"/a\nb/job.log", "", ""},
	} {
		got, ok := slurmPath(test.path, test.task)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%q: %q, %v; want %q", test.path, got, ok, test.want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		value string
		found bool
	}{
		{"long", []string{" --job-name=train"}, "train", true},
		{"long, a word of its own", []string{" --job-name train"}, "train", true},
		{"short", []string{" -J train"}, "train", true},
		{"attached", []string{" -Jtrain -t 5"}, "train", true},
		{"quoted, with a comment", []string{` -J "my train" # its name`}, "my train", true},
		{"the last one counts", []string{" -J a", " -J b"}, "b", true},
		{"none", []string{" --job-name-x=a -t 5"}, "", false},
		{"in a comment", []string{" -t 5 # -J a"}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			value, found := slurm.Find(test.lines, slurm.Options.Name)
			if value != test.value || found != test.found {
				t.Errorf("%q, %v; want %q, %v", value, found, test.value, test.found)
			}
		})
	}
}

func TestSlurmWarning(t *testing.T) {
	for value, want := range map[string]struct {
		signal string
		early  time.Duration
	}{
		"USR1@120": {"USR1", 2 * time.Minute}, "B:USR1@60": {"USR1", time.Minute}, "RB:SIGTERM": {"TERM", time.Minute}, "10@30": {"10", 30 * time.Second}, "": {},
	} {
		signal, early := slurmWarning(func(...string) []string { return []string{value} })
		if signal != want.signal || early != want.early {
			t.Errorf("%q: %q, %v; want %+v", value, signal, early, want)
		}
	}
}

func TestCleanEnviron(t *testing.T) {
	got := CleanEnviron([]string{"HOME=/a", "SLURM_JOB_ID=1", "SLURM_CONF=/x", "PMI_RANK=0", "SBATCH_PARTITION=gpu", "OAR_JOB_ID=3", "SLURMD_NODENAME=n", "PATH=/bin"})
	if want := []string{"HOME=/a", "SLURM_CONF=/x", "SBATCH_PARTITION=gpu", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
