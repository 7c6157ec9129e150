package fakesched

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const usage = `usage: fakesched VERB …
  new KEY=VALUE …      make the state directory, or change its settings: Scheduler=oar Slots=1 Hold=true
                       (the fields of Config; durations as 50ms, lists with commas)
  requeue ID …         requeue running tasks
  preempt ID …         the same, because something more important came
  nodefail [ID …]      the node fails under these tasks, or all
  timeout GRACE ID …   the warning signal now, the time limit GRACE later
  calls [COMMAND]      prints the calls, one line of JSON each
  count COMMAND …      prints how often each was called
  wait [DURATION]      waits until no task is pending, running or ending (default one minute)
  await STATE ID       waits until the first task of a job is pending, running, ending or ended
  stop                 kills all tasks and ends the node`

// control is the command fakesched.
func control(s site, args []string) int {
	err := controlled(s, args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "fakesched: %v\n", err)
		return 1
	}
	return 0
}

func controlled(s site, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s", usage)
	}
	verb, args := args[0], args[1:]
	at := Site{s}
	switch verb {
	case "new":
		return at.set(args)
	case "requeue":
		return at.Order(byRequeue, args...)
	case "preempt":
		return at.Order(byPreempt, args...)
	case "nodefail":
		return at.Order(byNode, args...)
	case "timeout":
		if len(args) < 2 {
			return fmt.Errorf("timeout GRACE ID …")
		}
		return at.Order("warn:"+args[0], args[1:]...)
	case "calls", "count":
		calls, err := at.Calls()
		if err != nil {
			return err
		}
		count := map[string]int{}
		for _, call := range calls {
			count[call.Command]++
			if verb == "calls" && (len(args) == 0 || args[0] == call.Command) {
				line, err := json.Marshal(call)
				if err != nil {
					return err
				}
				fmt.Printf("%s\n", line)
			}
		}
		if verb == "count" {
			for _, name := range args {
				fmt.Println(name, count[name])
			}
		}
		return nil
	case "wait":
		wait := time.Minute
		if len(args) > 0 {
			var err error
			if wait, err = time.ParseDuration(args[0]); err != nil {
				return err
			}
		}
		return at.Wait(wait)
	case "await":
		if len(args) != 2 {
			return fmt.Errorf("await STATE ID")
		}
		return at.Await(args[0], args[1])
	case "stop":
		return at.Stop()
	}
	return fmt.Errorf("no verb %q\n%s", verb, usage)
}

// A Site is a state directory, as a test holds it.
type Site struct{ site }

// At is the site in a directory, which [New] or "fakesched new" made.
func At(dir string) Site { return Site{site{dir}} }

// New makes a state directory in dir. Who makes it stops it: see [Site.Stop].
func New(dir string, c Config) (Site, error) {
	s := Site{site{dir}}
	set(&c.Scheduler, "slurm")
	if systems[c.Scheduler] == nil {
		return s, fmt.Errorf("no scheduler %q", c.Scheduler)
	}
	if err := os.MkdirAll(s.path("spool"), 0o700); err != nil {
		return s, err
	}
	if err := writeJSON(s.path("config.json"), c.filled()); err != nil {
		return s, err
	}
	return s, s.locked(func(*state) bool { return true })
}

// Change changes a site's settings while it works.
func (s Site) Change(f func(*Config)) error {
	c, err := s.config()
	if err != nil {
		return err
	}
	f(&c)
	if err := writeJSON(s.path("config.json"), c.filled()); err != nil {
		return err
	}
	return s.touch(func(*state) {})
}

// touch changes the state and wakes the node.
func (s Site) touch(f func(*state)) error {
	var woken error
	err := s.locked(func(st *state) bool {
		f(st)
		if st.live() {
			woken = s.wake()
		}
		return true
	})
	return firstOf(err, woken)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// set changes settings given as KEY=VALUE, making the directory if need be.
func (s Site) set(words []string) error {
	var c Config
	if exists(s.path("config.json")) {
		var err error
		if c, err = s.config(); err != nil {
			return err
		}
	}
	fields := map[string]any{}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("%q is not KEY=VALUE", word)
		}
		fields[key] = settingValue(key, value)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	if !exists(s.path("config.json")) {
		_, err = New(s.dir, c)
		return err
	}
	return s.Change(func(old *Config) { *old = c })
}

// settingValue reads a value as the kind that its field has.
func settingValue(key, value string) any {
	switch key {
	case "Queues":
		return strings.Split(value, ",")
	case "Refuse":
		queue, message, _ := strings.Cut(value, ":")
		return map[string]string{queue: message}
	case "Slots", "Accept", "Largest":
		return number(value)
	case "Hold", "Down", "Accounting", "UnixBehavior", "XML":
		return value == "true"
	case "Delay", "Second", "KillWait", "Again", "Keep":
		d, _ := time.ParseDuration(value)
		return d
	}
	return strings.ReplaceAll(value, `\n`, "\n")
}

// Order makes the node do something with tasks that run: those of these ids, or
// all.
func (s Site) Order(order string, ids ...string) error {
	c, err := s.config()
	if err != nil {
		return err
	}
	found := 0
	err = s.touch(func(st *state) {
		for _, j := range st.Jobs {
			for _, t := range j.Tasks {
				if (t.Phase == running || t.Phase == ending) && (len(ids) == 0 || systems[c.Scheduler].means(j, t, ids)) {
					t.Order = order
					found++
				}
			}
		}
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("none of %q runs", ids)
	}
	return err
}

// means says whether one of the ids is that of the task or its job.
func (sys *system) means(j *job, t *task, ids []string) bool {
	for _, id := range ids {
		for _, found := range sys.tasks(j, id) {
			if found == t {
				return true
			}
		}
	}
	return false
}

// Calls are the calls of commands so far.
func (s Site) Calls() ([]Call, error) {
	text, err := os.ReadFile(s.path("calls"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var calls []Call
	for line := range strings.Lines(string(text)) {
		var c Call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// Wait waits until no task is left that runs or will run by itself.
func (s Site) Wait(atMost time.Duration) error {
	return s.poll(atMost, "tasks that do not end", func(st *state) bool {
		for _, j := range st.Jobs {
			for _, t := range j.Tasks {
				if t.Phase != ended && !t.Held && t.Stuck == "" {
					return false
				}
			}
		}
		return true
	})
}

// Await waits until the first task with this id is in a phase: "running".
func (s Site) Await(phase, id string) error {
	c, err := s.config()
	if err != nil {
		return err
	}
	return s.poll(time.Minute, id+" was never "+phase, func(st *state) bool {
		for _, j := range st.Jobs {
			if tasks := systems[c.Scheduler].tasks(j, id); len(tasks) > 0 {
				return string(tasks[0].Phase) == phase
			}
		}
		return false
	})
}

func (s Site) poll(atMost time.Duration, fault string, done func(*state) bool) error {
	m := memory{seen: -1}
	for deadline := time.Now().Add(atMost); time.Now().Before(deadline); time.Sleep(tick) {
		if m.state != nil && s.changes() == m.seen {
			continue // who waits does not keep the lock from who works
		}
		ok := false
		if err := s.transact(&m, func(st *state) bool { ok = done(st); return false }); err != nil {
			return err
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("after %s: %s", atMost, fault)
}

// Stop kills all tasks and waits until the node is gone.
func (s Site) Stop() error {
	if err := os.WriteFile(s.path("stop"), nil, 0o600); err != nil {
		if os.IsNotExist(err) {
			return nil // and so is the node: its directory is gone
		}
		return err
	}
	lock, err := os.OpenFile(s.path("node.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := flock(lock, unix.LOCK_EX); err != nil {
		return err
	}
	return os.Remove(s.path("stop"))
}

// Dir is the state directory, which the variable FAKESCHED has to name.
func (s Site) Dir() string { return s.dir }
