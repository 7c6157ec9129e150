package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// Slurm. Manuals: sbatch(1), squeue(1), sacct(1), scancel(1), scontrol(1), at
// https://slurm.schedmd.com/. What they leave open was observed with 22.05.8.
var slurm = &Scheduler{
	Name:       "slurm",
	Directives: []string{"#SBATCH", "#SLURM"},
	JobID:      "SLURM_JOB_ID",
	ArrayID:    "SLURM_ARRAY_JOB_ID",
	Task:       "SLURM_ARRAY_TASK_ID",
	Own:        []string{"SLURM_", "SLURMD_", "SBATCH_"},
	Dirs:       []string{"SLURM_SUBMIT_DIR"},
	Options: Options{
		Name:       Option{"--job-name=%s", []string{"-J", "--job-name"}},
		Output:     Option{"--output=%s", []string{"-o", "--output"}},
		Error:      Option{"--error=%s", []string{"-e", "--error"}},
		Array:      Option{"--array=%s", []string{"-a", "--array"}},
		RangeLimit: "%%%d",
		TaskPath:   "%a",
		Dir:        Option{"--chdir=%s", []string{"-D", "--chdir"}},
		Always:     []string{"--open-mode=append"}, // else a requeued job begins its output anew
		Path:       slurmPath,
		Warning:    slurmWarning,
		Signal:     "TERM",
		Warn: func(signal string, early, _ time.Duration) []string {
			// Without B: only the steps of a job get the signal, not its script.
			return []string{fmt.Sprintf("--signal=B:%s@%d", signal, int(early.Seconds()))}
		},
		Attached: true,
	},
	Submit: []string{"sbatch"},
	Answer: pattern.New(`(?m)^\s*(?:(?:\w+: )?Submitted batch job )?(\d+)(?:;\S*| on cluster \S+)?\s*$`),
	TaskID: func(array, task string) string { return array + "_" + task },
	Site:   slurmSite,
	Limits: Limits{Array: 1000, Grace: 30 * time.Second}, // the defaults of MaxArraySize, which is not reached, and KillWait
	Full:   pattern.New(`(?i)temporarily unavailable|unable to contact|job submit limit|AssocMaxSubmitJobLimit|QOSMaxSubmitJob|violates accounting`),
	// "slurmstepd-n1: error: *** JOB 2 ON n1 CANCELLED AT 2026-11-23T03:00:00 DUE TO TIME LIMIT ***"
	Ends: pattern.New(`\*\*\* JOB \S+ ON \S+ CANCELLED AT \S+(?: DUE TO ([A-Z ]+?))?[ ,]*(?:SEE .*)?\*\*\*`),
	Queries: []Query{
		{
			Command: []string{"squeue", "--noheader", "--array", "--states=all", "--user={users}", "--format=%i|%T|%r|%N|%V|%S|%j"},
			Read:    readSqueue,
		},
		{
			Command: []string{"sacct", "--noheader", "--parsable2", "--allocations", "--jobs={ids}", "--format=JobID,State,ExitCode,NodeList,Submit,Start,JobName"},
			Read:    readSacct,
			Maybe:   true,
		},
	},
	// squeue(1), JOB STATE CODES.
	States: map[string]State{
		"PENDING": Pending, "REQUEUED": Pending, "REQUEUE_HOLD": Pending, "REQUEUE_FED": Pending, "SPECIAL_EXIT": Pending, "RESV_DEL_HOLD": Pending,
		"CONFIGURING": Running, "RUNNING": Running, "COMPLETING": Ending, "SUSPENDED": Running, "STOPPED": Running, "SIGNALING": Running, "STAGE_OUT": Ending, "RESIZING": Running,
		"COMPLETED": Ended, "FAILED": Ended, "CANCELLED": Ended, "TIMEOUT": Ended, "PREEMPTED": Ended, "NODE_FAIL": Ended, "BOOT_FAIL": Ended, "DEADLINE": Ended, "OUT_OF_MEMORY": Ended, "REVOKED": Ended, "LAUNCH_FAILED": Ended, "RECONFIG_FAIL": Ended,
	},
	Reasons: map[string]string{
		"TIMEOUT": "time_limit", "DEADLINE": "time_limit", "PREEMPTED": "preempted", "OUT_OF_MEMORY": "oom", "CANCELLED": "cancelled",
		"TimeLimit": "time_limit", "": "cancelled", "TIME LIMIT": "time_limit", "PREEMPTION": "preempted", "JOB REQUEUE": "preempted", "NODE FAILURE": "preempted",
	},
	Cancel:  []string{"scancel"},
	Gone:    pattern.New(`(?i)invalid job id|already completing or completed`),
	Requeue: []string{"scontrol", "requeue"},
}

// slurmPath writes a path as sbatch reads it: quoted, %% for %. A backslash would
// turn off what % means, and a line ends the value.
func slurmPath(path, task string) (string, bool) {
	if strings.ContainsAny(path, "\\\"\n") {
		return "", false
	}
	before, after := path, ""
	if task != "" { // the last of its name
		at := strings.LastIndex(path, task)
		before, after = path[:at], path[at+len(task):]
	}
	escape := strings.NewReplacer("%", "%%").Replace
	return `"` + escape(before) + task + escape(after) + `"`, true
}

// warningForm is [{R|B}:]SIGNAL[@SECONDS] of --signal.
var warningForm = pattern.New(`^(?:[RB]+:)?(?:SIG)?(\w+)(?:@(\d+))?$`)

// slurmWarning reads --signal; a minute before the limit is the default.
func slurmWarning(values func(names ...string) []string) (signal string, early time.Duration) {
	m := warningForm().FindStringSubmatch(last(values("--signal")))
	if m == nil {
		return "", 0
	}
	early = time.Minute
	if seconds, err := strconv.Atoi(m[2]); err == nil {
		early = time.Duration(seconds) * time.Second
	}
	return m[1], early
}

// slurmSite asks for MaxArraySize, which is one more than the highest index, and
// KillWait (slurm.conf(5)).
func slurmSite(ask Ask) Limits {
	limits := Limits{}
	text, err := ask("scontrol", "show", "config")
	if err != nil {
		return limits // who refuses this may accept a job all the same
	}
	if n, err := strconv.Atoi(firstWord(setting(text, "MaxArraySize"))); err == nil {
		limits.Array = max(n-1, 1)
	}
	if n, err := strconv.Atoi(firstWord(setting(text, "KillWait"))); err == nil {
		limits.Grace = time.Duration(n) * time.Second
	}
	return limits
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

// setting returns the value of a line "NAME = value".
func setting(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// readSqueue reads lines of id|state|reason|nodes|submitted|start|name. Only the
// name, which comes last, can hold a "|", and only one that is not ours.
func readSqueue(text string) ([]Entry, error) {
	return readLines(text, 7, func(f []string) Entry {
		e := Entry{ID: f[0], Word: f[1], Why: f[2], Node: f[3], Submitted: localTime(f[4]), Started: localTime(f[5]), Name: f[6]}
		if e.Why == "None" {
			e.Why = ""
		}
		_, e.Task, _ = strings.Cut(e.ID, "_")
		return e
	})
}

// readSacct reads lines of id|state|exit code|nodes|submitted|start|name. A state
// may have more words: "CANCELLED by 1000".
func readSacct(text string) ([]Entry, error) {
	return readLines(text, 7, func(f []string) Entry {
		e := Entry{ID: f[0], Word: firstWord(f[1]), Node: f[3], Submitted: localTime(f[4]), Started: localTime(f[5]), Name: f[6]}
		if f[2] != "0:0" {
			e.Why = "exit code " + f[2]
		}
		if e.Node == "None assigned" {
			e.Node = ""
		}
		_, e.Task, _ = strings.Cut(e.ID, "_")
		return e
	})
}
