package fakesched

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// sgeLaunch is what sge_shepherd starts: a shell with the spooled script, or
// the script itself where the queue says unix_behavior. The shell is a login
// shell in truth; here no profile of the developer's is read.
func sgeLaunch(n *node, st *state, j *job, t *task) launch {
	env, script := n.keptEnv(j)
	id, index := strconv.Itoa(j.ID), "undefined"
	first, last, step := "undefined", "undefined", "undefined"
	number, restarted := 1, "0"
	if j.Array {
		index, number = strconv.Itoa(t.Index), t.Index
		first, last, step = strconv.Itoa(j.Tasks[0].Index), j.Options["last"], strconv.Itoa(j.Step)
	}
	if t.restarted() {
		restarted = "1"
	}
	l := launch{dir: j.Dir, append: true, argv: j.Args}
	l.out = sgePath(n, j, t, j.Out, "o")
	switch {
	case j.Join:
	default:
		l.err = sgePath(n, j, t, j.Err, "e")
	}
	if j.In != "" {
		l.in = sgePath(n, j, t, j.In, "i")
	}
	tmp := n.path("spool", fmt.Sprintf("tmp.%d.%d.%s", j.ID, number, j.Queue))
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		l.why = byBadDir
	}
	env = append(env, "JOB_ID="+id, "JOB_NAME="+j.Name, "JOB_SCRIPT="+script, "REQUEST="+j.Name, "QUEUE="+j.Queue, "NSLOTS=1", "NHOSTS=1", "NQUEUES=1",
		"RESTARTED="+restarted, "SGE_TASK_ID="+index, "SGE_TASK_FIRST="+first, "SGE_TASK_LAST="+last, "SGE_TASK_STEPSIZE="+step,
		"SGE_STDOUT_PATH="+absolute(j.Dir, l.out), "SGE_STDERR_PATH="+absolute(j.Dir, l.err), "SGE_CWD_PATH="+j.Dir, "SGE_JOB_SPOOL_DIR="+tmp,
		"SGE_ROOT=/var/lib/gridengine", "SGE_CELL=default", "SGE_ARCH=lx-amd64", "ARC=lx-amd64", "HOSTNAME="+n.Host, "TMP="+tmp, "TMPDIR="+tmp)
	l.env = env
	shell := j.Options["shell"]
	set(&shell, "/bin/sh")
	switch {
	case j.Command != "":
		l.path, l.argv = shell, []string{"sh", "-c", j.Command}
	case n.UnixBehavior && j.Options["shell"] == "":
		l.path, l.argv = script, append([]string{script}, j.Args...)
	default:
		l.path, l.argv = shell, append([]string{shell, script}, j.Args...)
	}
	return l
}

// restarted says whether a run before this one was broken off. A run that was
// in error and cleared is none.
func (t *task) restarted() bool {
	for _, r := range t.Runs[:len(t.Runs)-1] {
		if r.Why == byRequeue || r.Why == byPreempt || r.Why == byNode || r.Why == byItself && r.Code == 99 {
			return true
		}
	}
	return false
}

// sgePath expands a path of output; a directory gets the default name.
func sgePath(n *node, j *job, t *task, path, kind string) string {
	task := "0"
	name := fmt.Sprintf("%s.%s%d", j.Name, kind, j.ID)
	if j.Array {
		task = strconv.Itoa(t.Index)
		name += "." + task
	}
	if path == "" {
		return name
	}
	if _, rest, ok := strings.Cut(path, ":"); ok {
		path = rest
	}
	path = strings.NewReplacer("$HOME", n.Home, "$USER", n.User, "$JOB_ID", strconv.Itoa(j.ID), "$JOB_NAME", j.Name, "$TASK_ID", task, "$HOSTNAME", n.Host).Replace(path)
	if info, err := os.Stat(absolute(j.Dir, path)); err == nil && info.IsDir() {
		return absolute(path, name)
	}
	return path
}

// sgeFinished runs a job again, or puts it into the error state, as its exit
// status or its orders say.
func sgeFinished(n *node, st *state, j *job, t *task, p *process) {
	r := t.last()
	stuck := ""
	switch {
	case (p.why == byRequeue || p.why == byPreempt || p.why == byNode) && j.Rerun, p.why == byItself && r.Code == 99:
		n.again(t, p, "")
		return
	case p.why == byItself && r.Code == 100:
		stuck = "application error returned"
	case p.why == byBadOutput:
		stuck = "opening input/output file"
	case p.why == byBadShell:
		stuck = "searching requested shell"
	case p.why == byBadDir:
		stuck = "changing into working directory"
	}
	if stuck != "" {
		t.Phase, t.Stuck = pending, stuck
	}
}
