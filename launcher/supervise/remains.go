package supervise

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/process"
)

// leftover is how long what outlives the program may take to end.
const leftover = time.Second

// Remains are what a run's program may leave when it has ended: processes of its
// group and, on Linux, those that left the group and kept the variable
// MLXP_RUN_DIR, as daemons do.
type remains struct {
	pgid  int    // the program's pid, too
	start uint64 // when the program started, as [process.StartOf] tells; 0: unknown
	dir   string // the run's
	job   string // the batch job that the program is part of, as [jobOf] tells
}

// jobVariables hold the id of a batch job inside it.
var jobVariables = []string{"SLURM_JOB_ID", "OAR_JOB_ID", "PBS_JOBID", "LSB_JOBID", "MOAB_JOBID", "JOB_ID"}

// jobOf returns the variable that names the batch job of a process with this
// environment, empty if there is none. A program may submit jobs, and some schedulers
// give a job the whole environment that it was submitted from: what has another job
// does not belong to the run.
func jobOf(environ []string) string {
	for _, name := range jobVariables {
		if id, ok := LookupEnv(environ, name); ok {
			return name + "=" + id
		}
	}
	return ""
}

// end ends the remains within leftover: first with SIGTERM, so that they can
// clean up, then with SIGKILL.
func (r remains) end() {
	if !r.signal(unix.SIGTERM) {
		return
	}
	began := time.Now()
	for wait := time.Millisecond; time.Since(began) < leftover/2; wait *= 2 {
		time.Sleep(wait)
		if !r.signal(0) {
			return
		}
	}
	for time.Since(began) < 2*leftover && r.signal(unix.SIGKILL) { // again for those that were forked meanwhile
		time.Sleep(10 * time.Millisecond)
	}
}

// signal sends sig to what is left and tells whether there is anything.
func (r remains) signal(sig unix.Signal) bool {
	left := false
	if !r.reused() && unix.Kill(-r.pgid, sig) != unix.ESRCH && hasMembers(r.pgid) {
		left = true
	}
	for _, pid := range descendants(r) {
		if unix.Kill(pid, sig) != unix.ESRCH {
			left = true
		}
	}
	return left
}

// reused tells whether the program's pid is another process's by now. As long as
// any process is in the group the kernel does not give it again.
func (r remains) reused() bool {
	now, err := process.StartOf(r.pgid)
	return r.start != 0 && err == nil && now != r.start
}

// startOf returns when a process started, 0 if that is not known.
func startOf(pid int) uint64 {
	start, _ := process.StartOf(pid)
	return start
}
