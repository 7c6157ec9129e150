package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler"
	"github.com/mlxp/mlxp/scheduler/script"
)

// suite are the stories that hold for every scheduler.
var suite = []story{
	{"sweep", clusterSweep, nil},
	{"scheduler is down", clusterDown, func(s *site) bool { return s.fresh != nil }},
	{"loop with staging", clusterLoop, once},
	{"one by one", clusterOneByOne, once},
	{"refused", clusterRefused, nil},
	{"cancel a pending job", clusterCancelPending, nil},
	{"cancel a running job", clusterCancelRunning, nil},
	{"cancelled by the scheduler's own command", clusterOwnCancel, nil},
	{"requeue", clusterRequeue, func(s *site) bool { return s.requeue != nil }},
	{"time limit", clusterTimeLimit, func(s *site) bool { return s.timeLimit != nil || s.short != nil }},
	{"requeued on timeout", clusterRequeueOnTimeout, func(s *site) bool { return s.resumes }},
	{"what goes before fails", clusterSetupFails, nil},
	{"failing program", clusterFails, once},
	{"superseded", clusterSuperseded, once},
	{"submit by hand", clusterByHand, once},
	{"rerun", clusterRerun, once},
	{"inside a job", clusterInside, nil},
	{"sub is killed", clusterKilled, nil},
	{"any bytes", clusterBytes, func(s *site) bool { return s.real || slices.Contains([]string{"slurm", "sge", "oar"}, s.name) }}, // those that get paths
	{"warning signal", clusterWarning, func(s *site) bool { return s.warning != nil }},
	{"many watch", clusterWatch, func(s *site) bool { return s.fresh != nil && once(s) }},
	{"submit limit", clusterLimit, func(s *site) bool { return s.fresh != nil }},
	{"node fails", clusterNodeFails, func(s *site) bool { return s.fresh != nil && once(s) }},
	{"the scheduler forgets", clusterForgets, func(s *site) bool { return s.fresh != nil && once(s) }},
	{"an array in pieces", clusterPieces, func(s *site) bool { return s.fresh != nil && once(s) }},
	{"exit status that requeues", clusterRequeueExit, func(s *site) bool { return s.requeueExit != 0 && s.fresh == nil }},
	{"any value", clusterValues, once},
	{"environment", clusterEnvironment, isReal},
	{"so many at a time", clusterMaxRunning, func(s *site) bool { return s.real && s.name != "oar" }}, // which cannot,
	{"checkpoint", clusterCheckpoint, func(s *site) bool { return s.real && s.requeue != nil }},       // needs Python
}

// once is the need of a story whose subject is the same code for all schedulers: it is
// told of all real ones, and of one fake.
func once(s *site) bool { return s.real || s.name == "slurm" }

// A story is one test of the suite.
type story struct {
	name  string
	run   func(t *testing.T, c *cluster)
	needs func(s *site) bool // nil: every scheduler can do it
}

// A sweep goes in as arrays where there are any, and each run is complete with its
// job's id, which its record has, too.
func clusterSweep(t *testing.T, c *cluster) {
	script := c.script("echo before in $PWD", `mlxp -- sh -c 'echo "got $*"; echo "{\"step\":1,\"x\":$MLXP_CONFIG__LR}" >> $MLXP_METRICS' train lr=1,2,3`, "echo after")
	out := c.mlxp(0, "sub", script)
	if n := strings.Count(out.stdout, "\n"); n < 1 || n > 3 || !strings.Contains(out.stderr, "3 runs submitted to "+c.name) {
		t.Errorf("stdout: %s\nstderr: %s", out.stdout, out.stderr)
	}
	for id := 1; id <= 3; id++ {
		info := c.await(id, logdir.Complete)
		job, err := c.run(id).ReadJob()
		if err != nil || info.Scheduler == nil || info.Scheduler.JobID != job.JobID || info.Attempts[0].Job != job.JobID {
			t.Errorf("run %d: record %+v, job %+v, %v", id, info.Scheduler, job, err)
		}
		c.wants(id, logdir.LogStdout, fmt.Sprintf("got lr=%d", id))
		c.wants(id, logdir.MetricsJSONL, fmt.Sprintf(`"x":%d}`, id))
		c.awaitFile(id, logdir.JobLog, "after")
		c.wants(id, logdir.JobLog, "before in "+c.dir)
	}
	if rows := c.rows(); len(rows) != 0 {
		t.Errorf("status of complete runs: %v", rows)
	}
	if out := c.mlxp(0, "query", "--json", "--fields", "x=metrics.x.last()"); !strings.Contains(out.stdout, `{"id":3,"x":3}`) {
		t.Errorf("query: %s", out.stdout)
	}
}

// The runs of a loop go in together, each with what surrounds it in its iteration.
func clusterLoop(t *testing.T, c *cluster) {
	script := c.script(
		"set -euo pipefail",
		"for seed in 1 2; do",
		`  echo "stage in $seed"`,
		`  mlxp -- sh -c 'echo "seed $MLXP_CONFIG__SEED"' train seed=$seed | tee out.$seed`,
		`  echo "stage out $seed"`,
		"done",
	)
	c.sub(script)
	for id := 1; id <= 2; id++ {
		c.await(id, logdir.Complete)
		c.awaitFile(id, logdir.JobLog, fmt.Sprintf("stage out %d", id))
		c.wants(id, logdir.JobLog, fmt.Sprintf("stage in %d", id), fmt.Sprintf("seed %d", id))
		if log, _ := os.ReadFile(c.run(id).Path(logdir.JobLog)); strings.Contains(string(log), fmt.Sprintf("stage in %d", 3-id)) {
			t.Errorf("run %d has the other iteration, too:\n%s", id, log)
		}
		if text, err := os.ReadFile(filepath.Join(c.dir, fmt.Sprintf("out.%d", id))); err != nil || string(text) != fmt.Sprintf("seed %d\n", id) {
			t.Errorf("tee wrote %q, %v", text, err)
		}
	}
}

func clusterOneByOne(t *testing.T, c *cluster) {
	script := c.script("mlxp -- true n=1,2")
	out := c.mlxp(0, "sub", "--no-array", script)
	if n := strings.Count(out.stdout, "\n"); n != 2 {
		t.Errorf("%d jobs:\n%s", n, out.stdout)
	}
	c.await(1, logdir.Complete)
	c.await(2, logdir.Complete)
}

// What a scheduler refuses stays, with what it said, and goes in later.
func clusterRefused(t *testing.T, c *cluster) {
	script := c.script(c.refused, "mlxp -- true n=1,2")
	out := c.mlxp(1, "sub", script)
	if !strings.Contains(out.stderr, c.says) || !strings.Contains(out.stderr, "logs/1/script.sh") || !strings.Contains(out.stderr, "mlxp rm 1 2,") || out.stdout != "" {
		t.Errorf("stdout: %s\nstderr: %s", out.stdout, out.stderr)
	}
	rows := c.rows()
	for id := 1; id <= 2; id++ {
		if row := rows[id]; row["status"] != "CREATED" || row["reason"] != "rejected" || !strings.Contains(fmt.Sprint(row["why"]), c.says) {
			t.Errorf("status: %v", row)
		}
		// The user mends the script of the run.
		path := c.run(id).Path(logdir.ScriptSh)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.refused+"\n", "", 1)), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c.mlxp(0, "resume", "1", "2")
	c.await(1, logdir.Complete)
	c.await(2, logdir.Complete)
}

func clusterCancelPending(t *testing.T, c *cluster) {
	script := c.script(c.pending, "mlxp -- true n=1,2")
	jobs := c.sub(script)
	rows := c.rows()
	if row := rows[1]; row["status"] != "SUBMITTED" || row["job"] != jobs[1] || row["state"] == nil {
		t.Errorf("status: %v, job %s", row, jobs[1])
	}
	if out := c.mlxp(0, "resume", "1"); !strings.Contains(out.stderr, "run 1 is with "+c.name+" as job "+jobs[1]) {
		t.Errorf("resume of a queued run: %s", out.stderr)
	}
	if out := c.mlxp(1, "rm", "--yes", "1"); !strings.Contains(out.stderr, "mlxp cancel 1") {
		t.Errorf("rm of a queued run: %s", out.stderr)
	}
	c.mlxp(0, "cancel", "1", "2")
	c.forget()
	if row := c.rows()[1]; row["status"] != "CREATED" || row["reason"] != "cancelled" {
		t.Errorf("status after cancel: %v", row)
	}
	if info := c.info(1); info.Status != logdir.Created || len(info.Attempts) != 0 {
		t.Errorf("record: %+v", info)
	}
	c.mlxp(0, "rm", "--yes", "1", "2")
}

// waiting is a program that says that it runs and then waits for a signal.
var waiting = []string{
	`trap 'echo told to end; exit 3' TERM INT`,
	`echo started $MLXP_RESTARTS`,
	`[ $MLXP_RESTARTS = 0 ] || exit 0`,
	`sleep 120 & wait $!`,
}

// limited is waiting with what a job gets when its time is over, on some schedulers.
var limited = append([]string{`trap 'echo told to end; exit 3' USR2`}, waiting...)

func clusterCancelRunning(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	c.sub(c.script("mlxp -- sh wait.sh"))
	c.awaitFile(1, logdir.JobLog, "started 0") // while it runs, whenever the scheduler writes output
	c.await(1, logdir.Running)
	c.mlxp(0, "cancel", "1")
	info := c.await(1, logdir.Interrupted, logdir.Failed)
	if info.Status != logdir.Interrupted || info.Reason == nil || *info.Reason != logdir.Cancelled {
		t.Errorf("%s, %v", info.Status, info.Reason)
	}
	c.wants(1, logdir.LogStdout, "told to end")
	c.mlxp(0, "resume", "1")
	c.await(1, logdir.Complete)
	c.wants(1, logdir.LogStdout, "started 0", "started 1")
}

func clusterOwnCancel(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	jobs := c.sub(c.script("mlxp -- sh wait.sh", "echo after"))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.await(1, logdir.Running)
	if out := c.command(append(c.cancel, jobs[1])...); out.status != 0 {
		t.Fatalf("%q: %s%s", c.cancel, out.stdout, out.stderr)
	}
	if c.kills {
		c.awaitRow(1, func(row map[string]any) bool { return row["status"] == "LOST" })
		c.mlxp(0, "resume", "1")
		c.await(1, logdir.Complete)
		return
	}
	info := c.await(1, logdir.Interrupted)
	if info.Reason == nil || *info.Reason != logdir.Cancelled {
		t.Errorf("reason %v, want cancelled", info.Reason)
	}
}

// A job that its scheduler starts again goes on with the same run.
func clusterRequeue(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	jobs := c.sub(c.script(append(slices.Clone(c.again), "echo job starts", "mlxp -- sh wait.sh n=1,2")...))
	for id := 1; id <= 2; id++ {
		c.awaitFile(id, logdir.LogStdout, "started 0")
		c.await(id, logdir.Running)
	}
	c.requeue(t, jobs[1], jobs[2])
	first := logdir.Interrupted
	if c.kills && !c.warns {
		first = "" // nobody saw the end
	}
	for id := 1; id <= 2; id++ {
		info := c.await(id, logdir.Complete)
		if len(info.Attempts) != 2 || info.Attempts[0].Status != first {
			t.Errorf("run %d: attempts %+v", id, info.Attempts)
		}
		c.wants(id, logdir.LogStdout, "started 0", "started 1")
		log, _ := os.ReadFile(c.run(id).Path(logdir.JobLog))
		if n := strings.Count(string(log), "job starts"); n != 2 {
			t.Errorf("job.log has %d of 2 attempts:\n%s", n, log)
		}
	}
}

func clusterTimeLimit(t *testing.T, c *cluster) {
	c.write("wait.sh", limited...)
	jobs := c.sub(c.script(append(slices.Clone(c.short), "mlxp -- sh wait.sh")...))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.await(1, logdir.Running)
	if c.timeLimit != nil {
		c.timeLimit(t, jobs[1])
	}
	info := c.await(1, logdir.Interrupted, logdir.Failed)
	if info.Status != logdir.Interrupted || info.Reason == nil || *info.Reason != logdir.TimeLimit {
		t.Errorf("%s, %v", info.Status, info.Reason)
	}
}

func clusterRequeueOnTimeout(t *testing.T, c *cluster) {
	c.write("wait.sh", limited...)
	jobs := c.sub("--requeue-on-timeout", "1", c.script(append(slices.Clone(c.short), "mlxp -- sh wait.sh", "echo after")...))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	switch {
	case c.warn != nil:
		c.warn(t, jobs[1])
	case c.timeLimit != nil:
		c.timeLimit(t, jobs[1])
	}
	info := c.await(1, logdir.Complete)
	if len(info.Attempts) != 2 || info.Attempts[0].Reason != logdir.TimeLimit {
		t.Errorf("attempts %+v", info.Attempts)
	}
}

// If the lines before the run fail, the run was never started, and that is told.
func clusterSetupFails(t *testing.T, c *cluster) {
	c.sub(c.script("set -e", "cp no-such-file here", "mlxp -- true"))
	c.awaitFile(1, logdir.JobLog, "no-such-file")
	c.awaitRow(1, func(row map[string]any) bool {
		return row["status"] == "CREATED" && strings.Contains(fmt.Sprint(row["why"]), "job.log")
	})
	if info := c.info(1); info.Status != logdir.Created {
		t.Errorf("record: %s", info.Status)
	}
}

func clusterFails(t *testing.T, c *cluster) {
	c.sub(c.script("mlxp -- sh -c 'echo oh no >&2; exit 7'"))
	if info := c.await(1, logdir.Failed); info.ExitCode == nil || *info.ExitCode != 7 {
		t.Errorf("exit code %v", info.ExitCode)
	}
	c.wants(1, logdir.LogStderr, "oh no")
	c.wants(1, logdir.JobLog, "oh no")
}

// A job that waited while its run was submitted again leaves it alone.
func clusterSuperseded(t *testing.T, c *cluster) {
	c.sub(c.script("mlxp -- false"))
	c.await(1, logdir.Failed)
	old, err := os.ReadFile(c.run(1).Path(logdir.ScriptSh))
	if err != nil {
		t.Fatal(err)
	}
	for strings.Contains(c.mlxp(0, "resume", "1").stderr, "run 1 is with") {
		t.Log("the first job has still not ended") // on a busy machine
	}
	for began := time.Now(); len(c.info(1).Attempts) < 2 || c.info(1).Status != logdir.Failed; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > c.patience {
			t.Fatalf("not run again: %+v", c.info(1))
		}
	}
	c.write("old.sh", string(old))
	out := c.command("bash", "old.sh")
	log, _ := os.ReadFile(c.run(1).Path(logdir.JobLog)) // where the script writes to it itself
	if text := out.stderr + string(log); out.status != 1 || !strings.Contains(text, "submitted again") {
		t.Errorf("the job of before: exit status %d, %s", out.status, text)
	}
	if n := len(c.info(1).Attempts); n != 2 {
		t.Errorf("%d attempts", n)
	}
}

// A job script can be submitted, or executed, by hand.
func clusterByHand(t *testing.T, c *cluster) {
	c.sub(c.script("mlxp -- sh -c 'test $MLXP_RESTARTS = 1'"))
	c.await(1, logdir.Failed)
	if out := c.command("bash", c.run(1).Path(logdir.ScriptSh)); out.status != 0 {
		t.Errorf("exit status %d: %s", out.status, out.stderr)
	}
	if info := c.info(1); info.Status != logdir.Complete {
		t.Errorf("%s", info.Status)
	}
	// On a node that does not see the log dir.
	if err := os.Rename(filepath.Join(c.dir, "logs"), filepath.Join(c.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	out := c.command("bash", filepath.Join(c.dir, "elsewhere", "1", logdir.ScriptSh))
	if out.status != 1 || !strings.Contains(out.stderr, "the log dir has to be where all nodes see it") {
		t.Errorf("without the log dir: exit status %d: %s", out.status, out.stderr)
	}
}

func clusterRerun(t *testing.T, c *cluster) {
	c.sub(c.script("echo staging", "mlxp -- sh -c 'echo lr $MLXP_CONFIG__LR' train lr=1"))
	c.await(1, logdir.Complete)
	c.mlxp(0, "rerun", "1", "lr=2,3")
	for id := 2; id <= 3; id++ {
		info := c.await(id, logdir.Complete)
		if info.Scheduler == nil || info.RerunOf == nil || *info.RerunOf != 1 {
			t.Errorf("run %d: %+v", id, info)
		}
		c.wants(id, logdir.LogStdout, fmt.Sprintf("lr %d", id))
		c.wants(id, logdir.JobLog, "staging")
	}
	c.mlxp(0, "rerun", "--local", "1", "lr=4")
	if info := c.info(4); info.Status != logdir.Complete || info.Scheduler != nil {
		t.Errorf("run 4: %+v", info)
	}
}

// A launch inside a job records the job's id, and what is submitted from there does
// not take the job for its own.
func clusterInside(t *testing.T, c *cluster) {
	c.write("inner.sh", slices.Concat([]string{"#!/bin/bash"}, c.header, c.setup(), []string{"mlxp --log-dir inner -- true"})...)
	c.sub(c.script("mlxp -- sh -c 'mlxp --log-dir direct -- true && mlxp sub inner.sh'"))
	outer := c.await(1, logdir.Complete, logdir.Failed)
	if outer.Status != logdir.Complete {
		log, _ := os.ReadFile(c.run(1).Path(logdir.JobLog))
		t.Fatalf("job.log: %s", log)
	}
	direct, err := logdir.Run{Dir: filepath.Join(c.dir, "direct", "1"), ID: 1}.ReadInfo()
	if err != nil || direct.Scheduler == nil || direct.Scheduler.JobID != outer.Scheduler.JobID {
		t.Errorf("a launch in a job: %+v, %v", direct, err)
	}
	inner := logdir.Run{Dir: filepath.Join(c.dir, "inner", "1"), ID: 1}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		info, err := inner.ReadInfo()
		if err == nil && info.Status == logdir.Complete {
			if info.Scheduler.JobID == outer.Scheduler.JobID {
				t.Errorf("the inner job has the outer one's id")
			}
			return
		}
		if time.Since(began) > c.patience {
			t.Fatalf("the inner run: %+v, %v", info, err)
		}
	}
}

// However early or late sub is killed, each run is executed once after a resume.
func clusterKilled(t *testing.T, c *cluster) {
	size, times := 3, 3
	if c.real {
		size, times = 6, c.kill
	}
	script := c.script(fmt.Sprintf(`for n in $(seq %d); do`, size), `mlxp -- sh -c 'echo ran >> $MLXP_ORIG_CWD/ran.$MLXP_RUN_ID' train n=$n; done`)
	began := time.Now()
	c.mlxp(0, "sub", "--no-array", script)
	whole := time.Since(began)
	for i := range times {
		cmd := exec.Command("mlxp", "sub", "--no-array", script)
		cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(i) / time.Duration(times))
		cmd.Process.Kill()
		cmd.Wait()
	}
	if out := c.command("mlxp", "resume", "--where", `info.status == "CREATED"`); out.status != 0 {
		t.Fatalf("resume: exit status %d: %s", out.status, out.stderr)
	}
	runs, err := logdir.Runs(filepath.Join(c.dir, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, run := range runs {
		info, err := run.ReadInfo()
		if err != nil || info.Status == logdir.Created && run.Pending(info.Sweep.ID) {
			continue // of a submission that was killed before its runs were made
		}
		n++
		c.await(run.ID, logdir.Complete)
		if text, _ := os.ReadFile(filepath.Join(c.dir, fmt.Sprintf("ran.%d", run.ID))); string(text) != "ran\n" {
			t.Errorf("run %d has run: %q", run.ID, text)
		}
	}
	if n%size != 0 || n < size {
		t.Errorf("%d runs: a submission makes %d, or none", n, size)
	}
	t.Logf("%d of %d submissions were killed after their runs were made", n/size-1, times)
}

func clusterDown(t *testing.T, c *cluster) {
	script := c.script("mlxp -- true")
	start := c.stop(t)
	if c.lingers {
		c.mlxp(0, "sub", script)
		start()
		c.await(1, logdir.Complete)
		return
	}
	out := c.mlxp(1, "sub", script)
	if !strings.Contains(out.stderr, "mlxp resume 1") {
		t.Errorf("sub: %s", out.stderr)
	}
	start()
	c.mlxp(0, "resume", "1")
	c.await(1, logdir.Complete)
}

// Any byte of an override arrives, wherever the project is.
func clusterBytes(t *testing.T, c *cluster) {
	base := c.dir
	for i, name := range []string{"a b", "it's", `quo"te`, "c:d,e", "100%d", "new\nline", `back\slash`, "é$HOME;#&"} {
		c.dir = filepath.Join(base, name)
		if err := os.Mkdir(c.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		values := [][]byte{[]byte(`$HOME "x" 'y' \z`), []byte("tab\tnew\nline"), {0xff, 0xfe, 'a' + byte(i)}, []byte("#!;|&<>(){}[]*?~`%a%%")}
		c.write("want", string(values[i%len(values)]))
		if err := os.WriteFile(filepath.Join(c.dir, "value"), values[i%len(values)], 0o666); err != nil {
			t.Fatal(err)
		}
		script := c.script(`mlxp -- sh -c 'printf %s "$1" > got' train "$(cat value)" n=1,2`)
		if unfit := scheduler.ByName(c.name).Unfit; unfit != nil && unfit().MatchString(name) {
			if out := c.mlxp(2, "sub", script); !strings.Contains(out.stderr, "--log-dir DIR") {
				t.Errorf("in %q: %s", name, out.stderr)
			}
			continue
		}
		c.sub(script)
		c.await(1, logdir.Complete)
		c.await(2, logdir.Complete)
		if got, err := os.ReadFile(filepath.Join(c.dir, "got")); err != nil || string(got) != strings.TrimRight(string(values[i%len(values)]), "\n") {
			t.Errorf("in %q: %q, %v; want %q", name, got, err, values[i%len(values)])
		}
	}
	c.dir = base
}

// The warning before the time limit reaches a program that catches it, whether or not
// anything follows the run, and kills none that does not.
func clusterWarning(t *testing.T, c *cluster) {
	c.write("catch.sh", "trap 'echo got USR1; exit 9' USR1", "echo started", "sleep 120 & wait $!")
	c.write("deaf.sh", "echo started", "until [ -e stop ]; do sleep 0.1; done")
	jobs := c.sub(c.script(append(slices.Clone(c.warning), "mlxp -- sh catch.sh", "echo after", "mlxp -- sh deaf.sh n=3", "mlxp -- sh catch.sh n=2")...))
	for id := 1; id <= 3; id++ {
		c.awaitFile(id, logdir.LogStdout, "started")
	}
	for id := 1; id <= 3; id++ {
		c.warn(t, jobs[id])
	}
	for _, id := range []int{1, 3} {
		info := c.await(id, logdir.Interrupted, logdir.Failed)
		if info.Status != logdir.Interrupted || info.Reason == nil || *info.Reason != logdir.TimeLimit || *info.ExitCode != 9 {
			t.Errorf("run %d: %+v", id, info)
		}
		c.wants(id, logdir.LogStdout, "got USR1")
	}
	c.awaitFile(1, logdir.JobLog, "after")
	if info := c.info(2); info.Status != logdir.Running {
		t.Errorf("the program that does not catch the signal is %s", info.Status)
	}
	c.write("stop", "now")
	c.await(2, logdir.Complete)
}

// However many ask where runs stand, the scheduler is asked once in a while.
func clusterWatch(t *testing.T, c *cluster) {
	c.sub(c.script(c.pending, "mlxp -- true n=1,2"))
	before := c.calls(t)
	for round := 1; round <= 2; round++ {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if out := c.command("mlxp", "status"); out.status != 0 || strings.Count(out.stdout, "SUBMITTED") != 2 {
					t.Errorf("status: %+v", out)
				}
			})
		}
		all.Wait()
		if n := c.calls(t) - before; n != round {
			t.Errorf("the scheduler was asked %d times in %d rounds", n, round)
		}
		c.forget() // half a minute later
	}
	c.mlxp(0, "cancel", "1", "2")
}

// A limit that is reached half-way leaves the rest for later.
func clusterLimit(t *testing.T, c *cluster) {
	c.accept(t, 2)
	out := c.mlxp(1, "sub", "--no-array", c.script("mlxp -- true n=1,2,3,4,5,6,7"))
	if n := strings.Count(out.stdout, "\n"); n != 2 || !strings.Contains(out.stderr, "2 runs submitted") || !strings.Contains(out.stderr, "mlxp resume 3 4 5 6 7") {
		t.Errorf("stdout: %s\nstderr: %s", out.stdout, out.stderr)
	}
	c.accept(t, 1000)
	c.mlxp(0, "resume", "--where", `info.status == "CREATED"`)
	for id := 1; id <= 7; id++ {
		if info := c.await(id, logdir.Complete); len(info.Attempts) != 1 {
			t.Errorf("run %d: %d attempts", id, len(info.Attempts))
		}
	}
}

// A node that fails takes mlxp with it, and the scheduler starts the job elsewhere.
func clusterNodeFails(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	jobs := c.sub(c.script("mlxp -- sh wait.sh"))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.await(1, logdir.Running)
	c.nodeFails(t, jobs[1])
	info := c.await(1, logdir.Complete)
	if len(info.Attempts) != 2 || !info.Attempts[0].Ended.IsZero() {
		t.Errorf("attempts %+v", info.Attempts)
	}
}

// A scheduler that does not answer says nothing; one that answers without the job
// twice, a minute apart, has lost it.
func clusterForgets(t *testing.T, c *cluster) {
	jobs := c.sub(c.script(c.pending, "mlxp -- true"))
	start := c.stop(t)
	if row := c.rows()[1]; row["status"] != "UNKNOWN" {
		t.Errorf("no answer: %v", row)
	}
	start()
	c.command(append(c.cancel, jobs[1])...)
	path := filepath.Join(c.dir, "logs", ".mlxp", "queue.json")
	c.forget()
	row := c.rows()[1]
	if row["state"] != nil {
		return // it keeps what was cancelled
	}
	if row["status"] != "SUBMITTED" {
		t.Errorf("the first answer without the job: %v", row)
	}
	// A minute and a half later.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for stamp := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == '"' }) {
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && !at.IsZero() {
			text = []byte(strings.ReplaceAll(string(text), stamp, at.Add(-90*time.Second).Format(time.RFC3339Nano)))
		}
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	if row := c.rows()[1]; row["status"] != "LOST" {
		t.Errorf("the second answer without the job: %v", row)
	}
	c.mlxp(0, "cancel", "1")
}

// An array is no larger than the site allows, and as many of its tasks run at a time as
// the user does.
func clusterPieces(t *testing.T, c *cluster) {
	c.largest(t, 3)
	out := c.mlxp(0, "sub", "--max-running", "1", c.script(
		`mlxp -- sh -c 'mkdir busy && sleep 0.1 && rmdir busy' train n=1,2,3`, "mlxp -- true n=1,2,3,4,5,6,7"))
	if n := strings.Count(out.stdout, "\n"); n != 4 || !strings.Contains(out.stdout, "\t7-9\n") || !strings.Contains(out.stdout, "\t10\n") {
		t.Errorf("stdout: %s", out.stdout)
	}
	for id := 1; id <= 10; id++ {
		c.await(id, logdir.Complete)
	}
	c.mlxp(0, "sub", "--max-running", "1", c.script(
		`mlxp -- sh -c '[ $MLXP_RESTARTS = 1 ] && mkdir busy && sleep 0.1 && rmdir busy' train n=1,2,3`))
	for id := 11; id <= 13; id++ {
		c.await(id, logdir.Failed)
	}
	c.mlxp(0, "resume", "11", "12", "13")
	for id := 11; id <= 13; id++ {
		c.await(id, logdir.Complete)
	}
}

// An exit status that means something to the scheduler passes through.
func clusterRequeueExit(t *testing.T, c *cluster) {
	c.sub(c.script(append(slices.Clone(c.again), fmt.Sprintf("mlxp -- sh -c '[ $MLXP_RESTARTS = 1 ] && exit; sleep %.0f; exit %d'", c.least.Seconds(), c.requeueExit))...))
	info := c.await(1, logdir.Complete)
	if len(info.Attempts) != 2 || *info.Attempts[0].ExitCode != c.requeueExit {
		t.Errorf("attempts %+v", info.Attempts)
	}
}

// A job gets the submitter's environment, or nothing of it; mlxp is found without.
func clusterEnvironment(t *testing.T, c *cluster) {
	lines := append([]string{"#!/bin/bash"}, c.header...)
	script := c.write("script.sh", append(lines, `mlxp -- /bin/sh -c 'echo "of the submitter: <$SUBMITTERS>"'`)...)
	own := *c.site
	own.env = append(slices.Clone(own.env), "SUBMITTERS=1")
	c.site = &own
	c.sub(script)
	c.await(1, logdir.Complete)
	want := "<1>"
	if c.bare {
		want = "<>"
	}
	c.wants(1, logdir.LogStdout, "of the submitter: "+want)
}

// No more runs of an array go at a time than the user lets, also when they are resumed.
func clusterMaxRunning(t *testing.T, c *cluster) {
	c.sub("--max-running", "1", c.script(`mlxp -- sh -c 'mkdir busy && sleep 0.3 && rmdir busy && [ $MLXP_RESTARTS = 1 ]' train n=1,2,3`))
	for id := 1; id <= 3; id++ {
		c.await(id, logdir.Failed)
	}
	c.mlxp(0, "resume", "1", "2", "3")
	for id := 1; id <= 3; id++ {
		c.await(id, logdir.Complete)
	}
}

// Any value of an override arrives in the program: random ones, through a loop, an
// array and the program's environment.
func clusterValues(t *testing.T, c *cluster) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	lines, want := []string{}, []string{}
	for range 8 {
		var value strings.Builder
		for range 1 + random.IntN(30) {
			switch random.IntN(3) {
			case 0:
				const marks = " !#$%&()*+,-./:;<=>?@[]^_`{|}~\"\n\t"
				value.WriteByte(marks[random.IntN(len(marks))])
			case 1:
				value.WriteRune(rune(0x20 + random.IntN(0x2fff)))
			default:
				value.WriteByte(byte('a' + random.IntN(26)))
			}
		}
		text := strings.NewReplacer("${", "", "\x7f", "", "'", "").Replace(value.String())
		want = append(want, text)
		lines = append(lines, `mlxp -- sh -c 'printf %s "$MLXP_CONFIG__V" > value.$MLXP_RUN_ID' train `+script.Quote("v='"+text+"'"))
	}
	c.sub(c.script(lines...))
	for i, text := range want {
		c.await(i+1, logdir.Complete)
		if got, err := os.ReadFile(filepath.Join(c.dir, fmt.Sprintf("value.%d", i+1))); err != nil || string(got) != text {
			t.Errorf("%q, %v; want %q", got, err, text)
		}
	}
}
