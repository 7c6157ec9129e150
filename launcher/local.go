package launcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

// runHere executes the job scripts of the submission on this machine.
func (s *submission) runHere(signals *signals) error {
	var runs []logdir.Run
	for _, b := range s.batches {
		runs = append(runs, b.runs...)
	}
	return executeScripts(s.w, s.batches[0].root(), runs, s.script.Shell, s.o.pool, signals, s.report)
}

// executeScripts executes the job scripts of runs, with shell, as a scheduler
// would, and returns the error that gives mlxp its exit status.
func executeScripts(w World, root string, runs []logdir.Run, shell []string, o poolOptions, signals *signals, report *reporter) error {
	report.start(root, len(runs), min(o.jobs, len(runs)))
	p := &pool{world: w, jobs: report.jobs, failFast: o.failFast, gpus: o.gpus, report: report, signals: signals}
	p.execute = func(w World, run logdir.Run, received <-chan os.Signal) (*logdir.Info, error) {
		return executeScript(w, run, shell, p.jobs == 1, received)
	}
	p.run(runs)
	if len(runs) == 1 {
		if info, err := runs[0].ReadInfo(); err == nil && info.ExitCode != nil {
			return exit(*info.ExitCode)
		}
	}
	report.summary(runs, sweepOf(runs[0]))
	return p.status(runs)
}

// executeScript executes the job script of a run and returns the run's record. What
// the script prints goes to job.log, and to the user if show is set.
func executeScript(w World, run logdir.Run, shell []string, show bool, received <-chan os.Signal) (*logdir.Info, error) {
	log, err := run.OpenAppend(logdir.JobLog)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	words := append(append([]string{}, shell...), run.Path(logdir.ScriptSh))
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = w.Environ
	cmd.Stdout, cmd.Stderr = log, log
	if show {
		cmd.Stdout, cmd.Stderr = io.MultiWriter(log, w.Stdout), io.MultiWriter(log, w.Stderr)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through us, once
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-received:
			unix.Kill(-cmd.Process.Pid, sig.(unix.Signal))
		case err := <-ended:
			var failed *exec.ExitError
			if err != nil && !errors.As(err, &failed) {
				return nil, err
			}
			info, err := run.ReadInfo()
			if err == nil && !info.Status.Ended() {
				return nil, fault.Hint(fmt.Errorf("its job script ended (%s) and the run had not", cmd.ProcessState), "look into %s", run.Path(logdir.JobLog))
			}
			return info, err
		}
	}
}
