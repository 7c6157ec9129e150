package scheduler

var pbs = &Scheduler{
	Name:       "pbs",
	Directives: []string{"#PBS"},
	JobID:      "PBS_JOBID",
	ArrayID:    "PBS_ARRAY_ID",
	Task:       "PBS_ARRAY_INDEX",
	Own:        []string{"PBS_"},
	Dirs:       []string{"PBS_O_WORKDIR"},
}
