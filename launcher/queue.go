package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mlxp/mlxp/internal/claimfile"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
)

// A queue is what the schedulers have said of the jobs of a log dir. It is kept in
// the log dir's own folder, so that however many ask at a time, the schedulers are
// asked by one of them and not too often.
type queue struct {
	Asked map[string]asked `json:"asked"` // by the scheduler's name
}

// An asked is the last answer of a scheduler.
type asked struct {
	At      time.Time                  `json:"at"`                // when it was asked last
	Answer  time.Time                  `json:"answer"`            // when it answered last
	Error   string                     `json:"error,omitempty"`   // why it did not answer the last time
	Jobs    map[string]scheduler.Entry `json:"jobs"`              // by id
	Missing map[string]time.Time       `json:"missing,omitempty"` // jobs that it did not know, since when
}

const (
	queueFile   = "queue.json"
	askingFile  = "queue.asking"
	fresh       = 30 * time.Second // how long an answer is good
	sureAfter   = time.Minute      // how long a scheduler has to know nothing of a job until it is gone
	slowAnswer  = 20 * time.Second // how long an answer is waited for
	keepMissing = 24 * time.Hour
)

func queuePath(root, name string) string { return filepath.Join(root, logdir.OwnDir, name) }

// readQueue reads what is kept; that it cannot be read is as if nothing were.
func readQueue(root string) queue {
	q := queue{Asked: map[string]asked{}}
	if text, err := os.ReadFile(queuePath(root, queueFile)); err == nil {
		if json.Unmarshal(text, &q) != nil || q.Asked == nil {
			q.Asked = map[string]asked{}
		}
	}
	return q
}

// A submitted is a run with the job that a scheduler has for it.
type submitted struct {
	run logdir.Run
	job *logdir.Job
}

// askedFor returns whom and what to ask a scheduler for: those who submitted runs, each
// once, and the ids of their jobs, empty of one whose submission was interrupted.
func askedFor(runs []submitted) (users, ids []string) {
	for _, r := range runs {
		if !slices.Contains(users, r.job.User) {
			users = append(users, r.job.User)
		}
		ids = append(ids, r.job.JobID)
	}
	return users, ids
}

// lookAt returns what the schedulers say of jobs, which are in root: what was said
// within the last moments, else what they say now. Of several who want to know at
// the same time one asks.
func lookAt(ctx context.Context, w World, root string, jobs []submitted) queue {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		q := readQueue(root)
		stale := q.stale(jobs)
		if len(stale) == 0 {
			return q
		}
		err := claimfile.Create(queuePath(root, askingFile), []byte(fmt.Sprintln(os.Getpid())))
		switch {
		case err == nil:
			// Somebody may have asked since the file was read.
			if q = readQueue(root); len(q.stale(jobs)) > 0 {
				q = ask(ctx, w, q, q.stale(jobs), jobs)
				q.write(root)
			}
			_ = os.Remove(queuePath(root, askingFile))
			return q
		case !errors.Is(err, fs.ErrExist): // a log dir of somebody else's
			return ask(ctx, w, q, stale, jobs)
		}
		if st, err := os.Stat(queuePath(root, askingFile)); err == nil && time.Since(st.ModTime()) > 2*slowAnswer {
			_ = os.Remove(queuePath(root, askingFile)) // of one who was killed
		}
		if time.Since(began) > slowAnswer {
			return q
		}
	}
}

// stale names the schedulers of jobs that were not asked lately. A job that was
// submitted since has to wait: its state is not shown until then.
func (q queue) stale(jobs []submitted) []string {
	names := map[string]bool{}
	for _, j := range jobs {
		a, ok := q.Asked[j.job.Scheduler]
		if !ok || time.Since(a.At) >= fresh || a.At.After(time.Now().Add(fresh)) {
			names[j.job.Scheduler] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// ask asks the schedulers with these names.
func ask(ctx context.Context, w World, q queue, names []string, jobs []submitted) queue {
	for _, name := range names {
		client := w.client(name, slowAnswer)
		if client == nil {
			continue
		}
		users, ids := askedFor(slices.DeleteFunc(slices.Clone(jobs), func(j submitted) bool { return j.job.Scheduler != name }))
		slices.Sort(users)
		before, now := q.Asked[name], time.Now()
		entries, err := client.Look(ctx, users, ids)
		after := asked{At: now, Answer: now, Jobs: map[string]scheduler.Entry{}, Missing: map[string]time.Time{}}
		if err != nil {
			after.Answer, after.Error, after.Jobs, after.Missing = before.Answer, err.Error(), before.Jobs, before.Missing
			q.Asked[name] = after
			continue
		}
		for _, e := range entries {
			after.Jobs[e.ID] = e
		}
		for _, id := range ids {
			if _, known := after.Jobs[id]; !known {
				since, ok := before.Missing[id]
				if !ok {
					since = now
				}
				after.Missing[id] = since
			}
		}
		for id, since := range before.Missing { // of runs that were not asked about this time
			if _, known := after.Jobs[id]; !known && now.Sub(since) < keepMissing {
				after.Missing[id] = since
			}
		}
		q.Asked[name] = after
	}
	return q
}

// write keeps q. That it cannot is no error: then others ask, too.
func (q queue) write(root string) {
	if text, err := json.Marshal(q); err == nil {
		_ = logdir.ReplaceFile(queuePath(root, queueFile), text)
	}
}

// A standing is what is known of a job.
type standing struct {
	scheduler.Entry
	known  bool // the scheduler has told of it
	silent bool // the scheduler did not answer
	gone   bool // the scheduler has known nothing of it for long enough
}

// of returns what is known of a run's job.
func (q queue) of(j *logdir.Job) standing {
	a, ok := q.Asked[j.Scheduler]
	if !ok {
		return standing{silent: true}
	}
	e, known := scheduler.Latest(func(id string) (scheduler.Entry, bool) { e, ok := a.Jobs[id]; return e, ok }, j.JobID)
	missing, isMissing := a.Missing[j.JobID]
	return standing{
		Entry:  e,
		known:  known,
		silent: a.Error != "",
		gone:   isMissing && a.Error == "" && a.Answer.Sub(missing) >= sureAfter,
	}
}
