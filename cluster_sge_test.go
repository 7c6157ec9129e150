package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// A job in error waits for ever: status says so, and how to mend it.
func clusterEqw(t *testing.T, c *cluster) {
	// In an array Grid Engine loses a task now and then that is cleared when another one was
	// deleted ("failed 21: in recognizing job").
	jobs := c.sub("--no-array", c.script("set -e", "[ -e mended ] || sh -c 'exit 100'", "mlxp -- true n=1,2"))
	for id := 1; id <= 2; id++ {
		row := c.awaitRow(id, func(row map[string]any) bool { return row["state"] == "Eqw" })
		if row["status"] != "SUBMITTED" || !strings.Contains(fmt.Sprint(row["why"]), "qmod -cj "+jobs[id]+" ") {
			t.Errorf("status: %v", row)
		}
	}
	c.mlxp(0, "cancel", "1")
	c.forget()
	if row := c.rows()[1]; row["status"] != "CREATED" || row["reason"] != "cancelled" {
		t.Errorf("status after cancel: %v", row)
	}
	if !c.real {
		return
	}
	c.write("mended")
	c.command("qmod", "-cj", jobs[2]) // its exit status is 1 also where it works
	c.await(2, logdir.Complete)
}

// What qsub says before the id does not hide it.
func clusterWarnings(t *testing.T, c *cluster) {
	jobs := c.sub(c.script("#$ -N mine", "mlxp -- true"))
	c.await(1, logdir.Complete)
	out := c.command("qsub", "-sync", "y", c.run(1).Path(logdir.ScriptSh))
	if first, _, _ := strings.Cut(out.stdout, "\n"); !strings.Contains(first, "warning:") || !strings.Contains(out.stdout, "(\"mine-1-") {
		t.Errorf("qsub does not warn: %+v", out)
	}
	if jobs[1] == "" || strings.Trim(jobs[1], "0123456789") != "" {
		t.Errorf("job %q", jobs[1])
	}
}

// A program that ends with 100 puts its job in error: it can be mended, or resumed
// when that job is cancelled.
func clusterExit100(t *testing.T, c *cluster) {
	c.sub(c.script("mlxp -- sh -c '[ $MLXP_RESTARTS = 1 ] || exit 100'"))
	c.await(1, logdir.Failed)
	row := c.awaitRow(1, func(row map[string]any) bool { return row["state"] == "Eqw" })
	if row["status"] != "FAILED" || !strings.Contains(fmt.Sprint(row["why"]), "qmod -cj ") {
		t.Errorf("status: %v", row)
	}
	c.mlxp(0, "resume", "1")
	if info := c.info(1); info.Status != logdir.Failed || len(info.Attempts) != 1 {
		t.Errorf("resumed beside a job that may start: %+v", info)
	}
	c.mlxp(0, "cancel", "1")
	c.mlxp(0, "resume", "1")
	c.await(1, logdir.Complete)
}

// A task of an array is started again by itself; its job and its program know.
func clusterRestarted(t *testing.T, c *cluster) {
	c.write("wait.sh", waiting...)
	jobs := c.sub(c.script("echo RESTARTED is $RESTARTED", "mlxp -- sh wait.sh n=1,2"))
	for id := 1; id <= 2; id++ {
		c.awaitFile(id, logdir.LogStdout, "started 0")
	}
	c.requeue(t, jobs[2])
	info := c.await(2, logdir.Complete)
	if len(info.Attempts) != 2 || info.Attempts[0].Reason != logdir.Preempted {
		t.Errorf("attempts %+v", info.Attempts)
	}
	c.wants(2, logdir.JobLog, "RESTARTED is 0", "RESTARTED is 1")
	if info := c.info(1); info.Status != logdir.Running || len(info.Attempts) != 1 {
		t.Errorf("the other task: %s, attempts %+v", info.Status, info.Attempts)
	}
	c.mlxp(0, "cancel", "1")
	c.await(1, logdir.Interrupted)
}

// qstat forgets a job when it has ended; qacct tells of it.
func clusterQacct(t *testing.T, c *cluster) {
	c.sub(c.script("[ $SGE_TASK_ID = 1 ] && exit 4", "kill -KILL $$", "mlxp -- true n=1,2"))
	for id, state := range map[int]string{1: "exit 4", 2: "failed 100"} {
		row := c.awaitRow(id, func(row map[string]any) bool { return row["state"] == state })
		if row["status"] != "CREATED" || !strings.Contains(fmt.Sprint(row["why"]), "job.log") || row["node"] != "cluster" {
			t.Errorf("status: %v", row)
		}
	}
}

// A name of a program that cannot be one of a job, in a directory that qsub cannot
// write to as it is.
func clusterNames(t *testing.T, c *cluster) {
	for _, dir := range []string{"a b:c", "d,e", `f"g`, "$JOB_ID"} {
		base := c.dir
		c.dir = filepath.Join(base, dir)
		if err := os.Mkdir(c.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		c.write("1 é:b@*?.sh", "#!/bin/sh", "echo executed >&2")
		c.sub(c.script("mlxp -- './1 é:b@*?.sh' n=1,2"))
		for id := 1; id <= 2; id++ {
			c.await(id, logdir.Complete)
			c.wants(id, logdir.JobLog, "executed")
			job, err := c.run(id).ReadJob()
			if err != nil || !strings.HasPrefix(job.Name, "j1_") || !strings.Contains(job.Name, ".sh-1-") && !strings.Contains(job.Name, ".sh-2-") {
				t.Errorf("in %q: %+v, %v", dir, job, err)
			}
		}
		c.dir = base
	}
}
