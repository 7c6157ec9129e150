package launcher

import (
	"fmt"
	"os"
	"slices"

	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/vcs"
)

// Why a job is left out. The number of the run that has done it already follows
// skipDone.
const (
	skipWhere = "where"
	skipDone  = "done:"
)

// A filter leaves jobs of a plan out.
type filter struct {
	where  *where             // nil: no condition
	done   map[string]doneRun // complete runs of the same program, by config; nil: none counts
	commit string             // of the code that would run now
}

// A doneRun is a run that need not be repeated.
type doneRun struct {
	id     int
	commit string
}

func newFilter(w World, plan *Plan, o Launch) (*filter, error) {
	f := new(filter)
	var err error
	if o.where != "" {
		if f.where, err = newWhere(o.where); err != nil {
			return nil, err
		}
	}
	if o.skipDone {
		f.done, err = completeRuns(w.abs(string(plan.Settings.Logger.ParentLogDir)), plan.Line)
		head, _ := vcs.FindHead(w.Cwd)
		f.commit = head.Commit
	}
	return f, err
}

// skip tells why a job is left out, "" if it is not, and whether the run that has
// done it ran another version of the code.
func (f *filter) skip(job Job) (why string, otherCode bool) {
	if f.where != nil {
		if why := f.where.skip(job); why != "" {
			return why, false
		}
	}
	if f.done != nil {
		if run, ok := f.done[string(job.Config.AppendYAML(nil))]; ok {
			return fmt.Sprint(skipDone, run.id), run.commit != "" && run.commit != f.commit
		}
	}
	return "", false
}

// err returns what is wrong with the condition, once all jobs were seen.
func (f *filter) err(jobs int) error {
	if f.where == nil {
		return nil
	}
	return f.where.err(jobs)
}

// keep returns the jobs of the plan that are not left out, and says how many
// those are.
func (f *filter) keep(plan *Plan, notice func(string)) ([]Job, error) {
	var jobs []Job
	done, other, seen := 0, 0, 0
	for job, err := range plan.Jobs() {
		if err != nil {
			return nil, err
		}
		seen++
		why, otherCode := f.skip(job)
		if otherCode {
			other++
		}
		switch why {
		case "":
			jobs = append(jobs, job)
		case skipWhere:
		default:
			done++
		}
	}
	if err := f.err(seen); err != nil {
		return nil, err
	}
	if f.where != nil {
		notice(fmt.Sprintf("--where keeps %d of %d combinations", len(jobs)+done, seen))
	}
	if done > 0 {
		text := fmt.Sprintf("--skip-done leaves out %d that are complete already", done)
		if other > 0 {
			text += fmt.Sprintf(", %d of them with another version of the code", other)
		}
		notice(text)
	}
	return jobs, nil
}

// completeRuns returns the complete runs in root of the program that line
// starts, by their composed config.
func completeRuns(root string, line Line) (map[string]doneRun, error) {
	words, err := line.programWords()
	if err != nil {
		return nil, err
	}
	runs, err := logdir.Runs(root)
	if err != nil {
		return nil, err
	}
	done := map[string]doneRun{}
	index := logdir.OpenIndex(root, runs)
	defer index.Save()
	for _, run := range runs {
		info, err := index.ReadInfo(run)
		if err != nil || info.Status != logdir.Complete {
			continue // not a run, or not one that could count
		}
		if before, err := lineOf(info).programWords(); err != nil || !slices.Equal(before, words) {
			continue
		}
		if text, err := os.ReadFile(run.Path(logdir.ConfigYAML)); err == nil {
			d := doneRun{id: run.ID}
			if info.VersionManager != nil && info.VersionManager.Mode != vcsSnapshot { // whose commit is made at each launch
				d.commit = info.VersionManager.CommitHash
			}
			done[string(text)] = d
		}
	}
	return done, nil
}
