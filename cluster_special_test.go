package main

import "testing"

// special are stories of single schedulers, by their names.
var special = map[string][]story{
	"slurm": {
		{"preempted", clusterPreempted, isReal},
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

// With B: Slurm sends the signal to the script, not to its steps: it reaches the same
// processes.
func clusterWarningB(t *testing.T, c *cluster) {
	here := *c.site
	here.warning = []string{"#SBATCH --signal=B:USR1@60"}
	c.site = &here
	clusterWarning(t, c)
}
