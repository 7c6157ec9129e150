package reader

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLogs(t *testing.T) {
	many := strings.Repeat("0123456789\n", 20_000) + "last\n"
	root := writeLog(t, map[int]files{
		1: {"metadata/info.yaml": record(1, "COMPLETE"), "log.stdout": "a\nb\nc\n", "log.stderr": "e\n"},
		2: {"metadata/info.yaml": record(2, "CREATED")},
		3: {"metadata/info.yaml": record(3, "COMPLETE"), "log.stdout": many},
		4: {"metadata/info.yaml": record(4, "COMPLETE"), "log.stdout": "a\nno end"},
	})
	for _, test := range []struct{ args, want string }{
		{"1", "a\nb\nc\n"},
		{"--stderr 1", "e\n"},
		{"--last 2 1", "b\nc\n"},
		{"--last 0 1", ""},
		{"--last 9 1", "a\nb\nc\n"},
		{"-f 1", "a\nb\nc\n"},
		{"2", ""},
		{"3", many},
		{"--last 2 3", "0123456789\nlast\n"},
		{"--last 19000 3", strings.Repeat("0123456789\n", 18_999) + "last\n"},
		{"--last 1 4", "no end"},
	} {
		out, notes, err := mlxp(t, root, append([]string{"logs"}, strings.Fields(test.args)...)...)
		if err != nil || out != test.want || notes != "" {
			t.Errorf("logs %s: %d bytes, %q, %v; want %d bytes", test.args, len(out), notes, err, len(test.want))
		}
	}
	for _, args := range []string{"", "x", "0", "9", "1 2"} {
		if _, _, err := mlxp(t, root, append([]string{"logs"}, strings.Fields(args)...)...); err == nil {
			t.Errorf("logs %s: no error", args)
		}
	}
}

// -f waits for a run that was not started yet and ends when that has ended.
func TestLogsFollow(t *testing.T) {
	root := writeLog(t, map[int]files{1: {"metadata/info.yaml": record(1, "CREATED")}})
	path := filepath.Join(root, "1", "log.stdout")
	go func() {
		time.Sleep(300 * time.Millisecond)
		os.WriteFile(path, []byte("first\n"), 0o666)
		time.Sleep(300 * time.Millisecond)
		f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		f.WriteString("second\n")
		f.Close()
		os.WriteFile(filepath.Join(root, "1", "metadata", "info.yaml"), []byte(record(1, "COMPLETE")), 0o666)
	}()
	if out, _, err := mlxp(t, root, "logs", "-f", "1"); err != nil || out != "first\nsecond\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
