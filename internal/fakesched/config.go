package fakesched

import (
	"encoding/json"
	"os"
	"time"
)

// A Config says which scheduler a state directory plays and how its site is
// set up. Zero fields mean what [New] fills in.
type Config struct {
	Scheduler string // slurm, oar, sge, openpbs, torque, lsf or moab
	Host      string // of the node and the server: "vm"
	User      string // who submits: "root"
	Home      string // where jobs start that start at home
	Slots     int    // tasks that run at once: 2
	Hold      bool   // no task starts
	Down      bool   // the server does not answer

	Accept  int               // submissions taken before they are refused; 0: all
	Queues  []string          // queues or partitions, the default one first
	Refuse  map[string]string // queue: what a submission to it is refused with
	Largest int               // of an array: the scheduler's own limit when 0

	Delay  time.Duration // before every answer
	Before string        // what a site's wrapper prints before an answer of submission, on stdout
	After  string        // and after it
	Errors string        // and on stderr

	Second   time.Duration // how long a second of time limits and waits takes: a second
	KillWait time.Duration // from SIGTERM to SIGKILL: two seconds
	Again    time.Duration // before a requeued job may start: 50 ms
	Keep     time.Duration // an ended job is shown by the live query for so long, where it is: an hour

	Accounting   bool   // Slurm: sacct answers
	UnixBehavior bool   // Grid Engine: the queue's shell_start_mode, so that #! counts
	Cluster      string // Slurm: printed after the id
	XML          bool   // Moab: msub answers in XML
	Version      string // of qsub --version, bsub -V and so on
}

// config reads a site's settings.
func (s site) config() (Config, error) {
	var c Config
	text, err := os.ReadFile(s.path("config.json"))
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(text, &c)
}

// filled returns the settings with the empty ones filled in.
func (c Config) filled() Config {
	set(&c.Scheduler, "slurm")
	set(&c.Host, "vm")
	set(&c.User, "root")
	set(&c.Home, os.Getenv("HOME"))
	set(&c.Slots, 2)
	set(&c.Second, time.Second)
	set(&c.KillWait, 2*time.Second)
	set(&c.Again, 50*time.Millisecond)
	set(&c.Keep, time.Hour)
	if len(c.Queues) == 0 {
		c.Queues = systems[c.Scheduler].queues
	}
	set(&c.Largest, systems[c.Scheduler].largest)
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
