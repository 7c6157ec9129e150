// Package scheduler is what mlxp knows of batch schedulers: how a script is
// handed over and the answer read, what a job finds around it, how jobs are asked
// for and cancelled.
//
// Schedulers differ in values, so there is one [Scheduler] for each, in a file of
// its own with links to its manual, and the code that uses them is the same for
// all. Package scheduler/script reads and writes the scripts.
package scheduler

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
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

	// Sure tells whether a process that has JobID is really in a job of this
	// scheduler's; nil: it is.
	Sure func(getenv func(string) string) bool

	// Dialect is the name of the scheduler whose header lines these are; empty: its own.
	Dialect string

	// What mlxp writes into header lines.
	Options Options

	// Handing over.
	Submit  []string                        // the command: the script's path is appended
	InPlace bool                            // no: ./NAME from the script's own directory, where it is executed
	Unfit   pattern.Pattern                 // directories that it cannot start a job in; nil: none
	Stdin   bool                            // the script is its stdin instead
	Answer  pattern.Pattern                 // its first group is a job's id, in the command's stdout
	Despite pattern.Pattern                 // what the command says when it fails and the id counts all the same; nil: nothing
	TaskID  func(array, task string) string // the id of an array's task; nil: each has one of its own
	Site    func(ask Ask) Limits            // what the site allows, asked of it; nil: Limits
	Limits  Limits                          // where that cannot be asked
	Fixed   Limits                          // what a user says of the site: it is not asked for that
	JobName func(name string) string

	Full pattern.Pattern // what it says when it takes no more jobs for now; nil: nothing is known

	// What it writes into the output of a job that it ends; the first group, if there is
	// one in the match, is a key of Reasons. nil: nothing.
	Ends pattern.Pattern

	// LoginShell says that it starts the script from a login shell, whose end is the
	// job's: what is left is killed at once. The shell gets the signals that end a job.
	LoginShell bool

	// Stops are the signals besides SIGTERM by which it ends a job: "USR2".
	Stops []string

	// Variant finds out which of several dialects the site has: the name of a scheduler.
	// nil: there is one.
	Variant func(ask Ask) string

	// Jobs that were handed over.
	Queries []Query           // asked in turn, each for the jobs that those before did not tell of
	Renews  bool              // a job that is run again is a new one: see Entry.Next
	States  map[string]State  // by the scheduler's words
	Reasons map[string]string // why a job ended, where its word tells: reasons of a record
	Cancel  []string          // the command: ids are appended
	Ask     []string          // the command that lets one running job get SIGTERM, where Cancel kills at once: its id is appended; empty: Cancel will do
	Gone    pattern.Pattern   // what Cancel says of jobs that have ended already; nil: nothing

	// How a job can start again as itself; neither: it cannot.
	Requeue      []string      // the command: its id is appended
	RequeueExit  int           // the exit status of the job, with the options Options.Again
	RequeueAfter time.Duration // what such a job has to last
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
	Dir                 Option   // where the job starts
	Always              []string // what else every script of mlxp's needs
	Again               []string // what a script needs whose job may start again by RequeueExit
	// MayAgain tells whether header lines ask for that already; nil: they need not.
	MayAgain func(values func(names ...string) []string) bool

	// Path writes a path as the value of Output; task is TaskPath if the path holds it.
	// It is not ok if the scheduler cannot write there: then it writes nowhere, and the
	// script writes job.log itself. nil: it never can.
	Path func(path, task string) (value string, ok bool)
	// Warning reads what signal comes how long before the time limit; values returns
	// what header lines give an option. The signal is empty if none does.
	Warning func(values func(names ...string) []string) (signal string, early time.Duration)
	// Warn are the options that ask for such a signal in a job with a time limit, which
	// is 0 if it is not known; nil: mlxp cannot.
	Warn   func(signal string, early, limit time.Duration) []string
	Signal string // that mlxp asks for where the script does not: "TERM"

	// Limit reads the time limit of a job, 0 if the header lines do not have it; nil: it
	// need not be known, since the scheduler says itself when it is over.
	Limit func(values func(names ...string) []string) time.Duration

	Kills       bool // it ends a job without a signal that can be caught: who was warned has to end by itself
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

// or are the limits of l, and of other where l does not tell.
func (l Limits) or(other Limits) Limits {
	if l.Array > 0 {
		other.Array = l.Array
	}
	if l.Grace > 0 {
		other.Grace = l.Grace
	}
	return other
}

// A Query is a command that tells of jobs.
type Query struct {
	// Command has {users} and {ids} where names of users and ids of jobs go, joined by
	// commas; with {user} or {id} there is one command for each. A word "{ids...}"
	// becomes a word for each id.
	Command []string
	Each    []string               // stands before each word of {ids...}: "-j"
	Of      func(id string) string // the job that is asked for to hear of id; nil: id
	Read    func(stdout string) ([]Entry, error)
	Search  bool            // only where jobs are looked for whose ids are not known
	Maybe   bool            // many sites do not have it: that it fails says nothing
	None    pattern.Pattern // what it says, failing, of jobs that it does not know: the answer stands
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
	State     State     `json:"state"`          // what that means; a reader sets it where States cannot tell
	Why       string    `json:"why,omitempty"`  // it waits, or has ended, in the scheduler's words
	Node      string    `json:"node,omitempty"` // it runs on
	Next      string    `json:"next,omitempty"` // the id under which the scheduler has submitted it again
	Submitted time.Time `json:"submitted,omitzero"`
	Started   time.Time `json:"started,omitzero"`
}

// An Ask executes a command of the scheduler's and returns its stdout.
type Ask func(args ...string) (string, error)

// All are the schedulers, in the order in which a job is looked for: Moab sets
// the variables of the resource manager below it too.
var All = []*Scheduler{slurm, oar, lsf, moab, torque, pbs, sge}

// ByName returns the scheduler of that name, nil if there is none.
func ByName(name string) *Scheduler {
	return find(func(s *Scheduler) bool { return s.Name == name })
}

// ByDirective returns the scheduler whose header lines begin so, nil if there is
// none. Which dialect of it a site has, [Client.Speak] finds out.
func ByDirective(directive string) *Scheduler {
	return find(func(s *Scheduler) bool { return s.Dialect == "" && slices.Contains(s.Directives, directive) })
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
// one.
func Current(getenv func(string) string) (Job, bool) {
	for _, s := range All {
		id := getenv(s.JobID)
		if id == "" || s.Sure != nil && !s.Sure(getenv) {
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
