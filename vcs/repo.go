package vcs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
)

// A Repo is a git repository with a work tree.
type Repo struct {
	Root string // of the work tree, absolute
	Path string // of the directory asked about, in Root; "." for Root itself

	common string // the repository proper, which linked work trees share
	git    git
}

// Open returns the repository that dir is in. It is an error if there is none, if
// it is bare or belongs to somebody whom git does not trust, or if git is missing.
func Open(ctx context.Context, dir string) (*Repo, error) {
	out, err := git{dir: dir}.run(ctx, "rev-parse", "--git-common-dir", "--show-toplevel")
	if err != nil {
		return nil, explain(ctx, dir, err)
	}
	common, root, ok := strings.Cut(strings.TrimSuffix(out, "\n"), "\n") // the latter may hold a newline
	if !ok {
		return nil, fmt.Errorf("git rev-parse: %q was not expected", out)
	}
	r := &Repo{Root: root, common: common}
	physical, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if r.Path, err = filepath.Rel(root, physical); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(r.common) {
		r.common = filepath.Join(physical, r.common)
	}
	if r.common, err = filepath.Abs(r.common); err != nil {
		return nil, err
	}
	r.git = git{dir: r.Root}
	return r, nil
}

// explain says what to do about a directory that git does not take for a work
// tree.
func explain(ctx context.Context, dir string, err error) error {
	if bare, err := (git{dir: dir}).run(ctx, "rev-parse", "--is-bare-repository"); err == nil && strings.TrimSpace(bare) == "true" {
		return fault.Hint(fmt.Errorf("%s is in a bare repository, which has no files to run", visible.Text(dir)), "run mlxp in a clone of it")
	}
	var g *GitError
	if !errors.As(err, &g) {
		return err
	}
	switch {
	case strings.Contains(g.Stderr, "dubious ownership") || strings.Contains(g.Stderr, "unsafe repository"):
		return fault.Hint(fmt.Errorf("git does not trust the repository of %s, which belongs to another user", visible.Text(dir)),
			"if you do: git config --global --add safe.directory %s", shellQuoted(trustedPath(g.Stderr, dir)))
	case strings.Contains(g.Stderr, "not a git repository"):
		return fault.Hint(fmt.Errorf("%s is not in a git repository", visible.Text(dir)), "git init makes one; without --vcs mlxp needs none")
	case strings.Contains(g.Stderr, "must be run in a work tree"):
		return fault.Hint(fmt.Errorf("%s is in a repository's own folder, not in its work tree", visible.Text(dir)), "change to the directory of your files")
	}
	return err
}

// trustedPath finds the path that git wants to be told of.
func trustedPath(stderr, dir string) string {
	if _, rest, ok := strings.Cut(stderr, "safe.directory "); ok {
		path, _, _ := strings.Cut(rest, "\n")
		return strings.Trim(path, "'")
	}
	return dir
}

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// checkGit refuses a git that lacks what a snapshot needs: pathspecs from a file
// came with 2.25 (its release notes).
func checkGit(ctx context.Context, g git) error {
	out, err := g.run(ctx, "version")
	if err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(out, "git version %d.%d", &major, &minor); err == nil && (major < 2 || major == 2 && minor < 25) {
		return fault.Hint(fmt.Errorf("git %d.%d is too old", major, minor), "--vcs snapshot needs git 2.25 or later")
	}
	return nil
}

// Head returns the commit and branch that are checked out.
func (r *Repo) Head(ctx context.Context) (Head, error) {
	h := Head{Root: r.Root, Path: r.Path}
	commit, err := r.commit(ctx)
	if err != nil {
		return h, err
	}
	if commit == "" {
		return h, fault.Hint(errors.New("the repository has no commit yet"), "git commit makes one; --vcs snapshot needs none")
	}
	h.Commit = commit
	if now, ok := FindHead(r.Root); ok {
		h.Branch = now.Branch
	}
	return h, nil
}

// commit returns HEAD's commit, "" if there is none yet.
func (r *Repo) commit(ctx context.Context) (string, error) {
	out, err := r.git.run(ctx, "rev-parse", "--verify", "-q", "HEAD^{commit}")
	var g *GitError
	if errors.As(err, &g) && g.ExitCode == 1 {
		return "", nil
	}
	return strings.TrimSuffix(out, "\n"), err
}

// Remote returns where the repository is published: the URL of origin, or of the
// only remote there is, without a user's name and password. It is empty if there
// is none.
func (r *Repo) Remote(ctx context.Context) string {
	out, err := r.git.run(ctx, "remote", "get-url", "origin")
	if err != nil {
		names, _ := r.git.run(ctx, "remote")
		first, _, _ := strings.Cut(names, "\n")
		if first == "" {
			return ""
		}
		if out, err = r.git.run(ctx, "remote", "get-url", "--", first); err != nil {
			return ""
		}
	}
	text := strings.TrimSuffix(out, "\n")
	if u, err := url.Parse(text); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return text
}

// A Status is what in the work tree is not as in HEAD, by paths in Root.
type Status struct {
	Changed   []string // tracked
	Untracked []string // and not ignored
}

// Status compares the work tree with HEAD. The directories ignore, absolute ones,
// count as ignored. It changes nothing, not even the index.
func (r *Repo) Status(ctx context.Context, ignore []string) (Status, error) {
	entries, err := r.entries(ctx, ignore)
	var s Status
	for _, e := range entries {
		if e.untracked {
			s.Untracked = append(s.Untracked, e.path)
		} else {
			s.Changed = append(s.Changed, e.path)
		}
	}
	return s, err
}

// An entry is a line of git status.
type entry struct {
	path      string
	untracked bool
	submodule string // "S" and what of it changed; "N...": it is none
	unstaged  bool   // the index has it no more
}

// dirty tells whether a submodule holds work that is not committed there.
func (e entry) dirty() bool {
	return len(e.submodule) == 4 && e.submodule[0] == 'S' && (e.submodule[2] == 'M' || e.submodule[3] == 'U')
}

// entries returns what git status says (git-status(1), porcelain format version
// 2).
func (r *Repo) entries(ctx context.Context, ignore []string) ([]entry, error) {
	args := []string{"status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=none", "--no-renames", "--"}
	out, err := r.git.run(ctx, append(args, r.without(ignore)...)...)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, line := range list(out) {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "?":
			entries = append(entries, entry{path: strings.TrimSuffix(rest, "/"), untracked: true})
		case "1":
			if fields := strings.SplitN(rest, " ", 8); len(fields) == 8 {
				entries = append(entries, entry{path: fields[7], submodule: fields[1], unstaged: fields[0][0] == 'D'})
			}
		case "u":
			if fields := strings.SplitN(rest, " ", 10); len(fields) == 10 {
				entries = append(entries, entry{path: fields[9], submodule: fields[1]})
			}
		}
	}
	return entries, nil
}

// without is a pathspec of all but some directories.
func (r *Repo) without(ignore []string) []string {
	spec := []string{":(top)"}
	for _, dir := range ignore {
		if rel, err := filepath.Rel(r.Root, dir); err == nil && filepath.IsLocal(rel) && rel != "." {
			spec = append(spec, ":(top,exclude,literal)"+filepath.ToSlash(rel))
		}
	}
	return spec
}

// Dirty tells whether the work tree that dir is in differs from HEAD.
func Dirty(ctx context.Context, dir string, ignore []string) (bool, error) {
	root, err := git{dir: dir}.run(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return false, err
	}
	r := &Repo{Root: strings.TrimSuffix(root, "\n")}
	r.git = git{dir: r.Root}
	out, err := r.git.run(ctx, append([]string{"status", "--porcelain=v2", "-z", "--no-renames", "--"}, r.without(ignore)...)...)
	return out != "", err
}

// Commit adds the files add, by paths in Root, to all changes of tracked files and
// commits them as the user would, hooks included. If that fails the index is as it
// was.
func (r *Repo) Commit(ctx context.Context, add []string, message string) (string, error) {
	g := r.git
	g.env = []string{"GIT_LITERAL_PATHSPECS=1"}
	if len(add) > 0 {
		// So that commit --all takes them; nothing of them is stored before.
		if _, err := g.run(ctx, append([]string{"add", "--intent-to-add", "--"}, add...)...); err != nil {
			return "", err
		}
	}
	// The last setting of a name counts: here hooks are the user's.
	if _, err := g.run(ctx, "-c", "core.hooksPath="+r.hooks(ctx), "commit", "--quiet", "--all", "--message="+message); err != nil {
		if len(add) > 0 {
			_, _ = g.run(ctx, append([]string{"reset", "--quiet", "--"}, add...)...)
		}
		return "", fault.Hint(err, "commit it by hand, or answer no")
	}
	return r.commit(ctx)
}

// hooks is the directory of the user's hooks.
func (r *Repo) hooks(ctx context.Context) string {
	out, err := r.git.run(ctx, "config", "--get-all", "--type=path", "core.hooksPath")
	paths := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if err != nil || len(paths) < 2 { // the last one is ours
		return filepath.Join(r.common, "hooks")
	}
	dir := paths[len(paths)-2]
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.Root, dir)
	}
	return dir
}

// name is the repository's among backups: that of its directory, and what tells
// it from others of the same name.
func (r *Repo) name() string {
	dir := r.common
	if filepath.Base(dir) == ".git" {
		dir = filepath.Dir(dir)
	}
	sum := sha256.Sum256([]byte(r.common))
	return filepath.Base(dir) + "-" + hex.EncodeToString(sum[:4])
}

// hold makes sure that git's garbage collection keeps a commit.
func (r *Repo) hold(ctx context.Context, commit string) error {
	_, err := r.git.run(ctx, "update-ref", refPrefix+commit, commit)
	return err
}

// refPrefix begins the names of the refs that hold the commits of backups.
const refPrefix = "refs/mlxp/"
