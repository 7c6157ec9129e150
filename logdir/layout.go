// Package logdir is the log dir: numbered run directories, each with the record
// of one run. It is the contract between mlxp, the user's programs in any
// language, and whoever reads the results a year from now.
//
// Nothing here needs a lock or a server. A number is claimed by mkdir, an
// attempt at a run by creating a file that must not exist, and a file is
// replaced as a whole, by one writer at a time. All of that holds between hosts
// that share the directory.
//
// The package knows nothing of configs, schedulers or git: it stores what it is
// given.
package logdir

import (
	"path/filepath"
	"strconv"
)

// The names of what a run directory holds.
const (
	MetadataDir  = "metadata"
	ConfigYAML   = "metadata/config.yaml" // the composed config, interpolations kept; final once the run is CREATED
	ConfigJSON   = "metadata/config.json" // interpolations resolved; final from the first start on
	InfoYAML     = "metadata/info.yaml"   // the record: see Info
	JobYAML      = "metadata/job.yaml"    // what the submitter knows; submitted runs only
	SettingsYAML = "metadata/mlxp.yaml"   // the settings in force
	MetricsJSONL = "metrics.jsonl"
	MetricsDir   = "metrics"
	ArtifactsDir = "artifacts"
	LogStdout    = "log.stdout"
	LogStderr    = "log.stderr"
	ScriptSh     = "script.sh" // submitted runs only
	JobLog       = "job.log"   // submitted runs only: the scheduler's own output
)

// OwnDir is mlxp's own folder in a log dir. Whoever deletes it loses time only.
const OwnDir = ".mlxp"

// claimPrefix and the attempt's number make the name of a claim.
const claimPrefix = "claim."

// A Run is a run's directory.
type Run struct {
	Dir string // absolute
	ID  int    // from 1
}

// Path returns the path of a file of the run, named by one of the constants.
func (r Run) Path(name string) string { return filepath.Join(r.Dir, name) }

// maxID is the highest number: beyond it one that was chosen by hand would leave
// none for those that follow.
const maxID = 999_999_999_999

// parseID reads the name of a run directory: decimal digits, no sign, no
// leading zero.
func parseID(name string) (int, bool) {
	if name == "" || name[0] < '1' || name[0] > '9' {
		return 0, false
	}
	id, err := strconv.Atoi(name)
	return id, err == nil && id <= maxID
}
