package main

import (
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
		warning: "#SBATCH --signal=USR1@60",
		warn: func(t *testing.T, job string) {
			ask(t, "scontrol", "update", "JobId="+job, "EndTime=now+300") // the time of the signal is looked at every 30 s
			ask(t, "scontrol", "update", "JobId="+job, "EndTime=now+65")
		},
		stop: func(t *testing.T) func() {
			text, err := os.ReadFile("/run/slurmctld.pid")
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
			for syscall.Kill(pid, 0) == nil {
				time.Sleep(20 * time.Millisecond)
			}
			return func() {
				ask(t, "slurmctld")
				for began := time.Now(); exec.Command("scontrol", "ping").Run() != nil; time.Sleep(100 * time.Millisecond) {
					if time.Since(began) > time.Minute {
						t.Fatal("slurmctld does not come back")
					}
				}
			}
		},
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
		patience: 4 * time.Minute,
		kills:    true,
		lingers:  true,
		resumes:  true,
		again:    []string{"#OAR -t besteffort", "#OAR -t idempotent"},
		short:    []string{"#OAR -l /resource_id=1,walltime=0:0:40", "#OAR --checkpoint 30"},
		requeue: func(t *testing.T, jobs ...string) {
			ask(t, "oarsub", "-l", "/core=8,walltime=0:1:0", "true")
		},
	},
}

// ask executes a command of a scheduler's, which has to succeed.
func ask(t *testing.T, words ...string) {
	t.Helper()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", words, err, out)
	}
}
