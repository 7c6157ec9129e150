package supervise

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mlxp/mlxp/logdir"
)

// closeMetrics makes metrics.jsonl if it is not there, and ends the last line
// of every metrics file that an earlier attempt left torn, so that the program
// appends to whole lines. It returns the size of each file, by its path in the
// run directory.
func closeMetrics(run logdir.Run) (map[string]int64, error) {
	names := []string{logdir.MetricsJSONL}
	entries, err := os.ReadDir(run.Path(logdir.MetricsDir))
	if err != nil {
		return nil, fmt.Errorf("run %d: %w", run.ID, err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && filepath.Ext(e.Name()) == ".jsonl" {
			names = append(names, filepath.Join(logdir.MetricsDir, e.Name()))
		}
	}
	sizes := map[string]int64{}
	for _, name := range names {
		if sizes[name], err = closeLine(run, name); err != nil {
			return nil, fmt.Errorf("run %d: %w", run.ID, err)
		}
	}
	return sizes, nil
}

// closeLine ends the last line of a file of run, making the file if it does not
// exist, and returns its size.
func closeLine(run logdir.Run, name string) (int64, error) {
	f, err := run.OpenAppend(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() == 0 {
		return 0, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], st.Size()-1); err != nil {
		return 0, err
	}
	if last[0] == '\n' {
		return st.Size(), nil
	}
	_, err = f.WriteString("\n")
	return st.Size() + 1, err
}
