package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// special are stories of single schedulers, by their names.
var special = map[string][]story{
	"slurm": {
		{"preempted", clusterPreempted, func(s *site) bool { return s.real }},
		{"warning signal for the script", clusterWarningB, func(s *site) bool { return s.warn != nil }},
	},
	"sge": {{"in error", clusterEqw, nil}},
	"oar": {{"another id", clusterNewID, nil}},
}

// With B: Slurm sends the signal to the script, not to its steps: it reaches the same
// processes.
func clusterWarningB(t *testing.T, c *cluster) {
	here := *c.site
	here.warning = "#SBATCH --signal=B:USR1@60"
	c.site = &here
	clusterWarning(t, c)
}

// A job in error waits for ever: status says so, and how to mend it.
func clusterEqw(t *testing.T, c *cluster) {
	jobs := c.sub(c.script("set -e", "sh -c 'exit 100'", "mlxp -- true"))
	row := c.awaitRow(1, func(row map[string]any) bool { return row["state"] == "Eqw" })
	if row["status"] != "SUBMITTED" || !strings.Contains(fmt.Sprint(row["why"]), "qmod -cj "+jobs[1]) {
		t.Errorf("status: %v", row)
	}
	c.mlxp(0, "cancel", "1")
	c.forget()
	if row := c.rows()[1]; row["status"] != "CREATED" || row["reason"] != "cancelled" {
		t.Errorf("status after cancel: %v", row)
	}
}

// A job that is submitted again under another id is the run's: it is shown, is not
// submitted besides, and can be cancelled.
func clusterNewID(t *testing.T, c *cluster) {
	c.write("wait.sh", "trap 'echo got TERM; exit 3' TERM", "echo started $MLXP_RESTARTS", "while :; do sleep 0.1; done")
	jobs := c.sub(c.script(append(c.again, "mlxp -- sh wait.sh")...))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.requeue(t, jobs[1])
	c.awaitFile(1, logdir.LogStdout, "started 1")
	c.forget()
	row := c.rows()[1]
	again, _ := row["job"].(string)
	if row["status"] != "RUNNING" && row["status"] != "STARTING" || again == "" || again == jobs[1] {
		t.Errorf("status: %v; submitted as %s", row, jobs[1])
	}
	if info := c.info(1); info.Scheduler == nil || info.Scheduler.JobID != again || info.Attempts[0].Job != jobs[1] || info.Attempts[1].Job != again {
		t.Errorf("record: %+v, attempts %+v; the job is %s, was %s", info.Scheduler, info.Attempts, again, jobs[1])
	}
	c.mlxp(0, "resume", "1")
	c.mlxp(0, "cancel", "1")
	info := c.await(1, logdir.Interrupted)
	if info.Reason == nil || *info.Reason != logdir.Cancelled || len(info.Attempts) != 2 {
		t.Errorf("%s, %v, attempts %+v", info.Status, info.Reason, info.Attempts)
	}
}
