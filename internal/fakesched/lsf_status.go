package fakesched

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lsfColumns are bjobs' fields: heading and default width.
var lsfColumns = map[string]struct {
	title string
	width int
}{
	"jobid": {"JOBID", 7}, "jobindex": {"JOBINDEX", 8}, "stat": {"STAT", 5}, "user": {"USER", 7}, "queue": {"QUEUE", 10}, "job_name": {"JOB_NAME", 10},
	"exec_host": {"EXEC_HOST", 11}, "from_host": {"FROM_HOST", 11}, "submit_time": {"SUBMIT_TIME", 15}, "start_time": {"START_TIME", 15},
	"finish_time": {"FINISH_TIME", 16}, "exit_code": {"EXIT_CODE", 10}, "exit_reason": {"EXIT_REASON", 50}, "pend_reason": {"PEND_REASON", 11},
	"command": {"COMMAND", 15}, "job_description": {"JOB_DESCRIPTION", 17}, "run_time": {"RUN_TIME", 15}, "first_host": {"FIRST_HOST", 11},
}

// lsfAliases are the short names of fields.
var lsfAliases = map[string]string{"id": "jobid", "name": "job_name", "description": "job_description", "exit": "exit_code"}

const lsfStamp = "Jan _2 15:04"

func lsfCell(c *call, st *state, j *job, t *task, field string) string {
	r := t.last()
	at := func(when time.Time) string {
		if when.IsZero() {
			return "-"
		}
		return when.Format(lsfStamp)
	}
	switch field {
	case "jobid":
		return strconv.Itoa(j.ID)
	case "jobindex":
		return strconv.Itoa(t.Index)
	case "stat":
		return lsfState(t)
	case "user":
		return c.User
	case "queue":
		return j.Queue
	case "job_name":
		return lsfTaskName(j, t)
	case "exec_host", "first_host":
		if len(t.Runs) > 0 && t.Phase != pending {
			return c.Host
		}
	case "from_host":
		return c.Host
	case "submit_time":
		return at(j.Time)
	case "start_time":
		return at(r.Start)
	case "finish_time":
		return at(r.End)
	case "exit_code":
		if code, known := lsfExit(t); known {
			return strconv.Itoa(code)
		}
	case "exit_reason":
		switch {
		case t.Phase == ended && r.Why == byUser:
			return "TERM_OWNER: job killed by owner"
		case t.Phase == ended && r.Why == byLimit:
			return "TERM_RUNLIMIT: job killed after reaching LSF run time limit"
		}
	case "pend_reason":
		if t.Phase == pending {
			return "New job is waiting for scheduling;"
		}
	case "command":
		if j.Command != "" {
			return j.Command
		}
	case "job_description":
		if v := j.Options["comment"]; v != "" {
			return v
		}
	case "run_time":
		return "0 second(s)"
	}
	return "-"
}

func lsfJobs(c *call) int {
	header, all, asJSON, long := true, false, false, false
	format, name := "", ""
	var ids []string
	for i := 0; i < len(c.args); i++ {
		next := func() string {
			if i++; i < len(c.args) {
				return c.args[i]
			}
			return ""
		}
		switch arg := c.args[i]; arg {
		case "-noheader":
			header = false
		case "-a":
			all = true
		case "-json":
			asJSON = true
		case "-l":
			long = true
		case "-o":
			format = next()
		case "-J":
			name = next()
		case "-u", "-q", "-m", "-P", "-g", "-app", "-sla":
			next()
		case "-w", "-W", "-r", "-p", "-s", "-d", "-A", "-X":
			all = all || arg == "-d"
		case "-V":
			return c.fail(0, "IBM Spectrum LSF Standard 10.1.0.0, Jul 08 2016")
		default:
			if strings.HasPrefix(arg, "-") {
				return c.fail(255, "bjobs: illegal option -- %s", arg[1:])
			}
			ids = append(ids, arg)
		}
	}
	type column struct {
		field string
		width int
	}
	var columns []column
	delimiter := ""
	words := "jobid user stat queue from_host exec_host job_name submit_time"
	if format != "" {
		words = format
	}
	if before, after, ok := strings.Cut(words, "delimiter="); ok {
		quote := strings.Trim(after, " ")
		delimiter, words = strings.Trim(quote, `'"`), before
	}
	for _, word := range strings.Fields(words) {
		field, width, sized := strings.Cut(strings.ToLower(word), ":")
		if full, ok := lsfAliases[field]; ok {
			field = full
		}
		known, ok := lsfColumns[field]
		if !ok {
			return c.fail(255, "bjobs: %s: Unknown field name", field)
		}
		w := known.width
		if sized {
			w = number(strings.TrimLeft(width, "-"))
		}
		columns = append(columns, column{field, w})
	}
	line := func(cell func(string) string) {
		var cells []string
		for _, col := range columns {
			text := cell(col.field)
			if delimiter == "" && col.width > 0 {
				if format == "" && len(text) > col.width {
					text = "*" + text[len(text)-col.width+1:]
				} else if len(text) > col.width {
					text = text[:col.width]
				}
				text = fmt.Sprintf("%-*s", col.width, text)
			}
			cells = append(cells, text)
		}
		space := " "
		if delimiter != "" {
			space = delimiter
		}
		c.printf("%s\n", strings.Join(cells, space))
	}
	return c.read(func(st *state) int {
		status, shown := 0, 0
		var records []map[string]any
		show := func(j *job, t *task) {
			shown++
			if asJSON {
				record := map[string]any{}
				for _, col := range columns {
					text := lsfCell(c, st, j, t, col.field)
					if text == "-" {
						text = ""
					}
					record[lsfColumns[col.field].title] = text
				}
				records = append(records, record)
				return
			}
			if long {
				c.printf("\nJob <%s>, Job Name <%s>, User <%s>, Project <default>, Status <%s>, Queue <%s>\n", lsfTaskID(j, t), lsfTaskName(j, t), c.User, lsfState(t), j.Queue)
				return
			}
			if shown == 1 && header {
				line(func(field string) string { return lsfColumns[field].title })
			}
			line(func(field string) string { return lsfCell(c, st, j, t, field) })
		}
		kept := func(t *task) bool { return t.Phase != ended || time.Since(t.last().End) < c.Keep }
		for _, id := range ids {
			found := false
			for _, j := range st.Jobs {
				for _, t := range lsfTasks(j, id) {
					if kept(t) {
						found = true
						show(j, t)
					}
				}
			}
			if !found {
				status = 255
				if asJSON {
					records = append(records, map[string]any{"JOBID": id, "ERROR": "Job <" + id + "> is not found"})
					continue
				}
				c.fail(255, "Job <%s> is not found", id)
			}
		}
		if len(ids) == 0 {
			for _, j := range st.Jobs {
				for _, t := range j.Tasks {
					if kept(t) && (all || t.Phase != ended) && (name == "" || j.Name == name) {
						show(j, t)
					}
				}
			}
			if shown == 0 && !asJSON {
				word := "unfinished job"
				if all {
					word = "job"
				}
				c.fail(0, "No %s found", word)
			}
		}
		if asJSON {
			text, err := json.MarshalIndent(map[string]any{"COMMAND": "bjobs", "JOBS": len(records), "RECORDS": records}, "", "  ")
			if err != nil {
				return c.fail(255, "%v", err)
			}
			c.printf("%s\n", text)
		}
		return status
	})
}

// lsfKill is bkill, and brequeue, by the name it was called.
func lsfKill(c *call) int {
	order, word, hold := byUser, "terminated", false
	var ids []string
	name := ""
	for i := 0; i < len(c.args); i++ {
		next := func() string {
			if i++; i < len(c.args) {
				return c.args[i]
			}
			return ""
		}
		switch arg := c.args[i]; arg {
		case "-s":
			sig := strings.TrimPrefix(strings.ToUpper(next()), "SIG")
			if n, err := strconv.Atoi(sig); err == nil {
				sig = strings.TrimPrefix(unix.SignalName(unix.Signal(n)), "SIG")
			}
			if unix.SignalNum("SIG"+sig) == 0 {
				return c.fail(255, "%s: Illegal signal value", sig)
			}
			order, word = "signal:"+sig, "signaled"
		case "-J":
			name = next()
		case "-u", "-q", "-m", "-g", "-app", "-C", "-stat":
			next()
		case "-H":
			hold = true
		case "-b", "-r", "-d", "-l", "-a", "-e", "-p":
		default:
			ids = append(ids, arg)
		}
	}
	if c.name == "brequeue" {
		order, word = byRequeue, "requeued"
		if hold {
			order += " hold"
		}
	}
	if len(ids) == 0 && name == "" {
		return c.fail(255, "%s: Job ID must be specified", c.name)
	}
	status := 0
	changed := c.change(func(st *state) int {
		if len(ids) == 0 || len(ids) == 1 && ids[0] == "0" {
			ids = nil
			for _, j := range st.Jobs {
				if (name == "" || j.Name == name) && slices.ContainsFunc(j.Tasks, func(t *task) bool { return t.Phase != ended }) {
					ids = append(ids, strconv.Itoa(j.ID))
				}
			}
			if len(ids) == 0 {
				status = c.fail(255, "No matching job found")
			}
		}
		for _, id := range ids {
			found, live := false, false
			for _, j := range st.Jobs {
				for _, t := range lsfTasks(j, id) {
					found = true
					if t.Phase == ended || c.name == "brequeue" && t.Phase == pending {
						continue
					}
					live = true
					st.order(t, order)
				}
			}
			switch {
			case !found:
				status = c.fail(255, "Job <%s>: No matching job found", id)
			case !live && c.name == "brequeue":
				status = c.fail(255, "Job <%s>: Job has not been started or has already finished", id)
			case !live:
				status = c.fail(255, "Job <%s>: Job has already finished", id)
			default:
				c.printf("Job <%s> is being %s\n", id, word)
			}
		}
		return 0
	})
	return max(status, changed)
}

func lsfHist(c *call) int {
	long := false
	var ids []string
	for i := 0; i < len(c.args); i++ {
		switch arg := c.args[i]; arg {
		case "-l":
			long = true
		case "-u", "-n", "-J", "-q", "-C", "-S", "-D", "-T":
			i++
		default:
			if !strings.HasPrefix(arg, "-") {
				ids = append(ids, arg)
			}
		}
	}
	return c.read(func(st *state) int {
		shown := 0
		for _, j := range st.Jobs {
			for _, t := range j.Tasks {
				match := len(ids) == 0 && t.Phase != ended
				for _, id := range ids {
					match = match || slices.Contains(lsfTasks(j, id), t)
				}
				if !match {
					continue
				}
				shown++
				if !long {
					if shown == 1 {
						c.printf("Summary of time in seconds spent in various states:\nJOBID   USER    JOB_NAME  PEND    PSUSP   RUN     USUSP   SSUSP   UNKWN   TOTAL\n")
					}
					c.printf("%-7s %-7.7s %-9.9s %-7d %-7d %-7d %-7d %-7d %-7d %-7d\n", lsfTaskID(j, t), c.User, lsfTaskName(j, t), 0, 0, 0, 0, 0, 0, 0)
					continue
				}
				const stamp = "Mon Jan  2 15:04:05"
				c.printf("\nJob <%s>, Job Name <%s>, User <%s>, Project <default>, Command <%s>\n", lsfTaskID(j, t), lsfTaskName(j, t), c.User, j.Command)
				c.printf("%s: Submitted from host <%s>, to Queue <%s>, CWD <%s>;\n", j.Time.Format(stamp), c.Host, j.Queue, j.Dir)
				for _, r := range t.Runs {
					c.printf("%s: Dispatched 1 Task(s) on Host(s) <%s>;\n%s: Starting (Pid %d);\n", r.Start.Format(stamp), c.Host, r.Start.Format(stamp), t.PID)
					switch {
					case r.End.IsZero():
					case r.Why == byRequeue || r.Why == byPreempt || r.Why == byNode:
						c.printf("%s: Job has been requeued;\n", r.End.Format(stamp))
					case lsfState(t) == "DONE":
						c.printf("%s: Done successfully. The CPU time used is 0.0 seconds;\n", r.End.Format(stamp))
					default:
						code, _ := lsfExit(t)
						c.printf("%s: Exited with exit code %d. The CPU time used is 0.0 seconds;\n", r.End.Format(stamp), code)
					}
				}
			}
		}
		if shown == 0 {
			return c.fail(255, "No matching job found")
		}
		return 0
	})
}
