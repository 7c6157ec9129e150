package scheduler

import (
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// LSF. Manuals: bsub, bjobs, bkill, brequeue, at
// https://www.ibm.com/docs/en/spectrum-lsf/10.1.0. It was not observed.
//
// Header lines are read where the script comes from stdin alone. Output comes with a
// report when a job has ended, so the job writes job.log itself. Each run is a job of
// its own here, although LSF has arrays.
var lsf = &Scheduler{
	Name:       "lsf",
	Directives: []string{"#BSUB"},
	JobID:      "LSB_JOBID",
	Task:       "LSB_JOBINDEX",
	Own:        []string{"LSB_"},
	Dirs:       []string{"LS_SUBCWD"},
	Options: Options{
		Name:    Option{"-J %s", []string{"-J"}},
		Output:  Option{"-o %s", []string{"-o", "-oo"}},
		Error:   Option{"-e %s", []string{"-e", "-eo"}},
		Dir:     Option{"", []string{"-cwd"}},
		Warning: lsfWarning,
		Limit: func(values func(names ...string) []string) time.Duration {
			limit, _, _ := strings.Cut(last(values("-W")), "/")
			return 60 * clock(limit) // HOURS:MINUTES
		},
		Anywhere: true,
	},
	Submit: []string{"bsub"},
	Stdin:  true,
	Answer: pattern.New(`(?m)^\s*Job <(\d+)> is submitted to`),
	Limits: Limits{Grace: 10 * time.Second}, // the default of JOB_TERMINATE_INTERVAL
	Full:   pattern.New(`(?i)LSF is down|pending job threshold|reached the limit of pending jobs`),
	// bkill sends SIGINT, then SIGTERM, then SIGKILL; the run limit, where a queue has no
	// other TERMINATE_WHEN, SIGUSR2 first.
	Stops: []string{"INT", "USR2"},
	Queries: []Query{{
		Command: []string{"bjobs", "-a", "-noheader", "-u", "{user}", "-o", "jobid stat exit_code first_host submit_time start_time job_name delimiter='|'"},
		Read:    readBjobs,
		None:    pattern.New(`(?i)no (?:unfinished )?job found`),
	}},
	// bjobs, "STAT".
	States: map[string]State{
		"PEND": Pending, "PROV": Pending, "PSUSP": Pending, "WAIT": Pending, "RUN": Running, "USUSP": Running, "SSUSP": Running,
		"DONE": Ended, "EXIT": Ended, "UNKWN": Unknown, "ZOMBI": Unknown,
	},
	Reasons: map[string]string{"RUN": "cancelled"},
	Cancel:  []string{"bkill"},
	Gone:    pattern.New(`already finished|No matching job found`),
	Requeue: []string{"brequeue"},
}

// lsfWarning reads -wa and -wt, the minutes before the run limit at which the signal
// comes.
func lsfWarning(values func(names ...string) []string) (signal string, early time.Duration) {
	action := strings.TrimPrefix(last(values("-wa")), "SIG")
	if early = 60 * clock(last(values("-wt"))); action == "" || early == 0 {
		return "", 0
	}
	return action, early
}

// readBjobs reads lines of id|state|exit code|host|submitted|start|name.
func readBjobs(text string) ([]Entry, error) {
	return readLines(text, 7, func(f []string) Entry {
		e := Entry{ID: f[0], Word: f[1], Node: strings.Trim(f[3], "-"), Submitted: lsfTime(f[4]), Started: lsfTime(f[5]), Name: f[6]}
		if f[2] != "-" && f[2] != "" {
			e.Why = "exit code " + f[2]
		}
		return e
	})
}

// lsfTime reads "Jan  2 15:04", a time of this host in the last year.
func lsfTime(text string) time.Time {
	t, err := time.ParseInLocation("Jan _2 15:04", firstWords(text, 3), time.Local)
	if err != nil {
		return time.Time{}
	}
	now := time.Now()
	t = t.AddDate(now.Year(), 0, 0)
	if t.After(now.Add(24 * time.Hour)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t.UTC()
}

// firstWords are the first words of a text, as they stand.
func firstWords(text string, n int) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(n, len(words))], " ")
}
