package fakesched

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A call is one execution of a command. What it prints is kept until it ends,
// so that an answer comes as a whole, after the site's delay.
type call struct {
	site
	Config
	sys      *system
	name     string
	args     []string
	cwd      string
	stdin    io.Reader
	out, err bytes.Buffer
}

// A Call is a line of the log of calls.
type Call struct {
	Command string
	Args    []string
	Dir     string
	Env     map[string]string `json:",omitempty"` // variables that schedulers and mlxp read
	Time    time.Time
	Status  int
}

func (c *call) printf(format string, args ...any) { fmt.Fprintf(&c.out, format, args...) }

// fail prints lines on standard error and returns the status.
func (c *call) fail(status int, format string, args ...any) int {
	fmt.Fprintf(&c.err, format+"\n", args...)
	return status
}

// telling are the variables that the log of calls keeps.
var telling = []string{"SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_", "SINFO_", "PMI_", "PMIX_", "OAR_", "SGE_", "JOB_ID", "PBS_", "LSB_", "LSF_", "MOAB_", "MLXP_"}

func (c *call) record(status int, start time.Time) error {
	entry := Call{Command: c.name, Args: c.args, Dir: c.cwd, Time: start, Status: status, Env: map[string]string{}}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		for _, prefix := range telling {
			if strings.HasPrefix(name, prefix) {
				entry.Env[name] = value
			}
		}
	}
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.path("calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := flock(f, unix.LOCK_EX); err != nil { // a long line may be written in parts
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return err
}
