package logdir

import (
	"time"

	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/process"
)

// Schema is the version of the record that this package writes. It reads no
// higher one.
const Schema = 1

// Status is where a run stands.
type Status string

// The statuses of a record. Readers also show [Lost] and [Submitted], which are
// never written to it.
const (
	Created     Status = "CREATED"     // has its directory and config; never started. Reason says why if it was refused
	Submitted   Status = "SUBMITTED"   // a CREATED run that a scheduler has
	Starting    Status = "STARTING"    // claimed; the program does not run yet
	Running     Status = "RUNNING"     // the program runs
	Complete    Status = "COMPLETE"    // ended with exit status 0
	Failed      Status = "FAILED"      // ended with another one, or could not start
	Interrupted Status = "INTERRUPTED" // ended by a signal, a preemption, a time limit, or cancelled
	Lost        Status = "LOST"        // STARTING or RUNNING in the record, but its supervisor is known to be gone
)

// Statuses are all of them.
var Statuses = []Status{Created, Submitted, Starting, Running, Complete, Failed, Interrupted, Lost}

// Ended tells whether a run with this status has come to an end of its own.
func (s Status) Ended() bool { return s == Complete || s == Failed || s == Interrupted }

// Reason tells why a run ended or never started, where its exit status does not.
type Reason string

// The reasons of a record.
const (
	BySignal   Reason = "signal"      // ended by a signal from outside
	TimeLimit  Reason = "time_limit"  // the scheduler's time limit
	Preempted  Reason = "preempted"   // the scheduler took the node back
	OutOfMem   Reason = "oom"         // killed for want of memory, by evidence of the kernel
	Cancelled  Reason = "cancelled"   // by the user
	Rejected   Reason = "rejected"    // the scheduler refused it
	NotStarted Reason = "not_started" // the program could not be started
)

// Info is a run's record, metadata/info.yaml: one top-level key per line, each
// value written as JSON. Keys whose value is not known are absent.
//
// It has one writer at a time: the launcher until it hands the run over, then
// whoever holds the run's claim.
type Info struct {
	Schema         int              `json:"schema"`
	ID             int              `json:"id"`
	Status         Status           `json:"status"`
	Reason         *Reason          `json:"reason"`                    // null: none
	ExitCode       *int             `json:"exit_code,omitempty"`       // the program's own, or 128+N for signal N
	Signal         *string          `json:"signal"`                    // "SIGTERM"; null: none
	Command        []jsontext.Text  `json:"command,omitempty"`         // as executed
	Words          []jsontext.Text  `json:"words,omitempty"`           // as typed: program and words, overrides before -- first
	Overrides      []jsontext.Text  `json:"overrides,omitzero"`        // Hydra's canonical job text, one for each
	Sweep          *Sweep           `json:"sweep,omitempty"`           // which of how many
	Created        Time             `json:"created,omitzero"`          // when the directory was made
	Started        Time             `json:"started,omitzero"`          // when the last attempt started
	Ended          Time             `json:"ended,omitzero"`            // when the last attempt ended
	Seconds        *float64         `json:"seconds,omitempty"`         // how long the program ran: monotonic, sum of attempts
	Hostname       string           `json:"hostname,omitempty"`        // of the last attempt
	WorkDir        jsontext.Text    `json:"work_dir,omitempty"`        // where the program runs
	Cwd            jsontext.Text    `json:"cwd,omitempty"`             // where it was launched
	User           string           `json:"user,omitempty"`            // login name of the launcher
	Process        *process.Process `json:"process,omitempty"`         // the supervisor of the last attempt
	Resources      *Resources       `json:"resources,omitempty"`       // what the last attempt had and used
	Problems       []jsontext.Text  `json:"problems,omitempty"`        // what of the run could not be kept, as on a full disk
	VersionManager *VersionManager  `json:"version_manager,omitempty"` // the code version
	Scheduler      *Scheduler       `json:"scheduler,omitempty"`       // the job that ran the last attempt
	Attempts       []Attempt        `json:"attempts,omitempty"`        // each start of the program, the first first
	RerunOf        *int             `json:"rerun_of"`                  // the run this one repeats; null: none
	Mlxp           string           `json:"mlxp,omitempty"`            // version of mlxp that wrote this
}

// A Sweep tells which of a sweep's runs this is. A single run is a sweep of one.
type Sweep struct {
	ID    int `json:"id"`    // of the sweep's first run
	Index int `json:"index"` // from 0
	Size  int `json:"size"`
}

// An Attempt is one start of the program.
type Attempt struct {
	N            int              `json:"n"` // from 0
	Hostname     string           `json:"hostname"`
	Job          string           `json:"job,omitempty"` // the scheduler's id
	GPU          string           `json:"gpu,omitempty"` // that --gpus gave it, as CUDA_VISIBLE_DEVICES names it
	Started      Time             `json:"started,omitzero"`
	Ended        Time             `json:"ended,omitzero"`
	Status       Status           `json:"status,omitempty"` // how it ended; absent while it runs, and if nobody saw the end
	Reason       Reason           `json:"reason,omitempty"`
	ExitCode     *int             `json:"exit_code,omitempty"`
	MetricsBytes map[string]int64 `json:"metrics_bytes,omitempty"` // size of each metrics file when it started
}

// Resources are what the last attempt was given and what it used.
type Resources struct {
	OS         string  `json:"os"`
	Arch       string  `json:"arch"`
	CPU        string  `json:"cpu,omitempty"`    // model name
	CPUs       int     `json:"cpus,omitempty"`   // that it may use
	Memory     int64   `json:"memory,omitempty"` // bytes that it may use
	GPUs       []GPU   `json:"gpus,omitempty"`
	CPUSeconds float64 `json:"cpu_seconds"`           // user and system, of all the program's processes
	PeakMemory int64   `json:"peak_memory,omitempty"` // bytes, the most that all of them had at a time, as far as seen
}

// A GPU is one graphics processor.
type GPU struct {
	Index int    `json:"index"`
	Name  string `json:"name"`
	UUID  string `json:"uuid"`
}

// VersionManager is what is known of the code's version.
type VersionManager struct {
	Mode        string        `json:"mode"` // off, commit, snapshot
	CommitHash  string        `json:"commit_hash,omitempty"`
	Parent      string        `json:"parent,omitempty"` // of a snapshot: HEAD when it was made
	Branch      string        `json:"branch,omitempty"`
	RepoPath    jsontext.Text `json:"repo_path,omitempty"`
	Path        jsontext.Text `json:"path,omitempty"` // of the work dir in the repository
	Remote      string        `json:"remote,omitempty"`
	Dirty       *bool         `json:"dirty,omitempty"`
	Backup      jsontext.Text `json:"backup,omitempty"`
	Environment *string       `json:"environment"`
	// Changes are the files of Backup that were not as in the commit when the
	// last attempt started: an earlier run changed them.
	Changes   []jsontext.Text   `json:"changes,omitempty"`
	LockFiles map[string]string `json:"lock_files,omitempty"` // SHA-256 by name
}

// Scheduler names a batch job.
type Scheduler struct {
	Name  string `json:"name"`
	JobID string `json:"scheduler_job_id"`
	Array string `json:"array,omitempty"`
	Task  *int   `json:"task,omitempty"`
}

// Time is a moment, written as RFC 3339 in UTC with milliseconds.
type Time struct{ time.Time }

// Now is the present moment.
func Now() Time { return Time{time.Now()} }

const timeForm = `"2006-01-02T15:04:05.000Z"`

// MarshalJSON writes t as a JSON string.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, timeForm), nil
}
