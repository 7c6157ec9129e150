package fakesched

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// OAR 2.5.9: a command line run in place by bash, with almost no environment;
// output is appended; a job that is run again is a new one with an id of its
// own; arrays are jobs. What the notes leave open is from its own oarsub, oardel
// and oarexec.
var oar = &system{
	name:   "oar",
	queues: []string{"default", "besteffort", "admin"},
	commands: map[string]func(*call) int{
		"oarsub": oarSub, "oarstat": oarStat, "oardel": oarDel, "oarnodes": oarNodes, "oarhold": oarHold, "oarresume": oarHold,
	},
	stop:            func(*job, string) []unix.Signal { return nil },
	waitsForUnknown: true,
	tasks:           oarTasks,
	launch:          oarLaunch,
	message: func(n *node, j *job, t *task, why string) string {
		said := fmt.Sprintf("Job %d KILLED", j.ID)
		if why == warned {
			said = fmt.Sprintf("Job %d CHECKPOINTED with signal %d", j.ID, unix.SignalNum("SIG"+j.Warn.Signal))
		}
		return fmt.Sprintf("## OAR [%s] %s ##", time.Now().Format("2006-01-02 15:04:05"), said)
	},
	finished: oarFinished,
	// No down: oarsub asks the data base and misses the server only at the end.
	refused: func(c *call, message string) int {
		c.printf("OAR_JOB_ID=-5\n")
		return c.fail(8, "%s\n[ERROR] Oarsub failed, please verify your request syntax.", message)
	},
	limit: "[ADMISSION RULE] Error: you cannot have more than this number of jobs", // of a site: admission rules are local
}

var (
	oarOptions = parseOptions(`anterior=a array= array-param-file= checkpoint= connect=C directory=d dumper/D export-job-key-to-file=e
		help/h hold import-job-key-from-file=i import-job-key-inline-priv= interactive/I json/J name=n notify= project= property=p queue=q
		reservation=r resource=l resubmit= scanscript/S signal= stagein=s stagein-md5sum= stderr=E stdout=O type=t use-job-key/k
		version/V xml/X yaml/Y`)
	// What a script's #OAR lines may say: the value is the rest of the line as
	// it is.
	oarLine = regexp.MustCompile(`^#OAR\s+(?:(-l|--resource|-q|--queue|-p|--property|--notify|-t|--type|-d|--directory|-n|--name|--project|-O|--stdout|-E|--stderr|` +
		`--import-job-key-inline-priv|-i|--import-job-key-from-file|-e|--export-job-key-to-file|-s|--stagein|--stagein-md5sum|--array-param-file)\s*(.+?)|` +
		`(--checkpoint|-a|--anterior|--signal|--array)\s*(\d+)|(--hold|-k|--use-job-key))\s*$`)
	oarPath  = regexp.MustCompile(`^[a-zA-Z0-9_./%\\ -]+$`)
	oarTypes = []string{"besteffort", "deploy", "desktop_computing", "container", "inner", "idempotent", "timesharing", "cosystem", "noop", "allow", "placeholder", "set_placeholder", "use_placeholder", "checkpoint"}
)

// oarPermuted is gnu_getopt, which finds options after words too.
func oarPermuted(o options, args []string) (opts []given, words []string, bad *badOption) {
	for len(args) > 0 {
		found, rest, bad := o.parse(args)
		if bad != nil {
			return nil, nil, bad
		}
		opts = append(opts, found...)
		if len(rest) == 0 {
			break
		}
		if consumed := len(args) - len(rest); consumed > 0 && args[consumed-1] == "--" {
			return opts, append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
	return opts, words, nil
}

func oarUsage(c *call) {
	c.printf("Usage: /usr/lib/oar/oarsub [options] [-I|-C|<script>]\nSubmit a job the OAR batch scheduler\nOptions are:\n -I, --interactive             Request an interactive job. …\n")
}

func oarSub(c *call) int {
	words, rest, bad := oarPermuted(oarOptions, c.args)
	if bad != nil {
		return c.fail(1, "Unknown option: %s", strings.TrimLeft(bad.name, "-"))
	}
	o := map[string][]string{}
	for _, w := range words {
		o[w.name] = append(o[w.name], w.value)
	}
	last := func(name string) string {
		if n := len(o[name]); n > 0 {
			return o[name][n-1]
		}
		return ""
	}
	switch {
	case o["version"] != nil:
		c.printf("OAR version : 2.5.9\n")
		return 0
	case o["help"] != nil:
		oarUsage(c)
		return 0
	case len(rest) != 1:
		oarUsage(c)
		return 5
	}
	command := rest[0]
	if o["scanscript"] != nil {
		if status := oarScan(c, o, command); status != 0 {
			return status
		}
	}
	walltime := 7200
	defaulted := true
	for _, resource := range o["resource"] {
		message, seconds, status := oarResource(c, resource)
		if status == 255 {
			return c.fail(255, "%s", message)
		}
		if status != 0 {
			return c.sys.refused(c, message)
		}
		if seconds > 0 {
			walltime, defaulted = seconds, false
		}
	}
	count := 1
	if v := last("array"); v != "" {
		if count = number(v); count <= 0 {
			oarUsage(c)
			return c.fail(6, "[ERROR] An array job must have a positive number of sub-jobs.")
		}
	}
	var params []string
	if path := last("array-param-file"); path != "" {
		text, err := os.ReadFile(absolute(c.cwd, path))
		if err != nil {
			return c.fail(12, "cat: %s: No such file or directory\n[ERROR] Cannot open the parameter file %s.", path, path)
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "#")
			if strings.TrimSpace(line) != "" {
				params = append(params, line)
			}
		}
		count = len(params)
	}
	rules := ""
	for _, kind := range o["type"] {
		name, _, _ := strings.Cut(kind, "=")
		if !slices.Contains(oarTypes, name) {
			return c.fail(254, "[ADMISSION RULE] Error: unknown job type: %s", kind)
		}
		if name == "besteffort" {
			rules += "[ADMISSION RULE] Automatically redirect in the besteffort queue\n[ADMISSION RULE] Automatically add the besteffort constraint on the resources\n"
		}
	}
	queue := last("queue")
	set(&queue, c.Queues[0])
	if !slices.Contains(c.Queues, queue) {
		return c.fail(248, "ERROR : The queue %s does not exist", queue)
	}
	if message, ok := c.Refuse[queue]; ok {
		return c.fail(254, "%s", message)
	}
	if strings.Count(last("property"), "'")%2 == 1 || strings.Contains(last("property"), "syntax error") {
		return c.sys.refused(c, fmt.Sprintf("Bad resource request (ERROR:  syntax error at or near %q", "error"))
	}
	for option, answer := range map[string]struct {
		status int
		word   string
	}{"stdout": {244, "stdout"}, "stderr": {243, "stderr"}} {
		if path := last(option); path != "" && !oarPath.MatchString(path) {
			return c.fail(answer.status, `/!\ Invalid %s file name (bad character)`, answer.word)
		}
	}
	if name := last("name"); strings.Contains(name, "'") || len([]rune(name)) > 100 {
		c.printf("OAR_JOB_ID=\n") // an error of the data base inside
		return c.fail(8, "[ERROR] Oarsub failed, please verify your request syntax.")
	}
	if defaulted {
		rules += "[ADMISSION RULE] Set default walltime to 7200.\n"
	}
	rules += "[ADMISSION RULE] Modify resource description with type constraints\n"
	var ids []int
	status := c.admit(func(st *state) int {
		first := st.take(count)
		for i := range count {
			j := &job{ID: first + i, Name: last("name"), Queue: queue, Command: command, Dir: c.cwd, From: c.cwd, Out: last("stdout"), Err: last("stderr"),
				Append: true, Limit: walltime, Time: time.Now(), Options: map[string]string{"array": strconv.Itoa(first), "index": strconv.Itoa(i + 1),
					"types": strings.Join(o["type"], ", "), "project": last("project"), "many": strconv.Itoa(count)}}
			if params != nil {
				j.Command += " " + params[i]
			}
			if dir := last("directory"); dir != "" {
				j.Dir = absolute(c.cwd, dir)
			}
			j.Rerun = slices.Contains(o["type"], "besteffort") && slices.Contains(o["type"], "idempotent")
			if before := number(last("checkpoint")); before > 0 {
				signal := 12
				if v := last("signal"); v != "" {
					signal = number(v)
				}
				j.Warn = warning{Signal: oarSignal(signal), Before: before, Script: true}
			}
			for _, id := range o["anterior"] {
				j.After = append(j.After, dependency{"afterany", id})
			}
			j.Tasks = []*task{{Phase: pending, Held: o["hold"] != nil}}
			st.Jobs = append(st.Jobs, j)
			ids = append(ids, j.ID)
		}
		return 0
	})
	if status != 0 {
		return status
	}
	c.out.WriteString(c.Before + rules)
	c.err.WriteString(c.Errors)
	if count > 1 {
		c.fail(0, "Simple array job submission is used")
	}
	for _, id := range ids {
		c.printf("OAR_JOB_ID=%d\n", id)
	}
	if count > 1 {
		c.printf("OAR_ARRAY_ID=%d\n", ids[0])
	}
	c.out.WriteString(c.After)
	if c.Down {
		// It is not killed: it is in the data base, and runs later.
		return c.fail(9, "[ERROR] Cannot connect to executor localhost:6666. Job is killed.")
	}
	return 0
}

// oarSignal is the name of a signal by the number that it has on Linux, where
// OAR is at home.
func oarSignal(n int) string {
	names := map[int]string{1: "HUP", 2: "INT", 3: "QUIT", 6: "ABRT", 9: "KILL", 10: "USR1", 12: "USR2", 14: "ALRM", 15: "TERM", 18: "CONT"}
	return names[n]
}

// oarScan adds what a script's #OAR lines say. The command line wins, but not
// over the directory: oarsub's own mistake.
func oarScan(c *call, o map[string][]string, command string) int {
	path, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	script, err := os.ReadFile(absolute(c.cwd, path))
	if err != nil {
		return c.fail(12, "cat: %s: No such file or directory\n[ERROR] Cannot open the file %s.", path, path)
	}
	if !strings.HasPrefix(string(script), "#") {
		return 0
	}
	found := map[string]string{}
	failed, n := 0, 0
	for line := range strings.Lines(string(script)) {
		n++
		if n == 1 || !strings.HasPrefix(line, "#OAR ") && !strings.HasPrefix(line, "#OAR\t") {
			continue
		}
		line = strings.TrimRight(line, " \t\r\n")
		m := oarLine.FindStringSubmatch(line)
		if m == nil {
			c.fail(0, "/!\\ Not able to scan file line: %s. at /usr/share/perl5/OAR/Sub.pm line 144, <FILE> line %d.", line, n)
			failed++
			continue
		}
		name, value := m[1]+m[3]+m[5], m[2]+m[4]
		if short := strings.TrimPrefix(name, "-"); len(short) == 1 {
			name = oarOptions.short[short[0]]
		} else {
			name = strings.TrimPrefix(name, "--")
		}
		switch name {
		case "resource", "type", "anterior":
			o[name] = append(o[name], value)
		default:
			found[name] = value
		}
	}
	if failed > 0 {
		return c.fail(12, "[ERROR] %d error(s) encountered while parsing the file %s.", failed, path)
	}
	for _, name := range slices.Sorted(mapKeys(found)) {
		said := map[string]string{"directory": "name", "project": "name", "signal": "hold"}[name]
		set(&said, name)
		switch {
		case name == "directory":
			o[name] = []string{found[name]}
		case o[name] == nil:
			o[name] = []string{found[name]}
			continue
		}
		c.fail(0, "/!\\ Ignore script value for %s parameter : %s; another value was given on the command line.", said, found[name])
	}
	return 0
}

var (
	oarRequest  = regexp.MustCompile(`^(\{[^}]*\})?/?([a-z_]+=[^/,]+)(/[a-z_]+=[^/,]+)*$`)
	oarWalltime = regexp.MustCompile(`^(\d+)(?::(\d+))?(?::(\d+))?$`)
)

// oarResource reads one -l: its walltime in seconds, or why it is refused.
func oarResource(c *call, text string) (message string, walltime, status int) {
	for _, part := range strings.Split(text, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), "walltime="); ok {
			m := oarWalltime.FindStringSubmatch(v)
			if m == nil {
				return `/!\ Cannot recognize the resource description : ` + text, 0, 255
			}
			walltime = number(m[1])*3600 + number(m[2])*60 + number(m[3])
			continue
		}
		if !oarRequest.MatchString(part) {
			return `/!\ Cannot recognize the resource description : ` + text, 0, 255
		}
		_, part, _ = cutBraces(part)
		for _, level := range strings.Split(strings.Trim(part, "/"), "/") {
			name, count, _ := strings.Cut(level, "=")
			switch n, err := strconv.Atoi(count); {
			case err != nil && count != "ALL" && count != "BEST":
				return `/!\ Cannot recognize the resource description : ` + text, 0, 255
			case !slices.Contains([]string{"host", "nodes", "cpu", "core", "network_address", "resource_id", "gpu", "cluster", "cpuset"}, name):
				return fmt.Sprintf("Bad resource request (ERROR:  column %q does not exist", name), 0, 8
			case n > c.Slots:
				return "There are not enough resources for your request", 0, 8
			}
		}
	}
	return "", walltime, 0
}

// cutBraces takes {…} off the front.
func cutBraces(text string) (braces, rest string, ok bool) {
	if strings.HasPrefix(text, "{") {
		return strings.Cut(text[1:], "}")
	}
	return "", text, false
}

func oarTasks(j *job, id string) []*task {
	if strconv.Itoa(j.ID) == id {
		return j.Tasks
	}
	return nil
}

// oarLaunch is what oarexec starts: the command line, by bash, in place.
func oarLaunch(n *node, st *state, j *job, t *task) launch {
	id := strconv.Itoa(j.ID)
	l := launch{path: "/bin/bash", argv: []string{"bash", "-c", j.Command}, dir: j.Dir, append: true}
	l.out, l.err = j.Out, j.Err
	name := "OAR"
	if j.Name != "" {
		name += "." + j.Name
	}
	set(&l.out, name+".%jobid%.stdout")
	set(&l.err, name+".%jobid%.stderr")
	l.out, l.err = strings.ReplaceAll(l.out, "%jobid%", id), strings.ReplaceAll(l.err, "%jobid%", id)
	nodes := n.path("spool", "nodes."+id)
	_ = os.WriteFile(nodes, []byte(n.Host+"\n"), 0o600)
	properties := n.path("spool", "properties."+id)
	_ = os.WriteFile(properties, []byte("network_address = '"+n.Host+"' \n"), 0o600)
	project := j.Options["project"]
	set(&project, "default")
	hours := fmt.Sprintf("%d:%d:%d", j.Limit/3600, j.Limit/60%60, j.Limit%60)
	l.env = []string{"HOME=" + n.Home, "USER=" + n.User, "LOGNAME=" + n.User, "SHELL=/bin/bash", "PATH=/usr/lib/oar/oardodo:" + plainPath + ":/usr/games",
		"OAR_JOB_ID=" + id, "OAR_JOBID=" + id, "OAR_ARRAY_ID=" + j.Options["array"], "OAR_ARRAYID=" + j.Options["array"],
		"OAR_ARRAY_INDEX=" + j.Options["index"], "OAR_ARRAYINDEX=" + j.Options["index"], "OAR_JOB_NAME=" + j.Name,
		"OAR_WORKDIR=" + j.Dir, "OAR_WORKING_DIRECTORY=" + j.Dir, "OAR_O_WORKDIR=" + j.Dir,
		"OAR_STDOUT=" + absolute(j.Dir, l.out), "OAR_STDERR=" + absolute(j.Dir, l.err),
		"OAR_NODEFILE=" + nodes, "OAR_NODE_FILE=" + nodes, "OAR_FILE_NODES=" + nodes, "OAR_RESOURCE_FILE=" + nodes,
		"OAR_RESOURCE_PROPERTIES_FILE=" + properties, "OAR_PROJECT_NAME=" + project,
		"OAR_JOB_WALLTIME=" + hours, "OAR_JOB_WALLTIME_SECONDS=" + strconv.Itoa(j.Limit), "OAR_USER=" + n.User, "OAR_KEY=1"}
	return l
}

// oarFinished submits anew what is to run again.
func oarFinished(n *node, st *state, j *job, t *task, p *process) {
	r := t.last()
	idempotent := strings.Contains(j.Options["types"], "idempotent")
	long := r.End.Sub(r.Start) > 60*n.Second
	again := idempotent && (p.why == byPreempt || p.why == byRequeue || p.why == byNode) || idempotent && p.why == byItself && r.Code == 99 && long
	switch {
	case p.why == byPreempt || p.why == byRequeue:
		t.Reason = "BESTEFFORT_KILL:[MetaSched] kill the besteffort job " + strconv.Itoa(j.ID)
	case p.why == byLimit:
		t.Reason = fmt.Sprintf("WALLTIME:[sarko] Job [%d] from 0 with 0; current time=0 (Elapsed)", j.ID)
	case p.why == byUser:
		t.Reason = "FRAG_JOB_REQUEST:User " + n.User + " requested to frag the job " + strconv.Itoa(j.ID)
	case p.why == byBadOutput:
		t.Reason = fmt.Sprintf("OUTPUT_FILES:[bipbip %d] Cannot create .stdout and .stderr files in %s", j.ID, j.Dir)
	case p.why == byBadDir:
		t.Reason = fmt.Sprintf("WORKING_DIRECTORY:[bipbip %d] Cannot go into the working directory %s", j.ID, j.Dir)
	}
	if !again {
		return
	}
	copied := *j
	copied.ID, copied.Time = st.take(1), time.Now()
	copied.Options = map[string]string{"resubmit": strconv.Itoa(j.ID)}
	for name, v := range j.Options {
		set2(copied.Options, name, v)
	}
	next := &task{Phase: pending, NotYet: time.Now().Add(n.Again)}
	copied.Tasks = []*task{next}
	n.until(next.NotYet)
	st.Jobs = append(st.Jobs, &copied)
	t.Next = copied.ID
	t.Reason += fmt.Sprintf("; RESUBMIT_JOB_AUTOMATICALLY:The job %d is in state Error and was resubmitted (new id = %d)", j.ID, copied.ID)
}

// set2 sets what is not set yet.
func set2(m map[string]string, name, value string) {
	if _, ok := m[name]; !ok {
		m[name] = value
	}
}

// oarState is the word and the letter for what a job is doing.
func oarState(t *task) (word, letter string) {
	switch {
	case t.Phase == pending && t.Held:
		return "Hold", "H"
	case t.Phase == pending:
		return "Waiting", "W"
	case t.Phase == running:
		return "Running", "R"
	case t.Phase == ending:
		return "Finishing", "F"
	case len(t.Runs) > 0 && t.last().Why == byItself:
		return "Terminated", "T"
	}
	return "Error", "E"
}

func oarStat(c *call) int {
	words, rest, bad := oarPermuted(parseOptions(`job=j array~ full/f state/s json/J user=u help/h version/V compact/c gantt=g events/e properties/p
		sql= accounting= dumper/D xml/X yaml/Y format=F`), c.args)
	if bad != nil {
		return c.fail(1, "Unknown option: %s", strings.TrimLeft(bad.name, "-"))
	}
	o := map[string]string{}
	var ids []string
	for _, w := range words {
		o[w.name] = w.value
		if w.name == "job" {
			ids = append(ids, strings.Split(w.value, ",")...)
		}
	}
	ids = append(ids, rest...)
	array, byArray := o["array"]
	if byArray && array == "" && len(ids) > 0 {
		array, ids = ids[0], ids[1:]
	}
	_, full := o["full"]
	_, short := o["state"]
	_, asJSON := o["json"]
	return c.read(func(st *state) int {
		var jobs []*job
		for _, j := range st.Jobs {
			switch {
			case byArray && array != "":
				if j.Options["array"] != array {
					continue
				}
			case len(ids) > 0:
				if !slices.Contains(ids, strconv.Itoa(j.ID)) {
					continue
				}
			case j.Tasks[0].Phase == ended:
				continue
			}
			jobs = append(jobs, j)
		}
		switch {
		case asJSON && short:
			all := map[string]string{}
			for _, j := range jobs {
				all[strconv.Itoa(j.ID)], _ = oarState(j.Tasks[0])
			}
			return oarJSON(c, all)
		case asJSON:
			all := map[string]map[string]any{}
			for _, j := range jobs {
				all[strconv.Itoa(j.ID)] = oarRecord(c, j)
			}
			return oarJSON(c, all)
		case short:
			for _, j := range jobs {
				word, _ := oarState(j.Tasks[0])
				c.printf("%d: %s\n", j.ID, word)
			}
		case full:
			for _, j := range jobs {
				oarFull(c, j)
			}
		case len(jobs) > 0 && byArray:
			c.printf("Job id    A. id     index S User     Duration   System message\n--------- --------- ----- - -------- ---------- ------------------------------------------------\n")
			for _, j := range jobs {
				_, letter := oarState(j.Tasks[0])
				c.printf("%-9d %-9s %-5s %s %-8.8s %10s %s\n", j.ID, j.Options["array"], j.Options["index"], letter, c.User, oarDuration(j.Tasks[0]), oarMessage(j))
			}
		case len(jobs) > 0:
			c.printf("Job id    S User     Duration   System message\n--------- - -------- ---------- ------------------------------------------------\n")
			for _, j := range jobs {
				_, letter := oarState(j.Tasks[0])
				c.printf("%-9d %s %-8.8s %10s %s\n", j.ID, letter, c.User, oarDuration(j.Tasks[0]), oarMessage(j))
			}
		}
		return 0
	})
}

func oarDuration(t *task) string {
	r := t.last()
	d := time.Duration(0)
	if !r.Start.IsZero() {
		if d = time.Since(r.Start); !r.End.IsZero() {
			d = r.End.Sub(r.Start)
		}
	}
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func oarMessage(j *job) string {
	text := fmt.Sprintf("R=1,W=%d:%d:%d,J=B", j.Limit/3600, j.Limit/60%60, j.Limit%60)
	if j.Name != "" {
		text += ",N=" + j.Name
	}
	if types := j.Options["types"]; types != "" {
		text += ",T=" + strings.ReplaceAll(types, ", ", "|")
	}
	return text + " (Karma=0.000,quota_ok)"
}

// exitStatus is a wait status: the exit status in the second byte, the signal in
// the first one.
func (r run) exitStatus() int { return r.Code<<8 | r.Signal }

// oarRecord is a job as oarstat -J -f shows it.
func oarRecord(c *call, j *job) map[string]any {
	t := j.Tasks[0]
	word, _ := oarState(t)
	unixTime := func(at time.Time) int64 {
		if at.IsZero() {
			return 0
		}
		return at.Unix()
	}
	index, array := number(j.Options["index"]), number(j.Options["array"])
	record := map[string]any{"job_id": j.ID, "Job_Id": j.ID, "array_id": array, "array_index": index, "name": j.Name, "owner": c.User, "state": word, "queue": j.Queue,
		"command": j.Command, "launchingDirectory": j.Dir, "types": strings.FieldsFunc(j.Options["types"], func(r rune) bool { return r == ',' || r == ' ' }),
		"submissionTime": unixTime(j.Time), "startTime": unixTime(t.last().Start), "stopTime": unixTime(t.last().End), "walltime": j.Limit,
		"resubmit_job_id": number(j.Options["resubmit"]), "message": oarMessage(j), "events": []any{}, "exit_code": nil,
		"stdout_file": j.Out, "stderr_file": j.Err, "project": j.Options["project"], "assigned_network_address": []string{}, "properties": ""}
	if len(t.Runs) > 0 {
		record["assigned_network_address"] = []string{c.Host}
	}
	if word == "Terminated" {
		record["exit_code"] = t.last().exitStatus()
	}
	if t.Phase == ended && t.Reason != "" {
		var events []any
		for _, event := range strings.Split(t.Reason, "; ") {
			kind, text, _ := strings.Cut(event, ":")
			events = append(events, map[string]any{"type": kind, "description": text, "job_id": j.ID, "date": unixTime(t.last().End), "to_check": "NO"})
		}
		record["events"] = events
	}
	return record
}

func oarJSON(c *call, v any) int {
	text, err := json.MarshalIndent(v, "", "   ")
	if err != nil {
		return c.fail(1, "%v", err)
	}
	c.printf("%s\n", text)
	return 0
}

// oarFull is a job as oarstat -f shows it.
func oarFull(c *call, j *job) {
	t := j.Tasks[0]
	word, _ := oarState(t)
	c.printf("Job_Id: %d\n", j.ID)
	line := func(key, value string) { c.printf("    %s = %s\n", key, value) }
	line("job_array_id", j.Options["array"])
	line("job_array_index", j.Options["index"])
	line("name", j.Name)
	line("project", j.Options["project"])
	line("owner", c.User)
	line("state", word)
	line("types", j.Options["types"])
	line("queue", j.Queue)
	line("command", j.Command)
	if r := t.last(); word == "Terminated" {
		line("exit_code", fmt.Sprintf("%d (%d,%d,0)", r.exitStatus(), r.Code, r.Signal))
	}
	line("launchingDirectory", j.Dir)
	line("stdout_file", j.Out)
	line("stderr_file", j.Err)
	line("jobType", "PASSIVE")
	line("submissionTime", j.Time.Format("2006-01-02 15:04:05"))
	line("message", oarMessage(j))
	line("resubmit_job_id", strconv.Itoa(number(j.Options["resubmit"])))
	c.printf("    events = \n")
	if t.Phase == ended && t.Reason != "" {
		for _, event := range strings.Split(t.Reason, "; ") {
			c.printf("%s> %s\n", t.last().End.Format("2006-01-02 15:04:05"), event)
		}
	}
	c.printf("\n")
}

func oarDel(c *call) int {
	words, rest, bad := oarPermuted(parseOptions("checkpoint/c signal=s array besteffort/b sql= help/h version/V force-terminate-finishing-job"), c.args)
	if bad != nil {
		return c.fail(1, "Unknown option: %s", strings.TrimLeft(bad.name, "-"))
	}
	order, array := byUser, false
	for _, w := range words {
		switch w.name {
		case "checkpoint":
			order = "checkpoint"
		case "signal":
			name := strings.TrimPrefix(strings.ToUpper(w.value), "SIG")
			if n, err := strconv.Atoi(name); err == nil {
				name = oarSignal(n)
			}
			order = "signal-script:" + name
		case "array":
			array = true
		}
	}
	if len(rest) == 0 {
		c.printf("Usage: oardel [options] <job id list>\n")
		return 1
	}
	status := 0
	changed := c.change(func(st *state) int {
		var ids []string
		for _, id := range rest {
			if _, err := strconv.Atoi(id); err != nil {
				status = c.fail(4, "[ERROR] %q is not a valid job identifier", id)
				continue
			}
			if !array {
				ids = append(ids, id)
				continue
			}
			for _, j := range st.Jobs {
				if j.Options["array"] == id {
					ids = append(ids, strconv.Itoa(j.ID))
				}
			}
		}
		var registered []string
		for _, id := range ids {
			i := slices.IndexFunc(st.Jobs, func(j *job) bool { return strconv.Itoa(j.ID) == id })
			if order != byUser {
				if i < 0 || st.Jobs[i].Tasks[0].Phase != running {
					c.printf("ERROR.\n")
					status = c.fail(5, "Cannot signal %s ; This job is not running.", id)
					continue
				}
				t := st.Jobs[i].Tasks[0]
				t.Order = order
				if order == "checkpoint" {
					c.printf("Checkpointing the job %s ...DONE.\nThe job %s was notified to checkpoint itself on %s.\n", id, id, c.Host)
				} else {
					c.printf("Signaling the job %s with %s signal.\nDONE.\n", id, strings.TrimPrefix(order, "signal-script:"))
				}
				continue
			}
			c.printf("Deleting the job = %s ...", id)
			switch {
			case i < 0:
				c.printf("ERROR.\n")
				status = c.fail(1, "Cannot frag %s ; You are not the right user.", id)
			case st.Jobs[i].Tasks[0].Phase == ended:
				c.printf("ERROR.\n")
				status = c.fail(6, "Cannot frag %s ; This job was already killed.", id)
			default:
				c.printf("REGISTERED.\n")
				registered = append(registered, id)
				st.order(st.Jobs[i].Tasks[0], byUser)
			}
		}
		if len(registered) > 0 {
			c.printf("The job(s) [ %s ] will be deleted in the near future.\n", strings.Join(registered, " "))
		}
		return 0
	})
	return max(status, changed)
}

// oarHold is oarhold, and oarresume, by the name it was called.
func oarHold(c *call) int {
	status := 0
	changed := c.change(func(st *state) int {
		for _, id := range c.args {
			found := false
			for _, j := range st.Jobs {
				for _, t := range oarTasks(j, id) {
					found = true
					hold := c.name == "oarhold"
					switch {
					case hold && (t.Phase != pending || t.Held):
						status = c.fail(1, "/!\\ Cannot hold %s: the job is not in the right state (try '-r' option).", id)
					case !hold && !t.Held:
						status = c.fail(1, "/!\\ Cannot resume %s: the job is not in the Hold or Suspended state.", id)
					case hold:
						t.Held = true
						c.printf("[%s] Hold request was sent to the OAR server.\n", id)
					default:
						t.Held = false
						c.printf("[%s] Resume request was sent to the OAR server.\n", id)
					}
				}
			}
			if !found {
				status = c.fail(1, "/!\\ %s: this job does not exist.", id)
			}
		}
		return 0
	})
	return max(status, changed)
}

func oarNodes(c *call) int {
	if slices.Contains(c.args, "-s") {
		c.printf("%s\n", c.Host)
		for i := range c.Slots {
			c.printf("    %d : Alive\n", i+1)
		}
		return 0
	}
	for i := range c.Slots {
		c.printf("network_address: %s\nresource_id: %d\nstate: Alive\nproperties: cpu=1, core=%d, cpuset=%d, type=default\n\n", c.Host, i+1, i+1, i)
	}
	return 0
}
