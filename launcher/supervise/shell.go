package supervise

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/process"
	"github.com/mlxp/mlxp/logdir"
)

// ShellVariable tells a job script in whose job's shell it runs: the directory of the
// run that the script executes.
const ShellVariable = "MLXP_RUN_SHELL"

// Shell executes the shell of a job script that does more than the run, and returns
// its exit status.
//
// A scheduler sends some of its signals to the process that it has started alone,
// and a shell does not pass them on: it would be ended by them, and what it started
// with it. So the process that the scheduler starts is mlxp. It passes signals on to
// the supervisor of the run while that lives, else to the shell and what that has
// started; and it outlives both.
func Shell(run logdir.Run, words, environ []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(slices.Clone(environ), ShellVariable+"="+run.Dir) // the last one counts
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 0, startError(words[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return 0, err
			}
			for supervisor(run) > 0 { // the shell was ended, the run is about to be
				select {
				case sig := <-signals:
					pass(run, 0, sig.(unix.Signal))
				case <-time.After(50 * time.Millisecond):
				}
			}
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if status.Signaled() {
				return fault.SignalBase + int(status.Signal()), nil
			}
			return status.ExitStatus(), nil
		case sig := <-signals:
			pass(run, cmd.Process.Pid, sig.(unix.Signal))
		}
	}
}

// pass passes a signal on: to the run's supervisor if there is one and to a shell
// that has a trap for it, else to all that the shell has started.
func pass(run logdir.Run, shell int, sig unix.Signal) {
	if pid := supervisor(run); pid > 0 {
		unix.Kill(pid, sig)
		if shell > 0 && catches(shell, sig) {
			unix.Kill(shell, sig)
		}
		return
	}
	switch {
	case shell == 0:
	case sig == unix.SIGUSR1 || sig == unix.SIGUSR2: // which kill who does not catch them
		(&group{pgid: shell}).signalCatchers(sig)
	default:
		unix.Kill(-shell, sig)
	}
}

// supervisor returns the pid of the mlxp on this host that executes the run, 0 if
// there is none.
func supervisor(run logdir.Run) int {
	owner, err := run.LastClaim()
	if err != nil || owner == nil || owner.Process.Life() != process.Alive {
		return 0
	}
	return owner.Process.Pid
}
