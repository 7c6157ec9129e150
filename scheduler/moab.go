package scheduler

var moab = &Scheduler{
	Name:       "moab",
	Directives: []string{"#MSUB"},
	JobID:      "MOAB_JOBID",
	ArrayID:    "",
	Task:       "MOAB_JOBARRAYINDEX",
	Own:        []string{"MOAB_"},
	Dirs:       []string{"MOAB_SUBMITDIR"},
}
