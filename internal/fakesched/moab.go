package fakesched

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Moab 9 over TORQUE, by its manual (msub, showq, checkjob, mjobctl, canceljob)
// and answers that other tools recorded (nextflow's MoabExecutorTest.groovy,
// MatterMiners/tardis' test_moab.py): not observed. Jobs are TORQUE's, with
// Moab's variables besides.
var moab = moabSystem()

func moabSystem() *system {
	s := *pbsSystem("torque", 100000)
	s.name = "moab"
	s.commands = map[string]func(*call) int{
		"msub": moabSub, "showq": moabShowq, "checkjob": moabCheck, "mjobctl": moabControl, "canceljob": moabControl,
	}
	s.tasks, s.launch = moabTasks, moabLaunch
	s.down = func(c *call) int {
		return c.fail(1, "ERROR:    communication error %s:42559 (no connection)", c.Host)
	}
	s.refused = func(c *call, message string) int { return c.fail(1, "\nERROR:    cannot submit job - %s", message) }
	s.limit = "job violates queue limits"
	return &s
}

// moabID is an id as Moab prints it: 123, or Moab.123 where its own ids are not
// those of TORQUE (Config.Cluster is the word before the dot).
func moabID(c Config, j *job, t *task) string {
	id := strconv.Itoa(j.ID)
	if c.Cluster != "" {
		id = c.Cluster + "." + id
	}
	if t != nil && j.Array {
		id += fmt.Sprintf("[%d]", t.Index)
	}
	return id
}

var moabName = regexp.MustCompile(`^(?:[A-Za-z]\w*\.)?(\d+)(?:\[(\d+)\])?(?:\.\S+)?$`)

func moabTasks(j *job, id string) []*task {
	m := moabName.FindStringSubmatch(id)
	if m == nil || number(m[1]) != j.ID {
		return nil
	}
	var tasks []*task
	for _, t := range j.Tasks {
		if m[2] == "" || t.Index == number(m[2]) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

var moabArray = regexp.MustCompile(`^(.*)\.\[([^\]]*)\](%\d+)?$`)

func moabSub(c *call) int {
	var args []string
	asXML := c.XML
	for _, arg := range c.args {
		if arg == "--xml" {
			asXML = true
			continue
		}
		args = append(args, arg)
	}
	if slices.Contains(args, "--version") {
		c.printf("msub version 9.1.3\n")
		return 0
	}
	line, rest, bad := torqueOptions.parse(args)
	if bad != nil {
		return c.fail(1, "ERROR:    invalid argument: %s", bad.text())
	}
	script, name, status := pbsScript(c, rest)
	if status != 0 {
		c.err.Reset()
		return c.fail(1, "ERROR:    cannot open job script '%s'", strings.Join(rest, " "))
	}
	var all []option
	for _, prefix := range []string{"#PBS", "#MSUB"} {
		header, bad := slurmHeader(script, prefix, torqueOptions)
		if bad != nil {
			return c.fail(1, "ERROR:    invalid argument: %s", bad.text())
		}
		all = append(all, header...)
	}
	o := map[string]string{}
	for _, w := range append(all, line...) {
		if (w.name == "l" || w.name == "v") && o[w.name] != "" {
			w.value = o[w.name] + "," + w.value
		}
		o[w.name] = w.value
	}
	if _, given := o["N"]; !given {
		o["N"] = name
	}
	if m := moabArray.FindStringSubmatch(o["t"]); m != nil {
		if m[1] != "" {
			o["N"] = m[1]
		}
		o["t"] = m[2] + m[3]
	} else if _, ok := o["t"]; ok {
		return c.sys.refused(c, "invalid job array specification")
	}
	j := &job{Name: o["N"], Queue: o["q"], Script: "script", Dir: c.Home, From: c.cwd, Out: o["o"], Err: o["e"], Rerun: o["r"] != "n",
		Options: map[string]string{"join": o["j"], "shell": o["S"], "args": o["F"]}, Time: time.Now(), Step: 1}
	if o["d"] != "" {
		j.Dir = absolute(c.cwd, o["d"])
	}
	refuse := func(id int) int {
		text := strings.SplitN(strings.TrimSpace(c.err.String()), "\n", 2)[0]
		c.err.Reset()
		return c.fail(1, "\nERROR:    cannot migrate job 'Moab.%d' to PBS - %s", id, text)
	}
	indices, status := pbsBadValue(c, j, o)
	if status != 0 {
		return refuse(0)
	}
	for _, i := range indices {
		_, held := o["h"]
		j.Tasks = append(j.Tasks, &task{Index: i, Phase: pending, Held: held})
	}
	env := pbsEnv(c, o)
	status = c.admit(func(st *state) int {
		j.ID = st.take(1)
		if status := pbsRefusal(c, st, j, o); status != 0 {
			return refuse(j.ID)
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
	c.out.WriteString(c.Before)
	c.err.WriteString(c.Errors)
	if asXML {
		c.printf("<Data><job JobID=\"%s\"/></Data>\n", moabID(c.Config, j, nil))
	} else {
		c.printf("\n%s\n", moabID(c.Config, j, nil))
	}
	c.out.WriteString(c.After)
	return 0
}

func moabLaunch(n *node, st *state, j *job, t *task) launch {
	l := pbsLaunch(n, st, j, t)
	l.env = append(l.env, "MOAB_JOBID="+moabID(n.Config, j, t), "MOAB_JOBNAME="+j.Name, "MOAB_CLASS="+j.Queue, "MOAB_USER="+n.User,
		"MOAB_NODELIST="+n.Host, "MOAB_NODECOUNT=1", "MOAB_PROCCOUNT=1", "MOAB_SUBMITDIR="+j.From)
	if j.Array {
		l.env = append(l.env, "MOAB_JOBARRAYINDEX="+strconv.Itoa(t.Index), "MOAB_JOBARRAYRANGE="+strconv.Itoa(len(j.Tasks)))
	}
	return l
}

// moabState is Moab's word for what a task is doing.
func moabState(t *task) string {
	switch {
	case t.Phase == pending && t.Held:
		return "UserHold"
	case t.Phase == pending:
		return "Idle"
	case t.Phase == running:
		return "Running"
	case t.Phase == ending:
		return "Canceling"
	case t.last().Why == byUser:
		return "Removed"
	}
	return "Completed"
}

func moabShowq(c *call) int {
	asXML, completed := false, false
	for _, arg := range c.args {
		asXML = asXML || arg == "--xml"
		completed = completed || arg == "-c"
	}
	return c.read(func(st *state) int {
		lists := []struct{ option, title string }{{"active", "active jobs------------------------"}, {"eligible", "eligible jobs----------------------"}, {"blocked", "blocked jobs-----------------------"}}
		if completed {
			lists = []struct{ option, title string }{{"completed", "completed jobs---------------------"}}
		}
		if asXML {
			c.printf("<Data><Object>queue</Object><cluster LocalActiveNodes=\"0\" time=\"%d\"/>", time.Now().Unix())
		}
		total := 0
		for _, list := range lists {
			var rows []string
			for _, j := range st.Jobs {
				for _, t := range j.Tasks {
					place := "active"
					switch {
					case t.Phase == ended:
						place = "completed"
					case t.Phase == pending && t.Held:
						place = "blocked"
					case t.Phase == pending:
						place = "eligible"
					}
					if place != list.option || t.Phase == ended && time.Since(t.last().End) > c.Keep {
						continue
					}
					if asXML {
						rows = append(rows, fmt.Sprintf(`<job DRMJID="%s" JobID="%s" JobName="%s" Class="%s" State="%s" SubmissionTime="%d" StartTime="%d" CompletionCode="%s" User="%s"/>`,
							pbsID(j, t, c.Host), moabID(c.Config, j, t), attribute(j.Name), j.Queue, moabState(t), j.Time.Unix(), max(0, t.last().Start.Unix()), moabCode(c, t), c.User))
					} else {
						rows = append(rows, fmt.Sprintf("%-18s %9.9s %10s %5d %11s  %19s\n", moabID(c.Config, j, t), c.User, moabState(t), 1, "00:59:59", j.Time.Format("Mon Jan _2 15:04:05")))
					}
				}
			}
			total += len(rows)
			if asXML {
				c.printf(`<queue count="%d" option="%s">%s</queue>`, len(rows), list.option, strings.Join(rows, ""))
				continue
			}
			c.printf("\n%s\nJOBID              USERNAME      STATE PROCS   REMAINING            STARTTIME\n\n%s\n%d %s jobs\n", list.title, strings.Join(rows, ""), len(rows), list.option)
		}
		if asXML {
			c.printf("</Data>\n")
		} else {
			c.printf("\nTotal jobs:  %d\n\n", total)
		}
		return 0
	})
}

func attribute(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // into memory
	return b.String()
}

// moabCode is the completion code of an ended task.
func moabCode(c *call, t *task) string {
	status, known := pbsStatus(c, t)
	switch {
	case t.Phase != ended:
		return ""
	case t.last().Why == byUser || !known:
		return "CNCLD"
	}
	return strconv.Itoa(status)
}

func moabCheck(c *call) int {
	var ids []string
	for _, arg := range c.args {
		if !strings.HasPrefix(arg, "-") {
			ids = append(ids, arg)
		}
	}
	return c.read(func(st *state) int {
		for _, id := range ids {
			found := false
			for _, j := range st.Jobs {
				for _, t := range moabTasks(j, id) {
					if t.Phase == ended && time.Since(t.last().End) > c.Keep {
						continue
					}
					found = true
					c.printf("job %s\n\nAName: %s\nState: %s", moabID(c.Config, j, t), j.Name, moabState(t))
					if t.Phase == ended {
						c.printf("\nCompletion Code: %s  Time: %s", moabCode(c, t), t.last().End.Format("Mon Jan _2 15:04:05"))
					}
					c.printf("\nCreds:  user:%s  group:root  class:%s\nWallTime:   00:00:00 of %02d:%02d:%02d\nSubmitTime: %s\n\n", c.User, j.Queue, j.Limit/3600, j.Limit/60%60, j.Limit%60, j.Time.Format("Mon Jan _2 15:04:05"))
				}
			}
			if !found {
				return c.fail(1, "ERROR:  invalid job specified: %s", id)
			}
		}
		return 0
	})
}

// moabControl is mjobctl -c, -R, -h, -u and -N, and canceljob.
func moabControl(c *call) int {
	verb := "-c"
	var ids []string
	for _, arg := range c.args {
		if strings.HasPrefix(arg, "-") {
			verb = arg
		} else {
			ids = append(ids, strings.Split(arg, ",")...)
		}
	}
	status := 0
	changed := c.change(func(st *state) int {
		for _, id := range ids {
			found := false
			for _, j := range st.Jobs {
				for _, t := range moabTasks(j, id) {
					if t.Phase == ended {
						continue
					}
					found = true
					switch {
					case verb == "-c":
						st.order(t, byUser)
					case verb == "-R" && t.Phase == running:
						t.Order = byRequeue
					case verb == "-h":
						t.Held = true
					case verb == "-u":
						t.Held = false
					}
				}
			}
			switch {
			case !found:
				status = c.fail(1, "ERROR:  invalid job specified (%s)\n", id)
			case verb == "-c":
				c.printf("\njob '%s' cancelled\n\n", id)
			case verb == "-R":
				c.printf("\njob '%s' requeued\n\n", id)
			default:
				c.printf("\nholds modified for job '%s'\n\n", id)
			}
		}
		return 0
	})
	return max(status, changed)
}
