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

// OpenPBS 23.06.06: the script is spooled; the home directory and a login
// shell's environment; output arrives when the job has ended; nothing tells a job
// that it is run again, under the same id.
var openpbs = pbsSystem("openpbs", 10000)

// TORQUE, by its manual and source (github.com/adaptivecomputing/torque, 6.1):
// not observed. It differs from OpenPBS in the form of arrays (-t), the words of
// refusals and the state C of ended jobs.
var torque = pbsSystem("torque", 100000)

func pbsSystem(name string, largest int) *system {
	return &system{
		name:    name,
		queues:  []string{map[string]string{"openpbs": "workq", "torque": "batch"}[name]},
		largest: largest,
		commands: map[string]func(*call) int{
			"qsub": pbsSub, "qstat": pbsStat, "qdel": pbsDel, "qrerun": pbsDel,
		},
		stop:     func(*job, string) []unix.Signal { return []unix.Signal{unix.SIGTERM} },
		tasks:    pbsTasks,
		launch:   pbsLaunch,
		finished: pbsFinished,
		message: func(n *node, j *job, t *task, why string) string {
			if why == byLimit {
				return fmt.Sprintf("=>> PBS: job killed: walltime %d exceeded limit %d", j.Limit+1, j.Limit)
			}
			return ""
		},
		down: func(c *call) int {
			if c.torque() {
				return c.fail(248, "Error communicating with %s(127.0.0.1)\nCommunication failure.\n%s: cannot connect to server %s (errno=15096) Error getting connection to socket", c.Host, c.name, c.Host)
			}
			return c.fail(162, "%s: cannot connect to server localhost (errno=15010)", c.name)
		},
		refused: func(c *call, message string) int {
			if c.torque() {
				return c.fail(186, "qsub: submit error (%s)", message)
			}
			return c.fail(186, "qsub: %s", message)
		},
		limit: "Maximum number of jobs already in queue for user",
	}
}

// torque says whether the forms of TORQUE are spoken; Moab sits on it.
func (c Config) torque() bool { return c.Scheduler != "openpbs" }

// pbsID is an id as PBS prints it: 12.vm, 2[].vm, 2[4].vm.
func pbsID(j *job, t *task, host string) string {
	switch {
	case !j.Array:
		return fmt.Sprintf("%d.%s", j.ID, host)
	case t == nil:
		return fmt.Sprintf("%d[].%s", j.ID, host)
	}
	return fmt.Sprintf("%d[%d].%s", j.ID, t.Index, host)
}

var pbsName = regexp.MustCompile(`^(\d+)(\[([^\]]*)\])?(\..*)?$`)

// pbsTasks are the tasks that 2, 2.vm, 2[], 2[4].vm or 2[1-3] means.
func pbsTasks(j *job, id string) []*task {
	m := pbsName.FindStringSubmatch(id)
	if m == nil || number(m[1]) != j.ID || j.Array != (m[2] != "") {
		return nil
	}
	if m[3] == "" {
		return j.Tasks
	}
	indices, _, _, ok := arrayIndices(m[3])
	if !ok {
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

var (
	pbsOptions    = parseOptions("a=a A=A c=c C=C e=e f/f G/G h/h I/I j=j J=J k=k l=l m=m M=M N=N o=o p=p q=q r=r R=R S=S u=u v=v V/V W=W X/X z/z")
	torqueOptions = parseOptions("a=a A=A b=b c=c C=C d=d D=D e=e E/E f/f F=F h/h I/I j=j k=k K=K l=l L=L m=m M=M n/n N=N o=o p=p P=P q=q r=r S=S t=t T=T u=u v=v V/V w=w W=W x/x X/X z/z")
)

func pbsUsage(c *call, status int, format string, args ...any) int {
	c.fail(status, format, args...)
	return c.fail(status, "usage: qsub [-a date_time] [-A account_string] [-c interval]\n\t[-C directive_prefix] [-e path] …")
}

func pbsSub(c *call) int {
	known := pbsOptions
	if c.torque() {
		known = torqueOptions
	}
	if slices.Contains(c.args, "--version") {
		version := c.Version
		if c.torque() {
			set(&version, "Version: 6.1.2\nCommit: 661e092552de43a785c15d39a3634a541d86898e")
			return c.fail(0, "%s", version)
		}
		set(&version, "pbs_version = 23.06.06")
		c.printf("%s\n", version)
		return 0
	}
	line, rest, bad := known.parse(c.args)
	if bad != nil {
		return pbsUsage(c, 2, "qsub: %s", bad.text())
	}
	if len(rest) > 1 {
		return pbsUsage(c, 2, "qsub: too many operands")
	}
	script, name, status := pbsScript(c, rest)
	if status != 0 {
		return status
	}
	prefix := "#PBS"
	for _, w := range line {
		if w.name == "C" {
			prefix = w.value
		}
	}
	header, bad := slurmHeader(script, prefix, known)
	if bad != nil {
		return pbsUsage(c, 2, "qsub: %s", bad.text())
	}
	o := map[string]string{}
	for _, w := range append(header, line...) {
		if (w.name == "l" || w.name == "v" || w.name == "W") && o[w.name] != "" {
			w.value = o[w.name] + "," + w.value
		}
		o[w.name] = w.value
	}
	if _, given := o["N"]; !given {
		o["N"] = name
	}
	j := &job{Name: o["N"], Queue: o["q"], Script: "script", Dir: c.Home, From: c.cwd, Out: o["o"], Err: o["e"], Rerun: o["r"] != "n",
		Options: map[string]string{"join": o["j"], "shell": o["S"], "args": o["F"]}, Time: time.Now(), Step: 1}
	for _, dir := range []string{o["d"], o["w"]} {
		if dir != "" {
			j.Dir = absolute(c.cwd, dir)
		}
	}
	indices, status := pbsBadValue(c, j, o)
	if status != 0 {
		return status
	}
	for _, i := range indices {
		_, held := o["h"]
		j.Tasks = append(j.Tasks, &task{Index: i, Phase: pending, Held: held})
	}
	env := pbsEnv(c, o)
	status = c.admit(func(st *state) int {
		if status := pbsRefusal(c, st, j, o); status != 0 {
			return status
		}
		j.ID = st.take(1)
		if err := firstOf(c.spool(j.ID, j.Script, script), c.keepEnv(j.ID, env)); err != nil {
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
	if _, silent := o["z"]; !silent {
		c.printf("%s\n", pbsID(j, nil, c.Host))
	}
	c.out.WriteString(c.After)
	return 0
}

func pbsScript(c *call, rest []string) (script []byte, name string, status int) {
	if len(rest) == 0 || rest[0] == "-" {
		script, _ = io.ReadAll(c.stdin)
		return script, "STDIN", 0
	}
	info, err := os.Stat(rest[0])
	switch {
	case err != nil && c.torque():
		return nil, "", c.fail(1, "qsub: script file '%s' cannot be loaded - No such file or directory", rest[0])
	case err != nil:
		return nil, "", c.fail(1, "qsub: script file:: No such file or directory")
	case info.IsDir():
		return nil, "", c.fail(1, "qsub: script not a file")
	}
	if script, err = os.ReadFile(rest[0]); err != nil {
		return nil, "", c.fail(1, "qsub: script file:: Permission denied")
	}
	name = filepath.Base(rest[0])
	if c.torque() && len(name) > 15 {
		name = name[:15]
	}
	return script, name, 0
}

var (
	pbsGoodName    = regexp.MustCompile(`^[A-Za-z0-9_.+-]+$`)
	torqueGoodName = regexp.MustCompile(`^[A-Za-z][!-~]*$`)
	pbsRange       = regexp.MustCompile(`^(\d+)-(\d+)(?::(\d+))?(?:%(\d+))?$`)
)

// pbsBadValue refuses what qsub itself refuses, and reads the array.
func pbsBadValue(c *call, j *job, o map[string]string) (indices []int, status int) {
	switch {
	case c.torque() && (!torqueGoodName.MatchString(j.Name) || len(j.Name) > 15):
		return nil, pbsUsage(c, 2, "qsub: illegal -N value")
	case c.torque():
	case len(j.Name) > 230:
		return nil, c.fail(2, "qsub: Job name is too long ")
	case !pbsGoodName.MatchString(j.Name):
		return nil, pbsUsage(c, 2, "qsub: illegal -N value")
	}
	if p, ok := o["p"]; ok {
		if n, err := strconv.Atoi(p); err != nil || n < -1024 || n > 1023 {
			return nil, pbsUsage(c, 2, "qsub: illegal -p value")
		}
	}
	for _, option := range []string{"o", "e"} {
		if host, path, ok := strings.Cut(o[option], ":"); ok && !strings.Contains(host, "/") && !strings.HasPrefix(path, "/") {
			return nil, pbsUsage(c, 2, "qsub: illegal -%s value", option)
		}
	}
	if text, ok := o["t"]; ok {
		indices, most, step, ok := arrayIndices(text)
		if !ok {
			return nil, pbsUsage(c, 2, "qsub: illegal -t value")
		}
		j.Array, j.Max, j.Step = true, most, step
		if len(indices) > c.Largest {
			return nil, c.fail(186, "qsub: submit error (Job array size limit exceeded)")
		}
		return indices, 0
	}
	text, ok := o["J"]
	if !ok {
		return []int{0}, 0
	}
	m := pbsRange.FindStringSubmatch(text)
	if m == nil || number(m[2]) <= number(m[1]) {
		return nil, pbsUsage(c, 2, "qsub: illegal -J value")
	}
	j.Array, j.Step, j.Max = true, max(1, number(m[3])), number(m[4])
	for i := number(m[1]); i <= number(m[2]); i += j.Step {
		indices = append(indices, i)
		if len(indices) > c.Largest {
			return nil, c.fail(3, "qsub: Array job exceeds server or queue size limit (max_array_size %d)", c.Largest)
		}
	}
	return indices, 0
}

var pbsResources = []string{"walltime", "cput", "mem", "vmem", "pmem", "pvmem", "ncpus", "nodes", "select", "place", "host", "arch", "ngpus", "mpiprocs", "nodect", "procs", "file", "software"}

// pbsRefusal is what the server does not take: the status, with the answer
// given.
func pbsRefusal(c *call, st *state, j *job, o map[string]string) int {
	set(&j.Queue, c.Queues[0])
	queue, _, _ := strings.Cut(j.Queue, "@")
	j.Queue = queue
	if message, ok := c.Refuse[queue]; ok {
		return c.sys.refused(c, message)
	}
	say := func(status int, openpbs, torque string) int {
		if c.torque() {
			return c.fail(status, "qsub: submit error (%s)", torque)
		}
		return c.fail(status, "qsub: %s", openpbs)
	}
	if !slices.Contains(c.Queues, queue) {
		return say(170, "Unknown queue", "Unknown queue MSG=requested queue not found")
	}
	for _, resource := range strings.FieldsFunc(o["l"], func(r rune) bool { return r == ',' }) {
		name, v, _ := strings.Cut(resource, "=")
		if !slices.Contains(pbsResources, name) {
			return say(187, "Unknown resource Resource_List."+name, "Unknown resource type  Resource_List."+name)
		}
		if name == "walltime" {
			if !sgeClock.MatchString(v) && !regexp.MustCompile(`^\d+:\d+$`).MatchString(v) {
				return say(166, "Illegal attribute or resource value Resource_List.walltime", "Illegal attribute or resource value for Resource_List.walltime")
			}
			j.Limit = clock(v)
		}
	}
	for _, attribute := range strings.Split(o["W"], ",") {
		depend, ok := strings.CutPrefix(attribute, "depend=")
		kind, ids, _ := strings.Cut(depend, ":")
		if !ok || kind == "on" {
			continue
		}
		for id := range strings.SplitSeq(ids, ":") {
			if !slices.ContainsFunc(st.Jobs, func(other *job) bool { return len(pbsTasks(other, id)) > 0 }) {
				// Accepted, and gone at once: substate 92.
				for _, t := range j.Tasks {
					t.Phase, t.Reason = ended, "92"
				}
			}
			j.After = append(j.After, dependency{kind, id})
		}
	}
	return 0
}

func pbsEnv(c *call, o map[string]string) []string {
	env := []string{"HOME=" + c.Home, "USER=" + c.User, "LOGNAME=" + c.User, "SHELL=/bin/sh", "PATH=" + plainPath}
	if _, all := o["V"]; all {
		env = os.Environ()
	}
	for _, word := range strings.FieldsFunc(o["v"], func(r rune) bool { return r == ',' }) {
		name, _, assigned := strings.Cut(word, "=")
		if v, ok := os.LookupEnv(name); !assigned && ok {
			word = name + "=" + v
		}
		env = append(env, word)
	}
	return append(env, "PBS_O_WORKDIR="+c.cwd, "PBS_O_HOME="+os.Getenv("HOME"), "PBS_O_HOST="+c.Host, "PBS_O_PATH="+os.Getenv("PATH"),
		"PBS_O_SHELL="+os.Getenv("SHELL"), "PBS_O_LOGNAME="+c.User, "PBS_O_SYSTEM=Linux")
}

// pbsLaunch is what the mom starts: the login shell, which runs the script as
// a command, so that #! counts; or -S with the script as its argument.
func pbsLaunch(n *node, st *state, j *job, t *task) launch {
	env, script := n.keptEnv(j)
	id := pbsID(j, t, n.Host)
	nodes := n.path("spool", "nodes."+id)
	_ = os.WriteFile(nodes, []byte(n.Host+"\n"), 0o600)
	tmp := n.path("spool", "tmp."+id)
	_ = os.MkdirAll(tmp, 0o700)
	env = append(env, "PBS_JOBID="+id, "PBS_JOBNAME="+j.Name, "PBS_ENVIRONMENT=PBS_BATCH", "PBS_NODEFILE="+nodes, "PBS_QUEUE="+j.Queue, "PBS_O_QUEUE="+j.Queue,
		"PBS_JOBDIR="+j.Dir, "PBS_JOBCOOKIE=0", "PBS_NODENUM=0", "PBS_TASKNUM=1", "PBS_MOMPORT=15003", "NCPUS=1", "OMP_NUM_THREADS=1", "TMPDIR="+tmp, "ENVIRONMENT=BATCH")
	switch {
	case j.Array && n.torque():
		env = append(env, "PBS_ARRAYID="+strconv.Itoa(t.Index))
	case j.Array:
		env = append(env, "PBS_ARRAY_ID="+pbsID(j, nil, n.Host), "PBS_ARRAY_INDEX="+strconv.Itoa(t.Index))
	}
	if n.torque() {
		env = append(env, "PBS_VERSION=TORQUE-6.1.2", "PBS_NP=1", "PBS_NUM_NODES=1", "PBS_NUM_PPN=1", "PBS_WALLTIME="+strconv.Itoa(j.Limit), "PBS_O_INITDIR="+j.Dir)
	}
	l := launch{env: env, dir: j.Dir, spooled: true, mode: 0o600}
	l.out, l.err = pbsPath(n, j, t, j.Out, "o"), pbsPath(n, j, t, j.Err, "e")
	switch j.Options["join"] {
	case "oe":
		l.err = ""
	case "eo":
		l.out, l.err = l.err, ""
	}
	if shell := j.Options["shell"]; shell != "" {
		l.path, l.argv = shell, []string{shell, script}
	} else {
		l.path, l.argv = "/bin/sh", []string{"sh", "-c", `"$0" ` + j.Options["args"], script}
	}
	return l
}

// pbsPath is where output goes: relative to where it was submitted.
func pbsPath(n *node, j *job, t *task, path, kind string) string {
	name := fmt.Sprintf("%s.%s%d", j.Name, kind, j.ID)
	switch {
	case j.Array && n.torque():
		name += fmt.Sprintf("-%d", t.Index)
	case j.Array:
		name += fmt.Sprintf(".%d", t.Index)
	}
	if path == "" {
		return filepath.Join(j.From, name)
	}
	if host, rest, ok := strings.Cut(path, ":"); ok && !strings.Contains(host, "/") {
		path = rest
	}
	path = strings.ReplaceAll(path, "^array_index^", strconv.Itoa(t.Index))
	if n.torque() {
		path = strings.NewReplacer("$PBS_JOBID", pbsID(j, t, n.Host), "$PBS_JOBNAME", j.Name, "$HOME", n.Home, "$PBS_ARRAYID", strconv.Itoa(t.Index)).Replace(path)
	}
	path = absolute(j.From, path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, name)
	}
	return path
}

func pbsFinished(n *node, st *state, j *job, t *task, p *process) {
	switch p.why {
	case byRequeue, byPreempt, byNode:
		if j.Rerun {
			n.again(t, p, "")
		}
	}
}

// pbsStatus is the exit status of an ended job as PBS records it, if it does.
func pbsStatus(c *call, t *task) (int, bool) {
	r := t.last()
	switch {
	case len(t.Runs) == 0 || r.Start.Equal(r.End) && r.Why == byUser:
		return 0, false
	case r.Why == byUser && c.torque():
		return 271, true
	case r.Why == byUser:
		return 0, true // also for a script that exits otherwise
	case r.Why == byLimit && c.torque():
		return -11, true
	case r.Why == byLimit:
		return -29, true
	case r.Why == byBadShell:
		return 254, true
	case r.Signal != 0 && c.torque():
		return 256 + r.Signal, true
	case r.Signal != 0:
		return 128 + r.Signal, true
	}
	return r.Code, true
}
