package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

func removeCommand(w World, runs Runs) *cli.Command {
	return &cli.Command{
		Name:      "rm",
		Usage:     "remove runs and all that they kept",
		ArgsUsage: "ID… | --where CEL",
		Description: `Lists what it would remove, and asks. Runs that are live or queued are left alone
and named. The number of a removed run is not given again.

    mlxp rm 43
    mlxp rm --where 'info.status == "FAILED"'

Exit status: 0, 1 if a run was not removed.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "where", Usage: "the runs for which `CEL` holds"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
			&cli.BoolFlag{Name: "json", Usage: "print the numbers of the removed runs as JSON"},
		},
		Action: func(c *cli.Context) error {
			report := newReporter(w, c.Bool("quiet"), c.Bool("verbose"))
			root, ids, err := runs.named(c, report.notice)
			if err != nil {
				return err
			}
			return remove(c.Context, w, root, ids, c.Bool("yes"), c.Bool("json"), report)
		},
	}
}

// remove removes the runs of root with these numbers, as far as nobody executes
// or waits for them.
func remove(ctx context.Context, w World, root string, ids []int, yes, asJSON bool, report *reporter) error {
	var runs []logdir.Run
	left := 0
	for _, id := range ids {
		run, err := logdir.Find(root, id)
		if err != nil {
			return err
		}
		live, err := run.Live()
		if err != nil && !errors.Is(err, logdir.ErrNoRecord) {
			return err
		}
		if live != nil {
			report.warn("not removed: " + live.Error())
			left++
			continue
		}
		if why := queuedFor(run, ids); why != "" {
			report.warn("not removed: " + why)
			left++
			continue
		}
		runs = append(runs, run)
	}
	waits := waiting(ctx, w, runs)
	runs = slices.DeleteFunc(runs, func(run logdir.Run) bool {
		why := waits[run.ID]
		if why != "" {
			report.warn("not removed: " + why)
			left++
		}
		return why != ""
	})
	if len(runs) > 0 {
		if err := agree(w, runs, yes); err != nil {
			return err
		}
	}
	removed := []int{}
	for _, run := range runs {
		if err := run.Remove(); err != nil {
			report.warn(err.Error())
			left++
			continue
		}
		removed = append(removed, run.ID)
	}
	if len(removed) > 0 {
		if err := logdir.EmptyTrash(root); err != nil {
			report.notice(err.Error())
		}
		report.notice("removed " + numbers(removed))
	} else {
		report.notice("nothing was removed")
	}
	if asJSON {
		if err := json.NewEncoder(w.Stdout).Encode(removed); err != nil {
			return err
		}
	}
	if left > 0 {
		return exit(fault.Incomplete)
	}
	return nil
}

// queuedFor tells why a scheduler may still need the directory of run, "" if none
// does; those of ids go with it.
func queuedFor(run logdir.Run, ids []int) string {
	info, err := run.ReadInfo()
	if err != nil {
		return ""
	}
	if job, err := run.ReadJob(); err == nil && job.Queued() && info.Status == logdir.Created {
		return fmt.Sprintf("run %d is with %s as job %s; mlxp cancel %d takes it out of the queue", run.ID, job.Scheduler, job.JobID, run.ID)
	}
	needed, err := run.Needed()
	if err != nil {
		return ""
	}
	var others []int
	for _, other := range needed {
		if !slices.Contains(ids, other.ID) {
			others = append(others, other.ID)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("the directory of run %d holds the array script of %s %s, which a scheduler has", run.ID, plural(len(others), "run"), numbers(others))
}

// waiting tells of runs that have ended, not as they should, whose jobs a scheduler will
// start again: requeued ones, say. The text is why such a run has to stay.
func waiting(ctx context.Context, w World, runs []logdir.Run) map[int]string {
	byScheduler := map[string][]submitted{}
	for _, run := range runs {
		info, err := run.ReadInfo()
		if err != nil || info.Status == logdir.Complete {
			continue
		}
		if job, err := run.ReadJob(); err == nil && job.Queued() {
			byScheduler[job.Scheduler] = append(byScheduler[job.Scheduler], submitted{run, job})
		}
	}
	why := map[int]string{}
	for name, runs := range byScheduler {
		client := w.client(name, slowAnswer)
		if client == nil {
			continue
		}
		users, ids := askedFor(runs)
		entries, err := client.Look(ctx, users, ids)
		if errors.Is(err, exec.ErrNotFound) {
			continue // the log dir was taken to where there is no such scheduler
		}
		for _, r := range runs {
			if err != nil {
				why[r.run.ID] = fmt.Sprintf("nobody knows whether the job of run %d starts again: %v", r.run.ID, err)
			} else if job, ok := queuedAs(r, entries); ok {
				why[r.run.ID] = fmt.Sprintf("run %d is with %s as job %s (%s); mlxp cancel %d takes it out of the queue", r.run.ID, name, job.ID, job.Word, r.run.ID)
			}
		}
	}
	return why
}

// agree lists runs and asks whether to remove them.
func agree(w World, runs []logdir.Run, yes bool) error {
	if yes {
		return nil
	}
	if !isTerminal(w.Stdin) || !isTerminal(w.Stderr) {
		return fault.Hint(errors.New("rm asks before it removes anything, and there is no terminal to ask at"), "--yes removes without asking")
	}
	const most = 20
	for _, run := range runs[:min(most, len(runs))] {
		text := "no run was made here"
		if info, err := run.ReadInfo(); err == nil {
			text = string(run.ShownStatus(info)) + overridesText(info)
		}
		fmt.Fprintf(w.Stderr, "  %d  %s  %s\n", run.ID, bytesText(sizeOf(run.Dir)), text)
	}
	if len(runs) > most {
		fmt.Fprintf(w.Stderr, "  … and %d more\n", len(runs)-most)
	}
	q := question{in: w.Stdin, out: w.Stderr}
	agreed, err := q.yes(fmt.Sprintf("Remove %d %s? [y/N] ", len(runs), plural(len(runs), "run")))
	if err == nil && !agreed {
		err = fault.Silent(fault.Incomplete)
	}
	return err
}

// sizeOf adds up the files below dir.
func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if st, err := e.Info(); err == nil {
				size += st.Size()
			}
		}
		return nil
	})
	return size
}

// bytesText writes a number of bytes with a unit.
func bytesText(n int64) string {
	x := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if x < 1000 {
			return fmt.Sprintf("%.3g %s", x, unit)
		}
		x /= 1000
	}
	return fmt.Sprintf("%.3g TB", x)
}
