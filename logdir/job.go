package logdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mlxp/mlxp/internal/jsontext"
)

// A Job is what the submitter knows of a run that a batch scheduler gets,
// metadata/job.yaml, in the form of [Info]. It is there before the scheduler is
// asked: who is killed in between leaves a token by which the job is found. The
// submitter alone writes it, never the job.
type Job struct {
	Scheduler string `json:"scheduler"` // "slurm"; "local": the job script is run without a scheduler
	// Token names this submission of the run. It is in the job's name and in the
	// command that executes the run: a job with another one was superseded.
	Token      string `json:"token"`
	Submission int    `json:"submission"`                 // the first run of those that were made together
	JobID      string `json:"scheduler_job_id,omitempty"` // "1234_2"; absent until the scheduler has answered
	Array      string `json:"array,omitempty"`            // the array's id, if the job is part of one
	Task       int    `json:"task,omitempty"`             // its index there
	Name       string `json:"name,omitempty"`             // of the job
	User       string `json:"user,omitempty"`             // who submitted it
	MaxRunning int    `json:"max_running,omitempty"`      // how many runs of its array may run at a time; absent: all

	// Script is what was handed over: the run's own job script, or the array script.
	Script    jsontext.Text `json:"script,omitempty"`
	Submitted Time          `json:"submitted,omitzero"` // when the scheduler had answered
	Cancelled Time          `json:"cancelled,omitzero"` // when mlxp was asked to cancel it
	Reason    Reason        `json:"reason,omitempty"`   // why it never started: rejected or cancelled
	Message   jsontext.Text `json:"message,omitempty"`  // what the scheduler said when it refused
}

// Queued tells whether the scheduler has, or had, a job for the run.
func (j *Job) Queued() bool { return j != nil && j.JobID != "" && j.Reason == "" }

// ReadJob reads what the submitter knows, nil if the run was never meant for a
// scheduler.
func (r Run) ReadJob() (*Job, error) {
	path := r.Path(JobYAML)
	file, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", r.ID, err)
	}
	job := new(Job)
	object, err := RecordJSON(file.Text)
	if err == nil {
		err = json.Unmarshal(object, job)
	}
	if err != nil {
		return nil, fmt.Errorf("run %d: %s: %w", r.ID, path, err)
	}
	return job, nil
}

// WriteJob replaces what the submitter knows. It does not wait for the disk: see
// [Log.SyncJobs].
func (r Run) WriteJob(job *Job) error {
	text, err := encodeRecord(job)
	if err == nil {
		err = replaceSoon(r.Path(JobYAML), text)
	}
	if err != nil {
		return fmt.Errorf("run %d: %w", r.ID, err)
	}
	return nil
}

// FreezeJob writes, before [Run.Freeze], what makes the run one that a scheduler
// will get: the job script and what the submitter knows.
func (r Run) FreezeJob(job *Job, script []byte) error {
	text, err := encodeRecord(job)
	if err == nil {
		err = writeNew(r.Path(JobYAML), text)
	}
	if err == nil {
		err = r.WriteScript(ScriptSh, script)
	}
	if err != nil {
		return fmt.Errorf("run %d: %w", r.ID, err)
	}
	return nil
}

// WriteScript replaces a file of the run that can be executed. It does not wait
// for the disk.
func (r Run) WriteScript(name string, text []byte) error {
	path := r.Path(name)
	if err := replaceSoon(path, text); err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	const read = 0o444
	return os.Chmod(path, st.Mode()|st.Mode()&read>>2) // executable for who can read it
}

// SyncJobs waits until what was written about jobs of runs is on the disk.
func (l *Log) SyncJobs(runs []Run) error {
	if len(runs) > few {
		if err := syncAll(l.Root); err != nil {
			return fmt.Errorf("log dir: %w", err)
		}
		return nil
	}
	for _, run := range runs {
		for _, name := range []string{JobYAML, MetadataDir} {
			if err := syncFile(run.Path(name)); err != nil {
				return fmt.Errorf("run %d: %w", run.ID, err)
			}
		}
	}
	return nil
}

// ArrayDir is where the array script of a submission stands, in the directory of
// the array's first run. Beside it there is a link for each task of the array,
// named by its index from 1, to the directory of its run: so one path names the
// run's files for the scheduler and for the job.
func (r Run) ArrayDir(token string) string { return r.Path(arrayPrefix + token) }

const arrayPrefix = "array-"

// MakeArray makes [Run.ArrayDir] for an array of runs, r being the first.
func (r Run) MakeArray(token string, runs []Run) error {
	dir := r.ArrayDir(token)
	if err := r.Mkdir(filepath.Base(dir)); err != nil {
		return fmt.Errorf("run %d: %w", r.ID, err)
	}
	for i, run := range runs {
		if err := os.Symlink("../../"+strconv.Itoa(run.ID), filepath.Join(dir, strconv.Itoa(i+1))); err != nil {
			return fmt.Errorf("run %d: %w", r.ID, err)
		}
	}
	return nil
}

// Needed returns the runs for which a scheduler may still need the directory of
// r, because their array script stands in it, r itself left out.
func (r Run) Needed() ([]Run, error) {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", r.ID, err)
	}
	var needed []Run
	for _, e := range entries {
		if !e.IsDir() || len(e.Name()) <= len(arrayPrefix) || e.Name()[:len(arrayPrefix)] != arrayPrefix {
			continue
		}
		token := e.Name()[len(arrayPrefix):]
		links, err := os.ReadDir(r.Path(e.Name()))
		if err != nil {
			return nil, fmt.Errorf("run %d: %w", r.ID, err)
		}
		for _, link := range links {
			target, err := os.Readlink(filepath.Join(r.Path(e.Name()), link.Name()))
			if err != nil {
				continue // the script
			}
			run, err := OpenRun(filepath.Join(r.Path(e.Name()), target))
			if err != nil || run.ID == r.ID {
				continue
			}
			job, err := run.ReadJob()
			if err != nil || !job.Queued() || job.Token != token {
				continue
			}
			if info, err := run.ReadInfo(); err == nil && !info.Status.Ended() {
				needed = append(needed, run)
			}
		}
	}
	return needed, nil
}
