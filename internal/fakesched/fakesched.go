// Package fakesched is the batch schedulers that tests submit to where the real
// ones are not installed: Slurm, OAR, Grid Engine, PBS (OpenPBS and TORQUE), LSF
// and Moab. Their commands take the options of the real ones, answer with the
// same words and exit statuses, and refuse what the real ones refuse. Jobs are
// really executed, as the scheduler would: from a spooled script or in place,
// with its variables, in its directory, with its rules for output, signals and
// requeues.
//
// [Build] makes the commands, which tests put first on PATH. What a scheduler
// remembers is in the directory that the variable FAKESCHED names. One process per
// directory, the node, runs the tasks; it is started by the commands, and ends
// when the directory is removed, when it is told to, when it is idle, and after
// four minutes whatever happens.
//
// The package is for tests alone: .golangci.yml refuses its import elsewhere.
//
// Sources: what was observed on Slurm 22.05.8, Grid Engine 8.1.9, OAR 2.5.9 and
// OpenPBS 23.06.06 on Debian 12. TORQUE, LSF and Moab follow their manuals and
// what other tools recorded; each such place says so.
package fakesched

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A system is a scheduler: values where schedulers differ in values, functions
// where they do not.
type system struct {
	name     string
	queues   []string // of a site that names none
	largest  int      // array
	commands map[string]func(*call) int

	stop            func(j *job, why string) []unix.Signal // sent to a task that is to end; KillWait later SIGKILL. Empty: SIGKILL at once
	ladder          bool                                   // the signals of stop come one by one, KillWait apart
	groupOnly       bool                                   // signals that can be caught go to the script's process group, not to all below it
	warnSteps       bool                                   // the warning signal goes to steps unless the script is named
	waitsForUnknown bool                                   // a dependency on an unknown job is waited for

	tasks    func(j *job, id string) []*task                       // those of the job that an id means
	launch   func(n *node, st *state, j *job, t *task) launch      // what to start
	message  func(n *node, j *job, t *task, why string) string     // what the job's output is told when it is made to end
	finished func(n *node, st *state, j *job, t *task, p *process) // what follows from the end of a run
	down     func(c *call) int                                     // the answer of every command when the server is down
	refused  func(c *call, message string) int                     // a refusal in the scheduler's form
	report   func(n *node, j *job, t *task, out string) string     // a job's spooled output as it is delivered; nil: as it is
	limit    string                                                // why a submission is refused when there are too many
}

// Main runs a command and returns its exit status.
func Main(name string, args []string) int {
	dir := os.Getenv("FAKESCHED")
	if dir == "" {
		fmt.Fprintf(os.Stderr, "%s: FAKESCHED does not name a directory\n", name)
		return 127
	}
	s := site{dir}
	if name == "fakesched" {
		if len(args) == 1 && args[0] == "node" {
			return nodeMain(s)
		}
		return control(s, args)
	}
	config, err := s.config()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 127
	}
	sys := systems[config.Scheduler]
	command := sys.commands[name]
	if command == nil {
		fmt.Fprintf(os.Stderr, "%s: command not found: %s has none\n", name, config.Scheduler)
		return 127
	}
	start := time.Now()
	cwd, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 127
	}
	c := &call{site: s, Config: config, sys: sys, name: name, args: args, cwd: cwd, stdin: os.Stdin}
	time.Sleep(config.Delay)
	status := 0
	if config.Down && sys.down != nil {
		status = sys.down(c)
	} else {
		status = command(c)
	}
	if err := c.record(status, start); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 127
	}
	_, _ = io.Copy(os.Stdout, &c.out)
	_, _ = io.Copy(os.Stderr, &c.err)
	return status
}

// change runs f alone with the state, saves it and wakes the node. Its result is
// the command's status.
func (c *call) change(f func(*state) int) int {
	status := 0
	var woken error
	err := c.locked(func(st *state) bool {
		status = f(st)
		if st.live() {
			woken = c.wake()
		}
		return true
	})
	if err = errors.Join(err, woken); err != nil {
		return c.fail(127, "%s: %v", c.name, err)
	}
	return status
}

// read runs f with the state.
func (c *call) read(f func(*state) int) int {
	status := 0
	if err := c.locked(func(st *state) bool { status = f(st); return false }); err != nil {
		return c.fail(127, "%s: %v", c.name, err)
	}
	return status
}

// admit adds a job that a submission made, unless the site refuses it.
func (c *call) admit(f func(*state) int) int {
	return c.change(func(st *state) int {
		if c.Accept > 0 && st.Accepted >= c.Accept {
			return c.sys.refused(c, c.sys.limit)
		}
		status := f(st)
		if status == 0 {
			st.Accepted++
		}
		return status
	})
}

// spool keeps a script and returns where.
func (c *call) spool(id int, name string, script []byte) error {
	dir := c.path("spool", fmt.Sprintf("job%05d", id))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), script, 0o700)
}

// keepEnv keeps the environment of a job.
func (c *call) keepEnv(id int, env []string) error {
	dir := c.path("spool", fmt.Sprintf("job%05d", id))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "environment"), []byte(strings.Join(env, "\x00")), 0o600)
}

// keptEnv is the environment of a job, and the path of its script.
func (s site) keptEnv(j *job) ([]string, string) {
	dir := s.path("spool", fmt.Sprintf("job%05d", j.ID))
	var env []string
	if text, err := os.ReadFile(filepath.Join(dir, "environment")); err == nil && len(text) > 0 {
		env = strings.Split(string(text), "\x00")
	}
	return env, filepath.Join(dir, j.Script)
}
