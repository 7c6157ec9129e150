package scheduler

var oar = &Scheduler{
	Name:       "oar",
	Directives: []string{"#OAR"},
	JobID:      "OAR_JOB_ID",
	ArrayID:    "OAR_ARRAY_ID",
	Task:       "OAR_ARRAY_INDEX",
	Own:        []string{"OAR_"},
	Dirs:       []string{"OAR_WORKDIR", "OAR_WORKING_DIRECTORY", "OAR_O_WORKDIR"},
}
