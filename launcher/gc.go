package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/vcs"
)

func gcCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:  "gc",
		Usage: "remove the backups of code that no run in the log dir refers to",
		Description: `Looks in version_manager.parent_work_dir and wherever a run of the log dir has
its backup. Lists what it would remove, and asks. A backup that holds files which
are not of its commit is kept unless --force: a program may have written results
there. A log dir elsewhere whose runs share the same backups is not looked at.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
			&cli.BoolFlag{Name: "force", Usage: "also those that hold files of their own"},
			&cli.BoolFlag{Name: "json", Usage: "print what was removed as JSON"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fmt.Errorf("gc takes no words, and got %s", c.Args().First())
			}
			root, err := runs.LogDir(c)
			if err != nil {
				return err
			}
			parent, err := parentWorkDir(w)
			if err != nil {
				return err
			}
			return gc(c.Context, w, gcOptions{root: root, parent: parent, yes: c.Bool("yes"), force: c.Bool("force"), json: c.Bool("json")}, newReporter(w, c.Bool("quiet"), false))
		},
	}
}

// parentWorkDir is where the settings keep backups.
func parentWorkDir(w World) (string, error) {
	s, err := settingsHere(w)
	return w.abs(string(s.VersionManager.ParentWorkDir)), err
}

type gcOptions struct {
	root, parent     string
	yes, force, json bool
}

// gc removes the backups that no run in root refers to.
func gc(ctx context.Context, w World, o gcOptions, report *reporter) error {
	used, err := backupsOf(o.root)
	if err != nil {
		return err
	}
	parents := map[string]bool{filepath.Clean(o.parent): true}
	for dir := range used {
		parents[filepath.Dir(filepath.Dir(dir))] = true
	}
	var remove []*vcs.Backup
	for _, parent := range slices.Sorted(maps.Keys(parents)) {
		backups, err := vcs.Backups(parent)
		if err != nil {
			return err
		}
		for _, b := range backups {
			if used[b.Dir] {
				continue
			}
			foreign, err := b.Foreign(ctx)
			if err != nil {
				return err
			}
			if len(foreign) > 0 && !o.force {
				report.notice(fmt.Sprintf("kept: %s holds files that are not of its commit: %s (--force removes it)", visible.Text(b.Dir), some(foreign)))
				continue
			}
			remove = append(remove, b)
		}
	}
	if len(remove) == 0 {
		report.notice("no backup to remove")
	}
	for _, b := range remove {
		fmt.Fprintf(w.Stderr, "  %s\n", visible.Text(b.Dir))
	}
	if len(remove) > 0 && !o.yes {
		if !isTerminal(w.Stdin) || !isTerminal(w.Stderr) {
			return fault.Hint(errors.New("gc asks before it removes anything, and there is no terminal to ask at"), "--yes removes without asking")
		}
		q := question{in: w.Stdin, out: w.Stderr}
		if yes, err := q.yes(fmt.Sprintf("Remove %d %s? [y/N] ", len(remove), plural(len(remove), "backup"))); err != nil || !yes {
			return err
		}
	}
	removed := []string{}
	for _, b := range remove {
		if err := b.Remove(ctx, o.force); err != nil {
			return fmt.Errorf("%s: %w", visible.Text(b.Dir), err)
		}
		removed = append(removed, b.Dir)
	}
	if o.json {
		return json.NewEncoder(w.Stdout).Encode(removed)
	}
	return nil
}

// backupsOf returns the directories of the backups that the runs in root refer
// to. A record that cannot be read is an error: it may refer to any.
func backupsOf(root string) (map[string]bool, error) {
	runs, err := logdir.Runs(root)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, run := range runs {
		info, err := run.ReadInfo()
		if err != nil {
			return nil, fault.Hint(err, "it may need any backup: gc removes none until it can be read or is removed (mlxp rm %d)", run.ID)
		}
		if info.VersionManager != nil && info.VersionManager.Backup != "" {
			used[filepath.Clean(string(info.VersionManager.Backup))] = true
		}
	}
	return used, nil
}
