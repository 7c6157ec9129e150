package reader

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// files are those of a run, by their path in its directory.
type files map[string]string

// writeLog makes a log dir with these runs.
func writeLog(t testing.TB, runs map[int]files) string {
	t.Helper()
	root := t.TempDir()
	for id, run := range runs {
		for name, text := range run {
			write(t, filepath.Join(root, fmt.Sprint(id), name), text)
		}
	}
	return root
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// record is the text of a record; more holds further lines of it.
func record(id int, status string, more ...string) string {
	return fmt.Sprintf("schema: 1\nid: %d\nstatus: %q\n", id, status) + strings.Join(append(more, ""), "\n")
}

// mlxp runs a command as main does, but for moving flags in front of words.
func mlxp(t testing.TB, root string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	app := &cli.App{
		Name:                      "mlxp",
		Writer:                    &out,
		ErrWriter:                 &errOut,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands:                  Commands(func(*cli.Context) (string, error) { return root, nil }),
	}
	err = app.Run(append([]string{"mlxp"}, args...))
	return out.String(), errOut.String(), err
}

const sampleLog = "testdata/logs"
