// Package scheduler is what mlxp knows of batch schedulers.
package scheduler

// A Scheduler describes one batch scheduler. Schedulers differ in these values;
// the code that uses them is the same for all.
type Scheduler struct {
	Name      string // as recorded in a run's info: "slurm"
	Directive string // begins a header line: "#SBATCH"
	JobID     string // the variable that holds the job's id inside a job
	ArrayID   string // the variable that holds the array's id inside an array job; empty: none
	Task      string // the variable that holds the task's index inside an array job
}

// All are the schedulers, in the order in which a job is looked for: Moab sets
// the variables of the resource manager below it too.
var All = []Scheduler{
	{Name: "slurm", Directive: "#SBATCH", JobID: "SLURM_JOB_ID", ArrayID: "SLURM_ARRAY_JOB_ID", Task: "SLURM_ARRAY_TASK_ID"},
	{Name: "oar", Directive: "#OAR", JobID: "OAR_JOB_ID", ArrayID: "OAR_ARRAY_ID", Task: "OAR_ARRAY_INDEX"},
	{Name: "lsf", Directive: "#BSUB", JobID: "LSB_JOBID", Task: "LSB_JOBINDEX"},
	{Name: "moab", Directive: "#MSUB", JobID: "MOAB_JOBID", Task: "MOAB_JOBARRAYINDEX"},
	{Name: "pbs", Directive: "#PBS", JobID: "PBS_JOBID", ArrayID: "PBS_ARRAY_ID", Task: "PBS_ARRAY_INDEX"},
	{Name: "sge", Directive: "#$", JobID: "JOB_ID", Task: "SGE_TASK_ID"},
}

// A Job is the batch job that a process is part of.
type Job struct {
	Scheduler Scheduler
	ID        string // as a user would name it to the scheduler
}

// Current returns the job that the environment tells of, and whether there is
// one. JOB_ID is too common a name to mean Grid Engine by itself.
func Current(getenv func(string) string) (Job, bool) {
	for _, s := range All {
		id := getenv(s.JobID)
		if id == "" || s.Name == "sge" && getenv("SGE_ROOT") == "" && getenv("SGE_TASK_ID") == "" {
			continue
		}
		if s.Name == "slurm" && getenv(s.ArrayID) != "" {
			id = getenv(s.ArrayID) + "_" + getenv(s.Task)
		}
		return Job{s, id}, true
	}
	return Job{}, false
}
