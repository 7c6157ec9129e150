package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// A job that is submitted again under another id is the run's: it is shown, is not
// submitted besides, and can be cancelled.
func clusterNewID(t *testing.T, c *cluster) {
	c.write("wait.sh", "trap 'echo got TERM; exit 3' TERM", "echo started $MLXP_RESTARTS", "while :; do sleep 0.1; done")
	jobs := c.sub(c.script(append(c.again, "mlxp -- sh wait.sh")...))
	c.awaitFile(1, logdir.LogStdout, "started 0")
	c.requeue(t, jobs[1])
	c.awaitFile(1, logdir.LogStdout, "started 1")
	c.forget()
	row := c.rows()[1]
	again, _ := row["job"].(string)
	if row["status"] != "RUNNING" && row["status"] != "STARTING" || again == "" || again == jobs[1] {
		t.Errorf("status: %v; submitted as %s", row, jobs[1])
	}
	if info := c.info(1); info.Scheduler == nil || info.Scheduler.JobID != again || info.Attempts[0].Job != jobs[1] || info.Attempts[1].Job != again {
		t.Errorf("record: %+v, attempts %+v; the job is %s, was %s", info.Scheduler, info.Attempts, again, jobs[1])
	}
	if first := c.info(1).Attempts[0]; c.warns && first.Reason != logdir.Preempted {
		t.Errorf("the first attempt: %+v", first)
	}
	c.mlxp(0, "resume", "1")
	c.mlxp(0, "cancel", "1")
	info := c.await(1, logdir.Interrupted)
	if info.Reason == nil || *info.Reason != logdir.Cancelled || len(info.Attempts) != 2 {
		t.Errorf("%s, %v, attempts %+v", info.Status, info.Reason, info.Attempts)
	}
}

// oarsub prints an id although it refuses the job.
func clusterRefusedID(t *testing.T, c *cluster) {
	script := c.script("#OAR -l /core=99", "mlxp -- true n=1,2")
	if out := c.command("oarsub", "-S", "./"+script); out.status == 0 || !strings.Contains(out.stdout, "OAR_JOB_ID=") {
		t.Fatalf("oarsub does not do it: %+v", out)
	}
	for _, words := range [][]string{{"sub", script}, {"sub", "--no-array", script}} {
		out := c.mlxp(1, words...)
		if !strings.Contains(out.stderr, "not enough resources") || out.stdout != "" {
			t.Errorf("mlxp %q: %+v", words, out)
		}
	}
	for id := 1; id <= 4; id++ {
		job, err := c.run(id).ReadJob()
		if err != nil || job.Reason != logdir.Rejected || job.JobID != "" {
			t.Errorf("run %d: %+v, %v", id, job, err)
		}
	}
}

// Where OAR cannot start a job only the runs are somewhere else.
func clusterApostrophe(t *testing.T, c *cluster) {
	base := c.dir
	c.dir = filepath.Join(base, "it's")
	if err := os.Mkdir(c.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c.mlxp(0, "--log-dir", filepath.Join(base, "logs"), "sub", c.script("echo in $PWD, from $OAR_WORKDIR", "mlxp -- sh -c 'pwd > here'"))
	c.dir = base
	c.await(1, logdir.Complete)
	there := filepath.Join(base, "it's")
	c.wants(1, logdir.JobLog, "in "+there+", from "+there)
	if here, err := os.ReadFile(filepath.Join(there, "here")); err != nil || string(here) != there+"\n" {
		t.Errorf("%q, %v", here, err)
	}
}

// A script is executed in place, and so may be changed while its job waits.
func clusterEdited(t *testing.T, c *cluster) {
	jobs := c.sub(c.script(c.pending, "echo before", "mlxp -- true"))
	path := c.run(1).Path(logdir.ScriptSh)
	if st, err := os.Stat(path); err != nil || st.Mode()&0o111 == 0 {
		t.Errorf("the job script cannot be executed: %v, %v", st, err)
	}
	row := c.awaitRow(1, func(row map[string]any) bool { return row["state"] == "Hold" })
	if row["status"] != "SUBMITTED" || row["job"] != jobs[1] {
		t.Errorf("status: %v", row)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "echo before", "echo changed", 1)), 0o777); err != nil {
		t.Fatal(err)
	}
	ask(t, "oarresume", jobs[1])
	c.await(1, logdir.Complete)
	c.wants(1, logdir.JobLog, "changed")
}

// The tasks of an array are jobs of their own: the line that tells of the array has its
// id, and they can be told to OAR one by one.
func clusterJobs(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	out := c.mlxp(0, "sub", "--max-running", "1", c.script("mlxp -- sh wait.sh n=1,2"))
	if !strings.Contains(out.stderr, "--max-running has no effect") {
		t.Errorf("stderr: %s", out.stderr)
	}
	jobs := map[int]string{}
	for id := 1; id <= 2; id++ {
		job, err := c.run(id).ReadJob()
		if err != nil {
			t.Fatal(err)
		}
		if jobs[id] = job.JobID; job.Array != jobs[1] || job.Task != id || !strings.HasPrefix(out.stdout, jobs[1]+"\t1-2\n") {
			t.Errorf("run %d: %+v; sub printed %q", id, job, out.stdout)
		}
		c.awaitFile(id, logdir.LogStdout, "started 0")
		if row := c.awaitRow(id, func(row map[string]any) bool { return row["state"] == "Running" }); row["job"] != jobs[id] || row["node"] != "cluster" {
			t.Errorf("status: %v", row)
		}
	}
	if jobs[1] == jobs[2] {
		t.Errorf("both are job %s", jobs[1])
	}
	c.mlxp(0, "cancel", "1")
	c.await(1, logdir.Interrupted)
	if info := c.info(2); info.Status != logdir.Running {
		t.Errorf("the other run: %s", info.Status)
	}
	c.mlxp(0, "cancel", "2")
	c.await(2, logdir.Interrupted)
}
