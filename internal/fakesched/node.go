package fakesched

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	tick     = 4 * time.Millisecond // between looks at the state
	idleLife = 2 * time.Second      // a node without a task leaves
	nodeLife = 4 * time.Minute      // whatever happens: no test lasts so long
)

// wake starts the node if none is there. It is called with the state locked.
// The lock that tells of a living node is taken here and handed to the node:
// there is never one too many or too few.
func (s site) wake() error {
	lock, err := os.OpenFile(s.path("node.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if flock(lock, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil // it lives, and looks at the state by itself
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe)
	cmd.Args = []string{"fakesched", "node"}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "FAKESCHED="+s.dir)
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// A node starts tasks, watches them and does what is ordered of them.
type node struct {
	site
	Config
	sys       *system
	processes map[*task]*process // of the state as last read: see adopt
	ended     chan *process
	due       time.Time // when something is to be done though nothing changed
	memory    memory
	sessions  []int // of processes that have ended, with what they may have left
}

// nodeMain is the process that wake starts. It leaves when it has had nothing
// to do for a while, when it is told to, or when the directory is gone.
func nodeMain(s site) int {
	syscall.CloseOnExec(3) // the lock: no job may hold it
	lock := os.NewFile(3, "node.lock")
	defer lock.Close()
	n := &node{site: s, ended: make(chan *process), memory: memory{seen: -1}}
	defer n.killAll()
	birth, busy := time.Now(), time.Now()
	for news := false; ; {
		changes := s.changes()
		if changes < 0 || time.Since(birth) > nodeLife {
			return 1
		}
		if _, err := os.Stat(s.path("stop")); err == nil {
			return 0
		}
		if len(n.processes) > 0 {
			busy = time.Now()
		}
		idle := time.Since(busy) > idleLife
		if news || idle || changes != n.memory.seen || !n.due.IsZero() && time.Now().After(n.due) {
			var err error
			if n.Config, err = s.config(); err != nil {
				return 1
			}
			n.sys = systems[n.Scheduler]
			leave := false
			err = s.transact(&n.memory, func(st *state) bool {
				changed := n.pass(st)
				if len(n.processes) > 0 || !n.due.IsZero() {
					busy = time.Now()
				} else if idle {
					// With the state locked: who adds a job from now on finds no node
					// and starts one.
					leave = true
					lock.Close()
				}
				return changed
			})
			if err != nil {
				return 1
			}
			if leave {
				return 0
			}
		}
		select {
		case p := <-n.ended:
			p.over, news = true, true
		case <-time.After(tick):
			news = false
		}
	}
}

// pass does all that is to be done now and returns whether the state changed.
func (n *node) pass(st *state) bool {
	changed := n.adopt(st)
	n.due = time.Time{}
	for _, j := range st.Jobs {
		for _, t := range j.Tasks {
			if p := n.processes[t]; p != nil {
				if n.watch(st, j, t, p) {
					changed = true
				}
			}
		}
	}
	for n.startOne(st) {
		changed = true
	}
	killSessions(n.sessions)
	n.sessions = nil
	return changed
}

// adopt finds the tasks of the processes in the state that was just read. A
// task that runs without a process was left by a node that was killed.
func (n *node) adopt(st *state) bool {
	type key struct{ job, index int }
	known := map[key]*process{}
	for _, p := range n.processes {
		known[key{p.job, p.index}] = p
	}
	n.processes = map[*task]*process{}
	changed := false
	for _, j := range st.Jobs {
		for _, t := range j.Tasks {
			switch p := known[key{j.ID, t.Index}]; {
			case p != nil:
				n.processes[t] = p
			case t.Phase == running || t.Phase == ending:
				n.finish(st, j, t, &process{why: byNode})
				changed = true
			}
		}
	}
	return changed
}

// startOne starts the next task that may start, if there is one.
func (n *node) startOne(st *state) bool {
	if n.Hold || n.Down {
		return false
	}
	for _, j := range st.Jobs {
		active := 0
		for _, t := range j.Tasks {
			if t.Phase == running || t.Phase == ending {
				active++
			}
		}
		for _, t := range j.Tasks {
			if t.Phase != pending || t.Held || t.Stuck != "" || j.Max > 0 && active >= j.Max {
				continue
			}
			if time.Now().Before(t.NotYet) {
				n.until(t.NotYet)
				continue
			}
			if ready, never := st.released(n.sys, j); !ready || never {
				break
			}
			if len(n.processes) >= n.Slots {
				return false
			}
			n.start(st, j, t)
			return true
		}
	}
	return false
}

// until asks for a pass at a time.
func (n *node) until(at time.Time) {
	if n.due.IsZero() || at.Before(n.due) {
		n.due = at
	}
}

// released returns whether the jobs that j waits for have ended, and whether
// they ended so that it never starts. An unknown id is waited for only where
// the scheduler does.
func (s *state) released(sys *system, j *job) (ready, never bool) {
	ready = true
	for _, d := range j.After {
		found := false
		for _, other := range s.Jobs {
			if len(sys.tasks(other, d.ID)) == 0 {
				continue
			}
			found = true
			for _, t := range other.Tasks {
				bad := t.last().Code != 0 || t.last().Signal != 0 || t.last().Why != byItself
				switch {
				case d.Kind == "after":
					ready = ready && (t.Phase != pending || len(t.Runs) > 0)
				case t.Phase != ended:
					ready = false
				case d.Kind == "afterok" && bad, d.Kind == "afternotok" && !bad:
					never = true
				}
			}
		}
		if !found && sys.waitsForUnknown {
			ready = false
		}
	}
	return ready, never
}
