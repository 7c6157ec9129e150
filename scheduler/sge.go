package scheduler

var sge = &Scheduler{
	Name:       "sge",
	Directives: []string{"#$"},
	JobID:      "JOB_ID",
	ArrayID:    "JOB_ID",
	Task:       "SGE_TASK_ID",
	Own:        []string{"SGE_", "JOB_ID", "JOB_NAME", "NSLOTS", "NHOSTS", "NQUEUES", "PE_HOSTFILE", "RESTARTED"},
	TaskID:     func(array, task string) string { return array + "." + task },
	Dirs:       []string{"SGE_O_WORKDIR"},
}
