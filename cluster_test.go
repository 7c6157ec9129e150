package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlxp/mlxp/logdir"
)

// One suite for every scheduler, real or fake. A real one is used if
// MLXP_CLUSTER names it: then that it is not there is a failure. See
// .ci/clusters for how to have one.

// A site is a scheduler as the suite needs it.
type site struct {
	name   string
	header []string // lines that every script has, so that its job starts soon
	env    []string // of mlxp and of the scheduler's commands
	bare   bool     // its jobs get nothing of the submitter's environment
	real   bool

	query   string // the command that mlxp asks it for jobs with
	pending string // a header line that lets a job wait for as long as it is not released
	refused string // a header line that the scheduler refuses
	says    string // what it says then

	kills   bool // it ends jobs without a signal that can be caught, but for a warning
	warns   bool // but a job that it will start again it warns before
	lingers bool // what it gets while it is down runs later, although it says otherwise

	requeue     func(t *testing.T, jobs ...string) // starts running jobs again; nil: it cannot
	again       []string                           // header lines of jobs that it starts again
	timeLimit   func(t *testing.T, job string)     // ends a running job by its time limit; nil: it comes by itself
	short       []string                           // header lines of a job whose time limit comes soon
	resumes     bool                               // a job that its time limit has ended can start again
	cancel      []string                           // its own command, the id is appended
	stop        func(t *testing.T) (start func())  // until it is started again it does not answer
	fresh       func(t *testing.T) *site           // a scheduler for one test; nil: this one is for all
	patience    time.Duration                      // for a job to start and end
	warning     []string                           // header lines that ask for USR1 before the time limit
	warn        func(t *testing.T, job string)     // lets that come; nil: there is none
	nodeFails   func(t *testing.T, job string)     // kills all of a running job, which starts elsewhere
	calls       func(t *testing.T) int             // how often the scheduler was asked for jobs; nil: nobody knows
	accept      func(t *testing.T, n int)          // refuses more than n submissions
	largest     func(t *testing.T, n int)          // sets the largest array that the site allows
	requeueExit int                                // the exit status by which a job asks to start again; 0: none
	kill        int                                // how often mlxp sub is killed
	least       time.Duration                      // that such a job has to last
}

// sites are the schedulers of this test run.
func sites(t *testing.T) []*site {
	if name := os.Getenv("MLXP_CLUSTER"); name != "" {
		s := realSites[name]
		if s == nil {
			t.Fatalf("MLXP_CLUSTER: there is no real %s", name)
		}
		return []*site{s}
	}
	return fakeSites(t)
}

func TestCluster(t *testing.T) {
	var all sync.WaitGroup
	for _, s := range sites(t) {
		all.Go(func() {
			t.Run(s.name, func(t *testing.T) { tell(t, s) })
		})
	}
	all.Wait()
}

// places are those of stories that are told at the same time. Most of a story is
// waiting, so that there are more than processors, to which package testing keeps.
var places = make(chan struct{}, 8)

// tell tells all stories of a site.
func tell(t *testing.T, s *site) {
	if s.real && s.stop != nil {
		t.Run("scheduler is down", func(t *testing.T) { clusterDown(t, newCluster(t, s)) }) // the others need it
	}
	var all sync.WaitGroup
	for _, story := range slices.Concat(suite, special[s.name]) {
		if story.needs != nil && !story.needs(s) {
			continue
		}
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			t.Run(story.name, func(t *testing.T) { story.run(t, newCluster(t, s)) })
		})
	}
	all.Wait()
}

// A cluster is a project of a user's, in a directory of its own, and the scheduler
// that its jobs go to.
type cluster struct {
	*site
	t   *testing.T
	dir string
}

func newCluster(t *testing.T, s *site) *cluster {
	if s.fresh != nil {
		s = s.fresh(t)
	}
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{s, t, dir}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the files of this test are in %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return c
}

// write writes a file of the project's; a script can be executed.
func (c *cluster) write(name string, lines ...string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o777); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// script writes a job script, with the site's header lines.
func (c *cluster) script(lines ...string) string {
	c.t.Helper()
	at := 0
	for at < len(lines) && strings.HasPrefix(lines[at], "#") {
		at++
	}
	all := append([]string{"#!/bin/bash"}, c.header...)
	all = append(all, lines[:at]...)
	all = append(all, c.setup()...)
	c.write("script.sh", append(all, lines[at:]...)...)
	return "script.sh"
}

// setup are the lines that a script needs where jobs get no environment.
func (c *cluster) setup() (lines []string) {
	if !c.bare {
		return nil
	}
	for _, v := range append([]string{"PATH=" + os.Getenv("PATH")}, c.env...) {
		name, value, _ := strings.Cut(v, "=")
		lines = append(lines, "export "+name+"='"+value+"'")
	}
	return lines
}

// An outcome is what a command did.
type outcome struct {
	stdout, stderr string
	status         int
}

// command executes a command in the project.
func (c *cluster) command(words ...string) outcome {
	c.t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		c.t.Fatalf("%q: %v", words, err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// mlxp executes mlxp, which has to end with a status.
func (c *cluster) mlxp(status int, words ...string) outcome {
	c.t.Helper()
	out := c.command(append([]string{"mlxp"}, words...)...)
	if out.status != status {
		c.t.Fatalf("mlxp %q: exit status %d, want %d\nstdout: %s\nstderr: %s", words, out.status, status, out.stdout, out.stderr)
	}
	return out
}

// sub submits a script and returns the jobs, by run.
func (c *cluster) sub(words ...string) map[int]string {
	c.t.Helper()
	c.mlxp(0, append([]string{"sub"}, words...)...)
	jobs := map[int]string{}
	runs, err := logdir.Runs(filepath.Join(c.dir, "logs"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, run := range runs {
		if job, err := run.ReadJob(); err == nil && job != nil {
			jobs[run.ID] = job.JobID
		}
	}
	return jobs
}

func (c *cluster) run(id int) logdir.Run {
	return logdir.Run{Dir: filepath.Join(c.dir, "logs", strconv.Itoa(id)), ID: id}
}

func (c *cluster) info(id int) *logdir.Info {
	c.t.Helper()
	info, err := c.run(id).ReadInfo()
	if err != nil {
		c.t.Fatal(err)
	}
	return info
}

// await waits until a run has one of the statuses.
func (c *cluster) await(id int, statuses ...logdir.Status) *logdir.Info {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		info := c.info(id)
		if slices.Contains(statuses, info.Status) {
			return info
		}
		if time.Since(began) > c.patience {
			log, _ := os.ReadFile(c.run(id).Path(logdir.JobLog))
			c.t.Fatalf("run %d is %s after %v, not %v\njob.log: %s", id, info.Status, c.patience, statuses, log)
		}
	}
}

// awaitFile waits until a file of a run holds a text.
func (c *cluster) awaitFile(id int, name, text string) {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		content, _ := os.ReadFile(c.run(id).Path(name))
		if strings.Contains(string(content), text) {
			return
		}
		if time.Since(began) > c.patience {
			log, _ := os.ReadFile(c.run(id).Path(logdir.JobLog))
			c.t.Fatalf("run %d: %s does not hold %q after %v: %q\njob.log: %s", id, name, text, c.patience, content, log)
		}
	}
}

// wants checks that a text of a run's file is there.
func (c *cluster) wants(id int, name string, texts ...string) {
	c.t.Helper()
	content, err := os.ReadFile(c.run(id).Path(name))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(string(content), text) {
			c.t.Errorf("run %d: %s lacks %q:\n%s", id, name, text, content)
		}
	}
}

// rows are what mlxp status says, by run.
func (c *cluster) rows(words ...string) map[int]map[string]any {
	c.t.Helper()
	out := c.mlxp(0, append([]string{"status", "--json"}, words...)...)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out.stdout), &rows); err != nil {
		c.t.Fatalf("mlxp status --json: %v: %s", err, out.stdout)
	}
	byID := map[int]map[string]any{}
	for _, row := range rows {
		byID[int(row["id"].(float64))] = row
	}
	return byID
}

// forget lets mlxp status ask the scheduler again at once.
func (c *cluster) forget() { os.Remove(filepath.Join(c.dir, "logs", ".mlxp", "queue.json")) }

// awaitRow waits until mlxp status says of a run what is wanted.
func (c *cluster) awaitRow(id int, wanted func(row map[string]any) bool) map[string]any {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		c.forget()
		row := c.rows()[id]
		if wanted(row) {
			return row
		}
		if time.Since(began) > c.patience {
			c.t.Fatalf("status of run %d after %v: %v", id, c.patience, row)
		}
	}
}
