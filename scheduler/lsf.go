package scheduler

var lsf = &Scheduler{
	Name:       "lsf",
	Directives: []string{"#BSUB"},
	JobID:      "LSB_JOBID",
	ArrayID:    "",
	Task:       "LSB_JOBINDEX",
	Own:        []string{"LSB_"},
	Dirs:       []string{"LS_SUBCWD"},
}
