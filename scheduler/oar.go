package scheduler

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// OAR. Manuals: oarsub(1), oarstat(1), oardel(1), at
// https://oar.readthedocs.io/en/2.5/. What they leave open was observed with 2.5.9.
//
// The script is not copied: it is executed in place. A job gets nothing of the
// submitter's environment, and is killed without a word but for the signal of
// --checkpoint. One that is run again has another id.
var oar = &Scheduler{
	Name:       "oar",
	Directives: []string{"#OAR"},
	JobID:      "OAR_JOB_ID",
	ArrayID:    "OAR_ARRAY_ID",
	Task:       "OAR_ARRAY_INDEX",
	Own:        []string{"OAR_"},
	Dirs:       []string{"OAR_WORKDIR", "OAR_WORKING_DIRECTORY", "OAR_O_WORKDIR"},
	Options: Options{
		Name:   Option{"-n %s", []string{"-n", "--name"}},
		Output: Option{"-O %s", []string{"-O", "--stdout"}},
		Error:  Option{"-E %s", []string{"-E", "--stderr"}},
		Array:  Option{"--array %s", []string{"--array", "--array-param-file"}},
		Count:  true,
		// There is no option for how many run at a time, and nothing stands for the index in
		// a path.
		Dir:   Option{"", []string{"-d", "--directory"}},
		Again: []string{"-t idempotent"},
		MayAgain: func(values func(names ...string) []string) bool {
			return slices.Contains(values("-t", "--type"), "idempotent")
		},
		Path: func(path, _ string) (string, bool) {
			return path, oarPath().MatchString(path)
		},
		Warning: oarWarning,
		Signal:  "USR2",
		Warn: func(signal string, early, _ time.Duration) []string {
			return []string{fmt.Sprintf("--checkpoint %d", int(early.Seconds())), fmt.Sprintf("--signal %d", signalNumber(signal))}
		},
		Kills:       true,
		Limit:       oarLimit,
		ErrorAlways: true,
		Anywhere:    true,
		Raw:         true,
		LongestName: 100,
	},
	Submit:  []string{"oarsub", "-S"},
	InPlace: true,
	// OAR puts the directory between apostrophes into a script of its own, in Perl (see
	// its Tools.pm). With another one in it the job does not start, and OAR takes the node
	// for broken.
	Unfit:  pattern.New(`'|\\\\`),
	Answer: pattern.New(`(?m)^OAR_JOB_ID=(\d+)\s*$`),
	// It says "Job is killed", but the job is in the data base, and runs when the server
	// is back.
	Despite: pattern.New(`Cannot connect to executor`),
	Limits:  Limits{Array: 1000},
	// What it says of limits is up to the admission rules of the site.
	Full: pattern.New(`(?i)(?:more than|too many) .*jobs|maximum number of jobs|limit of .*jobs`),
	Queries: []Query{
		{Command: []string{"oarstat", "-J", "-u", "{user}"}, Read: readOarstat},
		{Command: []string{"oarstat", "-J", "-f", "{ids...}"}, Each: []string{"-j"}, Read: readOarstat},
	},
	Renews: true,
	// oarstat(1); OAR's data base has more words than the manual.
	States: map[string]State{
		"Waiting": Pending, "Hold": Pending, "toAckReservation": Pending, "toLaunch": Pending, "Launching": Pending,
		"Running": Running, "Suspended": Running, "Resuming": Running, "Finishing": Ending, "toError": Ending,
		"Terminated": Ended, "Error": Ended,
	},
	Cancel: []string{"oardel"},
	Ask:    []string{"oardel", "-s", "SIGTERM"},
	Gone:   pattern.New(`was already killed|is not running`),
	// A preempted job gets the signal of --checkpoint as well, and is killed when as much
	// time is over; then it is submitted again. One that ends by itself is not, but for
	// this exit status, and that only if it has lasted more than a minute.
	RequeueExit:  99,
	RequeueAfter: 61 * time.Second,
	Reasons:      map[string]string{oarPreempted: "preempted"},
}

// oarPath is what OAR's IO.pm allows, without % and \, which mean something.
var oarPath = pattern.New(`^[A-Za-z0-9_./ -]+$`)

var oarWalltime = pattern.New(`walltime\s*=\s*([\d:]+)`)

// oarLimit reads the walltime of -l, HOURS[:MINUTES[:SECONDS]].
func oarLimit(values func(names ...string) []string) time.Duration {
	m := oarWalltime().FindStringSubmatch(last(values("-l", "--resource")))
	if m == nil {
		return 0
	}
	text := m[1]
	for strings.Count(text, ":") < 2 {
		text += ":0"
	}
	return clock(text)
}

// oarWarning reads --checkpoint and --signal, which is a number.
func oarWarning(values func(names ...string) []string) (signal string, early time.Duration) {
	seconds, err := strconv.Atoi(last(values("--checkpoint")))
	if err != nil || seconds <= 0 {
		return "", 0
	}
	signal = "USR2"
	if n := last(values("--signal")); n != "" {
		signal = n
		for name, number := range signalNumbers {
			if strconv.Itoa(number) == n {
				signal = name
			}
		}
	}
	return signal, time.Duration(seconds) * time.Second
}

// signalNumbers are those of Linux, where OAR's nodes are.
var signalNumbers = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "CONT": 18}

func signalNumber(name string) int {
	if n, err := strconv.Atoi(name); err == nil {
		return n
	}
	return signalNumbers[strings.TrimPrefix(name, "SIG")]
}

// oarPreempted is why a besteffort job is warned, or has ended, that makes room.
const oarPreempted = "preempted"

// newID is how the event of a resubmission tells the new id.
var newID = pattern.New(`new id = (\d+)|=> (\d+)`)

// readOarstat reads oarstat -J, which prints nothing where there are no jobs.
func readOarstat(text string) ([]Entry, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var jobs map[string]struct {
		State   string
		Name    string
		Array   int      `json:"array_id"`
		Index   int      `json:"array_index"`
		Again   int      `json:"resubmit_job_id"` // it is that one's successor
		Nodes   []string `json:"assigned_network_address"`
		Exit    *int     `json:"exit_code"`
		Submit  int64    `json:"submissionTime"`
		Start   int64    `json:"startTime"`
		Message string
		Events  []struct{ Type, Description string }
	}
	if err := json.Unmarshal([]byte(text), &jobs); err != nil {
		return nil, err
	}
	var entries []Entry
	for _, id := range slices.Sorted(maps.Keys(jobs)) {
		j := jobs[id]
		e := Entry{ID: id, Name: j.Name, Task: strconv.Itoa(j.Index), Word: j.State, Node: strings.Join(j.Nodes, ","), Submitted: time.Unix(j.Submit, 0).UTC()}
		if j.Start > 0 && j.State != "Waiting" {
			e.Started = time.Unix(j.Start, 0).UTC()
		}
		for _, event := range j.Events {
			switch event.Type {
			case "WALLTIME":
				e.Why = "walltime over"
			case "BESTEFFORT_KILL":
				e.Why = oarPreempted
			case "CHECKPOINT":
				if strings.Contains(event.Description, "(metasched)") { // of the time limit tells sarko
					e.Why = oarPreempted
				}
			case "FRAG_JOB_REQUEST":
				if e.Why == "" {
					e.Why = "deleted"
				}
			case "RESUBMIT_JOB_AUTOMATICALLY":
				if m := newID().FindStringSubmatch(event.Description); m != nil {
					e.Next = m[1] + m[2]
				}
			case "OUTPUT_FILES", "WORKING_DIRECTORY":
				e.Why = event.Description
			}
		}
		if j.Exit != nil && *j.Exit != 0 { // a wait status
			e.Why = fmt.Sprintf("exit status %d", *j.Exit>>8)
			if signal := *j.Exit & 0x7f; signal != 0 {
				e.Why = fmt.Sprintf("signal %d", signal)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}
