package scheduler

import (
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// PBS: OpenPBS and PBS Pro. Manuals: qsub(1B), qstat(1B), qdel(1B), at
// https://github.com/openpbs/openpbs/tree/master/doc. What they leave open was
// observed with OpenPBS 23.06.
//
// Output is brought to its place when a job has ended, over what is there, so the
// job writes job.log itself. Nothing tells a job that it is run again.
var pbs = &Scheduler{
	Name:       "pbs",
	Directives: []string{"#PBS"},
	JobID:      "PBS_JOBID", // of a task: 12[3].server
	ArrayID:    "PBS_ARRAY_ID",
	Task:       "PBS_ARRAY_INDEX",
	Own:        []string{"PBS_"},
	Dirs:       []string{"PBS_O_WORKDIR"},
	Options: Options{
		Name:        Option{"-N %s", []string{"-N"}},
		Output:      Option{"-o %s", []string{"-o"}},
		Error:       Option{"-e %s", []string{"-e"}},
		Array:       Option{"-J %s", []string{"-J"}},
		RangeLimit:  "%%%d",
		Always:      []string{"-j oe"},
		Limit:       pbsLimit,
		Attached:    true,
		LongestName: 230,
	},
	Submit:     []string{"qsub"},
	LoginShell: true, // src/resmom: start_exec.c writes the script's path to its stdin, and scan_for_terminated kills its session
	Answer:     pattern.New(`(?m)^\s*(?:Request )?(\d+(?:\[\])?(?:\.[\w.-]+)?)(?: submitted to queue:.*)?\s*$`),
	TaskID:     pbsTaskID,
	Limits:     Limits{Array: 10000, Grace: 10 * time.Second}, // the defaults of max_array_size and kill_delay
	Full:       pattern.New(`(?i)cannot connect to server|would exceed|limit.*(?:jobs|reached)|maximum number of jobs`),
	Variant: func(ask Ask) string {
		// TORQUE says "Version: 6.1.2" on stderr, PBS "pbs_version = 23.06.06".
		if text, err := ask("qsub", "--version"); err == nil && !strings.Contains(strings.ToLower(text), "pbs_version") {
			return "torque"
		}
		return "pbs"
	},
	Queries: []Query{
		{Command: []string{"qstat", "-x", "-f", "-t", "{ids...}"}, Of: pbsArrayOf, Read: readQstat, None: pbsUnknown},
		{Command: []string{"qstat", "-f", "-t"}, Read: readQstat, Search: true}, // of all users: it cannot be asked for one's in this form
	},
	// qstat(1B), "job_state".
	States: map[string]State{
		"Q": Pending, "H": Pending, "W": Pending, "T": Pending, "B": Running, "M": Unknown, "R": Running, "S": Running, "U": Running,
		"E": Ending, "X": Ended, "F": Ended,
	},
	Reasons: map[string]string{"E": "cancelled"},
	Cancel:  []string{"qdel"},
	Gone:    pbsUnknown,
}

// TORQUE has the header lines of PBS and other forms of arrays and of queries. By
// its manual, https://docs.adaptivecomputing.com/torque/: it was not observed.
var torque = &Scheduler{
	Name:       "torque",
	Dialect:    "pbs",
	Directives: pbs.Directives,
	JobID:      "PBS_JOBID", // of a task: 12[3].server
	Task:       "PBS_ARRAYID",
	Own:        pbs.Own,
	Dirs:       pbs.Dirs,
	Sure:       func(getenv func(string) string) bool { return strings.HasPrefix(getenv("PBS_VERSION"), "TORQUE") },
	Options: Options{
		Name:        pbs.Options.Name,
		Output:      pbs.Options.Output,
		Error:       pbs.Options.Error,
		Array:       Option{"-t %s", []string{"-t"}},
		RangeLimit:  "%%%d",
		Dir:         Option{"", []string{"-d", "-w"}},
		Always:      pbs.Options.Always,
		Limit:       pbsLimit,
		Attached:    true,
		LongestName: 14, // of 15, one being left for JobName
	},
	Submit:     pbs.Submit,
	LoginShell: true, // the same; the mom's exec_with_exec makes the script the shell's successor
	Answer:     pbs.Answer,
	TaskID:     pbsTaskID,
	Limits:     pbs.Limits,
	JobName:    torqueName,
	Full:       pbs.Full,
	Queries: []Query{
		{Command: []string{"qstat", "-f", "-t", "{ids...}"}, Of: pbsArrayOf, Read: readQstat, None: pbsUnknown},
		{Command: []string{"qstat", "-f", "-t"}, Read: readQstat, Search: true},
	},
	States: map[string]State{
		"Q": Pending, "H": Pending, "W": Pending, "T": Pending, "R": Running, "S": Running, "E": Ending, "C": Ended,
	},
	Reasons: pbs.Reasons,
	Cancel:  pbs.Cancel,
	Gone:    pbsUnknown,
}

var pbsUnknown = pattern.New(`(?i)unknown job id|job has finished|invalid state for job - complete`)

// torqueName makes a name begin with a letter and be no longer than 15. The run's
// number and token stay whole as long as they fit.
func torqueName(name string) string {
	name = letterFirst(name)
	return name[:min(len(name), 15)]
}

// pbsTaskID is 12[3].server for the task 3 of 12[].server.
func pbsTaskID(array, task string) string { return strings.Replace(array, "[]", "["+task+"]", 1) }

var pbsTask = pattern.New(`\[(\d+)\]`)

// pbsArrayOf is 12[].server for 12[3].server.
func pbsArrayOf(id string) string { return pbsTask().ReplaceAllString(id, "[]") }

// pbsLimit reads the walltime of -l.
func pbsLimit(values func(names ...string) []string) time.Duration {
	return clock(sgeResource(values, "walltime"))
}

// readQstat reads qstat -f: blocks that begin with "Job Id: 12.server" and have
// lines "    name = value", of which long ones go on behind a tab.
func readQstat(text string) ([]Entry, error) {
	text = strings.ReplaceAll(text, "\n\t", "")
	var entries []Entry
	for block := range strings.SplitSeq("\n"+text, "\nJob Id:") {
		id, rest, _ := strings.Cut(block, "\n")
		if id = strings.TrimSpace(id); id == "" || strings.Contains(id, "[]") {
			continue // an array as a whole: its tasks are told of, too
		}
		host, _, _ := strings.Cut(setting(rest, "exec_host"), "/")
		e := Entry{
			ID: id, Name: setting(rest, "Job_Name"), Word: setting(rest, "job_state"), Why: setting(rest, "comment"), Node: host,
			Submitted: pbsTime(setting(rest, "ctime")), Started: pbsTime(setting(rest, "stime")),
		}
		if m := pbsTask().FindStringSubmatch(id); m != nil {
			e.Task = m[1]
		}
		if code := setting(rest, "Exit_status") + setting(rest, "exit_status"); code != "" && code != "0" {
			e.Why = "exit status " + code
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// pbsTime reads a time as qstat -f writes it, that of this host.
func pbsTime(text string) time.Time {
	t, err := time.ParseInLocation("Mon Jan _2 15:04:05 2006", text, time.Local)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
