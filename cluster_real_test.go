package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// realSites are the schedulers that .ci/clusters can start.
var realSites = map[string]*site{
	"slurm": {
		name:        "slurm",
		real:        true,
		query:       "squeue",
		kill:        50,
		requeueExit: 99,
		header:      []string{"#SBATCH --time=10"},
		pending:     "#SBATCH --hold",
		refused:     "#SBATCH --partition=nosuch",
		says:        "invalid partition specified: nosuch",
		cancel:      []string{"scancel"},
		patience:    2 * time.Minute,
		resumes:     true,
		requeue: func(t *testing.T, jobs ...string) {
			for _, job := range jobs {
				ask(t, "scontrol", "requeue", job)
			}
		},
		timeLimit: func(t *testing.T, job string) {
			ask(t, "scontrol", "update", "JobId="+job, "EndTime=now+1") // looked at every 30 s
		},
		warning: []string{"#SBATCH --signal=USR1@60"},
		warn: func(t *testing.T, job string) {
			ask(t, "scontrol", "update", "JobId="+job, "EndTime=now+300") // the time of the signal is looked at every 30 s
			ask(t, "scontrol", "update", "JobId="+job, "EndTime=now+65")
		},
		stop: daemon("/run/slurmctld.pid", []string{"slurmctld"}, "scontrol", "ping"),
	},
	"sge": {
		name:     "sge",
		real:     true,
		bare:     true,
		header:   []string{"#$ -l h_rt=0:10:0"},
		pending:  "#$ -h",
		refused:  "#$ -q nosuch.q",
		says:     `unknown queue "nosuch.q"`,
		cancel:   []string{"qdel"},
		patience: 2 * time.Minute,
		resumes:  true,
		short:    []string{"#$ -l h_rt=0:0:12"},
		requeue: func(t *testing.T, jobs ...string) {
			for _, job := range jobs {
				ask(t, "qmod", "-rj", job)
			}
		},
		kill:        50,
		requeueExit: 99,
		warning:     []string{"#$ -l s_rt=0:0:15"},
		warn:        func(*testing.T, string) {}, // it comes by itself
		stop: daemon("/var/spool/gridengine/qmaster/qmaster.pid",
			[]string{"env", "SGE_ROOT=/var/lib/gridengine", "SGE_CELL=default", "sge_qmaster"}, "qstat"),
	},
	"oar": {
		name:     "oar",
		real:     true,
		bare:     true,
		header:   []string{"#OAR -l /resource_id=1,walltime=0:10:0"},
		pending:  "#OAR --hold",
		refused:  "#OAR -q nosuchq",
		says:     "The queue nosuchq does not exist",
		cancel:   []string{"oardel"},
		patience: 8 * time.Minute,
		kills:    true,
		warns:    true,
		lingers:  true,
		resumes:  true,
		again:    []string{"#OAR -t besteffort", "#OAR -t idempotent"},
		short:    []string{"#OAR -l /resource_id=1,walltime=0:1:30", "#OAR --checkpoint 80"},
		requeue: func(t *testing.T, jobs ...string) {
			for _, job := range jobs {
				// A job that has the right to the core of this one, and to no other.
				ask(t, "oarsub", "-p", "resource_id="+resource(t, job), "-l", "/resource_id=1,walltime=0:1:0", "-O", os.DevNull, "-E", os.DevNull, "true") // else its output is left here
			}
		},
		kill:        4, // its jobs take their time
		requeueExit: 99,
		least:       6 * time.Second, // MLXP_OAR_RESUBMIT_AFTER is 5
		warning:     []string{"#OAR --checkpoint 300", "#OAR --signal 10"},
		warn:        func(t *testing.T, job string) { ask(t, "oardel", "-c", job) },
		stop:        daemon("/run/oar-server.pid", []string{"oar-server"}, "sh", "-c", "ss -Hltn sport = :6666 | grep -q ."),
	},
}

// resource is the core that OAR has given a job.
func resource(t *testing.T, job string) string {
	t.Helper()
	out, err := exec.Command("oarstat", "-J", "-f", "-j", job).Output()
	var jobs map[string]struct {
		Resources []int `json:"assigned_resources"`
	}
	if err == nil {
		err = json.Unmarshal(out, &jobs)
	}
	if err != nil || len(jobs[job].Resources) != 1 {
		t.Fatalf("job %s has one core: %v, %s", job, err, out)
	}
	return strconv.Itoa(jobs[job].Resources[0])
}

// daemon is how to stop the daemon whose number a file has, until it is started again
// and a command succeeds.
func daemon(pidFile string, start []string, ready ...string) func(t *testing.T) func() {
	return func(t *testing.T) func() {
		t.Helper()
		text, err := os.ReadFile(pidFile)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		await := func(what string, is func() bool) {
			for began := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
				if time.Since(began) > time.Minute {
					t.Fatalf("%s: not within a minute", what)
				}
			}
		}
		await("the end of "+pidFile, func() bool { return syscall.Kill(pid, 0) != nil })
		return func() {
			cmd := exec.Command(start[0], start[1:]...)
			cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"} // as when the cluster came up
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%q: %v: %s", start, err, out)
			}
			await(start[len(start)-1], func() bool { return exec.Command(ready[0], ready[1:]...).Run() == nil })
		}
	}
}

// ask executes a command of a scheduler's, which has to succeed.
func ask(t *testing.T, words ...string) {
	t.Helper()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", words, err, out)
	}
}
