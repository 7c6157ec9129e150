package fakesched

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// LSF, by IBM's manual of Spectrum LSF 10.1 (ibm.com/docs: bsub, bjobs, bkill,
// brequeue, "Environment variables set for job execution") and answers that other
// tools recorded (ert's test_lsf_driver.py, batchtools#244, ood-myjobs#260): not
// observed. Where neither has the words of a refusal, they are made up, and say
// "Job not submitted." as all do.
//
// The script is read from standard input; the whole environment and directory of
// the submitter; output is spooled, and appended to its file, with a report, when
// the job has ended; the same id for a requeued job.
var lsf = &system{
	name:    "lsf",
	queues:  []string{"normal", "short"},
	largest: 1000, // MAX_JOB_ARRAY_SIZE: the largest index too
	commands: map[string]func(*call) int{
		"bsub": lsfSub, "bjobs": lsfJobs, "bkill": lsfKill, "brequeue": lsfKill, "bhist": lsfHist,
	},
	stop: func(j *job, why string) []unix.Signal {
		if why == byLimit {
			return []unix.Signal{unix.SIGUSR2}
		}
		return []unix.Signal{unix.SIGINT, unix.SIGTERM}
	},
	ladder:   true, // JOB_TERMINATE_INTERVAL apart
	tasks:    lsfTasks,
	launch:   lsfLaunch,
	message:  func(*node, *job, *task, string) string { return "" },
	report:   lsfReport,
	finished: lsfFinished,
	// The real ones say so and wait for ever.
	down:    func(c *call) int { return c.fail(255, "LSF is down. Please wait ...") },
	refused: func(c *call, message string) int { return c.fail(255, "%s. Job not submitted.", message) },
	limit:   "User has reached the limit of pending jobs",
}

// lsfOptions are bsub's options and whether each takes a word.
var lsfOptions = map[string]int{
	"-a": 1, "-app": 1, "-ar": 0, "-B": 0, "-b": 1, "-C": 1, "-c": 1, "-cwd": 1, "-D": 1, "-E": 1, "-Ep": 1, "-e": 1, "-eo": 1, "-env": 1, "-eptl": 1,
	"-ext": 1, "-F": 1, "-f": 1, "-G": 1, "-g": 1, "-gpu": 1, "-H": 0, "-h": 0, "-hl": 0, "-I": 0, "-Ip": 0, "-Is": 0, "-i": 1, "-is": 1, "-J": 1, "-Jd": 1,
	"-K": 0, "-k": 1, "-L": 1, "-M": 1, "-m": 1, "-N": 0, "-n": 1, "-notify": 1, "-o": 1, "-oo": 1, "-outdir": 1, "-P": 1, "-p": 1, "-ptl": 1, "-Q": 1,
	"-q": 1, "-R": 1, "-r": 0, "-rn": 0, "-S": 1, "-s": 1, "-sla": 1, "-sp": 1, "-T": 1, "-t": 1, "-ti": 0, "-U": 1, "-u": 1, "-V": 0, "-v": 1, "-W": 1,
	"-We": 1, "-w": 1, "-wa": 1, "-wt": 1, "-x": 0, "-Zs": 0,
}

func lsfWords(args []string) (all []given, rest []string, bad string) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		n, ok := lsfOptions[args[0]]
		if !ok || len(args) <= n {
			return nil, nil, args[0]
		}
		all = append(all, given{args[0], strings.Join(args[1:n+1], " ")})
		args = args[n+1:]
	}
	return all, args, ""
}

var (
	lsfName  = regexp.MustCompile(`^(.*?)\[([^\]]*)\](?:%(\d+))?$`)
	lsfLimit = regexp.MustCompile(`^(?:(\d+):)?(\d+)(?:/.*)?$`)
)

func lsfSub(c *call) int {
	line, rest, bad := lsfWords(c.args)
	if bad != "" {
		return c.fail(255, "%s: Illegal option. Job not submitted.", bad)
	}
	if slices.ContainsFunc(line, func(w option) bool { return w.name == "-V" }) {
		version := c.Version
		set(&version, "IBM Spectrum LSF Standard 10.1.0.0, Jul 08 2016\nCopyright International Business Machines Corp. 1992, 2016.\nUS Government Users Restricted Rights - Use, duplication or disclosure restricted by GSA ADP Schedule Contract with IBM Corp.\n\n  binary type: linux2.6-glibc2.3-x86_64")
		return c.fail(0, "%s", version)
	}
	command := strings.Join(rest, " ")
	var script []byte
	var header []option
	if command == "" {
		script, _ = io.ReadAll(c.stdin)
		if len(strings.TrimSpace(string(script))) == 0 {
			return c.sys.refused(c, "Empty job")
		}
		for text := range strings.Lines(string(script)) {
			if rest, ok := strings.CutPrefix(strings.TrimRight(text, "\n"), "#BSUB"); ok {
				words, _, bad := lsfWords(splitQuoted(rest))
				if bad != "" {
					return c.fail(255, "%s: Illegal option. Job not submitted.", bad)
				}
				header = append(header, words...)
			}
		}
	}
	o := map[string]string{}
	has := func(name string) bool { _, ok := o[name]; return ok }
	for _, w := range append(header, line...) {
		o[w.name] = w.value
	}
	j := &job{Name: o["-J"], Queue: o["-q"], Command: command, Script: "script", Dir: c.cwd, From: c.cwd, Out: o["-o"], Err: o["-e"], In: o["-i"],
		Append: !has("-oo"), Rerun: has("-r"), Options: map[string]string{"comment": o["-Jd"]}, Time: time.Now(), Step: 1}
	if has("-oo") {
		j.Out = o["-oo"]
	}
	if has("-eo") {
		j.Err = o["-eo"]
	}
	if dir := o["-cwd"]; dir != "" {
		j.Dir = absolute(c.cwd, dir)
	}
	if j.Name == "" {
		j.Name = command
		if command == "" {
			j.Name = strings.ReplaceAll(strings.TrimRight(string(script), "\n"), "\n", ";")
		}
	}
	status := c.admit(func(st *state) int {
		if message := lsfRefusal(c, st, j, o); message != "" {
			return c.sys.refused(c, message)
		}
		j.ID = st.take(1)
		if err := firstOf(c.spool(j.ID, j.Script, script), c.keepEnv(j.ID, os.Environ())); err != nil {
			return c.sys.refused(c, err.Error())
		}
		st.Jobs = append(st.Jobs, j)
		return 0
	})
	if status != 0 {
		return status
	}
	c.out.WriteString(c.Before)
	c.err.WriteString(c.Errors)
	kind := "default queue"
	if has("-q") {
		kind = "queue"
	}
	c.printf("Job <%d> is submitted to %s <%s>.\n", j.ID, kind, j.Queue)
	c.out.WriteString(c.After)
	return 0
}

// lsfRefusal is why mbatchd does not take a job.
func lsfRefusal(c *call, st *state, j *job, o map[string]string) string {
	set(&j.Queue, c.Queues[0])
	if message, ok := c.Refuse[j.Queue]; ok {
		return message
	}
	if !slices.Contains(c.Queues, j.Queue) {
		return j.Queue + ": No such queue"
	}
	if n, ok := o["-n"]; ok && !regexp.MustCompile(`^[1-9]\d*(,[1-9]\d*)?$`).MatchString(n) {
		return n + ": Bad argument for option -n"
	}
	if v, ok := o["-W"]; ok {
		m := lsfLimit.FindStringSubmatch(v)
		if m == nil {
			return v + ": Bad RUNLIMIT specification"
		}
		j.Limit = (number(m[1])*60 + number(m[2])) * 60
	}
	if r := o["-R"]; strings.Count(r, "[") != strings.Count(r, "]") {
		return "Bad resource requirement syntax"
	}
	if host := o["-m"]; host != "" && host != c.Host {
		return host + ": Bad host name, host group name or cluster name"
	}
	if signal := o["-wa"]; signal != "" {
		m := lsfLimit.FindStringSubmatch(o["-wt"])
		if unix.SignalNum("SIG"+strings.TrimPrefix(signal, "SIG")) == 0 || m == nil {
			return "Bad warning action or warning time"
		}
		j.Warn = warning{Signal: strings.TrimPrefix(signal, "SIG"), Before: (number(m[1])*60 + number(m[2])) * 60}
	}
	for _, m := range regexp.MustCompile(`(done|ended|exit|started)\("?([^)",]*)"?[^)]*\)|^(\d+)$`).FindAllStringSubmatch(o["-w"], -1) {
		kind, id := map[string]string{"done": "afterok", "": "afterok", "ended": "afterany", "exit": "afternotok", "started": "after"}[m[1]], m[2]+m[3]
		if !slices.ContainsFunc(st.Jobs, func(other *job) bool { return len(lsfTasks(other, id)) > 0 }) {
			return id + ": No matching job found"
		}
		j.After = append(j.After, dependency{kind, id})
	}
	indices := []int{0}
	if m := lsfName.FindStringSubmatch(o["-J"]); m != nil {
		var ok bool
		indices, _, j.Step, ok = arrayIndices(strings.ReplaceAll(m[2], " ", ""))
		switch {
		case !ok || indices[0] == 0:
			return "Bad job array index list"
		case indices[len(indices)-1] > c.Largest:
			return "Job array index too large"
		}
		j.Array, j.Name, j.Max = true, m[1], number(m[3])
		j.Options["list"] = m[2]
	}
	if len(j.Name) > 4094 {
		return "Job name is too long"
	}
	_, held := o["-H"]
	for _, i := range indices {
		j.Tasks = append(j.Tasks, &task{Index: i, Phase: pending, Held: held})
	}
	return ""
}

var lsfID = regexp.MustCompile(`^(\d+)(?:\[([^\]]*)\])?$`)

func lsfTasks(j *job, id string) []*task {
	m := lsfID.FindStringSubmatch(id)
	switch {
	case m == nil && j.Name == id && id != "":
		return j.Tasks
	case m == nil || number(m[1]) != j.ID:
		return nil
	case m[2] == "":
		return j.Tasks
	}
	indices, _, _, ok := arrayIndices(m[2])
	if !ok || !j.Array {
		return nil
	}
	var tasks []*task
	for _, t := range j.Tasks {
		if slices.Contains(indices, t.Index) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// lsfTaskName and lsfTaskID are as LSF prints those of a task.
func lsfTaskName(j *job, t *task) string {
	if j.Array {
		return fmt.Sprintf("%s[%d]", j.Name, t.Index)
	}
	return j.Name
}

func lsfTaskID(j *job, t *task) string {
	if j.Array {
		return fmt.Sprintf("%d[%d]", j.ID, t.Index)
	}
	return strconv.Itoa(j.ID)
}

func lsfLaunch(n *node, st *state, j *job, t *task) launch {
	env, script := n.keptEnv(j)
	l := launch{dir: j.Dir, append: j.Append, spooled: true, mode: 0o644}
	expand := func(path string) string {
		if path == "" {
			return ""
		}
		path = absolute(j.Dir, strings.NewReplacer("%J", strconv.Itoa(j.ID), "%I", strconv.Itoa(t.Index)).Replace(path))
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return filepath.Join(path, lsfTaskID(j, t))
		}
		return path
	}
	l.out, l.err, l.in = expand(j.Out), expand(j.Err), expand(j.In)
	if l.out == "" {
		l.out = os.DevNull // it would be mailed
	}
	l.env = append(env, "LSB_JOBID="+strconv.Itoa(j.ID), "LSB_JOBINDEX="+strconv.Itoa(t.Index), "LSB_JOBNAME="+lsfTaskName(j, t), "LSB_QUEUE="+j.Queue,
		"LSB_BATCH_JID="+lsfTaskID(j, t), "LS_SUBCWD="+j.From, "LSB_SUB_HOST="+n.Host, "LSB_HOSTS="+n.Host, "LSB_MCPU_HOSTS="+n.Host+" 1",
		"LSB_DJOB_NUMPROC=1", "LSB_MAX_NUM_PROCESSORS=1", "LSB_JOBFILENAME="+script, "LSB_EXIT_PRE_ABORT=99", "LSB_SUB_USER="+n.User,
		"LSB_OUTPUTFILE="+j.Out, "LSB_ERRORFILE="+j.Err, "LSB_INTERACTIVE=N", "LSB_JOB_EXECUSER="+n.User)
	if len(t.Runs) > 1 && t.Runs[len(t.Runs)-2].Why == byNode {
		l.env = append(l.env, "LSB_RESTART=Y")
	}
	switch text, _ := os.ReadFile(script); {
	case j.Command != "":
		l.path, l.argv = "/bin/sh", []string{"sh", "-c", j.Command}
	case strings.HasPrefix(string(text), "#!"):
		l.path, l.argv = script, []string{script}
	default:
		l.path, l.argv = "/bin/sh", []string{"sh", script}
	}
	return l
}

// lsfReport puts the report that LSF writes with a job's output before it.
func lsfReport(n *node, j *job, t *task, out string) string {
	r := t.last()
	word, ending := "Done", "Successfully completed."
	if code, _ := lsfExit(t); lsfState(t) == "EXIT" {
		word, ending = "Exited", fmt.Sprintf("Exited with exit code %d.", code)
		switch r.Why {
		case byUser:
			ending = "TERM_OWNER: job killed by owner.\n" + ending
		case byLimit:
			ending = "TERM_RUNLIMIT: job killed after reaching LSF run time limit.\n" + ending
		}
	}
	text := fmt.Sprintf("Sender: LSF System <lsfadmin@%s>\nSubject: Job %s: <%s> in cluster <test> %s\n\n", n.Host, lsfTaskID(j, t), lsfTaskName(j, t), word)
	text += fmt.Sprintf("Job <%s> was submitted from host <%s> by user <%s> in cluster <test> at %s\n\n", lsfTaskName(j, t), n.Host, n.User, j.Time.Format("Mon Jan  2 15:04:05 2006"))
	text += fmt.Sprintf("------------------------------------------------------------\n\n%s\n\nResource usage summary:\n\n    CPU time :                                   0.01 sec.\n\n", ending)
	if j.Err != "" {
		return text + "The output (if any) follows:\n\n" + out + "\n\nPS:\n\nRead file <" + j.Err + "> for stderr output of this job.\n\n"
	}
	return text + "The output (if any) follows:\n\n" + out + "\n"
}

func lsfFinished(n *node, st *state, j *job, t *task, p *process) {
	switch p.why {
	case byRequeue, byPreempt:
		n.again(t, p, "")
	case byNode:
		if j.Rerun {
			n.again(t, p, "")
		}
	}
}

// lsfState is LSF's word for what a task is doing.
func lsfState(t *task) string {
	r := t.last()
	switch {
	case t.Phase == pending && t.Held:
		return "PSUSP"
	case t.Phase == pending:
		return "PEND"
	case t.Phase == running || t.Phase == ending:
		return "RUN"
	case r.Why == byItself && r.Code == 0 && r.Signal == 0 && len(t.Runs) > 0:
		return "DONE"
	}
	return "EXIT"
}

// lsfExit is the exit code that LSF shows, if there is one.
func lsfExit(t *task) (int, bool) {
	r := t.last()
	switch {
	case t.Phase != ended || r.Start.Equal(r.End):
		return 0, false
	case r.Signal != 0:
		return 128 + r.Signal, true
	case r.Why == byBadShell:
		return 127, true
	}
	return r.Code, r.Code != 0
}
