package fakesched

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// slurmLaunch is what slurmstepd starts: the spooled script, with its own #!.
func slurmLaunch(n *node, st *state, j *job, t *task) launch {
	if t.ID == 0 {
		// Each task of an array gets an id when it starts; the last one to start
		// keeps the array's.
		t.ID = j.ID
		if j.Array && slices.ContainsFunc(j.Tasks, func(other *task) bool { return other.ID == 0 && other.Phase == pending }) {
			t.ID = st.take(1)
		}
	}
	env, script := n.keptEnv(j)
	if _, ok := lookup(env, "TMPDIR"); !ok {
		env = append(env, "TMPDIR=/tmp")
	}
	env = append(env,
		"ENVIRONMENT=BATCH",
		"SLURM_CLUSTER_NAME="+slurmCluster(n.Config),
		"SLURM_CPUS_ON_NODE=1",
		"SLURM_GTIDS=0",
		"SLURM_JOBID="+strconv.Itoa(t.ID),
		"SLURM_JOB_CPUS_PER_NODE=1",
		"SLURM_JOB_GID="+strconv.Itoa(os.Getgid()),
		"SLURM_JOB_ID="+strconv.Itoa(t.ID),
		"SLURM_JOB_NAME="+j.Name,
		"SLURM_JOB_NODELIST="+n.Host,
		"SLURM_JOB_NUM_NODES=1",
		"SLURM_JOB_PARTITION="+j.Queue,
		"SLURM_JOB_QOS=normal",
		"SLURM_JOB_UID="+strconv.Itoa(os.Getuid()),
		"SLURM_JOB_USER="+n.User,
		"SLURM_LOCALID=0",
		"SLURM_NNODES=1",
		"SLURM_NODEID=0",
		"SLURM_NODELIST="+n.Host,
		"SLURM_PROCID=0",
		"SLURM_SUBMIT_DIR="+j.From,
		"SLURM_SUBMIT_HOST="+n.Host,
		"SLURM_TASKS_PER_NODE=1",
		"SLURMD_NODENAME="+n.Host)
	if v := j.Options["ntasks"]; v != "" {
		env = append(env, "SLURM_NTASKS="+v, "SLURM_NPROCS="+v)
	}
	if v := j.Options["cpus-per-task"]; v != "" {
		env = append(env, "SLURM_CPUS_PER_TASK="+v)
	}
	if again := len(t.Runs) - 1; again > 0 {
		env = append(env, "SLURM_RESTART_COUNT="+strconv.Itoa(again))
	}
	if j.Array {
		env = append(env,
			"SLURM_ARRAY_JOB_ID="+strconv.Itoa(j.ID),
			"SLURM_ARRAY_TASK_COUNT="+strconv.Itoa(len(j.Tasks)),
			"SLURM_ARRAY_TASK_ID="+strconv.Itoa(t.Index),
			"SLURM_ARRAY_TASK_MAX="+strconv.Itoa(j.Tasks[len(j.Tasks)-1].Index),
			"SLURM_ARRAY_TASK_MIN="+strconv.Itoa(j.Tasks[0].Index),
			"SLURM_ARRAY_TASK_STEP="+strconv.Itoa(j.Step))
	}
	l := launch{path: script, argv: append([]string{script}, j.Args...), env: env, dir: j.Dir, append: j.Append}
	l.out = j.Out
	if l.out == "" {
		l.out = "slurm-%j.out"
		if j.Array {
			l.out = "slurm-%A_%a.out"
		}
	}
	l.out = slurmPath(n, j, t, l.out)
	if j.Err != "" {
		l.err = slurmPath(n, j, t, j.Err)
	}
	if j.In != "" {
		l.in = slurmPath(n, j, t, j.In)
	}
	if info, err := os.Stat(l.dir); err != nil || !info.IsDir() {
		l.first = fmt.Sprintf("slurmstepd-%s: error: couldn't chdir to `%s': No such file or directory: going to /tmp instead\n", n.Host, l.dir)
		// Output stays relative to the directory asked for, which is not there:
		// it goes to /tmp as well.
		l.dir = "/tmp"
	}
	return l
}

var slurmField = regexp.MustCompile(`%(\d*)([%A-Za-z])`)

// slurmPath expands a path of output. A backslash anywhere turns that off and
// vanishes.
func slurmPath(n *node, j *job, t *task, path string) string {
	if strings.Contains(path, `\`) {
		return strings.ReplaceAll(path, `\`, "")
	}
	return slurmField.ReplaceAllStringFunc(path, func(word string) string {
		m := slurmField.FindStringSubmatch(word)
		padded := func(value int) string { return fmt.Sprintf("%0*d", number(m[1]), value) }
		switch m[2] {
		case "%":
			return "%"
		case "A":
			return padded(j.ID)
		case "a":
			if !j.Array {
				return "4294967294" // NO_VAL
			}
			return padded(t.Index)
		case "j", "J":
			return padded(t.ID)
		case "N":
			return n.Host
		case "n", "t":
			return padded(0)
		case "s":
			return "batch"
		case "u":
			return n.User
		case "x":
			return j.Name
		}
		return word
	})
}

func slurmMessage(n *node, j *job, t *task, why string) string {
	due := ""
	switch why {
	case warned:
		return ""
	case byLimit:
		due = " DUE TO TIME LIMIT"
	case byRequeue:
		due = " DUE TO JOB REQUEUE"
	case byPreempt:
		due = " DUE TO PREEMPTION"
	}
	return fmt.Sprintf("slurmstepd-%s: error: *** JOB %d ON %s CANCELLED AT %s%s ***", n.Host, t.ID, n.Host, time.Now().Format("2006-01-02T15:04:05"), due)
}

// slurmFinished gives the reason of the end, and requeues.
func slurmFinished(n *node, st *state, j *job, t *task, p *process) {
	r := t.last()
	switch p.why {
	case byRequeue, byPreempt, byNode:
		if !j.Rerun {
			break
		}
		n.again(t, p, "BeginTime")
		if p.hold {
			t.Reason = "job requeued in held state"
		}
		return
	case byBadOutput:
		t.Reason = "JobLaunchFailure"
		t.Runs[len(t.Runs)-1].Signal = 53 // ExitCode=0:53
		return
	case byBadShell:
		t.Reason = "JobLaunchFailure"
		return
	}
	switch {
	case p.why == byLimit:
		t.Reason = "TimeLimit"
	case p.why == byNode:
		t.Reason = "NodeDown"
	case r.Code != 0:
		t.Reason = "NonZeroExitCode"
	case r.Signal != 0 && p.why == byItself:
		t.Reason = "JobLaunchFailure"
	default:
		t.Reason = "None"
	}
}

func slurmCluster(c Config) string {
	if c.Cluster != "" {
		return c.Cluster
	}
	return "test"
}

func lookup(env []string, name string) (string, bool) {
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}
