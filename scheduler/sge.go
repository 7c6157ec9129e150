package scheduler

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// Grid Engine. Manuals: qsub(1) (submit(1)), qstat(1), qacct(1), qdel(1),
// sge_conf(5), queue_conf(5), sge_status(5), at
// https://arc.liv.ac.uk/SGE/htmlman/manuals.html. What they leave open was observed
// with 8.1.9.
var sge = &Scheduler{
	Name:       "sge",
	Directives: []string{"#$"},
	JobID:      "JOB_ID",
	ArrayID:    "JOB_ID",
	Task:       "SGE_TASK_ID",
	Own:        []string{"SGE_", "JOB_ID", "JOB_NAME", "NSLOTS", "NHOSTS", "NQUEUES", "PE_HOSTFILE", "RESTARTED"},
	Dirs:       []string{"SGE_O_WORKDIR"},
	// JOB_ID is too common a name to mean Grid Engine by itself.
	Sure: func(getenv func(string) string) bool { return getenv("SGE_ROOT") != "" || getenv("SGE_TASK_ID") != "" },
	Options: Options{
		Name:     Option{"-N %s", []string{"-N"}},
		Output:   Option{"-o %s", []string{"-o"}},
		Error:    Option{"-e %s", []string{"-e"}},
		Shell:    Option{"-S %s", []string{"-S"}},
		Array:    Option{"-t %s", []string{"-t"}},
		Throttle: Option{"-tc %s", []string{"-tc"}},
		TaskPath: "$TASK_ID",
		Dir:      Option{"", []string{"-wd"}},
		// Without -notify a job is killed without a word.
		Always:  []string{"-j y", "-notify"},
		Path:    sgePath,
		Warning: sgeWarning,
		Signal:  "USR1",
		Warn: func(_ string, early, limit time.Duration) []string {
			if limit == 0 {
				return nil
			}
			return []string{fmt.Sprintf("-l s_rt=%d", int((limit - early).Seconds()))}
		},
		Limit:    sgeLimit,
		Anywhere: true,
	},
	Submit:  []string{"qsub"},
	Answer:  pattern.New(`(?m)^\s*(?:Your job(?:-array)? )?(\d+)(?:\.\d+-\d+:\d+)?(?: \(".*"\) has been submitted)?\s*$`),
	TaskID:  func(array, task string) string { return array + "." + task },
	Site:    sgeSite,
	Limits:  Limits{Array: 75000, Grace: time.Minute}, // the defaults of max_aj_tasks and notify
	JobName: letterFirst,
	Full:    pattern.New(`(?i)jobs are allowed per user|jobs are allowed in total|unable to send message to qmaster|commlib error`),
	Stops:   []string{"USR2"}, // of -notify
	Queries: []Query{
		{Command: []string{"qstat", "-xml", "-u", "{users}"}, Read: readQstatXML},
		{
			Command: []string{"qacct", "-j", "{id}"},
			Of:      func(id string) string { job, _, _ := strings.Cut(id, "."); return job },
			Read:    readQacct,
			Maybe:   true, // the file that it reads may be on the master alone
		},
	},
	// A word of qstat's is made of letters: see sgeState. Here are those that tell why
	// a job is being ended by -notify's signal: a job that is deleted has a d.
	// One that is to run again may wait for that already.
	Reasons: map[string]string{
		"dr": "cancelled", "dRr": "cancelled", "dt": "cancelled", "dRt": "cancelled",
		"r": "preempted", "Rr": "preempted", "t": "preempted", "Rt": "preempted", "Rq": "preempted", "Rwq": "preempted",
	},
	Cancel:      []string{"qdel"},
	Gone:        pattern.New(`does not exist`),
	RequeueExit: 99, // not of a job that is being ended, be it by h_rt: it has to end before
}

// letterFirst makes a name begin with a letter.
func letterFirst(name string) string {
	if c := name[0]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return name
	}
	return "j" + name
}

// sgePath writes a path as qsub reads it: [HOST]:PATH, with commas between several,
// names of variables behind a $, and quotes around a value at the end of a line.
func sgePath(path, task string) (string, bool) {
	plain := path
	if task != "" {
		at := strings.LastIndex(path, task)
		plain = path[:at] + path[at+len(task):]
	}
	if strings.ContainsAny(plain, "\"'\\\n,$") {
		return "", false
	}
	return `":` + path + `"`, true
}

// sgeResource is the last value of a resource that -l asks for.
func sgeResource(values func(names ...string) []string, name string) string {
	found := ""
	for _, list := range values("-l") {
		for part := range strings.SplitSeq(list, ",") {
			if key, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && key == name {
				found = value
			}
		}
	}
	return found
}

func sgeLimit(values func(names ...string) []string) time.Duration {
	return clock(sgeResource(values, "h_rt"))
}

// sgeWarning reads s_rt, at which a job gets SIGUSR1.
func sgeWarning(values func(names ...string) []string) (signal string, early time.Duration) {
	soft, hard := clock(sgeResource(values, "s_rt")), sgeLimit(values)
	if soft == 0 {
		return "", 0
	}
	return "USR1", max(hard-soft, 0)
}

// clock reads HOURS:MINUTES:SECONDS, MINUTES:SECONDS or SECONDS, 0 if the text is
// none.
func clock(text string) time.Duration {
	seconds := 0
	for part := range strings.SplitSeq(text, ":") {
		n, err := strconv.Atoi(part)
		if err != nil && part != "" {
			return 0
		}
		seconds = seconds*60 + n
	}
	return time.Duration(seconds) * time.Second
}

// sgeSite asks for max_aj_tasks and for the shortest notify of any queue.
func sgeSite(ask Ask) Limits {
	limits := Limits{}
	if text, err := ask("qconf", "-sconf"); err == nil {
		limits.Array, _ = strconv.Atoi(column(text, "max_aj_tasks"))
	}
	queues, err := ask("qconf", "-sql")
	if err != nil {
		return limits
	}
	if text, err := ask("qconf", "-sq", strings.Join(strings.Fields(queues), ",")); err == nil {
		for line := range strings.Lines(text) {
			if notify := clock(column(line, "notify")); notify > 0 && (limits.Grace == 0 || notify < limits.Grace) {
				limits.Grace = notify
			}
		}
	}
	return limits
}

// column returns the value of a line "NAME VALUE".
func column(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.HasPrefix(rest, " ") {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// readQstatXML reads qstat -xml. Tasks that wait are told of together: "5-8:1,12".
func readQstatXML(text string) ([]Entry, error) {
	type row struct {
		Number    string `xml:"JB_job_number"`
		Name      string `xml:"JB_name"`
		State     string `xml:"state"`
		Submitted string `xml:"JB_submission_time"`
		Started   string `xml:"JAT_start_time"`
		Queue     string `xml:"queue_name"`
		Tasks     string `xml:"tasks"`
	}
	var answer struct {
		Running []row `xml:"queue_info>job_list"`
		Others  []row `xml:"job_info>job_list"`
	}
	if err := xml.Unmarshal([]byte(text), &answer); err != nil {
		return nil, err
	}
	var entries []Entry
	for _, r := range append(answer.Running, answer.Others...) {
		_, node, _ := strings.Cut(r.Queue, "@")
		e := Entry{
			ID: r.Number, Name: r.Name, Word: r.State, State: sgeState(r.State), Node: node,
			Submitted: localTime(r.Submitted), Started: localTime(r.Started),
		}
		if strings.Contains(r.State, "E") {
			e.Why = fmt.Sprintf("in error: qstat -j %s says why; qmod -cj %s lets it start", r.Number, r.Number)
		}
		if r.Tasks == "" {
			entries = append(entries, e)
			continue
		}
		for _, task := range taskRange(r.Tasks) {
			e.Task = strconv.Itoa(task)
			e.ID = r.Number + "." + e.Task
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// taskRange reads "1-9:2,12".
func taskRange(text string) (tasks []int) {
	for part := range strings.SplitSeq(text, ",") {
		span, by, _ := strings.Cut(part, ":")
		from, to, isSpan := strings.Cut(span, "-")
		first, err := strconv.Atoi(strings.TrimSpace(from))
		if err != nil {
			continue
		}
		last, step := first, 1
		if isSpan {
			last, _ = strconv.Atoi(to)
		}
		if n, err := strconv.Atoi(by); err == nil && n > 0 {
			step = n
		}
		for n := first; n <= last; n += step {
			tasks = append(tasks, n)
		}
	}
	return tasks
}

// sgeState reads a word of sge_status(5), which is made of letters.
func sgeState(word string) State {
	switch {
	case strings.Contains(word, "d"):
		return Ending
	case strings.ContainsAny(word, "wqE"):
		return Pending
	case strings.ContainsAny(word, "rtsSTNP"):
		return Running
	case strings.Contains(word, "z"):
		return Ended
	}
	return Unknown
}

// sgeRescheduled is the number behind "failed" of a run that was broken off, so that
// the job runs again.
const sgeRescheduled = "25"

// readQacct reads qacct -j: a block for each run of a job or task, the last one of a
// task being its result.
func readQacct(text string) ([]Entry, error) {
	var entries []Entry
	for block := range strings.SplitSeq(text, strings.Repeat("=", 62)+"\n") {
		number := column(block, "jobnumber")
		failed, why, _ := strings.Cut(column(block, "failed"), ":")
		if failed = strings.TrimSpace(failed); number == "" || failed == sgeRescheduled {
			continue
		}
		e := Entry{ID: number, Name: column(block, "jobname"), Word: "exit " + firstWord(column(block, "exit_status")), State: Ended, Why: strings.TrimSpace(why), Node: column(block, "hostname")}
		if failed != "0" {
			e.Word = "failed " + failed
		}
		if task := column(block, "taskid"); task != "undefined" {
			e.Task = task
			e.ID += "." + task
		}
		at := len(entries)
		for i := range entries {
			if entries[i].ID == e.ID {
				at = i
			}
		}
		entries = append(entries[:at], append([]Entry{e}, entries[min(at+1, len(entries)):]...)...)
	}
	return entries, nil
}
