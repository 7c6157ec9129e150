package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/logdir"
)

// execute starts the program, follows it to its end and records that.
func (a *attempt) execute() error {
	tty := openTerminal(a.opts)
	defer tty.close()
	io, err := a.openStreams(tty)
	if err != nil {
		return a.refuse(err)
	}
	a.makeReserve()
	g, err := startGroup(func() (int, error) { return a.start(io) })
	io.started()
	if err != nil {
		io.wait(0)
		return a.refuse(err)
	}
	left := remains{g.pgid, startOf(g.pgid), a.run.Dir, jobOf(a.env)}
	a.opts.Guard.watch(left, false)
	end := a.follow(g, tty, left)
	a.use(end.usage)
	left.end()
	a.opts.Guard.release(left)
	io.wait(leftover)
	tty.takeBack()
	unkept, unshown := io.problems()
	a.note(unkept)
	if unshown != nil {
		a.opts.Unshown(unshown)
	}
	err = a.finish(end)
	a.opts.Guard.letGo()
	return err
}

// start starts the program as the leader of a process group of its own; one that has
// no terminal to read from is the leader of a session, so that it finds none as
// /dev/tty either and does not wait for it. It goes below package os, which would start
// a process more to find out about pidfds and wait for the program in a way that does
// not tell of stops.
func (a *attempt) start(io *streams) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: string(a.info.WorkDir), Env: a.env, Sys: sysProcAttr(a.opts.Stdin == nil)}
	for _, f := range io.child {
		attr.Files = append(attr.Files, f.Fd())
	}
	words := jsontext.Strings(a.info.Command)
	a.began = time.Now()
	pid, _, err = syscall.StartProcess(a.path, words, attr)
	if errors.Is(err, syscall.ENOEXEC) {
		// A script without #! is run by sh, as execvp(3) does.
		pid, _, err = syscall.StartProcess("/bin/sh", append([]string{"sh", a.path}, words[1:]...), attr)
	}
	runtime.KeepAlive(io)
	a.floor = ownPeak()
	if err != nil {
		return 0, startError(words[0], err)
	}
	return pid, nil
}

// startError gives err the exit status that a shell gives.
func startError(program string, err error) error {
	status := fault.NotExecutable
	switch {
	case errors.Is(err, unix.ENOENT):
		status = fault.NotFound // the interpreter of a script, too
	case errors.Is(err, unix.E2BIG):
		err = fault.Hint(err, "the config's long values are in the file named by $MLXP_CONFIG; the words of the command must be shorter")
	}
	return fault.Exit(fmt.Errorf("%s: cannot start: %w", program, err), status)
}

// An ending is how the program ended and what had been asked of it.
type ending struct {
	status unix.WaitStatus
	usage  unix.Rusage
	asked  os.Signal     // the last signal that was passed on to end it
	warned bool          // of the time limit
	killed bool          // by us
	why    logdir.Reason // the scheduler ended it; empty: nobody knows
	cost   time.Duration
}

// follow passes signals on and gives signs of life until the program ends.
func (a *attempt) follow(g *group, tty *terminal, left remains) ending {
	var end ending
	kill := func() {
		end.killed = true
		g.signal(unix.SIGKILL)
	}
	learnt, asked := make(chan func(*logdir.Info), 1), false
	settle := time.NewTimer(settled)
	defer settle.Stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	grace, patience := time.NewTimer(0), time.NewTimer(0)
	final := time.NewTimer(0)
	grace.Stop()
	patience.Stop()
	final.Stop()
	defer final.Stop()
	defer grace.Stop()
	defer patience.Stop()
	dying := false // the grace time runs
	var interrupted time.Time
	var why chan logdir.Reason
	for {
		select {
		case w := <-g.pids:
			if w.status.Stopped() {
				// A shell may have continued us, and we the program, before we get to know.
				if isStopped(g.pgid) && tty.stopped(g, w.status.StopSignal()) {
					select {
					case a.opts.Stopped <- struct{}{}:
					default:
					}
				}
				continue
			}
			end.status, end.usage, end.cost = w.status, w.usage, time.Since(a.began)
			if asked {
				select {
				case record := <-learnt:
					record(a.info)
				case <-time.After(answer):
				}
			}
			if why == nil && a.late(&end) {
				why = ask(a.opts.Why)
			}
			if why != nil {
				select {
				case end.why = <-why:
				case <-time.After(answer):
				}
			}
			return end
		case sig := <-a.opts.Signals:
			switch {
			case sig == a.opts.Warning:
				if end.warned && a.opts.Last > 0 {
					continue // OAR repeats it, and the program is ending
				}
				if !end.warned && a.opts.Last > 0 {
					final.Reset(a.opts.Last)
				}
				if !end.warned && a.opts.Warned != nil && why == nil {
					why = ask(a.opts.Warned)
				}
				end.warned = true
			case slices.Contains(a.opts.Stops, sig.(unix.Signal)):
				// A program that knows this signal gets it, any other one SIGTERM.
				if g.signalCatchers(sig.(unix.Signal)) {
					if !dying && a.opts.Why != nil {
						why = ask(a.opts.Why)
					}
					dying, end.asked = true, unix.SIGTERM
					grace.Reset(a.opts.Grace)
					continue
				}
				sig = unix.SIGTERM
			}
			switch sig {
			case unix.SIGINT, unix.SIGTERM:
				if sig == unix.SIGINT && tty.interactive() {
					break
				}
				if end.asked == unix.SIGINT && sig == unix.SIGINT {
					if time.Since(interrupted) > oneCtrlC {
						kill()
					}
					continue
				}
				if sig == unix.SIGINT {
					interrupted = time.Now()
				}
				if !dying {
					dying = true
					grace.Reset(a.opts.Grace)
					if a.opts.Why != nil && sig == unix.SIGTERM {
						why = ask(a.opts.Why)
					}
				}
				if sig == unix.SIGINT {
					patience.Reset(atOnce)
				}
				end.asked = sig
			case unix.SIGHUP, unix.SIGQUIT:
				end.asked = sig
			case unix.SIGWINCH:
				tty.resize()
			case unix.SIGTSTP:
				tty.stop()
				if a.opts.Stdin == nil {
					sig = unix.SIGSTOP // nobody could continue a session, so the kernel does not stop it with SIGTSTP
				}
			case unix.SIGCONT:
				tty.enter(g)
			case unix.SIGUSR1, unix.SIGUSR2:
				g.signalCatchers(sig.(unix.Signal))
				continue
			}
			g.signal(sig.(unix.Signal))
			if end.asked == sig {
				g.signal(unix.SIGCONT) // a stopped program has to hear it
			}
		case <-final.C:
			dying = true
			grace.Reset(a.opts.Last / 4)
			g.signal(unix.SIGTERM)
			g.signal(unix.SIGCONT)
		case <-patience.C:
			a.opts.Notice(fmt.Sprintf("waiting up to %v for run %d to end; Ctrl-C again ends it now", a.opts.Grace, a.run.ID))
		case <-grace.C:
			kill()
		case <-settle.C:
			a.opts.Guard.watch(left, true)
			a.opts.Guard.hold(a.opts.LoginShell)
			a.witness = newWitness(currentCgroup("/"))
			a.meter = startMeter(left.pgid, left.start)
			a.info.Status = logdir.Running
			a.note(a.run.WriteInfo(a.info))
			a.info.Resources = describeResources()
			asked = true
			go func() { learnt <- a.learn() }()
		case record := <-learnt:
			asked = false
			record(a.info)
		case <-beat.C:
			a.claim.Touch() // best effort: a reader sees an older sign of life
		case <-tty.look.C:
			// The foreground group alone is told of a new size.
			if tty.resize() {
				g.signal(unix.SIGWINCH)
			}
		}
	}
}

// ask asks, while the program ends, why the scheduler ends it.
func ask(whom func() logdir.Reason) chan logdir.Reason {
	why := make(chan logdir.Reason, 1)
	go func() { why <- whom() }()
	return why
}

// late waits a moment for the signal of a scheduler that ends a job, which goes to all
// of its processes at once: the program may have ended by it before it reaches us.
func (a *attempt) late(end *ending) bool {
	if a.opts.Why == nil || end.asked != nil || end.status.Exited() && end.status.ExitStatus() == 0 {
		return false
	}
	timer := time.NewTimer(sameTime)
	defer timer.Stop()
	for {
		select {
		case sig := <-a.opts.Signals:
			if sig == unix.SIGTERM || slices.Contains(a.opts.Stops, sig.(unix.Signal)) {
				end.asked = unix.SIGTERM
				return true
			}
		case <-timer.C:
			return false
		}
	}
}

// learn finds out what takes longer, while the program runs, and returns what to
// record.
func (a *attempt) learn() func(*logdir.Info) {
	record := func(*logdir.Info) {}
	if a.later != nil {
		record = a.later()
	}
	gpus := visibleTo(a.opts.Environ, HostGPUs(filepath.Dir(a.run.Dir), a.opts.Environ))
	return func(info *logdir.Info) {
		record(info)
		info.Resources.GPUs = gpus
	}
}

// finish records the end.
func (a *attempt) finish(end ending) error {
	info := a.info
	code := end.status.ExitStatus()
	switch {
	case end.status.Signaled():
		code = fault.SignalBase + int(end.status.Signal())
		a.interrupted(end.status.Signal(), a.reason(end, end.status.Signal()))
	case code == 0:
		info.Status = logdir.Complete
	case end.asked != nil: // it caught the signal and gave up
		a.interrupted(end.asked.(unix.Signal), a.reason(end, end.asked.(unix.Signal)))
	case end.warned:
		a.interrupted(a.opts.Warning, a.reason(end, a.opts.Warning))
	default:
		info.Status = logdir.Failed
	}
	info.ExitCode = &code
	info.Ended = logdir.Now()
	seconds := end.cost.Seconds()
	if info.Seconds != nil {
		seconds += *info.Seconds
	}
	info.Seconds = &seconds
	info.Resources.CPUSeconds, info.Resources.PeakMemory = a.used.cpu.Seconds(), a.used.memory
	a.recordEnd()
	for _, problem := range a.notices {
		info.Problems = append(info.Problems, jsontext.Text(problem.Error()))
	}
	a.note(a.writeEnd())
	for _, problem := range a.notices {
		a.opts.Unkept(fmt.Errorf("run %d: not all of it could be recorded: %w", a.run.ID, problem))
	}
	return nil
}

// recordEnd records the end in the attempt's entry, too.
func (a *attempt) recordEnd() {
	info, record := a.info, a.record()
	record.Ended, record.Status, record.ExitCode = info.Ended, info.Status, info.ExitCode
	if info.Reason != nil {
		record.Reason = *info.Reason
	}
}

func (a *attempt) interrupted(sig unix.Signal, reason logdir.Reason) {
	name := unix.SignalName(sig)
	a.info.Status, a.info.Reason, a.info.Signal = logdir.Interrupted, &reason, &name
}

// note keeps a problem of mlxp's own: it never ends a running program.
func (a *attempt) note(err error) {
	if err != nil {
		a.notices = append(a.notices, err)
	}
}
