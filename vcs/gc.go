package vcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
)

// Backups returns the backups under parent, by directory. One that is not finished
// is none.
func Backups(parent string) ([]*Backup, error) {
	paths, err := filepath.Glob(filepath.Join(globLiteral(parent), "*", "*"+readySuffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var backups []*Backup
	for _, path := range paths {
		b, err := openReady(strings.TrimSuffix(path, readySuffix))
		if b != nil && (err == nil || errors.Is(err, fs.ErrNotExist)) {
			backups = append(backups, b)
		}
	}
	return backups, nil
}

// globLiteral escapes what a glob takes for a pattern.
func globLiteral(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// Foreign returns files in the backup that are not of its commit, by paths in it:
// changed ones, and those that programs wrote, but for links to the user's files
// and Python's bytecode.
func (b *Backup) Foreign(ctx context.Context) ([]string, error) {
	if _, err := os.Stat(b.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	foreign, err := b.Changed(ctx)
	if err != nil {
		return nil, err
	}
	out, err := git{dir: b.Dir}.run(ctx, "ls-files", "--others", "-z", "--", ":(top)")
	if err != nil {
		return nil, err
	}
	for _, path := range list(out) {
		if strings.HasSuffix(path, ".pyc") || b.isLink(path) {
			continue
		}
		foreign = append(foreign, path)
	}
	return foreign, nil
}

// isLink tells whether a file of the backup is a link to the user's.
func (b *Backup) isLink(path string) bool {
	target, err := os.Readlink(filepath.Join(b.Dir, path))
	return err == nil && target == filepath.Join(b.ready.Root, path)
}

// Remove removes the backup, what git knows of it, and the ref that holds its
// commit. Files that are not of its commit are an error, unless force is set. The
// user's own files that it links to stay, as does any other work tree.
func (b *Backup) Remove(ctx context.Context, force bool) error {
	if !force {
		foreign, err := b.Foreign(ctx)
		if err != nil {
			return err
		}
		if len(foreign) > 0 {
			return fault.Hint(fmt.Errorf("%s holds files that are not of its commit, such as %s", visible.Text(b.Dir), visible.Text(foreign[0])), "--force removes them, too")
		}
	}
	if err := os.Remove(b.Dir + readySuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	errs := []error{forget(b.Dir)}
	errs = append(errs, os.RemoveAll(b.Dir), os.RemoveAll(b.Dir+environmentSuffix))
	if _, err := os.Stat(b.ready.Common); err == nil {
		_, err := git{dir: b.ready.Common}.run(ctx, "update-ref", "-d", refPrefix+b.Commit)
		errs = append(errs, err)
	}
	_ = os.Remove(filepath.Dir(b.Dir)) // if it was the last one
	return errors.Join(errs...)
}

// workTrees calls visit with each work tree in dir, that of the repository and
// those of its submodules: the path of its .git file, which names the directory
// that git has about it (gitrepository-layout(5)).
func workTrees(dir string, visit func(file, admin string) error) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is found by others
		}
		if e.Name() != ".git" || !e.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		admin, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
		if err != nil || !ok || filepath.Base(filepath.Dir(admin)) != "worktrees" {
			return nil
		}
		// Only an entry that knows this very work tree.
		back, err := os.ReadFile(filepath.Join(admin, "gitdir"))
		if err != nil || filepath.Clean(strings.TrimSpace(string(back))) != filepath.Clean(path) {
			return nil
		}
		return visit(path, admin)
	})
}

// forget removes what git knows of the work trees in dir.
func forget(dir string) error {
	return workTrees(dir, func(_, admin string) error { return os.RemoveAll(admin) })
}

// moved tells git that the work trees in from are about to be in to.
func moved(from, to string) error {
	return workTrees(from, func(file, admin string) error {
		return writeWhole(filepath.Join(admin, "gitdir"), []byte(to+strings.TrimPrefix(file, from)+"\n"))
	})
}

// forgetLost removes what git knows of a backup at dir that was never finished, or
// is gone: nothing is there.
func (r *Repo) forgetLost(dir string) error {
	entries, err := filepath.Glob(filepath.Join(globLiteral(r.common), "worktrees", "*"))
	if err != nil {
		return err
	}
	for _, admin := range entries {
		text, err := os.ReadFile(filepath.Join(admin, "gitdir"))
		path := filepath.Clean(strings.TrimSpace(string(text)))
		switch {
		case err != nil:
		case strings.HasPrefix(path, dir+unfinished):
			_ = os.RemoveAll(admin) // a git that lost its caller may still write there
		case path == filepath.Join(dir, ".git"):
			if err := os.RemoveAll(admin); err != nil {
				return err
			}
		}
	}
	return nil
}
