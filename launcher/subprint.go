package launcher

import (
	"bufio"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/logdir"
)

// print prints the job scripts of the submission, with the numbers that the runs
// would get now: for a person the first of each launching statement and the script
// of its array, as JSON an object for each run.
func (s *submission) print() error {
	next := map[string]int{}
	for _, b := range s.batches {
		root := b.root()
		if next[root] == 0 {
			last, err := logdir.Last(root)
			if err != nil {
				return err
			}
			next[root] = last + 1
		}
		b.code = presentVersion(b.world.Cwd)
		b.queue = make([]*logdir.Job, len(b.jobs))
		for i := range b.jobs {
			run := logdir.Run{Dir: filepath.Join(root, strconv.Itoa(next[root])), ID: next[root]}
			b.runs = append(b.runs, run)
			b.queue[i] = &logdir.Job{Scheduler: s.name(), Token: s.token, Name: s.jobName(b, run)}
			next[root]++
		}
	}
	if s.o.json {
		return s.printJSON()
	}
	out := bufio.NewWriter(s.w.Stdout)
	at := 0
	for runs := range s.statements() {
		b := s.batchOf(runs[0].run)
		text, err := s.jobScript(b, runs[0].run)
		if err != nil {
			return err
		}
		var dirs []logdir.Run
		for _, r := range runs {
			dirs = append(dirs, r.run)
		}
		if at++; at > 1 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "#### line %d launches %d %s: %s. The job script of run %d:\n", b.launch.Line, len(runs), plural(len(runs), "run"), numbers(idsOfRuns(dirs)), dirs[0].ID)
		out.WriteString(text)
		if size := s.limits.Array; s.scheduler != nil && !s.o.noArray && size > 1 && len(runs) > 1 && s.scheduler.Options.Array.Write != "" {
			dirs = dirs[:min(size, len(dirs))]
			fmt.Fprintf(out, "\n#### They go in together, at most %d at a time, by the script of an array:\n", size)
			out.WriteString(arrayScript(heading{
				scheduler: s.scheduler, shell: s.script.Shell, user: s.userHeader(),
				name: runs[0].job.Name, throttle: s.o.maxRunning, options: s.options,
			}, dirs[0].ArrayDir(s.token), dirs))
		}
	}
	s.report.notice(fmt.Sprintf("%d %s would be submitted; --json prints the script of each", s.numberOf(), plural(s.numberOf(), "run")))
	return out.Flush()
}

func (s *submission) batchOf(run logdir.Run) *batch {
	for _, b := range s.batches {
		for _, r := range b.runs {
			if r == run {
				return b
			}
		}
	}
	return nil
}

func (s *submission) printJSON() error {
	out := bufio.NewWriter(s.w.Stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, b := range s.batches {
		for i, run := range b.runs {
			text, err := s.jobScript(b, run)
			if err != nil {
				return err
			}
			line := struct {
				ID        int             `json:"id"`
				Line      int             `json:"line"`
				Name      string          `json:"name"`
				Overrides []jsontext.Text `json:"overrides"`
				Command   []jsontext.Text `json:"command"`
				Script    jsontext.Text   `json:"script"`
			}{run.ID, b.launch.Line, b.queue[i].Name, []jsontext.Text{}, jsontext.Texts(b.jobs[i].Command), jsontext.Text(text)}
			for _, o := range b.jobs[i].Overrides {
				line.Overrides = append(line.Overrides, jsontext.Text(o.Text))
			}
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}
