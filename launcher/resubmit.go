package launcher

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// Runs that were submitted go back to their scheduler when they are resumed: each
// with its own job script, under a new token.

// tokenForm finds the token in a job script.
var tokenForm = pattern.New(`--token'? '?([a-z2-7]{8})\b`)

// A resubmission is a run that is submitted again, with its job script.
type resubmission struct {
	handed
	text    string   // of the script
	shell   []string // that it is for
	header  []string // the user's header lines in it
	options []string // what mlxp's header lines in it say besides
}

// readScript reads a run's job script back.
func readScript(run logdir.Run, job *logdir.Job) (resubmission, error) {
	path := run.Path(logdir.ScriptSh)
	text, err := os.ReadFile(path)
	if err != nil {
		return resubmission{}, fmt.Errorf("run %d: %w", run.ID, err)
	}
	r := resubmission{handed: handed{run, job}, text: string(text)}
	first, rest, _ := strings.Cut(r.text, "\n")
	words, ok := strings.CutPrefix(first, "#!")
	if r.shell = strings.Fields(words); !ok || len(r.shell) == 0 {
		return r, fmt.Errorf("run %d: %s does not begin with #! and a shell", run.ID, path)
	}
	s := scheduler.ByName(job.Scheduler)
	if s == nil {
		return r, nil
	}
	users, own, _ := strings.Cut(rest, ours+"\n")
	for line := range strings.Lines(users) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, s.Directives[0]) {
			r.header = append(r.header, line)
		}
	}
	var ownLines []string
	for line := range strings.Lines(own) {
		value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), s.Directives[0])
		if !ok {
			break
		}
		ownLines = append(ownLines, value)
	}
	o := s.Options
	for _, line := range ownLines {
		line = strings.TrimSpace(line)
		each := slices.ContainsFunc([]scheduler.Option{o.Name, o.Output, o.Error, o.Shell}, func(o scheduler.Option) bool {
			_, has := s.Find([]string{line}, o)
			return has
		})
		if !each && !slices.Contains(o.Always, line) {
			r.options = append(r.options, line)
		}
	}
	return r, nil
}

// renew makes the script and the record of the job those of a new submission of to,
// which is the run itself or one that repeats it.
func (r *resubmission) renew(to logdir.Run, token string, submission int, user string) error {
	old := r.job.Token
	if m := tokenForm().FindStringSubmatch(r.text); m != nil {
		old = m[1]
	}
	text := strings.ReplaceAll(r.text, fmt.Sprintf("-%d-%s", r.run.ID, old), fmt.Sprintf("-%d-%s", to.ID, token))
	text = strings.ReplaceAll(text, old, token)
	name := strings.ReplaceAll(r.job.Name, fmt.Sprintf("-%d-%s", r.run.ID, r.job.Token), fmt.Sprintf("-%d-%s", to.ID, token))
	if to != r.run {
		dir := regexp.MustCompile(regexp.QuoteMeta(r.run.Dir) + `(\D)`)
		text = dir.ReplaceAllString(text, strings.ReplaceAll(to.Dir, "$", "$$")+"$1")
	}
	r.run, r.text = to, text
	r.job = &logdir.Job{Scheduler: r.job.Scheduler, Token: token, Submission: submission, Name: name, User: user, MaxRunning: r.job.MaxRunning}
	if err := to.WriteScript(logdir.ScriptSh, []byte(text)); err != nil {
		return fmt.Errorf("run %d: %w", to.ID, err)
	}
	return to.WriteJob(r.job)
}

// unqueued returns those of runs that no scheduler has in its queue; the others are
// named. Jobs are looked for by their ids, and by their tokens where a submission was
// interrupted before it knew them.
func unqueued(ctx context.Context, w World, runs []submitted, report *reporter) ([]submitted, error) {
	byScheduler := map[string][]submitted{}
	var free []submitted
	for _, r := range runs {
		byScheduler[r.job.Scheduler] = append(byScheduler[r.job.Scheduler], r)
	}
	for name, runs := range byScheduler {
		client := w.client(name, slowAnswer)
		if client == nil { // local
			free = append(free, runs...)
			continue
		}
		entries, err := afterLeaving(ctx, client, runs, report)
		if err != nil {
			return nil, fmt.Errorf("%w: nothing is submitted while nobody knows which jobs wait", err)
		}
		for _, r := range runs {
			job, ok := queuedAs(r, entries)
			if !ok {
				free = append(free, r)
				continue
			}
			report.notice(fmt.Sprintf("run %d is with %s as job %s (%s)", r.run.ID, name, job.ID, job.Word))
			if r.job.JobID == "" { // mlxp sub was killed before it could say so
				r.job.JobID, r.job.Message = job.ID, ""
				r.job.Submitted = logdir.Time{Time: job.Submitted}
				if err := r.run.WriteJob(r.job); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortFunc(free, func(a, b submitted) int { return a.run.ID - b.run.ID })
	return free, nil
}

// timeToLeave is how long mlxp waits for jobs whose runs have ended: schedulers take
// a second to notice that a job is over, and longer when they are busy.
const timeToLeave = 30 * time.Second

// afterLeaving looks for jobs, again until those are gone whose runs have ended.
func afterLeaving(ctx context.Context, client *scheduler.Client, runs []submitted, report *reporter) ([]scheduler.Entry, error) {
	users, ids := askedFor(runs)
	began, told := time.Now(), false
	for {
		entries, err := client.Look(ctx, users, ids)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(runs, func(r submitted) bool { return leaving(r, entries) })
		if i < 0 || time.Since(began) > timeToLeave || ctx.Err() != nil {
			return entries, nil
		}
		if !told {
			told = true
			report.notice(fmt.Sprintf("run %d has ended, its job has not: waiting up to %v for it", runs[i].run.ID, timeToLeave))
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// leaving tells whether the job of r still runs although the run that it executed has
// ended, or is lost.
func leaving(r submitted, entries []scheduler.Entry) bool {
	job, ok := queuedAs(r, entries)
	if !ok || job.State != scheduler.Running {
		return false
	}
	info, err := r.run.ReadInfo()
	if err != nil || info.Scheduler == nil || info.Scheduler.JobID != job.ID {
		return false
	}
	status := r.run.ShownStatus(info)
	return status.Ended() || status == logdir.Lost
}

// queuedAs finds the job among entries that waits or runs for r.
func queuedAs(r submitted, entries []scheduler.Entry) (scheduler.Entry, bool) {
	for _, e := range entries {
		if over(e) {
			continue
		}
		if e.ID == r.job.JobID && r.job.JobID != "" || runOf(e, r) == r.run.ID {
			return e, true
		}
	}
	e, ok := scheduler.Latest(byID(entries), r.job.JobID)
	return e, ok && !over(e)
}

// over tells whether a job has ended or is about to. Should that one start again after
// all, it leaves its run to the one that was submitted since.
func over(e scheduler.Entry) bool {
	return e.State == scheduler.Ended || e.State == scheduler.Ending
}

// byID finds entries by their ids.
func byID(entries []scheduler.Entry) func(id string) (scheduler.Entry, bool) {
	return func(id string) (scheduler.Entry, bool) {
		i := slices.IndexFunc(entries, func(e scheduler.Entry) bool { return e.ID == id })
		if i < 0 {
			return scheduler.Entry{}, false
		}
		return entries[i], true
	}
}

var nameForm = pattern.New(`-(\d+)-([a-z2-7]{8})$`)

// runOf returns the number of the run that a job with r's token is for, 0 if it has
// another token. A task of an array has the name of the array's first run.
func runOf(e scheduler.Entry, r submitted) int {
	m := nameForm().FindStringSubmatch(e.Name)
	if m == nil || m[2] != r.job.Token {
		return 0
	}
	first, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	if e.Task == "" {
		return first
	}
	array := logdir.Run{Dir: filepath.Join(filepath.Dir(r.run.Dir), m[1]), ID: first}
	dir := array.ArrayDir(r.job.Token)
	target, err := os.Readlink(filepath.Join(dir, e.Task))
	if err != nil {
		if _, err := os.Stat(dir); err != nil {
			return first // where each job is an array of one
		}
		return 0
	}
	id, _ := strconv.Atoi(filepath.Base(target))
	return id
}

// resubmit hands runs over again. They are in root.
func resubmit(ctx context.Context, w World, root string, runs []resubmission, signals *signals, report *reporter) error {
	log, err := logdir.Open(root)
	if err != nil {
		return err
	}
	var first error
	byKind := map[string][]resubmission{}
	var kinds []string
	for _, r := range runs {
		kind := fmt.Sprintf("%q %q %q %q %d", r.job.Scheduler, r.shell, r.header, r.options, r.job.MaxRunning)
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], r)
	}
	for _, kind := range kinds {
		group := byKind[kind]
		client := w.client(group[0].job.Scheduler, patience)
		client.Dir = w.Cwd
		if err := startable(client.Scheduler, root); err != nil {
			return err
		}
		h := &handover{
			client: client, limits: client.Site(ctx), options: group[0].options, maxRunning: group[0].job.MaxRunning,
			shell: group[0].shell, header: group[0].header, out: w.Stdout, report: report,
		}
		var all []handed
		var dirs []logdir.Run
		for _, r := range group {
			all = append(all, r.handed)
			dirs = append(dirs, r.run)
		}
		err := h.submit(ctx, all, signals.stop)
		if syncErr := log.SyncJobs(dirs); err == nil {
			err = syncErr
		}
		if err != nil {
			return err
		}
		if err := h.sum(); first == nil {
			first = err
		}
	}
	return first
}
