package fakesched

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

// pbsState is the letter for what a task is doing; in OpenPBS those of ended
// jobs are seen only in the history.
func pbsState(c *call, st *state, j *job, t *task) string {
	ready, _ := st.released(c.sys, j)
	switch {
	case t.Phase == pending && (t.Held || !ready):
		return "H"
	case t.Phase == pending:
		return "Q"
	case t.Phase == running:
		return "R"
	case t.Phase == ending:
		return "E"
	case c.torque():
		return "C"
	case j.Array && pbsLive(j):
		return "X"
	}
	return "F"
}

func pbsLive(j *job) bool {
	return slices.ContainsFunc(j.Tasks, func(t *task) bool { return t.Phase != ended })
}

// pbsArrayState is the letter of an array as a whole.
func pbsArrayState(c *call, st *state, j *job) string {
	switch {
	case !pbsLive(j) && c.torque():
		return "C"
	case !pbsLive(j):
		return "F"
	case slices.ContainsFunc(j.Tasks, func(t *task) bool { return t.Phase != pending }):
		if c.torque() {
			return "R"
		}
		return "B"
	}
	return pbsState(c, st, j, j.Tasks[0])
}

func pbsStat(c *call) int {
	var full, history, tasks, asXML bool
	var ids []string
	for i := 0; i < len(c.args); i++ {
		arg := c.args[i]
		switch {
		case arg == "--version":
			c.printf("pbs_version = 23.06.06\n")
			return 0
		case arg == "-u" || arg == "-F" || arg == "-W":
			i++
		case strings.HasPrefix(arg, "-"):
			for _, letter := range arg[1:] {
				switch letter {
				case 'f':
					full = true
				case 'x', 'H':
					history = !c.torque()
					asXML = c.torque()
				case 't':
					tasks = true
				case 'a', 'n', 'w', 's', '1', 'i', 'r', 'e', 'G', 'M', 'T', 'p', 'J':
				default:
					return c.fail(2, "qstat: invalid option -- '%c'\nusage: qstat [-f] …", letter)
				}
			}
		default:
			ids = append(ids, arg)
		}
	}
	return c.read(func(st *state) int {
		status := 0
		type row struct {
			j *job
			t *task // nil: an array as a whole
		}
		var rows []row
		add := func(j *job, named string) {
			m := pbsName.FindStringSubmatch(named)
			switch {
			case !j.Array:
				rows = append(rows, row{j, j.Tasks[0]})
			case named == "" || m[3] == "":
				rows = append(rows, row{j, nil})
				if tasks {
					for _, t := range j.Tasks {
						rows = append(rows, row{j, t})
					}
				}
			default:
				for _, t := range pbsTasks(j, named) {
					rows = append(rows, row{j, t})
				}
			}
		}
		kept := func(j *job) bool {
			if pbsLive(j) {
				return true
			}
			if c.torque() {
				return slices.ContainsFunc(j.Tasks, func(t *task) bool { return time.Since(t.last().End) < c.Keep })
			}
			return history
		}
		for _, id := range ids {
			i := slices.IndexFunc(st.Jobs, func(j *job) bool { return len(pbsTasks(j, id)) > 0 })
			switch {
			case i < 0 || c.torque() && !kept(st.Jobs[i]):
				status = pbsUnknown(c, id)
			case !kept(st.Jobs[i]):
				status = c.fail(35, "qstat: %s Job has finished, use -x or -H to obtain historical job information", pbsFullID(c, id))
			default:
				add(st.Jobs[i], id)
			}
		}
		if len(ids) == 0 {
			for _, j := range st.Jobs {
				if kept(j) {
					add(j, "")
				}
			}
		}
		if asXML && len(rows) > 0 {
			c.printf("<Data>")
		}
		if !full && !asXML && len(rows) > 0 {
			c.printf("Job id            Name             User              Time Use S Queue\n----------------  ---------------- ----------------  -------- - -----\n")
		}
		for _, r := range rows {
			letter, spent := "", "0"
			if r.t == nil {
				letter = pbsArrayState(c, st, r.j)
			} else {
				letter = pbsState(c, st, r.j, r.t)
				if len(r.t.Runs) > 0 {
					spent = "00:00:00"
				}
			}
			switch {
			case asXML:
				pbsXML(c, pbsFields(c, r.j, r.t, letter), pbsID(r.j, r.t, c.Host))
			case full:
				c.printf("Job Id: %s\n", pbsID(r.j, r.t, c.Host))
				for _, field := range pbsFields(c, r.j, r.t, letter) {
					c.printf("%s", pbsWrapped("    "+field[0]+" = "+field[1]))
				}
				c.printf("\n")
			default:
				name := r.j.Name
				if len(name) > 15 {
					name = name[:15] + "*"
				}
				c.printf("%-17s %-16s %-16s  %8s %s %-16s\n", pbsID(r.j, r.t, c.Host), name, c.User, spent, letter, r.j.Queue)
			}
		}
		if asXML && len(rows) > 0 {
			c.printf("</Data>\n")
		}
		return status
	})
}

// pbsFullID adds the server to an id.
func pbsFullID(c *call, id string) string {
	if strings.Contains(id, ".") {
		return id
	}
	return id + "." + c.Host
}

func pbsUnknown(c *call, id string) int {
	switch {
	case !pbsName.MatchString(id):
		return c.fail(1, "%s: illegally formed job identifier: %s", c.name, id)
	case c.torque():
		return c.fail(153, "%s: Unknown Job Id Error %s", c.name, pbsFullID(c, id))
	}
	return c.fail(153, "%s: Unknown Job Id %s", c.name, pbsFullID(c, id))
}

// pbsFields are what qstat -f shows.
func pbsFields(c *call, j *job, t *task, letter string) [][2]string {
	const stamp = "Mon Jan  2 15:04:05 2006"
	out := j.Out
	set(&out, fmt.Sprintf("%s.o%d", j.Name, j.ID))
	rerun := "False"
	if j.Rerun {
		rerun = "True"
	}
	fields := [][2]string{{"Job_Name", j.Name}, {"Job_Owner", c.User + "@" + c.Host}, {"job_state", letter}, {"queue", j.Queue}, {"server", c.Host},
		{"ctime", j.Time.Format(stamp)}, {"Output_Path", c.Host + ":" + absolute(j.From, out)}, {"qtime", j.Time.Format(stamp)}, {"Rerunable", rerun}}
	if j.Limit > 0 {
		fields = append(fields, [2]string{"Resource_List.walltime", fmt.Sprintf("%02d:%02d:%02d", j.Limit/3600, j.Limit/60%60, j.Limit%60)})
	}
	if t == nil {
		return append(fields, [2]string{"array", "True"})
	}
	if t.Phase == running || t.Phase == ending {
		fields = append(fields, [2]string{"exec_host", c.Host + "/0"}, [2]string{"session_id", fmt.Sprint(t.PID)})
	}
	if n := len(t.Runs); n > 0 {
		count := "run_count"
		if c.torque() {
			count = "start_count"
		}
		fields = append(fields, [2]string{"stime", t.last().Start.Format(stamp)}, [2]string{count, fmt.Sprint(n)})
	}
	if t.Phase == ended {
		if status, known := pbsStatus(c, t); known {
			name := "Exit_status"
			if c.torque() {
				name = "exit_status"
			}
			fields = append(fields, [2]string{name, fmt.Sprint(status)})
		}
		substate := "92"
		switch {
		case t.Reason == "92":
		case t.last().Why == byUser:
			substate = "91"
		case t.last().Code != 0 || t.last().Signal != 0 || t.last().Why != byItself:
			substate = "93"
		}
		fields = append(fields, [2]string{"substate", substate})
	} else if t.Phase == pending && !c.torque() {
		fields = append(fields, [2]string{"comment", "Not Running: Not enough free nodes available"})
	}
	return append(fields, [2]string{"Variable_List", "PBS_O_HOME=" + c.Home + ",PBS_O_WORKDIR=" + j.From + ",PBS_O_HOST=" + c.Host})
}

// pbsWrapped breaks a long line as qstat does: at commas, and the next one
// begins with a tab.
func pbsWrapped(line string) string {
	var b strings.Builder
	column := 0
	for i, part := range strings.SplitAfter(line, ",") {
		if i > 0 && column+len(part) > 78 {
			b.WriteString("\n\t")
			column = 8
		}
		b.WriteString(part)
		column += len(part)
	}
	return b.String() + "\n"
}

// pbsXML is a job of TORQUE's qstat -x.
func pbsXML(c *call, fields [][2]string, id string) {
	var b strings.Builder
	escape := func(text string) string {
		var out strings.Builder
		_ = xml.EscapeText(&out, []byte(text)) // into memory
		return out.String()
	}
	fmt.Fprintf(&b, "<Job><Job_Id>%s</Job_Id>", id)
	for _, f := range fields {
		if resource, ok := strings.CutPrefix(f[0], "Resource_List."); ok {
			fmt.Fprintf(&b, "<Resource_List><%s>%s</%s></Resource_List>", resource, escape(f[1]), resource)
			continue
		}
		fmt.Fprintf(&b, "<%s>%s</%s>", f[0], escape(f[1]), f[0])
	}
	c.printf("%s</Job>", b.String())
}

// pbsDel is qdel, and qrerun, by the name it was called: silent when it works.
func pbsDel(c *call) int {
	var ids []string
	for i := 0; i < len(c.args); i++ {
		switch arg := c.args[i]; {
		case arg == "-W" || arg == "-m":
			i++
		case strings.HasPrefix(arg, "-"):
		default:
			ids = append(ids, arg)
		}
	}
	if len(ids) == 0 {
		return c.fail(2, "usage:\n\t%s [-W force] job_identifier...", c.name)
	}
	status := 0
	changed := c.change(func(st *state) int {
		for _, id := range ids {
			i := slices.IndexFunc(st.Jobs, func(j *job) bool { return len(pbsTasks(j, id)) > 0 })
			if i < 0 {
				status = pbsUnknown(c, id)
				continue
			}
			j := st.Jobs[i]
			switch {
			case !pbsLive(j) && c.torque():
				status = c.fail(168, "%s: Request invalid for state of job MSG=invalid state for job - COMPLETE %s", c.name, pbsFullID(c, id))
				continue
			case !pbsLive(j):
				status = c.fail(35, "%s: Job has finished %s", c.name, pbsFullID(c, id))
				continue
			case c.name == "qrerun" && !j.Rerun:
				status = c.fail(190, "qrerun: job is not rerunnable %s", pbsFullID(c, id))
				continue
			}
			for _, t := range pbsTasks(j, id) {
				if c.name == "qdel" {
					st.order(t, byUser)
				} else if t.Phase == running {
					t.Order = byRequeue
				} else {
					status = c.fail(168, "qrerun: Request invalid for state of job %s", pbsFullID(c, id))
					break
				}
			}
		}
		return 0
	})
	return max(status, changed)
}
