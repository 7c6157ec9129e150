package fakesched

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A phase is what a task is doing; each scheduler has its own words for it.
type phase string

const (
	pending phase = "pending"
	running phase = "running"
	ending  phase = "ending" // told to stop, or writing its output
	ended   phase = "ended"
)

// The ways in which a run of a task ends.
const (
	byItself    = "" // with an exit status or a signal of its own
	byUser      = "cancelled"
	byLimit     = "time limit"
	byRequeue   = "requeued"
	byPreempt   = "preempted"
	byNode      = "node failure"
	byBadOutput = "no output file"
	byBadDir    = "no directory"
	byBadShell  = "no shell"
)

// warned is no end: the job's output may be told of the warning signal.
const warned = "warned"

// A job is one submission: a single task or an array of them.
type job struct {
	ID       int
	Name     string
	Queue    string
	Args     []string `json:",omitempty"` // of the script
	Command  string   `json:",omitempty"` // run by a shell instead of a spooled script
	Script   string   `json:",omitempty"` // base name of the spooled script
	Dir      string   // where the job starts
	From     string   // where it was submitted
	Out, Err string   `json:",omitempty"` // as the user gave them; Err empty: with Out
	In       string   `json:",omitempty"`
	Join     bool     `json:",omitempty"` // Err goes where Out goes
	Append   bool     `json:",omitempty"`
	Rerun    bool     `json:",omitempty"` // may be run again
	Array    bool     `json:",omitempty"`
	Step     int      `json:",omitempty"` // of the array's indices
	Max      int      `json:",omitempty"` // tasks at once; 0: no limit
	Limit    int      `json:",omitempty"` // of time, in seconds; 0: none
	Warn     warning
	After    []dependency      `json:",omitempty"`
	Options  map[string]string `json:",omitempty"` // what only its scheduler knows
	Time     time.Time         // of submission
	Tasks    []*task
}

// A warning is the signal that a job gets before its time limit.
type warning struct {
	Signal string `json:",omitempty"` // "USR1"; empty: none
	Before int    `json:",omitempty"` // seconds
	Script bool   `json:",omitempty"` // it is for the batch script and not for what runs below it
}

type dependency struct {
	Kind string // afterok, afterany, afternotok, after
	ID   string
}

// A task is what is run at one time: an array has several.
type task struct {
	Index  int `json:",omitzero"` // in the array; 0 if there is none
	ID     int `json:",omitzero"` // its own number, where tasks have one
	Phase  phase
	Held   bool      `json:",omitempty"`
	Stuck  string    `json:",omitempty"` // why it never starts: Grid Engine's Eqw
	Reason string    `json:",omitempty"` // why it is pending or has ended, in the scheduler's words
	NotYet time.Time `json:",omitzero"`  // it does not start before
	PID    int       `json:",omitempty"`
	Order  string    `json:",omitempty"` // what the node is to do with it
	Runs   []run     `json:",omitempty"` // the last one is the present one while it runs
	Gone   bool      `json:",omitempty"` // forgotten by the scheduler's live list at once
	Next   int       `json:",omitempty"` // the job that runs it again, where that has an id of its own
}

// A run is one execution of a task.
type run struct {
	Start        time.Time
	End          time.Time `json:",omitzero"`
	Code, Signal int       `json:",omitzero"`
	Why          string    `json:",omitempty"`
}

func (t *task) last() run {
	if len(t.Runs) == 0 {
		return run{}
	}
	return t.Runs[len(t.Runs)-1]
}

// state is all that the scheduler remembers.
type state struct {
	Next     int // the next id
	Accepted int
	Jobs     []*job
}

// live says whether a task has not ended.
func (s *state) live() bool {
	for _, j := range s.Jobs {
		for _, t := range j.Tasks {
			if t.Phase != ended {
				return true
			}
		}
	}
	return false
}

// take returns n ids in a row, the first of them.
func (s *state) take(n int) int {
	if s.Next == 0 {
		s.Next = 1
	}
	first := s.Next
	s.Next += n
	return first
}

// A site is a state directory: one scheduler with its one node.
type site struct{ dir string }

func (s site) path(elem ...string) string { return filepath.Join(append([]string{s.dir}, elem...)...) }

// locked runs f with the state, alone, and saves it if f returns true.
func (s site) locked(f func(*state) bool) error { return s.transact(&memory{seen: -1}, f) }

// A memory is a state that need not be read again while nobody else changed it.
type memory struct {
	state *state
	seen  int64 // the number of changes that it holds
}

// changes is how often the state was saved: the size of a file that grows by a
// byte each time, since times and inodes of a replaced file may repeat. It is -1
// when the directory is gone.
func (s site) changes() int64 {
	info, err := os.Stat(s.path("changes"))
	if err != nil {
		return -1
	}
	return info.Size()
}

func (s site) transact(m *memory, f func(*state) bool) error {
	lock, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := flock(lock, unix.LOCK_EX); err != nil {
		return err
	}
	now := s.changes()
	if m.state == nil || m.seen != now {
		m.state, m.seen = &state{}, now
		text, err := os.ReadFile(s.path("state.json"))
		if err == nil {
			err = json.Unmarshal(text, m.state)
		} else if os.IsNotExist(err) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	if !f(m.state) {
		return nil
	}
	if err := writeJSON(s.path("state.json"), m.state); err != nil {
		return err
	}
	log, err := os.OpenFile(s.path("changes"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = log.Write([]byte{'.'})
	m.seen = max(0, now) + 1
	return err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
