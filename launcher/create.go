package launcher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
	"github.com/mlxp/mlxp/scheduler/script"
)

// check finds out, before anything is written, whether jobs can start here:
// their interpolations resolve, their placeholders have values, their programs
// exist.
func check(w World, jobs []Job, strict bool) error {
	programs := map[string]bool{}
	for _, job := range jobs {
		words, err := filledCommand(w, job, strict)
		if err != nil {
			return err
		}
		for _, word := range words {
			if strings.IndexByte(word, 0) >= 0 {
				return errNUL
			}
		}
		if !programs[words[0]] {
			if _, err := supervise.LookPath(words[0], w.Cwd, w.Environ); err != nil {
				return err
			}
			programs[words[0]] = true
		}
	}
	return nil
}

// errNUL is the error for a command that cannot be executed.
var errNUL = fault.Hint(errors.New("a value holds a NUL byte, which no word of a command can"), "the program finds it in the file of $MLXP_CONFIG")

// A batch is what one command line launches: the runs of a sweep.
type batch struct {
	world World
	plan  *Plan
	code  version
	jobs  []Job
	runs  []logdir.Run // once they are made: one for each job

	launch *script.Launch // in the script that is submitted; nil: it was typed
	queue  []*logdir.Job  // of submitted runs: one for each
}

// create makes the run directories of batches; those of more than one run are on
// the disk when it returns. If one cannot be made, none is left; nor if stop is
// closed before the last: then it returns false and no error. prepare, if there is
// one, is called for each run before its record is written.
func create(log *logdir.Log, batches []*batch, prepare func(b *batch, i int) error, stop <-chan struct{}) (bool, error) {
	templates := make([]logdir.Info, len(batches))
	for i, b := range batches {
		templates[i] = newInfo(b.world, b.plan, b.code)
	}
	freeze := func(s, i int) error {
		b, info := batches[s], templates[s]
		run, job := b.runs[i], b.jobs[i]
		info.ID = run.ID
		info.Created = logdir.Now()
		info.Command = jsontext.Texts(job.Command)
		info.Overrides = make([]jsontext.Text, len(job.Overrides))
		for i, o := range job.Overrides {
			info.Overrides[i] = jsontext.Text(o.Text)
		}
		info.Sweep = &logdir.Sweep{ID: b.runs[0].ID, Index: job.Index, Size: b.plan.Size}
		composed := job.Config.AppendYAML(nil)
		settings, err := settingsText(b.plan.Settings, job, composed)
		if err != nil {
			return err
		}
		if isClosed(stop) {
			return errStopped
		}
		if prepare != nil {
			if err := prepare(b, i); err != nil {
				return err
			}
		}
		return run.Freeze(&info, composed, settings)
	}
	sweeps := make([][]logdir.Run, len(batches))
	var err error
	for i, b := range batches {
		b.runs, err = claimNumbers(log, len(b.jobs), b.plan.Settings.Logger.ForcedLogID, stop)
		sweeps[i] = b.runs
		if err != nil {
			break
		}
	}
	if err == nil {
		err = log.FreezeSweeps(sweeps, freeze)
	}
	if err == nil {
		return true, nil
	}
	for _, b := range batches {
		for _, run := range b.runs {
			os.RemoveAll(run.Dir)
		}
		b.runs = nil
	}
	if errors.Is(err, errStopped) {
		err = nil
	}
	return false, err
}

// errStopped tells that the user has asked to end.
var errStopped = errors.New("interrupted")

// claimNumbers makes the directories of n runs. It returns those it has made,
// also after an error.
func claimNumbers(log *logdir.Log, n, forced int, stop <-chan struct{}) ([]logdir.Run, error) {
	runs := make([]logdir.Run, 0, n)
	for range n {
		if isClosed(stop) {
			return runs, errStopped
		}
		run, err := claimNumber(log, forced)
		if err != nil {
			return runs, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func claimNumber(log *logdir.Log, forced int) (logdir.Run, error) {
	if forced > 0 {
		return log.CreateID(forced)
	}
	return log.Create()
}

// newInfo is the part of the record that all runs of a command share.
func newInfo(w World, plan *Plan, code version) logdir.Info {
	words := plan.Line.Words
	if len(plan.Line.Overrides) > 0 {
		words = slices.Concat(plan.Line.Overrides, []string{"--"}, words)
	}
	info := logdir.Info{
		Schema:         logdir.Schema,
		Status:         logdir.Created,
		Words:          jsontext.Texts(words),
		WorkDir:        jsontext.Text(code.workDir),
		Cwd:            jsontext.Text(w.Cwd),
		User:           userName(w),
		VersionManager: code.record,
		Mlxp:           w.Version,
	}
	if plan.RerunOf > 0 {
		info.RerunOf = &plan.RerunOf
	}
	return info
}

// settingsText is metadata/mlxp.yaml: the settings in force, what the config's
// ${hydra:…} say, and the command if its placeholders will be replaced in the
// record: one JSON value a line as there.
func settingsText(s Settings, job Job, config []byte) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	for _, line := range []struct {
		name  string
		value any
	}{
		{"logger", s.Logger}, {"version_manager", s.VersionManager}, {"use_version_manager", s.UseVersionManager},
		{"use_logger", s.UseLogger}, {"interactive_mode", s.InteractiveMode},
	} {
		text.WriteString(line.name + ": ")
		if err := enc.Encode(line.value); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(job.Command, func(word string) bool { return strings.Contains(word, "{") }) {
		text.WriteString(commandLine + ": ")
		if err := enc.Encode(jsontext.Texts(job.Command)); err != nil {
			return nil, err
		}
	}
	if bytes.Contains(config, []byte("${hydra:")) {
		text.WriteString(hydraLine + ": ")
		text.Write(append(job.Hydra().AppendJSON(nil), '\n'))
	}
	return text.Bytes(), nil
}

// logRoot returns the directory that runs are made in, and what to do at the
// end. Without a logger that is a directory of the system's that is removed.
func logRoot(w World, s Settings) (root string, remove func(), err error) {
	if s.UseLogger {
		return w.abs(string(s.Logger.ParentLogDir)), func() {}, nil
	}
	root, err = os.MkdirTemp("", "mlxp")
	if err != nil {
		return "", nil, fmt.Errorf("use_logger false: %w", err)
	}
	return root, func() { os.RemoveAll(root) }, nil
}
