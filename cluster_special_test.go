package main

import (
	"strings"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// special are stories of single schedulers, by their names.
var special = map[string][]story{
	"slurm": {
		{"preempted", clusterPreempted, isReal},
		{"rm while it is requeued", clusterRemoveRequeued, isReal},
		{"warning signal for the script", clusterWarningB, func(s *site) bool { return s.warn != nil }},
	},
	"sge": {
		{"in error", clusterEqw, nil},
		{"qsub warns", clusterWarnings, isReal},
		{"exit status 100", clusterExit100, isReal},
		{"one task again", clusterRestarted, isReal},
		{"qacct", clusterQacct, isReal},
		{"names", clusterNames, isReal},
	},
	"oar": {
		{"another id", clusterNewID, nil},
		{"refused with an id", clusterRefusedID, isReal},
		{"edited while it waits", clusterEdited, isReal},
		{"an array of jobs", clusterJobs, isReal},
		{"an apostrophe", clusterApostrophe, isReal},
	},
}

// isReal is for stories that want what fakes do not have.
func isReal(s *site) bool { return s.real }

// A run that has ended for now stays as long as its job waits to start again.
func clusterRemoveRequeued(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	jobs := c.sub(c.script("mlxp -- sh wait.sh"))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.await(1, logdir.Running)
	c.requeue(t, jobs[1])
	c.await(1, logdir.Interrupted)
	if out := c.mlxp(1, "rm", "--yes", "1"); !strings.Contains(out.stderr, "job "+jobs[1]) {
		t.Errorf("rm: %s", out.stderr)
	}
	c.await(1, logdir.Complete)
	c.mlxp(0, "rm", "--yes", "1")
}

// With B: Slurm sends the signal to the script, not to its steps: it reaches the same
// processes.
func clusterWarningB(t *testing.T, c *cluster) {
	here := *c.site
	here.warning = []string{"#SBATCH --signal=B:USR1@60"}
	c.site = &here
	clusterWarning(t, c)
}
