package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/sweep"
	"github.com/mlxp/mlxp/vcs"
)

func rerunCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "rerun",
		Usage:     "launch a new run with the command, config and code of another",
		ArgsUsage: "ID [OVERRIDE…]",
		Description: `The new run has the composed config that run ID was made with; interpolations are
resolved anew. Overrides change values in it (+ adds a key, ~ removes one; a
sweep makes several runs), and in the command: a word that sets the same key is
replaced, another is appended, if the command has overrides among its words. The
code is the version that was kept for run ID; a run that was launched without
--vcs is repeated with the files as they are now. What was submitted to a scheduler
is submitted to it again.

    mlxp rerun 12
    mlxp rerun 12 seed=1,2,3

Exit status: as of a launch.`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "local", Usage: "run here what was submitted to a scheduler"},
		}, poolFlags...),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return fault.Hint(errors.New("rerun needs the number of a run"), "mlxp rerun 12")
			}
			ids, err := idsOf(c.Args().Slice()[:1])
			if err != nil {
				return err
			}
			root, err := runs.LogDir(c)
			if err != nil {
				return err
			}
			o, err := readPool(c, w)
			if err != nil {
				return err
			}
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			_, err = rerun(c.Context, w, root, ids[0], c.Args().Tail(), o, c.Bool("local"), report)
			return err
		},
	}
}

// rerun launches what run id of root was, with overrides. It returns the number of
// the first new run, 0 if none was made.
func rerun(ctx context.Context, w World, root string, id int, args []string, o poolOptions, local bool, report *reporter) (int, error) {
	run, err := logdir.Find(root, id)
	if err != nil {
		return 0, err
	}
	info, err := run.ReadInfo()
	if err != nil {
		return 0, err
	}
	w.Cwd = string(info.Cwd)
	code, err := sameVersion(ctx, w, info, report)
	if err != nil {
		return 0, err
	}
	plan, jobs, err := again(w, run, info, args)
	if err != nil {
		return 0, err
	}
	if err := code.fits(w, jobs, report.notice); err != nil {
		return 0, err
	}
	if err := check(w, jobs, false); err != nil {
		return 0, err
	}
	log, err := logdir.Open(root)
	if err != nil {
		return 0, err
	}
	job, err := run.ReadJob()
	if err != nil {
		return 0, err
	}
	if job != nil {
		return rerunSubmitted(ctx, w, log, &batch{world: w, plan: plan, code: code, jobs: jobs}, submitted{run, job}, o, local, report)
	}
	err = launchRuns(w, log.Root, plan, code, jobs, o, report)
	return report.first, err
}

// rerunSubmitted makes the runs of b, which repeat one that was submitted, and submits
// them with its job script; where there is no scheduler, or local is set, they run
// here.
func rerunSubmitted(ctx context.Context, w World, log *logdir.Log, b *batch, from submitted, o poolOptions, local bool, report *reporter) (int, error) {
	script, err := readScript(from.run, from.job)
	if err != nil {
		return 0, err
	}
	signals, token := catchSignals(), newToken()
	made, err := create(log, []*batch{b}, nil, signals.stop)
	if err != nil || !made {
		return 0, err
	}
	again := make([]submitted, len(b.runs))
	for i, run := range b.runs {
		copied := script
		if err := copied.renew(run, token, b.runs[0].ID, userName(w)); err != nil {
			return 0, err
		}
		again[i] = submitted{run, copied.job}
	}
	return b.runs[0].ID, submitAgain(ctx, w, log.Root, again, o, local, report)
}

// sameVersion is the code that a run executed.
func sameVersion(ctx context.Context, w World, info *logdir.Info, report *reporter) (version, error) {
	dir, record := string(info.WorkDir), info.VersionManager
	if record == nil || record.Mode == vcsOff {
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			return version{}, fault.Hint(fmt.Errorf("run %d ran in %s, which is not there", info.ID, dir), "runs launched with --vcs can be repeated without it")
		}
		now := presentVersion(dir)
		if record != nil && (now.record == nil || now.record.CommitHash != record.CommitHash || record.Dirty != nil && *record.Dirty) {
			report.notice(fmt.Sprintf("run %d was launched without --vcs: its code may have been another (commit %s then)", info.ID, short(record.CommitHash)))
		}
		return now, nil
	}
	backup, err := vcs.OpenBackup(ctx, string(record.Backup), string(record.RepoPath), record.CommitHash, vcs.BackupOptions{Environ: w.Environ, Notice: report.notice})
	if err != nil {
		return version{}, fmt.Errorf("the code of run %d: %w", info.ID, err)
	}
	same := *record
	same.Changes = nil
	return version{workDir: backup.WorkDir(string(record.Path)), record: &same}, nil
}

// again plans the runs that repeat a run with overrides.
func again(w World, run logdir.Run, info *logdir.Info, args []string) (*Plan, []Job, error) {
	base, err := readJob(run, info)
	if err != nil {
		return nil, nil, err
	}
	plan := &Plan{Line: lineOf(info), Size: 1, RerunOf: run.ID}
	if plan.Settings, err = readSettings(run); err != nil {
		return nil, nil, err
	}
	if len(args) == 0 {
		return plan, []Job{base}, nil
	}
	for _, arg := range args {
		if setting, err := settingOverride(arg); err != nil {
			return nil, nil, err
		} else if setting != nil {
			return nil, nil, fmt.Errorf("%s: rerun takes the settings of run %d", arg, run.ID)
		}
	}
	s, err := sweep.Parse(args, sweep.Options{})
	if err != nil {
		return nil, nil, err
	}
	if n := s.Len(); !n.IsInt64() || n.Int64() > maxRuns || n.Sign() == 0 {
		return nil, nil, fmt.Errorf("the sweep has %s runs", countText(n))
	}
	plan.Size = int(s.Len().Int64())
	front := len(plan.Line.Overrides) > 0
	if front {
		plan.Line.Overrides = withOverrides(plan.Line.Overrides, 0, args)
	} else {
		plan.Line.Words = withOverrides(plan.Line.Words, 1, args)
	}
	filled := slices.ContainsFunc(base.Command, func(word string) bool { return supervise.HasPlaceholder(word, base.Config) })
	var jobs []Job
	for j := range s.Jobs() {
		job := base
		job.Index = j.Index
		if job.Config, err = config.Edit(base.Config, j.Overrides, resolver(w, job.Hydra, false, func(string) {})); err != nil {
			return nil, nil, err
		}
		var words, texts []string
		for i := range args {
			for _, word := range j.Words(i) {
				words = append(words, supervise.Escape(word, job.Config))
			}
		}
		if !front && !filled {
			job.Command = withOverrides(base.Command, 1, words)
		}
		for _, o := range j.Overrides {
			texts = append(texts, o.Text)
		}
		job.Overrides = nil
		for _, text := range withOverrides(jsontext.Strings(info.Overrides), 0, texts) {
			job.Overrides = append(job.Overrides, config.Override{Text: text})
		}
		jobs = append(jobs, job)
	}
	return plan, jobs, nil
}

// withOverrides puts overrides among words: in place of the first word from index from
// on that sets the same key, else at the end. Further words that set it go.
func withOverrides(words []string, from int, overrides []string) []string {
	out := slices.Clone(words)
	for _, word := range overrides {
		key := keyOf(word)
		placed := false
		kept := out[:from:from]
		for _, before := range out[from:] {
			switch {
			case key == "" || keyOf(before) != key:
				kept = append(kept, before)
			case !placed:
				placed = true
				kept = append(kept, word)
			}
		}
		if !placed {
			kept = append(kept, word)
		}
		out = kept
	}
	return out
}

// keyOf returns the key that a word overrides, "" if it is no override.
func keyOf(word string) string {
	if !overrideForm().MatchString(word) {
		return ""
	}
	key, _, _ := strings.Cut(word, "=")
	return strings.TrimLeft(key, "+~")
}

// readJob reads back the job that a run was made from.
func readJob(run logdir.Run, info *logdir.Info) (Job, error) {
	job := Job{Command: jsontext.Strings(info.Command)}
	path := run.Path(logdir.ConfigYAML)
	text, err := os.ReadFile(path)
	if err != nil {
		return job, fmt.Errorf("run %d: %w", run.ID, err)
	}
	if job.Config, err = config.ParseYAML(text, path); err != nil {
		return job, fmt.Errorf("run %d: %w", run.ID, err)
	}
	if job.Config == nil || job.Config.Kind == config.Null {
		job.Config = &config.Node{Kind: config.Map}
	}
	if job.hydra, err = readHydra(run); err != nil {
		return job, fmt.Errorf("run %d: %w", run.ID, err)
	}
	kept, err := settingsLine(run, commandLine)
	if err == nil && kept != nil {
		var words []jsontext.Text
		err = json.Unmarshal(kept, &words)
		job.Command = jsontext.Strings(words)
	}
	if err != nil {
		return job, fmt.Errorf("run %d: %s: %w", run.ID, filepath.Base(logdir.SettingsYAML), err)
	}
	for _, text := range info.Overrides {
		job.Overrides = append(job.Overrides, config.Override{Text: string(text)})
	}
	return job, nil
}

// readSettings reads back the settings that a run was made with. Its number was
// its own.
func readSettings(run logdir.Run) (Settings, error) {
	s := defaults()
	for name, to := range map[string]any{"logger": &s.Logger, "version_manager": &s.VersionManager, "use_version_manager": &s.UseVersionManager, "interactive_mode": &s.InteractiveMode} {
		value, err := settingsLine(run, name)
		if err == nil && value != nil {
			err = json.Unmarshal(value, to)
		}
		if err != nil {
			return s, fmt.Errorf("run %d: settings: %w", run.ID, err)
		}
	}
	s.Logger.ForcedLogID = -1
	return s, nil
}
