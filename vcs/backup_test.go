package vcs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// backUpVariable makes the test binary ask for a backup.
const backUpVariable = "TEST_BACK_UP"

// TestMain keeps the user's git configuration out of the tests.
//
// The test binary is also a process that asks for a backup: of the commit and the
// repository that the variable names, under a parent.
func TestMain(m *testing.M) {
	if text := os.Getenv(backUpVariable); text != "" {
		words := strings.Split(text, "|")
		r, err := Open(context.Background(), words[0])
		if err == nil {
			var b *Backup
			if b, err = r.Backup(context.Background(), words[1], BackupOptions{Parent: words[2]}); err == nil {
				_, err = os.Stat(filepath.Join(b.Dir, "last"))
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		panic(err)
	}
	os.Setenv("HOME", home)
	os.Setenv("XDG_CONFIG_HOME", home)
	os.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	status := m.Run()
	os.RemoveAll(home)
	os.Exit(status)
}

// gitAs runs git as a user who has a name.
func gitAs(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// newRepo is a repository with a commit.
func newRepo(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "proj")
	put(t, dir, "a.txt", "a\n")
	put(t, dir, "sub/b.txt", "b\n")
	put(t, dir, ".gitignore", "*.log\nignored/\n")
	gitAs(t, dir, "init", "-q", "-b", "main")
	gitAs(t, dir, "add", "-A")
	gitAs(t, dir, "commit", "-q", "-m", "one")
	return dir
}

func openRepo(t testing.TB, dir string) *Repo {
	t.Helper()
	r, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// state is all that a snapshot must not change: what git says of the repository,
// the index, and every file with its mode and time.
func state(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, args := range [][]string{{"status", "--porcelain=v2", "--ignored"}, {"stash", "list"}, {"reflog", "--all"}, {"for-each-ref", "--exclude=refs/mlxp/**"}, {"symbolic-ref", "-q", "HEAD"}} {
		if args[0] == "for-each-ref" {
			args = []string{"for-each-ref", "refs/heads", "refs/tags", "refs/remotes", "refs/stash"}
		}
		cmd := exec.Command("git", append([]string{"--no-optional-locks"}, args...)...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // a repository without a commit has no reflog
		b.Write(out)
	}
	index, _ := os.ReadFile(filepath.Join(dir, ".git", "index"))
	fmt.Fprintf(&b, "%x\n", sha256.Sum256(index))
	b.WriteString(files(t, dir, true))
	return b.String()
}

// files describes the files in dir, but for .git.
func files(t testing.TB, dir string, times bool) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == ".git" {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		st, err := e.Info()
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		var content []byte
		if e.Type() == fs.ModeSymlink {
			target, _ := os.Readlink(path)
			content = []byte("-> " + target)
		} else if content, err = os.ReadFile(path); err != nil {
			return err
		}
		fmt.Fprintf(&b, "%q %v %x", rel, st.Mode()&0o100 != 0, sha256.Sum256(content))
		if times {
			fmt.Fprintf(&b, " %v", st.ModTime())
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wanted describes the files of a work tree that git does not ignore.
func wanted(t testing.TB, dir string) string {
	t.Helper()
	ignored := map[string]bool{}
	for _, path := range list(gitAs(t, dir, "ls-files", "-z", "--others", "--ignored", "--exclude-standard")) {
		ignored[fmt.Sprintf("%q", path)] = true
	}
	var b strings.Builder
	for line := range strings.Lines(files(t, dir, false)) {
		name, _, _ := strings.Cut(line, "\" ")
		if !ignored[name+"\""] {
			b.WriteString(line)
		}
	}
	return b.String()
}

// snapshotBackup makes a snapshot and its backup, and checks that the repository
// is untouched.
func snapshotBackup(t testing.TB, dir string) (Snapshot, *Backup) {
	t.Helper()
	ctx := context.Background()
	r := openRepo(t, dir)
	before := state(t, dir)
	s, err := r.Snapshot(ctx, SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Backup(ctx, s.Commit, BackupOptions{Parent: filepath.Join(t.TempDir(), "backups")})
	if err != nil {
		t.Fatal(err)
	}
	if after := state(t, dir); after != before {
		t.Errorf("the repository was changed:\n%s\nwas\n%s", after, before)
	}
	return s, b
}

// A snapshot holds the work tree as it is, in all the shapes that it can have.
func TestSnapshotShapes(t *testing.T) {
	for _, test := range []struct {
		name  string
		shape func(t *testing.T, dir string)
	}{
		{"clean", func(*testing.T, string) {}},
		{"changed", func(t *testing.T, dir string) { put(t, dir, "a.txt", "changed\n") }},
		{"untracked and ignored", func(t *testing.T, dir string) {
			put(t, dir, "new/file", "x")
			put(t, dir, "x.log", "no")
			put(t, dir, "ignored/x", "no")
		}},
		{"staged", func(t *testing.T, dir string) { put(t, dir, "s", "s"); gitAs(t, dir, "add", "s") }},
		{"partly staged", func(t *testing.T, dir string) {
			put(t, dir, "a.txt", "one\n")
			gitAs(t, dir, "add", "a.txt")
			put(t, dir, "a.txt", "two\n")
		}},
		{"deleted", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "a.txt")) }},
		{"deleted from the index only", func(t *testing.T, dir string) { gitAs(t, dir, "rm", "-q", "--cached", "a.txt") }},
		{"renamed", func(t *testing.T, dir string) { gitAs(t, dir, "mv", "a.txt", "c.txt") }},
		{"a directory in place of a file", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "a.txt"))
			put(t, dir, "a.txt/inner", "x")
		}},
		{"binary and executable", func(t *testing.T, dir string) {
			put(t, dir, "bin", "\x00\xff\r\n\x00")
			os.Chmod(filepath.Join(dir, "bin"), 0o755)
			os.Chmod(filepath.Join(dir, "a.txt"), 0o755)
		}},
		{"symbolic links", func(t *testing.T, dir string) {
			os.Symlink("a.txt", filepath.Join(dir, "link"))
			os.Symlink("/nowhere", filepath.Join(dir, "broken"))
		}},
		{"names", func(t *testing.T, dir string) {
			put(t, dir, "a\nb\t\"c\\ :(top)*", "x")
			put(t, dir, "-n", "x")
			put(t, dir, "sp ace/é\xff", "x")
		}},
		{"intent to add", func(t *testing.T, dir string) { put(t, dir, "n", "n"); gitAs(t, dir, "add", "-N", "n") }},
		{"assume unchanged", func(t *testing.T, dir string) {
			gitAs(t, dir, "update-index", "--assume-unchanged", "a.txt")
			put(t, dir, "a.txt", "changed\n")
		}},
		{"a merge conflict", func(t *testing.T, dir string) {
			gitAs(t, dir, "checkout", "-q", "-b", "other")
			put(t, dir, "a.txt", "other\n")
			gitAs(t, dir, "commit", "-q", "-am", "other")
			gitAs(t, dir, "checkout", "-q", "main")
			put(t, dir, "a.txt", "main\n")
			gitAs(t, dir, "commit", "-q", "-am", "main")
			cmd := exec.Command("git", "-c", "user.name=a", "-c", "user.email=a@b", "merge", "-q", "other")
			cmd.Dir = dir
			if cmd.Run() == nil {
				t.Fatal("no conflict")
			}
		}},
		{"settings", func(t *testing.T, dir string) {
			for _, s := range []string{"diff.noprefix", "commit.gpgSign", "core.untrackedCache", "core.splitIndex", "diff.mnemonicPrefix"} {
				gitAs(t, dir, "config", s, "true")
			}
			gitAs(t, dir, "config", "status.showUntrackedFiles", "no")
			gitAs(t, dir, "config", "core.autocrlf", "input")
			gitAs(t, dir, "config", "core.logAllRefUpdates", "always")
			gitAs(t, dir, "update-index", "--split-index")
			put(t, dir, "u", "u\n")
			put(t, dir, "a.txt", "c\n")
		}},
		{"hooks that fail", func(t *testing.T, dir string) {
			for _, hook := range []string{"pre-commit", "post-checkout", "reference-transaction", "post-index-change", "commit-msg"} {
				put(t, dir, ".git/hooks/"+hook, "#!/bin/sh\necho ran >>"+dir+".hook\nexit 1\n")
				os.Chmod(filepath.Join(dir, ".git/hooks", hook), 0o755)
			}
			put(t, dir, "u", "u")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := newRepo(t)
			test.shape(t, dir)
			s, b := snapshotBackup(t, dir)
			if got, want := files(t, b.Dir, false), wanted(t, dir); got != want {
				t.Errorf("the backup holds\n%s\nwant\n%s", got, want)
			}
			if changed, err := b.Changed(context.Background()); err != nil || len(changed) > 0 {
				t.Errorf("Changed = %q, %v", changed, err)
			}
			if clean := test.name == "clean" || test.name == "deleted from the index only"; s.Dirty == clean {
				t.Errorf("Dirty = %v", s.Dirty)
			}
			if _, err := os.Stat(dir + ".hook"); err == nil {
				t.Error("a hook ran")
			}
			again, err := openRepo(t, dir).Snapshot(context.Background(), SnapshotOptions{})
			if err != nil || again != s {
				t.Errorf("the same tree again: %v, %v; want %v", again, err, s)
			}
		})
	}
}

// Paths hold any bytes, and a directory may be reached by a link.
func TestOpenPaths(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "sp ace\nnl\xff", "sub\ndir")
	put(t, dir, "f", "x")
	gitAs(t, filepath.Dir(dir), "init", "-q")
	link := filepath.Join(top, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{dir, link} {
		r := openRepo(t, from)
		physical, err := filepath.EvalSymlinks(filepath.Dir(dir))
		if err != nil || r.Root != physical || r.Path != "sub\ndir" {
			t.Errorf("Open(%q): Root %q, Path %q, %v", from, r.Root, r.Path, err)
		}
		if _, err := os.Stat(filepath.Join(r.common, "HEAD")); err != nil {
			t.Error(err)
		}
		s, err := r.Snapshot(context.Background(), SnapshotOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Backup(context.Background(), s.Commit, BackupOptions{Parent: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(b.WorkDir(r.Path), "f")); err != nil {
			t.Error(err)
		}
	}
}

// A repository that has no commit, seen from a subdirectory.
func TestSnapshotWithoutACommit(t *testing.T) {
	dir := t.TempDir()
	gitAs(t, dir, "init", "-q")
	put(t, dir, "exp/train.py", "x")
	r := openRepo(t, filepath.Join(dir, "exp"))
	if r.Path != "exp" {
		t.Errorf("Path = %q", r.Path)
	}
	s, err := r.Snapshot(context.Background(), SnapshotOptions{})
	if err != nil || s.Parent != "" || !s.Dirty {
		t.Fatalf("%+v, %v", s, err)
	}
	b, err := r.Backup(context.Background(), s.Commit, BackupOptions{Parent: filepath.Join(dir, ".work_dir")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(b.WorkDir(r.Path), "train.py")); err != nil {
		t.Error(err)
	}
	// The backups are no part of what comes next.
	if again, err := r.Snapshot(context.Background(), SnapshotOptions{}); err != nil || again != s {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := r.Head(context.Background()); err == nil {
		t.Error("Head of a repository without a commit")
	}
}

// Linked work trees, submodules with uncommitted work, and the log dir.
func TestSnapshotComposite(t *testing.T) {
	ctx := context.Background()
	lib := newRepo(t)
	dir := filepath.Join(t.TempDir(), "main")
	gitAs(t, filepath.Dir(dir), "clone", "-q", newRepo(t), dir)
	gitAs(t, dir, "submodule", "--quiet", "add", lib, "lib")
	gitAs(t, dir, "commit", "-q", "-am", "lib")
	gitAs(t, dir, "worktree", "add", "-q", "../linked")
	linked := filepath.Join(filepath.Dir(dir), "linked")
	put(t, linked, "only here", "x")
	put(t, linked, "logs/1/log.stdout", "x")
	s, err := openRepo(t, linked).Snapshot(ctx, SnapshotOptions{Ignore: []string{filepath.Join(linked, "logs")}})
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	b, err := openRepo(t, linked).Backup(ctx, s.Commit, BackupOptions{Parent: t.TempDir(), Notice: func(text string) { notices = append(notices, text) }})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(b.Dir, "only here")); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(b.Dir, "logs")); err == nil {
		t.Error("the log dir is part of the snapshot")
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "lib is empty") {
		t.Errorf("notices: %q", notices)
	}

	put(t, dir, "lib/a.txt", "work in the submodule\n")
	put(t, dir, "lib/new", "x")
	before := state(t, dir) + state(t, filepath.Join(dir, "lib"))
	s, err = openRepo(t, dir).Snapshot(ctx, SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err = openRepo(t, dir).Backup(ctx, s.Commit, BackupOptions{Parent: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, filepath.Join(b.Dir, "lib"), false), wanted(t, filepath.Join(dir, "lib")); got != want {
		t.Errorf("the submodule holds\n%s\nwant\n%s", got, want)
	}
	if after := state(t, dir) + state(t, filepath.Join(dir, "lib")); after != before {
		t.Errorf("changed:\n%s\nwas\n%s", after, before)
	}
	if err := b.Remove(ctx, false); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(b.Dir); err == nil {
		t.Error("the backup is there")
	}
	if out := gitAs(t, filepath.Join(dir, "lib"), "worktree", "list"); strings.Count(out, "\n") != 1 {
		t.Errorf("work trees of the submodule: %s", out)
	}
}

func TestSnapshotTooLarge(t *testing.T) {
	dir := newRepo(t)
	put(t, dir, "large", strings.Repeat("x", 1001))
	before := gitAs(t, dir, "count-objects")
	var large *TooLarge
	if _, err := openRepo(t, dir).Snapshot(context.Background(), SnapshotOptions{MaxFile: 1000}); !errors.As(err, &large) || !slices.Equal(large.Files, []string{"large"}) {
		t.Errorf("%v", err)
	}
	if out := gitAs(t, dir, "count-objects"); out != before {
		t.Errorf("something was stored: %s", out)
	}
}

// Whatever is done to a work tree, its backup is the same, and it stays as it is.
func TestSnapshotOfRandomTrees(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "b.log", "d/e", "d/f g", "d/h/i", "-x", "ü", "k\nl", "ignored/m", "A"}
	for round := range 12 {
		dir := newRepo(t)
		for range 5 + r.IntN(25) {
			name := names[r.IntN(len(names))]
			path := filepath.Join(dir, name)
			switch r.IntN(9) {
			case 0, 1, 2:
				if os.MkdirAll(filepath.Dir(path), 0o777) == nil {
					os.WriteFile(path, fmt.Appendf(nil, "%d\n", r.IntN(5)), 0o666)
				}
			case 3:
				os.RemoveAll(path)
			case 4:
				os.Chmod(path, 0o755)
			case 5:
				os.Symlink(names[r.IntN(len(names))], path)
			case 6:
				gitAs(t, dir, "add", "-A")
			case 7:
				gitAs(t, dir, "commit", "-q", "-a", "--allow-empty", "-m", "x")
			case 8:
				os.Rename(path, filepath.Join(dir, names[r.IntN(len(names))]))
			}
		}
		_, b := snapshotBackup(t, dir)
		if got, want := files(t, b.Dir, false), wanted(t, dir); got != want {
			t.Fatalf("round %d: the backup holds\n%s\nwant\n%s", round, got, want)
		}
	}
}

// many is a repository with files enough that making a backup takes a moment.
func many(t *testing.T) (dir, commit string) {
	dir = newRepo(t)
	for i := range 300 {
		put(t, dir, fmt.Sprintf("f/%d", i), fmt.Sprint(i))
	}
	put(t, dir, "last", "")
	gitAs(t, dir, "add", "-A")
	gitAs(t, dir, "commit", "-q", "-m", "many")
	return dir, strings.TrimSpace(gitAs(t, dir, "rev-parse", "HEAD"))
}

func asking(dir, commit, parent string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), backUpVariable+"="+dir+"|"+commit+"|"+parent)
	return cmd
}

// Sixty-four processes ask for one new commit at once: each gets the whole backup.
func TestBackupAtOnce(t *testing.T) {
	dir, commit := many(t)
	parent := t.TempDir()
	var cmds []*exec.Cmd
	var outs [64]bytes.Buffer
	for i := range outs {
		cmd := asking(dir, commit, parent)
		cmd.Stderr = &outs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, outs[i].String())
		}
	}
	if out := gitAs(t, dir, "worktree", "list"); strings.Count(out, "\n") != 2 {
		t.Errorf("work trees: %s", out)
	}
}

// One who makes a backup is killed: the next one mends it.
func TestBackupKilled(t *testing.T) {
	dir, commit := many(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 15 {
		parent := t.TempDir()
		cmd := asking(dir, commit, parent)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		b, err := openRepo(t, dir).Backup(context.Background(), commit, BackupOptions{Parent: parent})
		if err != nil {
			t.Fatal(err)
		}
		if changed, err := b.Changed(context.Background()); err != nil || len(changed) > 0 {
			t.Errorf("Changed = %q, %v", changed, err)
		}
	}
}

// git keeps what a backup needs also while its directory cannot be reached, and a
// backup that is gone is made again.
func TestBackupIsKept(t *testing.T) {
	ctx := context.Background()
	dir := newRepo(t)
	put(t, dir, "work", "not committed")
	s, b := snapshotBackup(t, dir)
	away := b.Dir + ".away"
	if err := os.Rename(b.Dir, away); err != nil {
		t.Fatal(err)
	}
	gitAs(t, dir, "worktree", "prune", "--expire=now")
	gitAs(t, dir, "reflog", "expire", "--expire=now", "--all")
	gitAs(t, dir, "gc", "-q", "--prune=now")
	if out := gitAs(t, dir, "worktree", "list"); !strings.Contains(out, b.Dir) {
		t.Errorf("the work tree was pruned: %s", out)
	}
	again, err := OpenBackup(ctx, b.Dir, dir, s.Commit, BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(again.Dir, "work")); err != nil || string(text) != "not committed" {
		t.Errorf("%q, %v", text, err)
	}
	// Neither repository nor backup: an error that says what to do.
	if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(again.Dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBackup(ctx, b.Dir, dir, s.Commit, BackupOptions{}); err == nil || !strings.Contains(err.Error(), "cannot be made again") {
		t.Errorf("%v", err)
	}
}

func TestBackupChangedAndRemoved(t *testing.T) {
	ctx := context.Background()
	dir := newRepo(t)
	put(t, dir, "ignored/data/x", "data")
	r := openRepo(t, dir)
	head, err := r.Head(ctx)
	if err != nil || head.Branch != "main" {
		t.Fatalf("%+v, %v", head, err)
	}
	parent := t.TempDir()
	o := BackupOptions{Parent: parent, Link: []string{"ignored/data"}, Environment: []string{"echo one", "echo two >&2; exit 3"}, Environ: os.Environ(), Notice: func(string) {}}
	b, err := r.Backup(ctx, head.Commit, o)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(b.Dir, "ignored/data/x")); err != nil || string(text) != "data" {
		t.Errorf("the link: %q, %v", text, err)
	}
	if text, err := os.ReadFile(b.Environment); err != nil || !strings.Contains(string(text), "$ echo one\none\n") || !strings.Contains(string(text), "two") {
		t.Errorf("the environment: %q, %v", text, err)
	}
	if foreign, err := b.Foreign(ctx); err != nil || len(foreign) > 0 {
		t.Errorf("Foreign = %q, %v", foreign, err)
	}
	if _, err := r.Backup(ctx, head.Commit, BackupOptions{Parent: parent, Link: []string{"a.txt"}}); err == nil {
		t.Error("a tracked file was linked")
	}
	put(t, b.Dir, "a.txt", "b\n") // as long as it was
	put(t, b.Dir, "result", "x")
	if changed, err := b.Changed(ctx); err != nil || !slices.Equal(changed, []string{"a.txt"}) {
		t.Errorf("Changed = %q, %v", changed, err)
	}
	if foreign, err := b.Foreign(ctx); err != nil || !slices.Equal(foreign, []string{"a.txt", "result"}) {
		t.Errorf("Foreign = %q, %v", foreign, err)
	}
	if err := b.Remove(ctx, false); err == nil {
		t.Error("a backup with results was removed")
	}
	all, err := Backups(parent)
	if err != nil || len(all) != 1 || all[0].Dir != b.Dir {
		t.Fatalf("Backups = %v, %v", all, err)
	}
	if err := all[0].Remove(ctx, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "ignored/data/x")); err != nil {
		t.Errorf("the user's data: %v", err)
	}
	if out := gitAs(t, dir, "for-each-ref", "refs/mlxp") + gitAs(t, dir, "worktree", "list"); strings.Count(out, "\n") != 1 {
		t.Errorf("left: %s", out)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	bare := t.TempDir()
	gitAs(t, bare, "init", "-q", "--bare")
	for dir, want := range map[string]string{t.TempDir(): "not in a git repository", bare: "bare repository"} {
		if _, err := Open(ctx, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(ctx, bare); err == nil || !strings.Contains(err.Error(), "no program git") {
		t.Errorf("%v", err)
	}
}

// Commit takes what the user picked, and leaves the index as it was if it fails.
func TestCommit(t *testing.T) {
	ctx := context.Background()
	dir := newRepo(t)
	gitAs(t, dir, "config", "user.name", "a")
	gitAs(t, dir, "config", "user.email", "a@example.org")
	put(t, dir, "a.txt", "changed\n")
	put(t, dir, "new", "n")
	put(t, dir, "other", "o")
	r := openRepo(t, dir)
	hook := filepath.Join(dir, ".git/hooks/pre-commit")
	put(t, dir, ".git/hooks/pre-commit", "#!/bin/sh\necho no >&2\nexit 1\n")
	os.Chmod(hook, 0o755)
	before := gitAs(t, dir, "status", "--porcelain")
	if _, err := r.Commit(ctx, []string{"new"}, "m"); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("the hook did not count: %v", err)
	}
	if after := gitAs(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("after a failed commit: %s, was %s", after, before)
	}
	os.Remove(hook)
	if _, err := r.Commit(ctx, []string{"new"}, "m"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Status(ctx, nil); err != nil || len(s.Changed) > 0 || !slices.Equal(s.Untracked, []string{"other"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if dirty, err := Dirty(ctx, dir, nil); err != nil || !dirty {
		t.Errorf("Dirty = %v, %v", dirty, err)
	}
	if dirty, err := Dirty(ctx, dir, []string{filepath.Join(dir, "other")}); err != nil || dirty {
		t.Errorf("Dirty without other = %v, %v", dirty, err)
	}
}

func TestLockFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "requirements.txt", "numpy\n")
	put(t, dir, "train.py", "")
	sums, err := LockFiles(dir, LockFileGlobs)
	if want := fmt.Sprintf("map[requirements.txt:%x]", sha256.Sum256([]byte("numpy\n"))); err != nil || fmt.Sprint(sums) != want {
		t.Errorf("%v, %v; want %s", sums, err, want)
	}
	if _, err := LockFiles(dir, []string{"["}); err == nil {
		t.Error("a broken glob is no error")
	}
}
