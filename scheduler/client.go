package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/visible"
)

// A Client talks to a scheduler through its commands.
type Client struct {
	*Scheduler
	Environ []string      // what its commands get: see [CleanEnviron]
	Dir     string        // where they are executed
	Timeout time.Duration // of each command; 0: none

	// Slow, if it is not nil, is told once of a command that has not ended after
	// Patience: its name, and what it has said so far. sbatch tries again by itself for
	// minutes when its controller takes no more jobs.
	Slow     func(command, said string)
	Patience time.Duration
}

// An Error is a command of the scheduler's that failed, with what it said.
type Error struct {
	Command string // its name
	Status  int    // -1: it could not be executed, or did not answer in time
	Stdout  string
	Stderr  string
	Said    string // its stderr, or else its stdout, without blank lines
	Err     error  // if Status is -1
}

func (e *Error) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", e.Command, e.Err)
	case e.Said == "":
		return fmt.Sprintf("%s: exit status %d", e.Command, e.Status)
	case strings.HasPrefix(e.Said, e.Command+":"):
		return e.Said
	}
	return fmt.Sprintf("%s: %s", e.Command, e.Said)
}

// Unwrap returns why the command could not be executed.
func (e *Error) Unwrap() error { return e.Err }

// Silent tells whether the scheduler has not answered at all, so that nothing is
// known.
func (e *Error) Silent() bool { return e.Status < 0 }

// ask executes a command and returns its stdout, also with an error, which is an
// [*Error].
//
// What it writes goes to files: a pipe would end with this process, and oarsub deletes
// the job that it has submitted when it cannot write (its SIGPIPE means that).
func (c *Client) ask(ctx context.Context, stdin []byte, args ...string) (string, error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("no answer within %v", c.Timeout))
		defer cancel()
	}
	out, err := capture()
	if err != nil {
		return "", &Error{Command: args[0], Status: -1, Err: err}
	}
	defer out.Close()
	errs, err := capture()
	if err != nil {
		return "", &Error{Command: args[0], Status: -1, Err: err}
	}
	defer errs.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), out, errs
	if c.Slow != nil {
		timer := time.AfterFunc(c.Patience, func() { c.Slow(args[0], said(textOf(errs))) })
		defer timer.Stop()
	}
	cmd.Env, cmd.Dir = c.Environ, c.Dir
	if c.Dir != "" { // oarsub believes the variable
		cmd.Env = append(slices.Clone(c.Environ), "PWD="+c.Dir)
	}
	cmd.WaitDelay = time.Second // it may not read its stdin
	err = cmd.Run()
	stdout, stderr := textOf(out), textOf(errs)
	if err == nil {
		return stdout, nil
	}
	failure := &Error{Command: args[0], Status: -1, Stdout: stdout, Stderr: stderr, Said: said(stderr, stdout)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		failure.Err = context.Cause(ctx)
	case errors.As(err, &exit) && exit.Exited():
		failure.Status = exit.ExitCode()
	default:
		failure.Err = err
	}
	return stdout, failure
}

// textOf returns what is in a file, wherever it is written to.
func textOf(f *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, math.MaxInt64))
	if err != nil {
		return "" // as if it had said nothing
	}
	return string(text)
}

// said is what a command said that a person should read, on one line.
func said(texts ...string) string {
	for _, text := range texts {
		var lines []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
				lines = append(lines, visible.Text(line))
			}
		}
		const most = 6
		if len(lines) > most {
			lines = append(lines[:most], "…")
		}
		if len(lines) > 0 {
			return strings.Join(lines, "; ")
		}
	}
	return ""
}

// keptVariables say how the commands of Slurm reach their cluster; they are set by
// sites and users, not by a job.
var keptVariables = []string{"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT", "SLURM_TIME_FORMAT"}

// CleanEnviron returns environ without what says that this process is in a job
// already, in a run, or in a parallel program: a job that is submitted from there would take
// it for its own.
func CleanEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(keptVariables, name) || strings.HasPrefix(name, "SBATCH_") {
			return false // options of the user's
		}
		for _, s := range All {
			if name == s.JobID || name == s.Task || name == s.ArrayID {
				return true
			}
		}
		for _, prefix := range []string{"MLXP_RUN", "MLXP_CONFIG", "MLXP_METRICS", "SLURM_", "SLURMD_", "PMI_", "PMIX_", "OMPI_", "OAR_", "PBS_JOB", "PBS_ARRAY", "LSB_", "MOAB_JOB", "SGE_TASK_"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	})
}
