package launcher

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/vcs"
)

// The modes of version_manager.mode.
const (
	vcsOff      = "off"      // the code as it is when a run starts
	vcsCommit   = "commit"   // HEAD
	vcsSnapshot = "snapshot" // the work tree as it is now
)

// A version is the code that the runs of a command execute.
type version struct {
	workDir string                 // where they run
	record  *logdir.VersionManager // what their records say of it; nil: no repository
}

// presentVersion is the code as it is in dir.
func presentVersion(dir string) version {
	v := version{workDir: dir}
	if head, ok := vcs.FindHead(dir); ok {
		v.record = &logdir.VersionManager{
			Mode:       vcsOff,
			CommitHash: head.Commit,
			Branch:     head.Branch,
			RepoPath:   jsontext.Text(head.Root),
			Path:       jsontext.Text(head.Path),
		}
	}
	return v
}

// keepVersion makes a backup of the code in the current directory, as s asks
// for, and returns it as the version to run. root is the log dir.
func keepVersion(ctx context.Context, w World, s Settings, root string, report *reporter) (version, error) {
	mode := s.VersionManager.Mode
	if mode == vcsOff {
		v := presentVersion(w.Cwd)
		if v.record != nil {
			var err error
			if v.record.LockFiles, err = lockFiles(string(v.record.RepoPath), s); err != nil {
				return version{}, err
			}
		}
		return v, nil
	}
	repo, err := vcs.Open(ctx, w.Cwd)
	if err != nil {
		return version{}, fmt.Errorf("--vcs %s: %w", mode, err)
	}
	record := &logdir.VersionManager{
		Mode:     mode,
		RepoPath: jsontext.Text(repo.Root),
		Path:     jsontext.Text(repo.Path),
		Remote:   repo.Remote(ctx),
	}
	parent := w.abs(string(s.VersionManager.ParentWorkDir))
	ignore := []string{root, parent}
	if mode == vcsSnapshot {
		snapshot, err := repo.Snapshot(ctx, vcs.SnapshotOptions{Ignore: ignore, MaxFile: int64(s.VersionManager.MaxFile)})
		if err != nil {
			return version{}, fmt.Errorf("--vcs snapshot: %w", err)
		}
		record.CommitHash, record.Parent, record.Dirty = snapshot.Commit, snapshot.Parent, &snapshot.Dirty
	} else {
		status, err := checkVersion(ctx, w, repo, s, ignore, report)
		if err != nil {
			return version{}, fmt.Errorf("--vcs commit: %w", err)
		}
		dirty := len(status.Changed)+len(status.Untracked) > 0
		record.Dirty = &dirty
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return version{}, fmt.Errorf("--vcs %s: %w", mode, err)
	}
	record.Branch = head.Branch
	if mode == vcsCommit {
		record.CommitHash = head.Commit
	}
	return backUp(ctx, w, s, repo, record, report)
}

// backUp makes sure that the commit of record has its backup.
func backUp(ctx context.Context, w World, s Settings, repo *vcs.Repo, record *logdir.VersionManager, report *reporter) (version, error) {
	backup, err := repo.Backup(ctx, record.CommitHash, backupOptions(w, s, report.notice))
	if err != nil {
		return version{}, fmt.Errorf("backup of the code: %w", err)
	}
	record.Backup = jsontext.Text(backup.Dir)
	if record.LockFiles, err = lockFiles(backup.Dir, s); err != nil {
		return version{}, err
	}
	if backup.Environment != "" {
		record.Environment = &backup.Environment
	}
	dir := backup.WorkDir(string(record.Path))
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return version{}, fault.Hint(fmt.Errorf("the directory %s is not part of commit %s", record.Path, short(record.CommitHash)),
			"--vcs snapshot takes files that are not committed, too")
	}
	return version{workDir: dir, record: record}, nil
}

// lockFiles returns the hashes of the files in dir that fix versions.
func lockFiles(dir string, s Settings) (map[string]string, error) {
	globs := s.VersionManager.LockFiles
	if globs == nil {
		globs = vcs.LockFileGlobs
	}
	return vcs.LockFiles(dir, globs)
}

func backupOptions(w World, s Settings, notice func(string)) vcs.BackupOptions {
	v := s.VersionManager
	environment := v.Environment
	if v.ComputeRequirements && !slices.Contains(environment, pipFreeze) {
		environment = append(slices.Clone(environment), pipFreeze)
	}
	return vcs.BackupOptions{
		Parent:      w.abs(string(v.ParentWorkDir)),
		Link:        v.Link,
		Environment: environment,
		Environ:     w.Environ,
		Notice:      notice,
	}
}

// pipFreeze is what MLXP's compute_requirements stands for.
const pipFreeze = "pip freeze"

// short is the beginning of a commit's name, as git shows it.
func short(commit string) string { return commit[:min(len(commit), 8)] }

// fits finds out whether jobs can start in the backup: it is an error if that
// lacks their program, and a warning if it lacks anything else that they name and
// the work tree has.
func (v version) fits(w World, jobs []Job, notice func(string)) error {
	if v.record == nil || v.record.Mode == vcsOff {
		return nil
	}
	for _, job := range jobs {
		if program := job.Command[0]; !supervise.HasPlaceholder(program, job.Config) {
			if _, err := supervise.LookPath(program, v.workDir, w.Environ); err != nil {
				return fault.Hint(err, "what git ignores is not in the backup: version_manager.link puts it there")
			}
		}
	}
	seen := map[string]bool{}
	tell := func(what, path string) {
		switch {
		case path == "" || seen[path] || strings.IndexByte(path, 0) >= 0:
			return
		case filepath.IsAbs(path):
			seen[path] = true
			if rel, err := filepath.Rel(string(v.record.RepoPath), path); err != nil || !filepath.IsLocal(rel) || rel == "." || !tracked(v, rel) {
				return
			}
			notice(fmt.Sprintf("%s names %s in the work tree itself: that file is not the one kept in the backup; a relative path would be", what, visible.Text(path)))
		default:
			seen[path] = true
			if !exists(filepath.Join(w.Cwd, path)) || exists(filepath.Join(v.workDir, path)) {
				return
			}
			notice(fmt.Sprintf("%s names %s, which is not part of the backup that the program runs in; version_manager.link can put it there", what, visible.Text(path)))
		}
	}
	for _, job := range jobs {
		for _, word := range job.Command {
			tell("a word of the command", word)
		}
		for keys, leaf := range job.Config.Leaves() {
			if leaf.Kind == config.String {
				tell("config."+config.Dotted(keys), leaf.Text)
			}
		}
	}
	for _, dir := range filepath.SplitList(w.getenv("PYTHONPATH")) {
		if rel, err := filepath.Rel(string(v.record.RepoPath), dir); err == nil && filepath.IsAbs(dir) && filepath.IsLocal(rel) {
			notice(fmt.Sprintf("PYTHONPATH holds %s: Python takes modules from the work tree as it is, not from the backup", visible.Text(dir)))
		}
	}
	return nil
}

// tracked tells whether the backup holds the file rel of the repository.
func tracked(v version, rel string) bool {
	return exists(filepath.Join(string(v.record.Backup), rel))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// executed is the code that an attempt at a run executes: it makes sure that the
// code is there and records which it is. It is [supervise.Options.Code].
func executed(w World, run logdir.Run, report *reporter) func(*logdir.Info) (func() func(*logdir.Info), error) {
	ctx := context.Background()
	return func(info *logdir.Info) (func() func(*logdir.Info), error) {
		dir := string(info.WorkDir)
		record := info.VersionManager
		if record == nil || record.Mode == vcsOff {
			info.VersionManager = presentVersion(dir).record
			if info.VersionManager == nil {
				return nil, nil
			}
			if record != nil {
				info.VersionManager.LockFiles = record.LockFiles
			}
			return func() func(*logdir.Info) {
				dirty, err := vcs.Dirty(ctx, dir, []string{filepath.Dir(run.Dir)})
				return func(info *logdir.Info) {
					if err == nil {
						info.VersionManager.Dirty = &dirty
					}
				}
			}, nil
		}
		backup, err := vcs.OpenBackup(ctx, string(record.Backup), string(record.RepoPath), record.CommitHash, vcs.BackupOptions{Environ: w.Environ, Notice: report.notice})
		if err != nil {
			return nil, fmt.Errorf("the code of run %d: %w", info.ID, err)
		}
		changed, err := backup.Changed(ctx)
		if err != nil {
			return nil, fmt.Errorf("the code of run %d: %w", info.ID, err)
		}
		record.Changes = jsontext.Texts(changed)
		if len(changed) > 0 {
			report.warn(fmt.Sprintf("run %d executes code that differs from commit %s: in the backup a program has changed %s", info.ID, short(record.CommitHash), some(changed)))
		}
		return nil, nil
	}
}

// checkVersion tells of what is in the work tree and not in HEAD. Where it may
// ask, the user picks files to add and whether to commit. It returns what is
// still not part of HEAD then.
func checkVersion(ctx context.Context, w World, repo *vcs.Repo, s Settings, ignore []string, report *reporter) (vcs.Status, error) {
	status, err := repo.Status(ctx, ignore)
	if err != nil || len(status.Changed)+len(status.Untracked) == 0 {
		return status, err
	}
	if !s.InteractiveMode || !isTerminal(w.Stdin) || !isTerminal(w.Stderr) {
		report.warn(fmt.Sprintf("not part of the runs, since it is not committed: %s (--vcs snapshot takes it along)", some(append(status.Changed, status.Untracked...))))
		return status, nil
	}
	q := question{in: w.Stdin, out: w.Stderr}
	q.list("changed and not committed", status.Changed, false)
	q.list("untracked", status.Untracked, true)
	var add []string
	if len(status.Untracked) > 0 {
		if add, err = q.pick("Add which of the untracked files? (1 3-5, all, none) [none] ", status.Untracked); err != nil {
			return status, err
		}
	}
	if len(add)+len(status.Changed) > 0 {
		commit, err := q.yes(fmt.Sprintf("Commit %s? [y/N] ", whatToCommit(len(status.Changed), len(add))))
		if err != nil {
			return status, err
		}
		if commit {
			if _, err := repo.Commit(ctx, add, "mlxp: work of "+time.Now().Format("2006-01-02 15:04:05")); err != nil {
				return status, err
			}
			if status, err = repo.Status(ctx, ignore); err != nil {
				return status, err
			}
		}
	}
	if left := append(status.Changed, status.Untracked...); len(left) > 0 {
		report.warn("not part of the runs: " + some(left))
	}
	return status, nil
}

func whatToCommit(changed, added int) string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{changed, "changed"}, {added, "added"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s %s", part.n, part.what, plural(part.n, "file")))
		}
	}
	return strings.Join(parts, " and ")
}

// some names a few of many files.
func some(names []string) string {
	const most = 5
	shown := make([]string, 0, most)
	for _, name := range names[:min(most, len(names))] {
		shown = append(shown, visible.Text(name))
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), len(names)-most)
	}
	return strings.Join(shown, ", ")
}
