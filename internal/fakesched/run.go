package fakesched

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A launch is what a scheduler starts for a task.
type launch struct {
	path string   // of the program
	argv []string // argv[0] included
	env  []string
	dir  string
	in   string // empty: nothing to read
	// Where output goes. An empty err is with out. Spooled output is written
	// elsewhere and brought to its place when the run has ended.
	out, err string
	append   bool
	spooled  bool
	mode     os.FileMode
	first    string // what the scheduler itself writes before the job's output
	why      string // it cannot start, and how it ends then
}

// A process is a run of a task on this node.
type process struct {
	job, index int
	cmd        *exec.Cmd
	launch     launch
	over       bool
	why        string // it was made to end
	hold       bool   // and is held when it is requeued
	start      time.Time
	warnAt     time.Time
	limitAt    time.Time
	killAt     time.Time
	more       []unix.Signal // to be sent before SIGKILL
}

func (n *node) start(st *state, j *job, t *task) {
	t.Phase, t.Reason, t.Order = running, "", ""
	p := &process{job: j.ID, index: t.Index, start: time.Now()}
	t.Runs = append(t.Runs, run{Start: p.start})
	p.launch = n.sys.launch(n, st, j, t)
	if p.why = p.launch.why; p.why == "" {
		p.why = n.exec(p)
	}
	if p.why != "" {
		n.finish(st, j, t, p)
		return
	}
	t.PID = p.cmd.Process.Pid
	n.processes[t] = p
	if j.Limit > 0 {
		p.limitAt = p.start.Add(time.Duration(j.Limit) * n.Second)
		if j.Warn.Signal != "" {
			p.warnAt = p.limitAt.Add(-time.Duration(j.Warn.Before) * n.Second)
		}
	}
	n.plan(p)
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		n.ended <- p
	}()
}

// exec starts the process, or returns why it cannot.
func (n *node) exec(p *process) string {
	l := p.launch
	if info, err := os.Stat(l.dir); err != nil || !info.IsDir() {
		return byBadDir
	}
	out, err := n.openOutput(p, l.out)
	if err != nil {
		return byBadOutput
	}
	defer out.Close()
	errs := out
	if l.err != "" && l.err != l.out {
		if errs, err = n.openOutput(p, l.err); err != nil {
			return byBadOutput
		}
		defer errs.Close()
	}
	fmt.Fprint(out, l.first)
	p.cmd = &exec.Cmd{Path: l.path, Args: l.argv, Env: l.env, Dir: l.dir, Stdout: out, Stderr: errs}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if l.in != "" {
		in, err := os.Open(absolute(l.dir, l.in))
		if err != nil {
			return byBadOutput
		}
		defer in.Close()
		p.cmd.Stdin = in
	}
	if err := p.cmd.Start(); err != nil {
		fmt.Fprintf(errs, "%s: %v\n", filepath.Base(l.path), errors.Unwrap(err))
		return byBadShell
	}
	return ""
}

func (n *node) openOutput(p *process, path string) (*os.File, error) {
	if p.launch.spooled {
		path = n.spooled(p, path)
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !p.launch.append && !p.launch.spooled {
		flags |= os.O_TRUNC
	}
	mode := p.launch.mode
	if mode == 0 {
		mode = 0o644
	}
	return os.OpenFile(absolute(p.launch.dir, path), flags, mode)
}

// spooled is where output stays until the run has ended.
func (n *node) spooled(p *process, path string) string {
	kind := "OU"
	if path != p.launch.out {
		kind = "ER"
	}
	return n.path("spool", fmt.Sprintf("%d.%d.%s", p.job, p.index, kind))
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// say adds a line of the scheduler's to a task's output, on its standard error.
func (n *node) say(p *process, text string) {
	path := p.launch.err
	if path == "" {
		path = p.launch.out
	}
	if path == "" || text == "" {
		return
	}
	if p.launch.spooled {
		path = n.spooled(p, path)
	}
	if f, err := os.OpenFile(absolute(p.launch.dir, path), os.O_APPEND|os.O_WRONLY, 0); err == nil {
		fmt.Fprintln(f, text)
		f.Close()
	}
}

// plan asks for a pass when the process is to be warned or stopped.
func (n *node) plan(p *process) {
	for _, at := range []time.Time{p.warnAt, p.limitAt, p.killAt} {
		if !at.IsZero() {
			n.until(at)
		}
	}
}

// watch does what time and orders demand of a running task.
func (n *node) watch(st *state, j *job, t *task, p *process) bool {
	if p.over {
		// An order that was accepted while the process ended by itself holds.
		switch why, hold := strings.CutSuffix(t.Order, " hold"); why {
		case byUser, byRequeue, byPreempt, byNode:
			if p.why == byItself {
				p.why, p.hold = why, hold
			}
		}
		delete(n.processes, t)
		n.finish(st, j, t, p)
		return true
	}
	now := time.Now()
	order := t.Order
	t.Order = ""
	if !p.warnAt.IsZero() && !now.Before(p.warnAt) {
		p.warnAt = time.Time{}
		n.warn(j, t, p)
	}
	if !p.limitAt.IsZero() && !now.Before(p.limitAt) {
		p.limitAt = time.Time{}
		if order == "" {
			order = byLimit
		}
	}
	if !p.killAt.IsZero() && !now.Before(p.killAt) {
		p.killAt = time.Time{}
		if len(p.more) > 0 {
			n.signal(p.cmd.Process.Pid, p.more[0])
			p.more, p.killAt = p.more[1:], now.Add(n.KillWait)
		} else {
			signalTree(p.cmd.Process.Pid, unix.SIGKILL)
		}
	}
	n.obey(j, t, p, order)
	n.plan(p)
	return order != ""
}

// obey does what was ordered of a running task. Once it is ending, only what
// is harsher counts.
func (n *node) obey(j *job, t *task, p *process, order string) {
	pid := p.cmd.Process.Pid
	switch verb, rest, _ := strings.Cut(order, ":"); verb {
	case "":
	case "signal":
		n.signal(pid, unix.SignalNum("SIG"+rest))
	case "signal-script":
		_ = unix.Kill(pid, unix.SignalNum("SIG"+rest))
	case "checkpoint":
		n.warn(j, t, p)
	case "warn":
		n.warn(j, t, p)
		grace, _ := time.ParseDuration(rest)
		p.limitAt = time.Now().Add(grace)
	case byNode:
		p.why, t.Phase = byNode, ending
		signalTree(pid, unix.SIGKILL)
	default: // one of the ways to end
		if t.Phase == ending {
			return
		}
		why, hold := strings.CutSuffix(order, " hold")
		p.why, p.hold, t.Phase, t.Runs[len(t.Runs)-1].Why = why, hold, ending, why
		n.say(p, n.sys.message(n, j, t, why))
		signals := n.sys.stop(j, why)
		if n.sys.ladder && len(signals) > 1 {
			p.more, signals = signals[1:], signals[:1]
		}
		for _, sig := range signals {
			n.signal(pid, sig)
		}
		p.killAt = time.Now()
		if len(signals) > 0 {
			p.killAt = p.killAt.Add(n.KillWait)
		}
	}
}

// warn sends the signal that a job asked for before its end.
func (n *node) warn(j *job, t *task, p *process) {
	if j.Warn.Signal == "" {
		return
	}
	sig, pid := unix.SignalNum("SIG"+j.Warn.Signal), p.cmd.Process.Pid
	defer func() { n.say(p, n.sys.message(n, j, t, warned)) }()
	switch {
	case j.Warn.Script:
		_ = unix.Kill(pid, sig)
	case n.sys.warnSteps:
		// Only steps get it, and a step is made by srun alone.
	default:
		n.signal(pid, sig)
	}
}

// signal sends a signal as far as the scheduler reaches.
func (n *node) signal(pid int, sig unix.Signal) {
	if n.sys.groupOnly {
		_ = unix.Kill(-pid, sig)
		return
	}
	signalTree(pid, sig)
}

// finish records the end of a run, and what follows from it.
func (n *node) finish(st *state, j *job, t *task, p *process) {
	r := &t.Runs[len(t.Runs)-1]
	r.End, r.Why = time.Now(), p.why
	t.Phase, t.PID, t.Order = ended, 0, ""
	if p.cmd != nil && p.cmd.ProcessState != nil {
		n.sessions = append(n.sessions, p.cmd.Process.Pid)
		if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
			if status.Signaled() {
				r.Signal = int(status.Signal())
			} else {
				r.Code = status.ExitStatus()
			}
		}
	}
	n.sys.finished(n, st, j, t, p)
	if p.launch.spooled && t.Phase == ended {
		n.deliver(j, t, p)
	}
}

// deliver brings spooled output to its place.
func (n *node) deliver(j *job, t *task, p *process) {
	for _, path := range []string{p.launch.out, p.launch.err} {
		if path == "" {
			continue
		}
		from := n.spooled(p, path)
		text, err := os.ReadFile(from)
		if err != nil {
			continue
		}
		if n.sys.report != nil && path == p.launch.out {
			text = []byte(n.sys.report(n, j, t, string(text)))
		}
		mode := p.launch.mode
		path = absolute(p.launch.dir, path)
		flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if p.launch.append {
			flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
		} else if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			_ = os.Remove(path) // what was there, and its mode
		}
		if f, err := os.OpenFile(path, flags, mode); err == nil { // else it is undelivered, without a word
			_, _ = f.Write(text)
			f.Close()
		}
		_ = os.Remove(from)
	}
}

// again makes a task pending once more.
func (n *node) again(t *task, p *process, reason string) {
	t.Phase, t.Reason, t.Order = pending, reason, ""
	t.NotYet = time.Now().Add(n.Again)
	t.Held = p.hold
	n.until(t.NotYet)
}

func (n *node) killAll() {
	for _, p := range n.processes {
		signalTree(p.cmd.Process.Pid, unix.SIGKILL)
	}
}
