package launcher

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
)

// hydraLine is the line of metadata/mlxp.yaml that keeps what ${hydra:…} can
// say of a job.
const hydraLine = "hydra"

// resolver resolves interpolations in w, hydra being what ${hydra:…} selects
// from.
func resolver(w World, hydra func() *config.Node, strict bool, notice func(string)) config.Resolver {
	return config.Resolver{
		Env: func(name string) (string, bool) {
			return supervise.LookupEnv(w.Environ, name)
		},
		Now:    time.Now(),
		Hydra:  hydra,
		Strict: strict,
		Notice: notice,
	}
}

// withRun adds to hydra what ${hydra:…} can say only of a run that has a
// directory.
func withRun(hydra func() *config.Node, run logdir.Run, cwd string) func() *config.Node {
	return func() *config.Node {
		return hydra().
			WithValue("run.dir", text(run.Dir)).
			WithValue("runtime.output_dir", text(run.Dir)).
			WithValue("runtime.cwd", text(cwd)).
			WithValue("job.id", text(strconv.Itoa(run.ID)))
	}
}

// commandLine is the line of metadata/mlxp.yaml that keeps a command with its
// placeholders.
const commandLine = "command"

// readHydra reads back what settingsText kept of Hydra.
func readHydra(run logdir.Run) (*config.Node, error) {
	value, err := settingsLine(run, hydraLine)
	if err != nil || value == nil {
		return &config.Node{Kind: config.Map}, err
	}
	return config.ParseJSON(value)
}

// settingsLine returns the JSON value of a line that settingsText wrote, nil if it
// wrote none.
func settingsLine(run logdir.Run, name string) ([]byte, error) {
	text, err := os.ReadFile(run.Path(logdir.SettingsYAML))
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(name+": ")); ok {
			return bytes.TrimSpace(value), nil
		}
	}
	return nil, nil
}

func text(s string) *config.Node { return &config.Node{Kind: config.String, Text: s} }

func integer(n int) *config.Node { return &config.Node{Kind: config.Int, Text: strconv.Itoa(n)} }
