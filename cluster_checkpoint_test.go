package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mlxp/mlxp/logdir"
)

// slowly is the example's program, which waits for its end after the second epoch if
// it was not started again.
var slowly = []string{
	"import os, time, train",
	"replace = train.replace",
	"def wait(path, text):",
	"    replace(path, text)",
	`    if os.environ["MLXP_RESTARTS"] == "0" and text.startswith("[2,"):`,
	`        print("two epochs", flush=True)`,
	"        time.sleep(600)",
	"train.replace = wait",
	"train.main()",
}

// digits copies the example into the project, which finds its checkpoint when it is
// started again.
func (c *cluster) digits() (train string) {
	c.t.Helper()
	if err := os.CopyFS(filepath.Join(c.dir, "configs"), os.DirFS("examples/digits/configs")); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"train.py", "network.py", "digits.csv.gz"} {
		text, err := os.ReadFile(filepath.Join("examples", "digits", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, name), text, 0o666)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	c.write("slowly.py", slowly...)
	return "mlxp -- python3 slowly.py epochs=4 model.hidden=4"
}

// asIfNotInterrupted checks that run 1 has learnt the same as one of the same
// config that was executed here at one go.
func (c *cluster) asIfNotInterrupted() {
	c.t.Helper()
	c.mlxp(0, "--log-dir", "alone", "--", "python3", "train.py", "epochs=4", "model.hidden=4")
	name := filepath.Join(logdir.ArtifactsDir, "checkpoint.json")
	want, err := os.ReadFile(filepath.Join(c.dir, "alone", "1", name))
	if err != nil {
		c.t.Fatal(err)
	}
	if got, err := os.ReadFile(c.run(1).Path(name)); err != nil || !bytes.Equal(got, want) {
		c.t.Errorf("%v: what it learnt in %d bytes differs from the %d of a run that was not interrupted", err, len(got), len(want))
	}
	series := []string{"query", "--json", "--fields", "metrics.test.loss", "id == 1"}
	if got, want := c.mlxp(0, series...).stdout, c.mlxp(0, append([]string{"--log-dir", "alone"}, series...)...).stdout; got != want {
		c.t.Errorf("its test losses are %s, want %s", got, want)
	}
}

// A program that is started again finds its checkpoint.
func clusterCheckpoint(t *testing.T, c *cluster) {
	jobs := c.sub(c.script(append(slices.Clone(c.again), c.digits())...))
	c.awaitFile(1, logdir.LogStdout, "two epochs")
	c.requeue(t, jobs[1])
	if info := c.await(1, logdir.Complete); len(info.Attempts) != 2 {
		t.Errorf("attempts %+v", info.Attempts)
	}
	c.asIfNotInterrupted()
}

// A job of a better partition takes the node: the run goes on afterwards, and its
// first attempt says why it ended.
func clusterPreempted(t *testing.T, c *cluster) {
	c.sub(c.script("#SBATCH --partition=low", c.digits()))
	c.awaitFile(1, logdir.LogStdout, "two epochs")
	ask(t, "sbatch", "--partition=high", "--wrap=true", "--output=/dev/null")
	info := c.await(1, logdir.Complete)
	if len(info.Attempts) != 2 || info.Attempts[0].Status != logdir.Interrupted || info.Attempts[0].Reason != logdir.Preempted {
		t.Errorf("attempts %+v", info.Attempts)
	}
	c.asIfNotInterrupted()
}
