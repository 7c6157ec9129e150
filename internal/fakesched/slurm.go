package fakesched

import (
	"bytes"
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

// Slurm 22.05.8: one script, spooled at submission; the whole environment of the
// submitter; the same id for a requeued job.
var slurm = &system{
	name:    "slurm",
	queues:  []string{"debug"},
	largest: 1001, // MaxArraySize: the largest index is one less
	commands: map[string]func(*call) int{
		"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "scontrol": scontrol, "sacct": sacct, "sinfo": sinfo,
	},
	stop:      func(*job, string) []unix.Signal { return []unix.Signal{unix.SIGCONT, unix.SIGTERM} },
	warnSteps: true,
	tasks:     slurmTasks,
	launch:    slurmLaunch,
	message:   slurmMessage,
	finished:  slurmFinished,
	down: func(c *call) int {
		switch c.name {
		case "sbatch":
			return c.fail(1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)")
		case "sacct":
			return sacct(c)
		case "scancel":
			return c.fail(1, "scancel: error: slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
		case "sinfo":
			return c.fail(1, "slurm_load_partitions: Unable to contact slurm controller (connect failure)")
		}
		return c.fail(1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
	},
	refused: func(c *call, message string) int {
		return c.fail(1, "sbatch: error: Batch job submission failed: %s", message)
	},
	limit: "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
}

var sbatchOptions = parseOptions(`
	array=a account=A bb= bbf= begin=b chdir=D cluster-constraint= clusters=M comment= constraint=C container= contiguous
	core-spec=S cores-per-socket= cpu-freq= cpus-per-gpu= cpus-per-task=c deadline= delay-boot= dependency=d distribution=m
	error=e exclude=x exclusive~ export= export-file= extra-node-info=B get-user-env~ gid= gpu-bind= gpu-freq= gpus=G
	gpus-per-node= gpus-per-socket= gpus-per-task= gres= gres-flags= help/h hint= hold/H ignore-pbs input=i job-name=J
	kill-on-invalid-dep= licenses=L mail-type= mail-user= mcs-label= mem= mem-bind= mem-per-cpu= mem-per-gpu= mincpus=
	network= nice~ no-kill~k no-requeue nodefile=F nodelist=w nodes=N ntasks=n ntasks-per-core= ntasks-per-gpu=
	ntasks-per-node= ntasks-per-socket= open-mode= output=o overcommit/O oversubscribe/s parsable partition=p power=
	prefer= priority= profile= propagate~ qos=q quiet/Q reboot requeue reservation= share signal= sockets-per-node=
	spread-job switches= test-only thread-spec= threads-per-core= time=t time-min= tmp= tres-per-task= uid= usage
	use-min-nodes verbose/v version/V wait/W wait-all-nodes= wckey= wrap=`)

// sbatchVariables are read after the script and before the command line.
var sbatchVariables = map[string]string{
	"SBATCH_ACCOUNT": "account", "SBATCH_ARRAY_INX": "array", "SBATCH_CLUSTERS": "clusters", "SBATCH_EXPORT": "export",
	"SBATCH_JOB_NAME": "job-name", "SBATCH_OPEN_MODE": "open-mode", "SBATCH_PARTITION": "partition", "SBATCH_QOS": "qos",
	"SBATCH_SIGNAL": "signal", "SBATCH_TIMELIMIT": "time", "SBATCH_GRES": "gres", "SBATCH_MEM_PER_NODE": "mem",
	"SBATCH_REQUEUE": "requeue", "SBATCH_NO_REQUEUE": "no-requeue", "SBATCH_INPUT": "input", "SBATCH_OUTPUT": "output",
	"SBATCH_ERROR": "error", "SBATCH_WAIT": "wait",
}

func sbatch(c *call) int {
	words, rest, bad := sbatchOptions.parse(c.args)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	o := map[string]string{}
	for _, w := range words {
		o[w.name] = w.value
	}
	if _, ok := o["version"]; ok {
		c.printf("slurm-wlm 22.05.8\n")
		return 0
	}
	script, name, status := slurmScript(c, o, rest)
	if script == nil {
		return status
	}
	var all []given
	header, bad := slurmHeader(script, "#SBATCH", sbatchOptions)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	all = append(all, header...)
	_, ignore := o["ignore-pbs"]
	if os.Getenv("SBATCH_IGNORE_PBS") == "" && !ignore {
		all = append(all, slurmForeign(script)...)
	}
	for _, variable := range slices.Sorted(mapKeys(sbatchVariables)) {
		if v, ok := os.LookupEnv(variable); ok {
			all = append(all, given{sbatchVariables[variable], v})
		}
	}
	all = append(all, words...)
	o = map[string]string{}
	for _, w := range all {
		switch w.name {
		case "requeue":
			delete(o, "no-requeue")
		case "no-requeue":
			delete(o, "requeue")
		}
		o[w.name] = w.value
	}
	j, status, message := slurmJob(c, o)
	if message != "" {
		return c.fail(status, "sbatch: error: %s", message)
	}
	if j.Name == "" {
		if _, given := o["job-name"]; !given {
			j.Name = name
		}
	}
	if len(rest) > 0 {
		j.Args = rest[1:]
	}
	env, message := slurmExport(o["export"], os.Environ())
	if message != "" {
		return c.fail(1, "sbatch: error: %s", message)
	}
	if _, ok := o["test-only"]; ok {
		return c.fail(0, "sbatch: Job %d to start at %s using 1 processors on nodes %s in partition %s", 1, time.Now().Format("2006-01-02T15:04:05"), c.Host, j.Queue)
	}
	status = c.admit(func(st *state) int {
		if message := slurmRefusal(c, st, j, o); message != "" {
			return c.sys.refused(c, message)
		}
		j.ID = st.take(1)
		for _, t := range j.Tasks {
			t.Phase = pending
		}
		if err := c.spool(j.ID, j.Script, script); err != nil {
			return c.sys.refused(c, err.Error())
		}
		if err := c.keepEnv(j.ID, env); err != nil {
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
	_, parsable := o["parsable"]
	cluster := o["clusters"]
	set(&cluster, c.Cluster)
	switch {
	case parsable && cluster != "":
		c.printf("%d;%s\n", j.ID, cluster)
	case parsable:
		c.printf("%d\n", j.ID)
	case cluster != "":
		c.printf("Submitted batch job %d on cluster %s\n", j.ID, cluster)
	default:
		c.printf("Submitted batch job %d\n", j.ID)
	}
	c.out.WriteString(c.After)
	return 0
}

func slurmBadOption(c *call, bad *badOption) int {
	status := 1
	if c.name == "sbatch" {
		status = 255
	}
	c.fail(status, "%s: %s", c.name, bad.text())
	return c.fail(status, `Try "%s --help" for more information`, c.name)
}

// slurmScript reads the script, or makes it of --wrap. Without one it returns
// the status of the refusal.
func slurmScript(c *call, o map[string]string, rest []string) (script []byte, name string, status int) {
	if wrap, ok := o["wrap"]; ok {
		if len(rest) > 0 {
			return nil, "", c.fail(1, "sbatch: error: Script arguments not permitted with --wrap option")
		}
		return []byte("#!/bin/sh\n# This script was created by sbatch --wrap.\n\n" + wrap + "\n"), "wrap", 0
	}
	name = "sbatch"
	if len(rest) == 0 {
		script, _ = io.ReadAll(c.stdin)
	} else {
		name = filepath.Base(rest[0])
		path := rest[0]
		if !strings.Contains(path, "/") && !exists(path) {
			if found := lookPath(path); found != "" {
				path = found
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, "", c.fail(1, "sbatch: error: Unable to open file %s", rest[0])
		}
		if info.Mode().IsRegular() {
			script, err = os.ReadFile(path)
			if err != nil {
				return nil, "", c.fail(1, "sbatch: error: Unable to open file %s", rest[0])
			}
		}
	}
	switch {
	case len(script) == 0:
		return nil, "", c.fail(1, "sbatch: error: Batch script is empty!")
	case !bytes.HasPrefix(script, []byte("#!")):
		c.fail(1, "sbatch: error: This does not look like a batch script.  The first")
		c.fail(1, "sbatch: error: line must start with #! followed by the path to an interpreter.")
		return nil, "", c.fail(1, "sbatch: error: For instance: #!/bin/sh")
	case bytes.Contains(script, []byte("\r\n")):
		c.fail(1, `sbatch: error: Batch script contains DOS line breaks (\r\n)`)
		return nil, "", c.fail(1, `sbatch: error: instead of expected UNIX line breaks (\n).`)
	case bytes.IndexByte(script, 0) >= 0:
		return nil, "", c.fail(1, "sbatch: error: The SLURM controller does not allow scripts that contain a NULL character '\\0'.")
	}
	return script, name, 0
}

// slurmHeader reads the directives before the first command.
func slurmHeader(script []byte, directive string, known options) (all []given, bad *badOption) {
	for line := range strings.Lines(string(script)) {
		line = strings.TrimRight(line, "\n")
		trimmed := strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, directive); ok && (rest == "" || strings.ContainsAny(rest[:1], " \t")) {
			words, _, bad := known.parse(splitQuoted(rest))
			if bad != nil {
				return nil, bad
			}
			all = append(all, words...)
		} else if trimmed != "" && trimmed[0] != '#' {
			break
		}
	}
	return all, nil
}

// splitQuoted splits a line of options into words as sbatch does: quotes and
// backslashes count, and a word that begins with # ends the line.
func splitQuoted(line string) []string {
	var words []string
	var word strings.Builder
	started, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		b := line[i]
		switch {
		case b == '\\' && quote != '\'' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			started = true
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(b)
		case b == '"' || b == '\'':
			quote, started = b, true
		case b == ' ' || b == '\t':
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		case b == '#' && !started:
			return words
		default:
			word.WriteByte(b)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

// slurmForeign reads the directives of PBS and LSF, which sbatch obeys too,
// anywhere in the script.
func slurmForeign(script []byte) []given {
	var all []given
	for _, foreign := range []struct {
		directive string
		options   options
		meaning   map[string]string
	}{
		{"#PBS", parseOptions("A=A J=J N=N e=e j=j l=l m=m o=o p=p q=q r=r t=t v=v V/V W=W h/h"), map[string]string{"A": "account", "J": "array", "N": "job-name", "e": "error", "o": "output", "q": "partition", "t": "array"}},
		{"#BSUB", parseOptions("J=J o=o e=e q=q W=W n=n P=P"), map[string]string{"J": "job-name", "o": "output", "e": "error", "q": "partition", "W": "time", "n": "ntasks"}},
	} {
		for line := range strings.Lines(string(script)) {
			rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), foreign.directive)
			if !ok {
				continue
			}
			words, _, _ := foreign.options.parse(splitQuoted(rest))
			for _, w := range words {
				if name := foreign.meaning[w.name]; name != "" {
					all = append(all, given{name, w.value})
				}
			}
		}
	}
	return all
}

// slurmJob makes a job of options, or says which one is wrong.
func slurmJob(c *call, o map[string]string) (*job, int, string) {
	j := &job{Name: o["job-name"], Queue: o["partition"], Script: "slurm_script", Dir: c.cwd, From: c.cwd,
		Out: o["output"], Err: o["error"], In: o["input"], Append: o["open-mode"] == "append", Rerun: true,
		Options: map[string]string{}, Time: time.Now(), Step: 1}
	if dir := o["chdir"]; dir != "" {
		j.Dir = absolute(c.cwd, dir)
	}
	if v, ok := o["time"]; ok {
		seconds, ok := slurmTime(v)
		if !ok {
			return nil, 255, "Invalid --time specification"
		}
		j.Limit = seconds
	}
	if v, ok := o["open-mode"]; ok && v != "append" && v != "truncate" {
		return nil, 255, "Invalid --open-mode specification"
	}
	if v, ok := o["signal"]; ok {
		warn, ok := slurmSignal(v)
		if !ok {
			return nil, 255, "Invalid --signal specification"
		}
		j.Warn = warn
	}
	for _, name := range []string{"ntasks", "cpus-per-task"} {
		if v, ok := o[name]; ok && !slurmCount.MatchString(v) {
			return nil, 1, fmt.Sprintf("Invalid numeric value %q for --%s.", v, name)
		}
	}
	if v, ok := o["nodes"]; ok && !slurmNodes.MatchString(v) {
		return nil, 255, fmt.Sprintf("%q is not a valid node count", v)
	}
	for _, name := range []string{"mem", "mem-per-cpu"} {
		if v, ok := o[name]; ok && !slurmMemory.MatchString(v) {
			return nil, 255, "Invalid --" + name + " specification"
		}
	}
	if _, ok := o["no-requeue"]; ok {
		j.Rerun = false
	}
	for _, keep := range []string{"ntasks", "cpus-per-task", "mem", "account", "qos", "comment"} {
		if v, ok := o[keep]; ok {
			j.Options[keep] = v
		}
	}
	if v, ok := o["begin"]; ok {
		after, ok := strings.CutPrefix(v, "now+")
		if seconds, err := strconv.Atoi(strings.TrimSuffix(after, "seconds")); ok && err == nil {
			j.Options["begin"] = strconv.Itoa(seconds)
		}
	}
	return j, 0, ""
}

var (
	slurmCount  = regexp.MustCompile(`^[1-9][0-9]*$`)
	slurmNodes  = regexp.MustCompile(`^[1-9][0-9]*(-[0-9]+)?$`)
	slurmMemory = regexp.MustCompile(`^[0-9]+[kKmMgGtT]?[bB]?$`)
	slurmDays   = regexp.MustCompile(`^(\d+)-(\d+)(?::(\d+))?(?::(\d+))?$`)
	slurmClock  = regexp.MustCompile(`^(\d+)(?::(\d+))?(?::(\d+))?$`)
)

// slurmTime reads a time limit in seconds; 0 is no limit. Seconds are rounded
// up to minutes.
func slurmTime(text string) (int, bool) {
	if u := strings.ToUpper(text); u == "INFINITE" || u == "UNLIMITED" || text == "0" {
		return 0, true
	}
	seconds := 0
	if m := slurmDays.FindStringSubmatch(text); m != nil {
		seconds = number(m[1])*86400 + number(m[2])*3600 + number(m[3])*60 + number(m[4])
	} else if m := slurmClock.FindStringSubmatch(text); m == nil {
		return 0, false
	} else if m[3] != "" {
		seconds = number(m[1])*3600 + number(m[2])*60 + number(m[3])
	} else {
		seconds = number(m[1])*60 + number(m[2])
	}
	return (seconds + 59) / 60 * 60, true
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// slurmSignal reads [{R|B}:]SIG[@SECONDS].
func slurmSignal(text string) (warning, bool) {
	w := warning{Before: 60}
	if flags, rest, ok := strings.Cut(text, ":"); ok {
		w.Script, text = strings.Contains(flags, "B"), rest
	}
	name, before, ok := strings.Cut(text, "@")
	if ok {
		n, err := strconv.Atoi(before)
		if err != nil || n < 0 || n > 65535 {
			return w, false
		}
		w.Before = n
	}
	if n, err := strconv.Atoi(name); err == nil {
		name = unix.SignalName(unix.Signal(n))
	}
	w.Signal = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	return w, unix.SignalNum("SIG"+w.Signal) != 0
}

// slurmExport is the environment that a job gets.
func slurmExport(export string, env []string) ([]string, string) {
	get := func(name string) (string, bool) {
		for _, v := range env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
	if export == "" || export == "ALL" {
		return env, ""
	}
	var out []string
	for i, word := range strings.Split(export, ",") {
		name, _, assigned := strings.Cut(word, "=")
		switch {
		case i == 0 && (word == "NONE" || word == "NIL"):
			for _, keep := range []string{"HOME", "USER", "SHELL"} {
				if v, ok := get(keep); ok {
					out = append(out, keep+"="+v)
				}
			}
			out = append(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
		case i == 0 && word == "ALL":
			out = slices.Clone(env)
		case assigned:
			out = append(out, word)
		default:
			if v, ok := get(name); ok {
				out = append(out, name+"="+v)
			}
		}
	}
	for _, v := range env { // these go along whatever --export says
		if strings.HasPrefix(v, "SLURM_") {
			out = append(out, v)
		}
	}
	return append(out, "SLURM_EXPORT_ENV="+export), ""
}

// slurmRefusal is why the controller does not take a job.
func slurmRefusal(c *call, st *state, j *job, o map[string]string) string {
	if j.Queue == "" {
		j.Queue = c.Queues[0]
	}
	if message, ok := c.Refuse[j.Queue]; ok {
		return message
	}
	for _, queue := range strings.Split(j.Queue, ",") {
		if !slices.Contains(c.Queues, queue) {
			c.fail(1, "sbatch: error: invalid partition specified: %s", queue)
			return "Invalid partition name specified"
		}
	}
	switch {
	case len(j.Name) >= 4096:
		return "Pathname of a file, directory or other parameter too long"
	case o["gres"] != "" && !strings.HasPrefix(o["gres"], "gpu"):
		return "Invalid generic resource (gres) specification"
	case strings.HasSuffix(strings.ToUpper(o["mem"]), "T"):
		c.fail(1, "sbatch: error: Memory specification can not be satisfied")
		return "Requested node configuration is not available"
	}
	for _, d := range strings.FieldsFunc(o["dependency"], func(r rune) bool { return r == ',' || r == '?' }) {
		kind, ids, _ := strings.Cut(d, ":")
		if kind == "singleton" {
			continue
		}
		if !slices.Contains([]string{"after", "afterany", "afterok", "afternotok", "aftercorr"}, kind) {
			return "Job dependency problem"
		}
		for _, id := range strings.Split(ids, ":") {
			id, _, _ = strings.Cut(id, "+")
			if !slurmID.MatchString(id) {
				return "Job dependency problem"
			}
			j.After = append(j.After, dependency{kind, id})
		}
	}
	indices := []int{0}
	if text, ok := o["array"]; ok {
		j.Array = true
		if indices, j.Max, j.Step, ok = arrayIndices(text); !ok || indices[len(indices)-1] >= c.Largest {
			return "Invalid job array specification"
		}
		j.Options["array"] = text
	}
	_, held := o["hold"]
	for _, i := range indices {
		t := &task{Index: i, Held: held}
		if seconds := number(j.Options["begin"]); seconds > 0 {
			t.NotYet = time.Now().Add(time.Duration(seconds) * c.Second)
		}
		j.Tasks = append(j.Tasks, t)
	}
	return ""
}

var slurmID = regexp.MustCompile(`^[0-9]+(_[0-9*]+)?$`)

// arrayIndices reads 1,5,7-9 or 1-10:3, with %N: sorted, without repeats.
func arrayIndices(text string) (indices []int, atOnce, step int, ok bool) {
	text, limit, limited := strings.Cut(text, "%")
	if limited {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 {
			return nil, 0, 0, false
		}
		atOnce = n
	}
	step = 1
	for _, part := range strings.Split(text, ",") {
		part, by, stepped := strings.Cut(part, ":")
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		s := 1
		if stepped {
			var err error
			if s, err = strconv.Atoi(by); err != nil || s < 1 || !ranged {
				return nil, 0, 0, false
			}
			step = s
		}
		if err1 != nil || err2 != nil || a < 0 || b < a || b-a > 1_000_000 {
			return nil, 0, 0, false
		}
		for i := a; i <= b; i += s {
			indices = append(indices, i)
		}
	}
	slices.Sort(indices)
	return slices.Compact(indices), atOnce, step, true
}
