package launcher

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/logdir"
)

// forced resumes run id if it exists already and is the same run.
func forced(root string, id int) (logdir.Run, bool, error) {
	run, err := logdir.Find(root, id)
	if errors.Is(err, fs.ErrNotExist) {
		return run, false, nil
	}
	return run, err == nil, err
}

// sameRun tells why run is not what job and plan describe, nil if it is.
func sameRun(run logdir.Run, plan *Plan, job Job) error {
	info, err := run.ReadInfo()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(run.Path(logdir.ConfigYAML))
	if err != nil {
		return fmt.Errorf("run %d: %w", run.ID, err)
	}
	before, err := lineOf(info).programWords()
	if err != nil {
		return err
	}
	now, err := plan.Line.programWords()
	if err != nil {
		return err
	}
	switch {
	case !slices.Equal(before, now):
		return fault.Hint(fmt.Errorf("run %d exists with another command: %s", run.ID, strings.Join(before, " ")), "logger.forced_log_id resumes a run as it was; choose another number")
	case !bytes.Equal(text, job.Config.AppendYAML(nil)):
		return fault.Hint(fmt.Errorf("run %d exists with another config", run.ID), "mlxp show %d prints it; choose another number", run.ID)
	}
	return nil
}

// lineOf is the command line that a run was launched with.
func lineOf(info *logdir.Info) Line {
	words := jsontext.Strings(info.Words)
	if i := slices.Index(words, "--"); i > 0 && overridesOnly(words[:i]) {
		return Line{Overrides: words[:i], Words: words[i+1:]}
	}
	return Line{Words: words}
}

func overridesOnly(words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !overrideForm().MatchString(w) })
}
