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
		requeue: func(t *testing.T, job string) {
			ask(t, "scontrol", "requeue", job)
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
}

// ask executes a command of a scheduler's, which has to succeed.
func ask(t *testing.T, words ...string) {
	t.Helper()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", words, err, out)
	}
}
