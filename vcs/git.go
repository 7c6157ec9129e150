package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// A git runs git in a directory, whatever the environment says of another
// repository, without its asking anything, running hooks or taking locks that it
// can do without.
type git struct {
	dir string
	env []string // in addition to the inherited one
}

// A GitError is what git said when it failed.
type GitError struct {
	Args     []string
	ExitCode int
	Stderr   string
}

func (e *GitError) Error() string {
	text := strings.TrimSpace(e.Stderr)
	if text == "" {
		text = fmt.Sprintf("exit status %d", e.ExitCode)
	}
	return fmt.Sprintf("git %s: %s", e.Args[0], text)
}

// own are settings for each call: the user's hooks are not meant for what mlxp
// does, and files that git-lfs keeps elsewhere stay the pointers that git has.
var own = []string{
	"--no-optional-locks",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.fsmonitor=false",
	"-c", "core.logAllRefUpdates=false",
	"-c", "worktree.useRelativePaths=false",
	"-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false",
	"-c", "advice.addEmbeddedRepo=false",
}

// run runs git and returns what it printed.
func (g git) run(ctx context.Context, args ...string) (string, error) {
	out, _, err := g.pipe(ctx, nil, args...)
	return out, err
}

// pipe runs git with an input and returns what it printed, and its complaints.
func (g git) pipe(ctx context.Context, in []byte, args ...string) (out, complaints string, err error) {
	cmd := exec.CommandContext(ctx, "git", append(own[:len(own):len(own)], args...)...)
	cmd.Dir = g.dir
	cmd.Env = append(environment(os.Environ()), g.env...)
	cmd.Stdin = bytes.NewReader(in)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		err = &GitError{args, exit.ExitCode(), stderr.String()}
	case errors.Is(err, exec.ErrNotFound):
		err = fault.Hint(errors.New("there is no program git"), "install git 2.25 or later, or launch without --vcs")
	}
	return stdout.String(), stderr.String(), err
}

// environment is what git inherits: without the variables by which a hook, or
// git itself, tells it of another repository or index (git(1)).
func environment(inherited []string) []string {
	var env []string
	for _, v := range inherited {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
			"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
			"GIT_NOGLOB_PATHSPECS", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "LC_ALL", "LANGUAGE":
		default:
			env = append(env, v)
		}
	}
	return append(env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_LFS_SKIP_SMUDGE=1")
}

// list splits what git printed with -z.
func list(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}
