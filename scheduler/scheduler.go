// Package scheduler is what mlxp knows of batch schedulers: how a script is
// handed over and the answer read, what a job finds around it, how jobs are asked
// for and cancelled.
//
// Schedulers differ in values, so there is one [Scheduler] for each, in a file of
// its own with links to its manual, and the code that uses them is the same for
// all. Package scheduler/script reads and writes the scripts.
package scheduler

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Scheduler describes one batch scheduler.
type Scheduler struct {
	Name       string   // as recorded in a run's info: "slurm"
	Directives []string // the beginnings of its header lines; the first is written: "#SBATCH"

	// What a job finds in its environment.
	JobID   string   // the variable that holds the job's id
	ArrayID string   // the variable that holds the array's id, in a task of an array
	Task    string   // the variable that holds the task's index
	Own     []string // beginnings of the names of the variables that only a job has
	Dirs    []string // variables that hold the directory it was submitted from

	// What mlxp writes into header lines.
	Options Options

	// Handing over.
	Submit  []string                        // the command: the script's path is appended
	InPlace bool                            // no: ./NAME from the script's own directory, where it is executed
	Stdin   bool                            // the script is its stdin instead
	Answer  *regexp.Regexp                  // its first group is a job's id, in the command's stdout
	Despite bool                            // an id counts whatever the exit status
	TaskID  func(array, task string) string // the id of an array's task; nil: each has one of its own
	Site    func(ask Ask) Limits            // what the site allows, asked of it; nil: Limits
	Limits  Limits                          // where that cannot be asked
	JobName func(name string) string

	Full *regexp.Regexp // what it says when it takes no more jobs for now; nil: nothing is known

	// What it writes into the output of a job that it ends; the first group, if there is
	// one in the match, is a key of Reasons. nil: nothing.
	Ends *regexp.Regexp

	// Variant finds out which of several dialects the site has; nil: there is one.
	Variant func(ask Ask) *Scheduler

	// Jobs that were handed over.
	Queries []Query           // asked in turn, each for the jobs that those before did not tell of
	States  map[string]State  // by the scheduler's words
	Reasons map[string]string // why a job ended, where its word tells: reasons of a record
	Cancel  []string          // the command: ids are appended
	Gone    *regexp.Regexp    // what Cancel says of jobs that have ended already; nil: nothing
	Requeue []string          // the command that lets a job start again as itself: its id is appended; empty: there is none
}

// Options are the options of the submit command that mlxp has to do with.
type Options struct {
	Name, Output, Error Option
	Shell               Option   // the shell that executes the script, where "#!" does not say so
	Array               Option   // its value is the range of indices, from 1
	Count               bool     // no: the number of tasks
	Throttle            Option   // how many tasks run at a time; without it, see RangeLimit
	RangeLimit          string   // appended to the range so that %d tasks run at a time
	TaskPath            string   // stands for the task's index in the path of Output; empty: nothing does
	Signal              Option   // a warning before the time limit
	Dir                 Option   // where the job starts
	Always              []string // what else every script of mlxp's needs

	// Path writes a path as the value of Output; task is TaskPath if the path holds it.
	// It is not ok if the scheduler cannot write there: then it writes nowhere, and the
	// script writes job.log itself. nil: it never can.
	Path func(path, task string) (value string, ok bool)
	// Warning reads what signal comes how long before the time limit; find returns
	// the value of an option. The signal is empty if none does.
	Warning func(find func(names ...string) (string, bool)) (signal string, early time.Duration)

	ErrorAlways bool // Error is written also if the script does not have it: stderr would go elsewhere
	Anywhere    bool // header lines count behind the first command, too
	Raw         bool // a value is the rest of the line: neither quotes nor comments
	Attached    bool // a value may stand right behind the letter of its option: "-Jname"
	LongestName int  // of a job, in bytes; 0: long enough
}

// An Option is an option of the submit command.
type Option struct {
	Write string   // as mlxp writes it, %s being the value: "--job-name=%s"; empty: there is none
	Names []string // as users may write it: "-J", "--job-name"
}

// Limits are what a site allows.
type Limits struct {
	Array int           // tasks in one array; below 2: no arrays
	Grace time.Duration // from the first signal to SIGKILL
}

// A Query is a command that tells of jobs.
type Query struct {
	// Command has {users} and {ids} where names of users and ids of jobs go,
	// joined by commas.
	Command []string
	Read    func(stdout string) ([]Entry, error)
	Maybe   bool           // many sites do not have it: that it fails says nothing
	None    *regexp.Regexp // what it says, failing, of jobs that it does not know: the answer stands
}

// State is what a scheduler does with a job.
type State string

// The states of jobs.
const (
	Pending State = "pending" // it waits
	Running State = "running" // it has its nodes
	Ending  State = "ending"  // it is being ended
	Ended   State = "ended"
	Unknown State = "unknown" // a word that is not in the table
)

// An Entry is what a scheduler says of a job.
type Entry struct {
	ID        string    `json:"id"`             // as recorded at its submission, with the task: "12_3"
	Task      string    `json:"task,omitempty"` // its index in an array
	Name      string    `json:"name"`           // of the job
	Word      string    `json:"word"`           // the scheduler's own for its state: "PENDING"
	State     State     `json:"state"`          // what that means
	Why       string    `json:"why,omitempty"`  // it waits, or has ended, in the scheduler's words
	Node      string    `json:"node,omitempty"` // it runs on
	Submitted time.Time `json:"submitted,omitzero"`
	Started   time.Time `json:"started,omitzero"`
}

// An Ask executes a command of the scheduler's and returns its stdout.
type Ask func(args ...string) (string, error)

// All are the schedulers, in the order in which a job is looked for: Moab sets
// the variables of the resource manager below it too.
var All = []*Scheduler{slurm, oar, lsf, moab, pbs, sge}

// ByName returns the scheduler of that name, nil if there is none.
func ByName(name string) *Scheduler {
	return find(func(s *Scheduler) bool { return s.Name == name })
}

// ByDirective returns the scheduler whose header lines begin so, nil if there is
// none.
func ByDirective(directive string) *Scheduler {
	return find(func(s *Scheduler) bool { return slices.Contains(s.Directives, directive) })
}

func find(is func(*Scheduler) bool) *Scheduler {
	if i := slices.IndexFunc(All, is); i >= 0 {
		return All[i]
	}
	return nil
}

// A Job is the batch job that a process is part of.
type Job struct {
	Scheduler *Scheduler
	ID        string // as recorded at its submission, with the task: "12_3"
	Array     string // the array's id; empty: it is part of none
	Task      string // its index there
}

// Current returns the job that the environment tells of, and whether there is
// one. JOB_ID is too common a name to mean Grid Engine by itself.
func Current(getenv func(string) string) (Job, bool) {
	for _, s := range All {
		id := getenv(s.JobID)
		if id == "" || s.Name == "sge" && getenv("SGE_ROOT") == "" && getenv("SGE_TASK_ID") == "" {
			continue
		}
		job := Job{Scheduler: s, ID: id}
		if array, task := getenv(s.ArrayID), getenv(s.Task); array != "" && task != "" && task != "undefined" {
			job.Array, job.Task = array, task
			if s.TaskID != nil {
				job.ID = s.TaskID(array, task)
			}
		}
		return job, true
	}
	return Job{}, false
}

// Tasks returns how many processes the parallel step has that this process is one
// of, 1 if it is in none: srun and the launchers of MPI start each with such a
// variable.
func Tasks(getenv func(string) string) int {
	for _, name := range []string{"SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"} {
		if n, err := strconv.Atoi(getenv(name)); err == nil && n > 1 {
			return n
		}
	}
	return 1
}

// JobOnly tells whether a variable is one that only a job of some scheduler has.
func JobOnly(name string) bool {
	return slices.ContainsFunc(All, func(s *Scheduler) bool {
		return slices.ContainsFunc(s.Own, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
}
