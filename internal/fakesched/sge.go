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

// Grid Engine 8.1.9: the script is spooled, and run by the queue's or -S's shell
// whatever its #! says; home directory and little environment unless asked for;
// output is appended; the same id for a job that is run again.
var sge = &system{
	name:    "sge",
	queues:  []string{"test.q"},
	largest: 75000, // max_aj_tasks: a number of tasks
	commands: map[string]func(*call) int{
		"qsub": sgeSub, "qstat": sgeStat, "qdel": sgeDel, "qacct": sgeAcct, "qmod": sgeMod, "qconf": sgeConf,
	},
	stop: func(j *job, why string) []unix.Signal {
		if j.Options["notify"] != "" {
			return []unix.Signal{unix.SIGUSR2}
		}
		return nil
	},
	groupOnly: true, // kill(-pid), in sge_shepherd
	tasks:     sgeTasks,
	launch:    sgeLaunch,
	message:   func(*node, *job, *task, string) string { return "" },
	finished:  sgeFinished,
	down: func(c *call) int {
		return c.fail(1, `Unable to initialize environment because of error: unable to send message to qmaster using port 6444 on host "%s": got send error`, c.Host)
	},
	refused: sgeRefused,
	limit:   `job rejected: Only 0 jobs are allowed per user (current job count: 0)`,
}

// sgeRefused is how qsub words what the qmaster says.
func sgeRefused(c *call, message string) int {
	return c.fail(1, "Unable to run job: %s.\nExiting.", message)
}

// sgeOptions are qsub's options and the number of words that each takes.
var sgeOptions = map[string]int{
	"-@": 1, "-a": 1, "-ac": 1, "-ar": 1, "-A": 1, "-b": 1, "-binding": 1, "-c": 1, "-ckpt": 1, "-clear": 0, "-cwd": 0, "-C": 1, "-dc": 1,
	"-display": 1, "-dl": 1, "-e": 1, "-h": 0, "-hard": 0, "-help": 0, "-hold_jid": 1, "-hold_jid_ad": 1, "-i": 1, "-j": 1, "-jc": 1,
	"-js": 1, "-jsv": 1, "-l": 1, "-m": 1, "-M": 1, "-masterq": 1, "-N": 1, "-notify": 0, "-now": 1, "-o": 1, "-ot": 1, "-p": 1,
	"-P": 1, "-pe": 2, "-pty": 1, "-q": 1, "-R": 1, "-r": 1, "-sc": 1, "-shell": 1, "-soft": 0, "-sync": 1, "-S": 1, "-t": 1, "-tc": 1,
	"-terse": 0, "-v": 1, "-verify": 0, "-V": 0, "-w": 1, "-wd": 1,
}

// sgeWords reads options up to the script's name. A bad one is returned.
func sgeWords(args []string) (all []given, rest []string, bad string) {
	for len(args) > 0 {
		name := args[0]
		if !strings.HasPrefix(name, "-") || name == "-" {
			return all, args, ""
		}
		n, ok := sgeOptions[name]
		if !ok || len(args) <= n {
			return nil, nil, name
		}
		all = append(all, given{name, strings.Join(args[1:n+1], " ")})
		args = args[n+1:]
	}
	return all, nil, ""
}

// sgeHeader reads the directives, which count anywhere in a script. A quoted
// value takes the rest of its line: Grid Engine's own bug.
func sgeHeader(script []byte, prefix string) (all []given, bad string) {
	for line := range strings.Lines(string(script)) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), prefix)
		if !ok || prefix == "" {
			continue
		}
		var words []string
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			if rest[0] == '"' || rest[0] == '\'' {
				words = append(words, strings.ReplaceAll(rest[1:], rest[:1], ""))
				break
			}
			var word string
			word, rest, _ = strings.Cut(rest, " ")
			words = append(words, word)
		}
		options, extra, bad := sgeWords(words)
		if len(extra) > 0 {
			bad = extra[0]
		}
		if bad != "" {
			return nil, bad
		}
		all = append(all, options...)
	}
	return all, ""
}

func sgeSub(c *call) int {
	line, rest, bad := sgeWords(c.args)
	if bad != "" {
		return c.fail(2, `qsub: invalid option argument "%s"`, bad)
	}
	o := map[string]string{}
	for _, w := range line {
		o[w.name] = w.value
	}
	if _, ok := o["-help"]; ok {
		c.printf("GE 8.1.9\nusage: qsub [options]\n")
		return 0
	}
	script, name, status := sgeScript(c, o, rest)
	if status != 0 {
		return status
	}
	prefix, given := o["-C"]
	if !given {
		prefix = "#$"
	}
	if o["-b"] != "" && strings.HasPrefix(o["-b"], "y") {
		prefix = ""
	}
	header, bad := sgeHeader(script, prefix)
	if bad != "" {
		return c.fail(2, `Unable to read script file because of error: invalid option argument "%s"`, bad)
	}
	onLine := map[string]bool{}
	for _, w := range line {
		onLine[w.name] = true
	}
	header = slices.DeleteFunc(header, func(w option) bool { return onLine[w.name] })
	warnings := ""
	o = map[string]string{}
	for _, w := range append(header, line...) {
		if _, again := o[w.name]; again && slices.Contains([]string{"-N", "-A", "-p", "-cwd", "-wd"}, w.name) {
			warnings += fmt.Sprintf("warning: %q option has already been set, overriding previous setting\n", w.name)
		}
		if (w.name == "-l" || w.name == "-v" || w.name == "-hold_jid") && o[w.name] != "" {
			w.value = o[w.name] + "," + w.value
		}
		o[w.name] = w.value
	}
	if o["-N"] == "" {
		if onLine["-N"] {
			return sgeRefused(c, `"" is not a valid object name`)
		}
		o["-N"] = name
	}
	if status := sgeBadValue(c, o); status != 0 {
		return status
	}
	j := &job{Name: o["-N"], Script: "script", Dir: c.Home, From: c.cwd, Out: o["-o"], Err: o["-e"], In: o["-i"],
		Join: strings.HasPrefix(o["-j"], "y"), Append: true, Queue: c.Queues[0], Options: map[string]string{}, Time: time.Now(), Step: 1}
	if o["-q"] != "" {
		j.Queue, _, _ = strings.Cut(o["-q"], "@")
	}
	if len(rest) > 0 {
		j.Args = rest[1:]
	}
	if prefix == "" {
		j.Command, j.Args = strings.Join(rest, " "), nil
	}
	if _, ok := o["-cwd"]; ok {
		j.Dir = c.cwd
	}
	if dir := o["-wd"]; dir != "" {
		j.Dir = absolute(c.cwd, dir)
	}
	j.Rerun = !strings.HasPrefix(o["-r"], "n") // the queue says rerun TRUE
	for option, name := range map[string]string{"-S": "shell", "-notify": "notify"} {
		if v, ok := o[option]; ok {
			j.Options[name] = v
			set(&v, "y")
			j.Options[name] = v
		}
	}
	for _, resource := range strings.Split(o["-l"], ",") {
		name, v, _ := strings.Cut(resource, "=")
		switch seconds := clock(v); name {
		case "h_rt":
			j.Limit = seconds
		case "s_rt":
			j.Warn = warning{Signal: "USR1", Before: seconds}
		}
	}
	if j.Warn.Signal != "" {
		// s_rt is counted from the start.
		soft := j.Warn.Before
		set(&j.Limit, soft+60)
		j.Warn.Before = j.Limit - soft
	}
	env := sgeEnv(c, o)
	status = c.admit(func(st *state) int {
		j.ID = st.take(1) // consumed also by a job that is refused
		if message := sgeRefusal(c, j, o); message != "" {
			return c.sys.refused(c, message)
		}
		if err := firstOf(c.spool(j.ID, j.Script, script), c.keepEnv(j.ID, env)); err != nil {
			return c.sys.refused(c, err.Error())
		}
		st.Jobs = append(st.Jobs, j)
		return 0
	})
	if status != 0 {
		return status
	}
	c.out.WriteString(c.Before + warnings)
	c.err.WriteString(c.Errors)
	_, terse := o["-terse"]
	span := fmt.Sprintf("%d.%s", j.ID, j.Options["range"])
	switch {
	case terse && j.Array:
		c.printf("%s\n", span)
	case terse:
		c.printf("%d\n", j.ID)
	case j.Array:
		c.printf("Your job-array %s (\"%s\") has been submitted\n", span, j.Name)
	default:
		c.printf("Your job %d (\"%s\") has been submitted\n", j.ID, j.Name)
	}
	c.out.WriteString(c.After)
	if strings.HasPrefix(o["-sync"], "y") {
		return sgeSync(c, j.ID)
	}
	return 0
}

// sgeSync waits for a job and returns its exit status.
func sgeSync(c *call, id int) int {
	m := memory{seen: -1}
	for ; ; time.Sleep(tick) {
		if m.state != nil && c.changes() == m.seen {
			continue
		}
		done, status := true, 0
		err := c.transact(&m, func(st *state) bool {
			for _, j := range st.Jobs {
				for _, t := range j.Tasks {
					switch {
					case j.ID != id:
					case t.Phase != ended:
						done = false
					default:
						status = max(status, t.last().Code)
					}
				}
			}
			if done {
				for _, j := range st.Jobs {
					for _, t := range j.Tasks {
						if j.ID == id && j.Array {
							c.fail(0, "Job %d.%d exited with exit code %d.", id, t.Index, t.last().Code)
						} else if j.ID == id {
							c.fail(0, "Job %d exited with exit code %d.", id, t.last().Code)
						}
					}
				}
			}
			return false
		})
		if done || err != nil {
			return status
		}
	}
}

// option is a [given]: the name is taken by a variable where it is needed.
type option = given

// sgeScript reads the script, or takes a command for one.
func sgeScript(c *call, o map[string]string, rest []string) (script []byte, name string, status int) {
	switch {
	case strings.HasPrefix(o["-b"], "y"):
		if len(rest) == 0 {
			return nil, "", c.fail(1, "qsub: command required for a binary job")
		}
		return []byte("#!/bin/sh\n"), filepath.Base(rest[0]), 0
	case len(rest) == 0 || rest[0] == "-":
		script, _ = io.ReadAll(c.stdin)
		name = "STDIN"
	default:
		name = filepath.Base(rest[0])
		info, err := os.Stat(rest[0])
		if err != nil {
			return nil, "", c.fail(14, "Unable to read script file because of error: error opening %s: No such file or directory", rest[0])
		}
		if info.IsDir() {
			return nil, "", c.fail(4, `error: fread("%s") failed: Is a directory`, rest[0])
		}
		if script, err = os.ReadFile(rest[0]); err != nil {
			return nil, "", c.fail(14, "Unable to read script file because of error: error opening %s: Permission denied", rest[0])
		}
	}
	if len(script) == 0 {
		return nil, "", sgeRefused(c, "job rejected: no script in your request")
	}
	return script, name, 0
}

// sgeBadValue refuses what qsub itself refuses.
func sgeBadValue(c *call, o map[string]string) int {
	if strings.Contains(o["-N"], "/") {
		return c.fail(2, "qsub: argument to -N option must not contain /")
	}
	if p := o["-p"]; p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < -1023 || n > 1024 {
			return c.fail(7, `qsub: invalid priority "%s".  Must be an integer from -1023 to 1024`, p)
		}
	}
	return 0
}

var (
	sgeResources = []string{"h_rt", "s_rt", "h_vmem", "s_vmem", "mem_free", "mem", "virtual_free", "hostname", "h", "q", "qname", "slots", "arch", "h_cpu", "s_cpu", "h_fsize", "tmpfree", "num_proc", "gpu", "h_data", "h_stack"}
	sgeRange     = regexp.MustCompile(`^(\d+)(?:[-,](\d+))?(?::(\d+))?$`)
)

// sgeRefusal is why the qmaster does not take a job.
func sgeRefusal(c *call, j *job, o map[string]string) string {
	if message := sgeBadName(j.Name); message != "" {
		return message
	}
	if message, ok := c.Refuse[j.Queue]; ok {
		return message
	}
	if !slices.Contains(c.Queues, j.Queue) {
		return fmt.Sprintf("Job was rejected because job requests unknown queue %q", j.Queue)
	}
	for _, resource := range strings.FieldsFunc(o["-l"], func(r rune) bool { return r == ',' }) {
		name, v, _ := strings.Cut(resource, "=")
		if !slices.Contains(sgeResources, name) {
			return fmt.Sprintf("unknown resource %q", name)
		}
		if strings.HasSuffix(name, "_rt") && !sgeClock.MatchString(v) {
			return fmt.Sprintf("attribute %q is not a time value", name)
		}
	}
	if pe, _, _ := strings.Cut(o["-pe"], " "); pe != "" && pe != "smp" {
		return fmt.Sprintf("job rejected: the requested parallel environment %q does not exist", pe)
	}
	if o["-P"] != "" {
		return fmt.Sprintf("job rejected: the requested project %q does not exist", o["-P"])
	}
	for _, path := range []string{o["-o"], o["-e"]} {
		// [host:]path,… is the syntax; a leading colon means no host.
		if host, _, ok := strings.Cut(path, ":"); ok && host != "" && host != c.Host && host != "localhost" || strings.Contains(path, ",") {
			return fmt.Sprintf("%q is not a valid path", path) // the words were not noted
		}
	}
	for _, held := range strings.FieldsFunc(o["-hold_jid"], func(r rune) bool { return r == ',' }) {
		j.After = append(j.After, dependency{"afterany", held})
	}
	indices := []int{0}
	if text, ok := o["-t"]; ok {
		m := sgeRange.FindStringSubmatch(text)
		if m == nil {
			return fmt.Sprintf("%q is not a valid task range", text)
		}
		first, last, step := number(m[1]), number(m[2]), number(m[3])
		if m[2] == "" {
			last = first
		}
		if strings.Contains(text, ",") {
			step = last - first
		}
		set(&step, 1)
		if first > last {
			first, last = last, first
		}
		if first == 0 {
			return "job rejected: 0 is an invalid task id"
		}
		if (last-first)/step+1 > c.Largest {
			return fmt.Sprintf("job rejected: you tried to submit a job with more than %d tasks", c.Largest)
		}
		indices = nil
		for i := first; i <= last; i += step {
			indices = append(indices, i)
		}
		j.Array, j.Step, j.Max = true, step, number(o["-tc"])
		j.Options["range"] = fmt.Sprintf("%d-%d:%d", first, last, step)
		j.Options["last"] = strconv.Itoa(last)
	}
	_, held := o["-h"]
	for _, i := range indices {
		j.Tasks = append(j.Tasks, &task{Index: i, Phase: pending, Held: held})
	}
	return ""
}

// sgeBadName is what is wrong with a job's name.
func sgeBadName(name string) string {
	words := map[byte]string{':': "Colon (':')", '@': "At sign ('@')", '\\': `Backslash ('\\')`, '*': "Asterisk ('*')", '?': "Question mark ('?')", '\t': "Tab", '\n': "Newline"}
	for i := range len(name) {
		if word, ok := words[name[i]]; ok {
			return word + " not allowed in objectname"
		}
	}
	for i := range len(name) {
		if name[i] == ' ' || name[i] >= 0x80 {
			return "Error reading answer list from qmaster"
		}
	}
	switch {
	case name == "":
		return `denied: "" is not a valid object name`
	case name[0] >= '0' && name[0] <= '9':
		return fmt.Sprintf("denied: %q is not a valid object name (cannot start with a digit)", name)
	case slices.Contains([]string{"NONE", "ALL", "TEMPLATE"}, strings.ToUpper(name)):
		return fmt.Sprintf("denied: %q is not a valid object name", name)
	case len(name) > 511:
		return "job name too long, maximum allowed length is 512 characters"
	}
	return ""
}

var sgeClock = regexp.MustCompile(`^(\d+|\d*:\d*:\d*)$`)

// clock reads H:M:S or seconds.
func clock(text string) int {
	total := 0
	for part := range strings.SplitSeq(text, ":") {
		total = total*60 + number(part)
	}
	return total
}

// sgeEnv is the environment that a job is given besides Grid Engine's own.
func sgeEnv(c *call, o map[string]string) []string {
	env := []string{"HOME=" + c.Home, "USER=" + c.User, "LOGNAME=" + c.User, "SHELL=/bin/sh", "PATH=" + plainPath, "TERM="}
	if _, all := o["-V"]; all {
		env = os.Environ()
	}
	for _, word := range strings.FieldsFunc(o["-v"], func(r rune) bool { return r == ',' }) {
		name, _, assigned := strings.Cut(word, "=")
		if v, ok := os.LookupEnv(name); !assigned && ok {
			word = name + "=" + v
		}
		env = append(env, word)
	}
	return append(env, "SGE_O_HOME="+os.Getenv("HOME"), "SGE_O_HOST="+c.Host, "SGE_O_PATH="+os.Getenv("PATH"),
		"SGE_O_SHELL="+os.Getenv("SHELL"), "SGE_O_WORKDIR="+c.cwd, "SGE_O_LOGNAME="+c.User)
}

// plainPath is what a login shell of nobody in particular has.
const plainPath = "/usr/local/bin:/usr/bin:/bin"
