package vcs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in dir, away from the user's configuration.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.c", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.c")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestFindHead(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repo := filepath.Join(dir, "repo")
	sub := filepath.Join(repo, "a", "b")
	if err := os.MkdirAll(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	check := func(name, at string, want Head) {
		t.Helper()
		if got, ok := FindHead(at); !ok || got != want {
			t.Errorf("%s: FindHead(%s) = %+v, %v; want %+v", name, at, got, ok, want)
		}
	}
	if h, ok := FindHead(sub); ok {
		t.Fatalf("FindHead finds %+v without a repository", h)
	}
	gitIn(t, dir, "init", "-q", "-b", "main", "repo")
	check("no commit yet", sub, Head{Root: repo, Path: "a/b", Branch: "main"})

	gitIn(t, repo, "commit", "-q", "--allow-empty", "-m", "one")
	commit := gitIn(t, repo, "rev-parse", "HEAD")
	check("branch", repo, Head{Root: repo, Path: ".", Commit: commit, Branch: "main"})

	gitIn(t, repo, "pack-refs", "--all")
	check("packed refs", repo, Head{Root: repo, Path: ".", Commit: commit, Branch: "main"})

	tree := filepath.Join(dir, "tree")
	gitIn(t, repo, "worktree", "add", "-q", "-b", "feature/x", tree)
	check("worktree", tree, Head{Root: tree, Path: ".", Commit: commit, Branch: "feature/x"})

	gitIn(t, repo, "checkout", "-q", "--detach")
	check("detached", repo, Head{Root: repo, Path: ".", Commit: commit})
}
