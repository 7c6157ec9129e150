package vcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
)

// SnapshotOptions say what a snapshot takes.
type SnapshotOptions struct {
	Ignore  []string // directories, absolute, that count as ignored
	MaxFile int64    // the largest file, in bytes, that is new or changed; 0: no limit
	Notice  func(string)
}

// A Snapshot is the work tree of a moment as a commit.
type Snapshot struct {
	Commit string
	Parent string // HEAD; empty if there was none, or if Commit is HEAD itself
	Dirty  bool   // Commit is not HEAD
}

// A TooLarge error names the files that are too large for a snapshot.
type TooLarge struct {
	Files []string
	Max   int64
}

func (e *TooLarge) Error() string {
	const most = 5
	names := make([]string, 0, most)
	for _, name := range e.Files[:min(most, len(e.Files))] {
		names = append(names, visible.Text(name))
	}
	text := strings.Join(names, ", ")
	if n := len(e.Files) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("too large for a snapshot (over %d bytes): %s", e.Max, text)
}

// Snapshot makes a commit of the work tree as it is: untracked files included,
// ignored ones not, submodules with what is not committed in them. Its parent is
// HEAD. The branch, index, stash, reflog and files are not touched: the work is
// done in an index of its own. The same tree on the same HEAD is the same commit.
func (r *Repo) Snapshot(ctx context.Context, o SnapshotOptions) (Snapshot, error) {
	if err := checkGit(ctx, r.git); err != nil {
		return Snapshot{}, err
	}
	head, err := r.commit(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	entries, err := r.entries(ctx, o.Ignore)
	if err != nil {
		return Snapshot{}, err
	}
	hidden, err := r.assumedUnchanged(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	if head != "" && len(entries)+len(hidden) == 0 {
		return Snapshot{Commit: head}, r.hold(ctx, head)
	}
	if err := r.checkSizes(entries, hidden, o.MaxFile); err != nil {
		return Snapshot{}, err
	}
	tree, err := r.writeTree(ctx, entries, hidden, o)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Parent: head, Dirty: true}
	args := []string{"commit-tree", tree, "-m", "mlxp: the work tree as it was"}
	date := "@0 +0000"
	if head != "" {
		out, err := r.git.run(ctx, "show", "-s", "--format=%T %ct", head, "--")
		if err != nil {
			return s, err
		}
		headTree, time, _ := strings.Cut(strings.TrimSpace(out), " ")
		if headTree == tree {
			return Snapshot{Commit: head}, r.hold(ctx, head)
		}
		date = "@" + time + " +0000"
		args = append(args, "-p", head)
	}
	g := r.git
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		g.env = append(g.env, "GIT_"+who+"_NAME=mlxp", "GIT_"+who+"_EMAIL=mlxp@localhost", "GIT_"+who+"_DATE="+date)
	}
	out, err := g.run(ctx, args...)
	if err != nil {
		return s, err
	}
	s.Commit = strings.TrimSpace(out)
	return s, r.hold(ctx, s.Commit)
}

// assumedUnchanged returns the files that git was told to take for unchanged
// (git-update-index(1)), and which it therefore does not look at.
func (r *Repo) assumedUnchanged(ctx context.Context) ([]string, error) {
	out, err := r.git.run(ctx, "ls-files", "-v", "-z")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, line := range list(out) {
		if strings.HasPrefix(line, "h ") {
			paths = append(paths, line[2:])
		}
	}
	return paths, nil
}

func (r *Repo) checkSizes(entries []entry, hidden []string, most int64) error {
	if most == 0 {
		return nil
	}
	paths := hidden
	for _, e := range entries {
		paths = append(paths, e.path)
	}
	var large []string
	for _, path := range paths {
		if st, err := os.Lstat(filepath.Join(r.Root, path)); err == nil && st.Mode().IsRegular() && st.Size() > most {
			large = append(large, path)
		}
	}
	if len(large) == 0 {
		return nil
	}
	return fault.Hint(&TooLarge{large, most}, "add them to .gitignore, and to version_manager.link if the program reads them; version_manager.max_file allows larger ones")
}

// writeTree writes the work tree's files to the repository and returns the tree.
func (r *Repo) writeTree(ctx context.Context, entries []entry, hidden []string, o SnapshotOptions) (string, error) {
	dir, err := os.MkdirTemp("", "mlxp-index")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	index := filepath.Join(dir, "index")
	if err := r.copyIndex(ctx, index); err != nil {
		return "", err
	}
	g := r.git
	g.env = []string{"GIT_INDEX_FILE=" + index, "GIT_LITERAL_PATHSPECS=1"}
	if len(hidden) > 0 {
		if _, _, err := g.pipe(ctx, joined(hidden), "update-index", "--no-assume-unchanged", "-z", "--stdin"); err != nil {
			return "", err
		}
	}
	paths := hidden
	for _, e := range entries {
		if e.dirty() {
			if err := r.addSubmodule(ctx, g, e.path, o); err != nil {
				return "", err
			}
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.Root, e.path)); err != nil && e.unstaged {
			continue // it is neither in the index nor in the work tree
		}
		paths = append(paths, e.path)
	}
	if len(paths) > 0 {
		_, complaints, err := g.pipe(ctx, joined(paths), "-c", "core.safecrlf=false", "-c", "core.untrackedCache=false",
			"-c", "core.splitIndex=false", "-c", "index.skipHash=false", "add", "--all", "--force", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul")
		var failed *GitError
		if errors.As(err, &failed) && strings.Contains(failed.Stderr, "sparse") { // git before 2.34 knows no --sparse
			_, complaints, err = g.pipe(ctx, joined(paths), "-c", "core.safecrlf=false", "-c", "core.splitIndex=false", "add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
		}
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(complaints) {
			if _, name, ok := strings.Cut(line, "adding embedded git repository: "); ok && o.Notice != nil {
				o.Notice(fmt.Sprintf("%s is a repository of its own, of which a snapshot takes only the number of its commit", visible.Text(strings.TrimSpace(name))))
			}
		}
	}
	out, err := g.run(ctx, "write-tree")
	return strings.TrimSpace(out), err
}

// copyIndex copies the index to begin with: what it knows of unchanged files need
// not be found out again.
func (r *Repo) copyIndex(ctx context.Context, path string) error {
	out, err := r.git.run(ctx, "rev-parse", "--git-path", "index")
	if err != nil {
		return err
	}
	index := strings.TrimSuffix(out, "\n")
	if !filepath.IsAbs(index) {
		index = filepath.Join(r.Root, index)
	}
	text, err := os.ReadFile(index)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever added
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	// git compares the time of a file with the index's to see whether it may have
	// changed since.
	st, err := os.Stat(index)
	if err != nil {
		return err
	}
	return os.Chtimes(path, st.ModTime(), st.ModTime())
}

// addSubmodule puts a snapshot of a submodule with uncommitted work into the index.
func (r *Repo) addSubmodule(ctx context.Context, g git, path string, o SnapshotOptions) error {
	sub, err := Open(ctx, filepath.Join(r.Root, path))
	if err != nil {
		return fmt.Errorf("submodule %s: %w", visible.Text(path), err)
	}
	s, err := sub.Snapshot(ctx, o)
	if err != nil {
		return fmt.Errorf("submodule %s: %w", visible.Text(path), err)
	}
	_, _, err = g.pipe(ctx, fmt.Appendf(nil, "160000 %s\t%s\x00", s.Commit, path), "update-index", "-z", "--index-info")
	return err
}

// joined is a list as git reads it with -z.
func joined(paths []string) []byte {
	return []byte(strings.Join(paths, "\x00") + "\x00")
}
