package vcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
)

// BackupOptions say where backups are kept and what they get besides the commit.
type BackupOptions struct {
	Parent      string   // absolute
	Link        []string // paths in the repository that become symbolic links to the originals
	Environment []string // shell commands whose output describes the environment
	Environ     []string // the environment of those
	Notice      func(string)
}

// A Backup is a work tree of one commit, at PARENT/REPO/COMMIT. Runs execute in it
// and share it.
type Backup struct {
	Dir         string // absolute
	Commit      string
	Environment string // the file that keeps what the environment commands printed; empty: there were none

	ready readyFile
}

// A readyFile is what PARENT/REPO/COMMIT.ready says of the backup beside it. It is
// made when the backup is whole.
type readyFile struct {
	Root   string `json:"repo"`   // of the work tree that it was made from
	Common string `json:"common"` // the repository proper
	Commit string `json:"commit"`
}

const (
	readySuffix       = ".ready"
	makingSuffix      = ".making"
	environmentSuffix = ".environment"
	unfinished        = ".tmp."
)

// WorkDir is the directory of the backup that stands for the one at path in the
// repository.
func (b *Backup) WorkDir(path string) string { return filepath.Join(b.Dir, path) }

// Backup makes sure that a work tree of commit exists under o.Parent. Any number of
// runs, jobs and hosts may ask for one commit at once and share the result; none
// sees a half-made one, and one that somebody was killed over is made again.
//
// The commit is held by a ref and the work tree is locked, so that neither git gc
// nor git worktree prune takes it for lost while o.Parent cannot be reached.
func (r *Repo) Backup(ctx context.Context, commit string, o BackupOptions) (*Backup, error) {
	dir := filepath.Join(o.Parent, r.name(), commit)
	b, err := r.backupAt(ctx, dir, commit, o)
	if err != nil {
		return nil, err
	}
	if err := r.link(b, o); err != nil {
		return nil, err
	}
	b.Environment, err = b.describeEnvironment(ctx, o)
	return b, err
}

// OpenBackup returns the backup at dir, as a run's record has it. One that is gone
// is made again from the repository at root.
func OpenBackup(ctx context.Context, dir, root, commit string, o BackupOptions) (*Backup, error) {
	if b, err := openReady(dir); err == nil {
		return b, nil
	}
	r, err := Open(ctx, root)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("the backup %s is gone, and cannot be made again: %w", visible.Text(dir), err), "bring the repository back to %s", visible.Text(root))
	}
	o.Parent = filepath.Dir(filepath.Dir(dir))
	b, err := r.backupAt(ctx, dir, commit, o)
	if err != nil {
		return nil, err
	}
	return b, r.link(b, o)
}

func openReady(dir string) (*Backup, error) {
	text, err := os.ReadFile(dir + readySuffix)
	if err != nil {
		return nil, err
	}
	b := &Backup{Dir: dir}
	if err := json.Unmarshal(text, &b.ready); err != nil {
		return nil, err
	}
	b.Commit = b.ready.Commit
	_, err = os.Stat(filepath.Join(dir, ".git"))
	return b, err
}

func (r *Repo) backupAt(ctx context.Context, dir, commit string, o BackupOptions) (*Backup, error) {
	for {
		if b, err := openReady(dir); err == nil {
			return b, nil
		}
		if err := makeParent(o.Parent, filepath.Dir(dir)); err != nil {
			return nil, err
		}
		claim, err := claimMaking(ctx, dir+makingSuffix)
		if errors.Is(err, errMade) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = r.build(ctx, dir, commit, o)
		claim.drop()
		if err != nil {
			return nil, err
		}
	}
}

// makeParent makes the directories that backups are in, which git is to ignore.
func makeParent(parent, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	ignore := filepath.Join(parent, ".gitignore")
	if _, err := os.Lstat(ignore); err == nil {
		return nil
	}
	return writeWhole(ignore, []byte("*\n"))
}

// writeWhole writes a file that others may read or write at the same time.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o666&^umask()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.RemoveAll(f.Name())
	}
	return err
}

// build makes the backup. Only who has the claim does so.
func (r *Repo) build(ctx context.Context, dir, commit string, o BackupOptions) error {
	if b, err := openReady(dir); err == nil && b != nil {
		return nil // somebody else was faster
	}
	// What is left of a backup that was never finished, or whose files are gone. A
	// git whose caller was killed may still be writing there: so each is made in a
	// place of its own, and moved.
	left, _ := filepath.Glob(globLiteral(dir) + unfinished + "*")
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
	if err := errors.Join(os.RemoveAll(dir+readySuffix), os.RemoveAll(dir), r.forgetLost(dir)); err != nil {
		return err
	}
	apart := fmt.Sprintf("%s%s%d.%d", dir, unfinished, os.Getpid(), time.Now().UnixNano())
	if err := r.checkOut(ctx, apart, commit, o.Notice); err != nil {
		_ = os.RemoveAll(apart)
		return fmt.Errorf("backup of commit %s: %w", commit, err)
	}
	if err := errors.Join(moved(apart, dir), os.Rename(apart, dir)); err != nil {
		return err
	}
	text, err := json.Marshal(readyFile{r.Root, r.common, commit})
	if err != nil {
		return err
	}
	return writeWhole(dir+readySuffix, append(text, '\n'))
}

// checkOut makes a locked work tree of commit at dir, with its submodules.
func (r *Repo) checkOut(ctx context.Context, dir, commit string, notice func(string)) error {
	if err := r.hold(ctx, commit); err != nil {
		return err
	}
	if _, err := r.git.run(ctx, "worktree", "add", "--quiet", "--detach", "--lock", dir, commit); err != nil {
		return err
	}
	out, err := git{dir: dir}.run(ctx, "ls-files", "--stage", "-z", "--", ":(top)")
	if err != nil {
		return err
	}
	for _, line := range list(out) {
		rest, ok := strings.CutPrefix(line, "160000 ")
		if !ok {
			continue
		}
		fields, path, _ := strings.Cut(rest, "\t")
		subCommit, _, _ := strings.Cut(fields, " ")
		if err := r.checkOutSubmodule(ctx, dir, path, subCommit, notice); err != nil {
			return err
		}
	}
	return nil
}

// checkOutSubmodule fills a submodule of a backup from the user's own one, which
// has its commits: there is no network where jobs run.
func (r *Repo) checkOutSubmodule(ctx context.Context, dir, path, commit string, notice func(string)) error {
	from := filepath.Join(r.Root, path)
	if _, err := os.Lstat(filepath.Join(from, ".git")); errors.Is(err, fs.ErrNotExist) {
		if notice != nil {
			notice(fmt.Sprintf("the submodule %s is empty in the backup: git submodule update --init fills it", visible.Text(path)))
		}
		return nil
	}
	sub, err := Open(ctx, from)
	if err != nil {
		return fmt.Errorf("submodule %s: %w", visible.Text(path), err)
	}
	if err := sub.checkOut(ctx, filepath.Join(dir, path), commit, notice); err != nil {
		return fault.Hint(fmt.Errorf("submodule %s: %w", visible.Text(path), err), "git submodule update --init --recursive fetches its commits")
	}
	return nil
}

// link makes the symbolic links that o asks for, those that are not there.
func (r *Repo) link(b *Backup, o BackupOptions) error {
	for _, path := range o.Link {
		if !filepath.IsLocal(path) {
			return fault.Hint(fmt.Errorf("version_manager.link: %s is not a path inside the repository", visible.Text(path)), "name it relative to %s", visible.Text(r.Root))
		}
		from, to := filepath.Join(r.Root, path), filepath.Join(b.Dir, path)
		if _, err := os.Lstat(from); err != nil {
			if o.Notice != nil {
				o.Notice(fmt.Sprintf("version_manager.link: there is no %s to link", visible.Text(from)))
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		err := os.Symlink(from, to)
		if target, linkErr := os.Readlink(to); errors.Is(err, fs.ErrExist) && linkErr == nil && target == from {
			continue
		}
		if errors.Is(err, fs.ErrExist) {
			return fault.Hint(fmt.Errorf("version_manager.link: %s is part of commit %s", visible.Text(path), b.Commit), "link what git ignores")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Changed returns the tracked files of the backup that differ from its commit, by
// paths in it: a program that ran there changed them.
func (b *Backup) Changed(ctx context.Context) ([]string, error) {
	asked := time.Now()
	out, err := git{dir: b.Dir}.run(ctx, "diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=untracked", "--name-only", "-z", b.Commit, "--")
	if err == nil && out == "" {
		b.settle(ctx, asked)
	}
	return list(out), err
}

// settle dates the index of the backup at the moment when all of it was found
// unchanged. git looks into each file whose time is not before the index's, as it
// cannot tell whether it was changed within the same second (its racy-git.txt), and
// all files of a backup are of one moment.
func (b *Backup) settle(ctx context.Context, asked time.Time) {
	made, err := os.Stat(b.Dir + readySuffix)
	if err != nil || asked.Sub(made.ModTime()) < 2*time.Second {
		return // a change could still be of the same second as the file
	}
	out, err := git{dir: b.Dir}.run(ctx, "rev-parse", "--git-path", "index")
	if err != nil {
		return
	}
	index := strings.TrimSuffix(out, "\n")
	if !filepath.IsAbs(index) {
		index = filepath.Join(b.Dir, index)
	}
	if st, err := os.Stat(index); err == nil && !st.ModTime().After(made.ModTime()) {
		_ = os.Chtimes(index, asked, asked) // without it the next question takes longer
	}
}
