package fakesched

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sgeStamp = "01/02/2006 15:04:05"
	isoTime  = "2006-01-02T15:04:05"
	sgeLong  = "Mon Jan  2 15:04:05 2006"
)

// sgeTasks are the tasks of a job that an id or a name means: 3, 3.2, arr.
func sgeTasks(j *job, id string) []*task {
	base, index, one := strings.Cut(id, ".")
	if id == j.Name {
		return j.Tasks
	}
	if base != strconv.Itoa(j.ID) {
		return nil
	}
	var tasks []*task
	for _, t := range j.Tasks {
		if !one || strconv.Itoa(t.Index) == index {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// sgeState is the word in qstat's column.
func sgeState(c *call, st *state, j *job, t *task) string {
	again := ""
	if len(t.Runs) > 0 && t.Phase == pending && t.Stuck == "" || len(t.Runs) > 1 && t.Phase == running && t.restarted() {
		again = "R"
	}
	ready, _ := st.released(c.sys, j)
	switch {
	case t.Phase == pending && t.Stuck != "":
		return "Eqw"
	case t.Phase == pending && (t.Held || !ready):
		return "h" + again + "qw"
	case t.Phase == pending && again != "":
		return "Rq"
	case t.Phase == pending:
		return "qw"
	case t.Phase == ending && t.last().Why == byUser:
		return "d" + again + "r"
	case t.Phase == ending:
		return again + "r"
	case t.Held:
		return "h" + again + "r"
	case t.Phase == running:
		return again + "r"
	}
	return "z"
}

// sgeLive says whether qstat shows anything of a job.
func sgeLive(j *job) bool {
	return slices.ContainsFunc(j.Tasks, func(t *task) bool { return t.Phase != ended })
}

func sgeStat(c *call) int {
	ended, full, xml := false, false, false
	var ids []string
	for i := 0; i < len(c.args); i++ {
		next := ""
		if i+1 < len(c.args) {
			next = c.args[i+1]
		}
		switch c.args[i] {
		case "-j":
			ids = strings.Split(next, ",")
			full = true
			i++
		case "-s":
			ended = strings.Contains(next, "z")
			i++
		case "-xml":
			xml = true
		case "-u", "-q", "-F":
			i++
		case "-f", "-ext", "-g", "-r", "-ne":
		case "-help":
			c.printf("GE 8.1.9\nusage: qstat [options]\n")
			return 0
		default:
			return c.fail(1, "qstat: unknown option %q", c.args[i])
		}
	}
	return c.read(func(st *state) int {
		if full {
			return sgeStatJobs(c, st, ids)
		}
		if xml {
			return sgeXML(c, st)
		}
		var rows []string
		for _, j := range st.Jobs {
			rows = append(rows, sgeRows(c, st, j, ended)...)
		}
		if len(rows) > 0 {
			c.printf("job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID \n")
			c.printf("%s\n%s", strings.Repeat("-", 121), strings.Join(rows, ""))
		}
		return 0
	})
}

// sgeRows are qstat's lines of a job: one for each task that began, one for
// those of the same state that did not.
func sgeRows(c *call, st *state, j *job, ended bool) []string {
	row := func(state, queue, tasks string, at time.Time) string {
		return fmt.Sprintf("%7d 0.50000 %-10.10s %-12.12s %-5s %s %-30.30s %5d %s\n", j.ID, j.Name, c.User, state, at.Format(sgeStamp), queue, 1, fmt.Sprintf("%-8s", tasks))
	}
	var rows []string
	waiting := map[string][]int{}
	for _, t := range j.Tasks {
		word := sgeState(c, st, j, t)
		index := ""
		if j.Array {
			index = strconv.Itoa(t.Index)
		}
		switch {
		case (word == "z") != ended:
		case t.Phase == pending && j.Array:
			waiting[word] = append(waiting[word], t.Index)
		case t.Phase == pending:
			rows = append(rows, row(word, "", "", j.Time))
		case word == "z":
			rows = append(rows, row(word, "", index, j.Time))
		default:
			rows = append(rows, row(word, j.Queue+"@"+c.Host, index, t.last().Start))
		}
	}
	for _, word := range slices.Sorted(mapKeys(waiting)) {
		rows = append(rows, row(word, "", sgeIndices(waiting[word], j.Step), j.Time))
	}
	return rows
}

// sgeIndices writes indices as 2-4:1, or one by one.
func sgeIndices(indices []int, step int) string {
	last := len(indices) - 1
	if last > 0 && (indices[last]-indices[0])/step == last {
		return fmt.Sprintf("%d-%d:%d", indices[0], indices[last], step)
	}
	var words []string
	for _, i := range indices {
		words = append(words, strconv.Itoa(i))
	}
	return strings.Join(words, ",")
}

// sgeStatJobs is qstat -j.
func sgeStatJobs(c *call, st *state, ids []string) int {
	var missing []string
	for _, id := range ids {
		found := false
		for _, j := range st.Jobs {
			if len(sgeTasks(j, id)) == 0 || !sgeLive(j) {
				continue
			}
			found = true
			line := func(key, value string) { c.printf("%-28s%s\n", key+":", value) }
			c.printf("%s\n", strings.Repeat("=", 62))
			line("job_number", strconv.Itoa(j.ID))
			line("submission_time", j.Time.Format(sgeLong))
			line("owner", c.User)
			line("sge_o_workdir", j.From)
			line("cwd", j.Dir)
			line("job_name", j.Name)
			line("hard_queue_list", j.Queue)
			line("script_file", j.Script)
			if j.Array {
				line("job-array tasks", j.Options["range"])
			}
			for _, t := range j.Tasks {
				n := max(1, t.Index)
				if t.Phase == running || t.Phase == ending {
					line(fmt.Sprintf("usage    %d", n), "cpu=00:00:00, mem=0.00000 GBs, io=0.00000, vmem=N/A, maxvmem=N/A")
				}
				if t.Stuck != "" {
					line(fmt.Sprintf("error reason    %d", n), t.Stuck)
				}
			}
			line("scheduling info", "(Collecting of scheduler job information is turned off)")
		}
		if !found {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return c.fail(1, "Following jobs do not exist: \n%s", strings.Join(missing, "\n"))
	}
	return 0
}

// sgeXML is qstat -xml. Its < is written %lt; as Grid Engine's is.
func sgeXML(c *call, st *state) int {
	c.printf("<?xml version='1.0'?>\n<job_info  xmlns:xsd=\"http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd\">\n")
	escape := strings.NewReplacer("&", "&amp;", "<", "%lt;", ">", "&gt;")
	for _, list := range []struct {
		tag  string
		want func(*task) bool
		word string
	}{
		{"queue_info", func(t *task) bool { return t.Phase == running || t.Phase == ending }, "running"},
		{"job_info", func(t *task) bool { return t.Phase == pending }, "pending"},
	} {
		c.printf("  <%s>\n", list.tag)
		for _, j := range st.Jobs {
			for _, t := range j.Tasks {
				if !list.want(t) {
					continue
				}
				c.printf("    <job_list state=\"%s\">\n      <JB_job_number>%d</JB_job_number>\n      <JAT_prio>0.50000</JAT_prio>\n      <JB_name>%s</JB_name>\n      <JB_owner>%s</JB_owner>\n      <state>%s</state>\n",
					list.word, j.ID, escape.Replace(j.Name), c.User, sgeState(c, st, j, t))
				if t.Phase == pending {
					c.printf("      <JB_submission_time>%s</JB_submission_time>\n      <queue_name></queue_name>\n", j.Time.Format(isoTime))
				} else {
					c.printf("      <JAT_start_time>%s</JAT_start_time>\n      <queue_name>%s@%s</queue_name>\n", t.last().Start.Format(isoTime), j.Queue, c.Host)
				}
				if j.Array {
					c.printf("      <slots>1</slots>\n      <tasks>%d</tasks>\n    </job_list>\n", t.Index)
				} else {
					c.printf("      <slots>1</slots>\n    </job_list>\n")
				}
			}
		}
		c.printf("  </%s>\n", list.tag)
	}
	c.printf("</job_info>\n")
	return 0
}

func sgeDel(c *call) int {
	var ids []string
	only := ""
	for i := 0; i < len(c.args); i++ {
		switch {
		case c.args[i] == "-t" && i+1 < len(c.args):
			i++
			only = c.args[i]
		case c.args[i] == "-u" && i+1 < len(c.args):
			i++
		case c.args[i] == "-f":
		default:
			ids = append(ids, strings.FieldsFunc(c.args[i], func(r rune) bool { return r == ',' })...)
		}
	}
	if len(ids) == 0 {
		return c.fail(1, "qdel: no job was specified")
	}
	return c.change(func(st *state) int {
		status := 0
		for _, id := range ids {
			if only != "" {
				id += "." + only
			}
			found := false
			for _, j := range st.Jobs {
				tasks := slices.DeleteFunc(slices.Clone(sgeTasks(j, id)), func(t *task) bool { return t.Phase == ended })
				if len(tasks) == 0 {
					continue
				}
				found = true
				// A whole array that waits is one deletion; tasks that run are told
				// of one by one.
				what := "job " + strconv.Itoa(j.ID)
				whole := true
				for _, t := range tasks {
					each := what
					if j.Array {
						each = fmt.Sprintf("job-array task %d.%d", j.ID, t.Index)
					}
					if t.Phase == pending {
						t.Gone, t.Stuck = len(t.Runs) == 0, ""
						st.order(t, byUser)
						if strings.Contains(id, ".") {
							c.printf("%s has deleted %s\n", c.User, each)
						} else if whole {
							c.printf("%s has deleted %s\n", c.User, what)
							whole = false
						}
					} else {
						t.Order = byUser
						c.printf("%s has registered the %s for deletion\n", c.User, each)
					}
				}
			}
			if !found {
				status = 1
				if id[0] >= '0' && id[0] <= '9' {
					c.printf("denied: job \"%s\" does not exist\n", id)
				} else {
					c.printf("The job %s of user(s) %s does not exist\n", id, c.User)
				}
			}
		}
		return status
	})
}

func sgeMod(c *call) int {
	if len(c.args) < 2 {
		return c.fail(1, "qmod: no option argument provided")
	}
	verb, ids := c.args[0], c.args[1:]
	status := 0
	changed := c.change(func(st *state) int {
		for _, id := range ids {
			for _, j := range st.Jobs {
				for _, t := range sgeTasks(j, id) {
					what := strconv.Itoa(j.ID)
					if j.Array {
						what = fmt.Sprintf("%d.%d", j.ID, t.Index)
					}
					switch {
					case verb == "-rj" && !j.Rerun:
						c.printf("The job %s is not restartable\n", what) // with status 0
					case verb == "-rj" && t.Phase == running:
						t.Order = byRequeue
						c.printf("Pushed rescheduling of job %s on host %s\n", what, c.Host)
					case verb == "-cj" && t.Stuck != "":
						t.Stuck = ""
						kind := "job"
						if j.Array {
							kind, status = "job-array task", 1 // though it worked
						}
						c.printf("%s@%s cleared error state of %s %s\n", c.User, c.Host, kind, what)
					case verb == "-sj" && t.Phase == running:
						t.Order = "signal:STOP"
						c.printf("%s - suspended job %s\n", c.User, what)
					case verb == "-usj" && t.Phase == running:
						t.Order = "signal:CONT"
						c.printf("%s - unsuspended job %s\n", c.User, what)
					}
				}
			}
		}
		return 0
	})
	return max(status, changed)
}

func sgeAcct(c *call) int {
	id := ""
	for i, arg := range c.args {
		if arg == "-j" && i+1 < len(c.args) {
			id = c.args[i+1]
		}
	}
	return c.read(func(st *state) int {
		shown := 0
		for _, j := range st.Jobs {
			for _, t := range sgeTasks(j, id) {
				for i, r := range t.Runs {
					if r.End.IsZero() || t.Gone {
						continue
					}
					shown++
					sgeRecord(c, j, t, r, i)
				}
			}
		}
		if shown == 0 {
			return c.fail(1, "error: job id %s not found", id)
		}
		return 0
	})
}

// sgeRecord is a run as qacct shows it.
func sgeRecord(c *call, j *job, t *task, r run, i int) {
	failed, status, start := "0", strconv.Itoa(r.Code), r.Start.Format(sgeLong)
	switch {
	case r.Why == byLimit:
		failed, status = "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137                  (Killed)"
	case r.Why == byRequeue || r.Why == byPreempt || r.Why == byNode || r.Why == byItself && r.Code == 99:
		failed, status = "25  : rescheduling", "0"
	case r.Why == byItself && r.Code == 100:
		failed = "30  : application error returned"
	case r.Why == byBadOutput:
		failed, status, start = "26  : opening input/output file", "0", "-/-"
	case r.Why == byBadShell:
		failed, status, start = "27  : searching requested shell", "0", "-/-"
	case r.Why == byBadDir:
		failed, status, start = "28  : changing into working directory", "0", "-/-"
	case r.Signal != 0:
		failed = "100 : assumedly after job"
		status = fmt.Sprintf("%d                  (%s)", 128+r.Signal, map[int]string{9: "Killed", 15: "Terminated", 12: "User defined signal 2", 10: "User defined signal 1"}[r.Signal])
	}
	index := "undefined"
	if j.Array {
		index = strconv.Itoa(t.Index)
	}
	c.printf("%s\n", strings.Repeat("=", 62))
	for _, line := range [][2]string{{"qname", j.Queue}, {"hostname", c.Host}, {"owner", c.User}, {"jobname", j.Name}, {"jobnumber", strconv.Itoa(j.ID)}, {"taskid", index},
		{"qsub_time", j.Time.Format(sgeLong)}, {"start_time", start}, {"end_time", r.End.Format(sgeLong)}, {"failed", failed}, {"exit_status", status},
		{"ru_wallclock", fmt.Sprintf("%ds", int(r.End.Sub(r.Start).Seconds()))}, {"slots", "1"}} {
		c.printf("%-12s %s\n", line[0], line[1])
	}
}

func sgeConf(c *call) int {
	if len(c.args) == 0 {
		return c.fail(1, "qconf: no option argument provided")
	}
	switch c.args[0] {
	case "-sql":
		for _, queue := range c.Queues {
			c.printf("%s\n", queue)
		}
	case "-sq":
		mode := "posix_compliant"
		if c.UnixBehavior {
			mode = "unix_behavior"
		}
		c.printf("qname                 %s\nshell                 /bin/sh\nshell_start_mode      %s\nrerun                 TRUE\nnotify                00:00:60\n", c.Queues[0], mode)
	case "-sm":
		c.printf("%s\n", c.User)
	case "-sconf":
		c.printf("#global:\nmax_aj_tasks                 %d\n", c.Largest)
	case "-help":
		c.printf("GE 8.1.9\nusage: qconf [options]\n")
	default:
		return c.fail(1, "qconf: fakesched knows no %s", c.args[0])
	}
	return 0
}
