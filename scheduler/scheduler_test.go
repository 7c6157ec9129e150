package scheduler

import "testing"

func TestCurrent(t *testing.T) {
	for _, test := range []struct {
		name   string
		env    map[string]string
		in, id string
	}{
		{"no job", map[string]string{"HOME": "/root"}, "", ""},
		{"slurm", map[string]string{"SLURM_JOB_ID": "12"}, "slurm", "12"},
		{"slurm array", map[string]string{"SLURM_JOB_ID": "17", "SLURM_ARRAY_JOB_ID": "14", "SLURM_ARRAY_TASK_ID": "2"}, "slurm", "14_2"},
		{"oar", map[string]string{"OAR_JOB_ID": "61", "OAR_ARRAY_ID": "61", "OAR_ARRAY_INDEX": "1"}, "oar", "61"},
		{"pbs array", map[string]string{"PBS_JOBID": "2[4].server", "PBS_ARRAY_INDEX": "4"}, "pbs", "2[4].server"},
		{"sge", map[string]string{"JOB_ID": "5", "SGE_ROOT": "/opt/sge"}, "sge", "5"},
		{"somebody's JOB_ID", map[string]string{"JOB_ID": "5"}, "", ""},
		{"moab over pbs", map[string]string{"MOAB_JOBID": "Moab.7", "PBS_JOBID": "7.server"}, "moab", "Moab.7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			job, ok := Current(func(name string) string { return test.env[name] })
			name := ""
			if ok {
				name = job.Scheduler.Name
			}
			if name != test.in || job.ID != test.id {
				t.Errorf("Current = %q %q, %v; want %q %q", name, job.ID, ok, test.in, test.id)
			}
		})
	}
}
