package script

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the job scripts of testdata/jobs anew")

// The job scripts of testdata/jobs: a script, and what becomes of it for some of
// its launches. A file there is called after the number of a launch.
func TestJob(t *testing.T) {
	files, err := filepath.Glob("testdata/jobs/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t)
			path := filepath.Join(b.dir, "script.sh")
			b.write(path, string(archive.Comment))
			s, launches, err := b.evaluate(path, "one", "two words")
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range archive.Files {
				var n int
				for _, c := range f.Name {
					n = 10*n + int(c-'0')
				}
				if n >= len(launches) {
					t.Fatalf("there are %d launches", len(launches))
				}
				l := launches[n]
				text, err := s.Job(l, JobText{Header: []string{"#SBATCH --job-name=x"}, Top: []string{"# top"}, Command: []string{"/bin/mlxp", "job", "logs/1"}, Exec: !l.Follows && !s.Traps})
				if err != nil {
					t.Fatal(err)
				}
				text = strings.ReplaceAll(text, b.dir, "/project")
				switch {
				case *update:
					archive.Files[i].Data = []byte(text)
				case !bytes.Equal(f.Data, []byte(text)):
					t.Errorf("launch %d is now:\n%s\nwant:\n%s", n, text, f.Data)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
