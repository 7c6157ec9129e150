package scheduler

import (
	"encoding/xml"
	"time"

	"github.com/mlxp/mlxp/internal/pattern"
)

// Moab, above TORQUE or another resource manager. Manuals: msub, showq, canceljob,
// at https://docs.adaptivecomputing.com/maui/ and
// https://docs.adaptivecomputing.com/mwm/. It was not observed. Each run is a job of
// its own here, and writes job.log itself.
var moab = &Scheduler{
	Name:       "moab",
	Directives: []string{"#MSUB"},
	JobID:      "MOAB_JOBID",
	Task:       "MOAB_JOBARRAYINDEX",
	Own:        []string{"MOAB_"},
	Dirs:       []string{"MOAB_SUBMITDIR"},
	Options: Options{
		Name:        Option{"-N %s", []string{"-N"}},
		Output:      Option{"-o %s", []string{"-o"}},
		Error:       Option{"-e %s", []string{"-e"}},
		Dir:         Option{"", []string{"-d"}},
		Always:      []string{"-j oe"},
		Limit:       pbsLimit,
		Attached:    true,
		LongestName: 14, // what TORQUE takes below it, one being left for JobName
	},
	Submit:     []string{"msub"},
	LoginShell: true, // TORQUE's
	// A line of its own, behind a blank one, or an attribute of --xml.
	Answer:  pattern.New(`(?m)(?:^\s*|JobID=")((?:[A-Za-z]\w*\.)?\d+(?:\[\])?(?:\.[A-Za-z][\w.-]*)?)(?:"|\s*$)`),
	Limits:  Limits{Grace: 10 * time.Second},
	JobName: torqueName,
	Full:    pattern.New(`(?i)violates|communication error|timed out`),
	Queries: []Query{
		{Command: []string{"showq", "--xml", "-u", "{user}"}, Read: readShowq},
		{Command: []string{"showq", "--xml", "-c", "-u", "{user}"}, Read: readShowq, Maybe: true},
	},
	// checkjob, "State".
	States: map[string]State{
		"Idle": Pending, "Hold": Pending, "UserHold": Pending, "SystemHold": Pending, "BatchHold": Pending, "Deferred": Pending, "Blocked": Pending, "NotQueued": Pending, "Staging": Pending,
		"Starting": Running, "Running": Running, "Suspended": Running, "Migrated": Running, "Canceling": Ending,
		"Completed": Ended, "Removed": Ended, "Vacated": Ended,
	},
	Reasons: map[string]string{"Canceling": "cancelled"},
	Cancel:  []string{"canceljob"},
	Gone:    pattern.New(`(?i)invalid job specified`),
}

// readShowq reads showq --xml.
func readShowq(text string) ([]Entry, error) {
	var answer struct {
		Jobs []struct {
			ID        string `xml:"JobID,attr"`
			Name      string `xml:"JobName,attr"`
			State     string `xml:"State,attr"`
			Code      string `xml:"CompletionCode,attr"`
			Node      string `xml:"MasterHost,attr"`
			Submitted int64  `xml:"SubmissionTime,attr"`
			Started   int64  `xml:"StartTime,attr"`
		} `xml:"queue>job"`
	}
	if err := xml.Unmarshal([]byte(text), &answer); err != nil {
		return nil, err
	}
	var entries []Entry
	for _, j := range answer.Jobs {
		e := Entry{ID: j.ID, Name: j.Name, Word: j.State, Node: j.Node}
		if j.Submitted > 0 {
			e.Submitted = time.Unix(j.Submitted, 0).UTC()
		}
		if j.Started > 0 {
			e.Started = time.Unix(j.Started, 0).UTC()
		}
		if j.Code != "" && j.Code != "0" {
			e.Why = "completion code " + j.Code
		}
		entries = append(entries, e)
	}
	return entries, nil
}
