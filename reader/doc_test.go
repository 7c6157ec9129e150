package reader

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the outputs in docs/query.md")

// TestDocs executes the commands of docs/query.md and compares what they print.
func TestDocs(t *testing.T) {
	const path = "../docs/query.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	console := false
	commands := 0
	for line := range strings.Lines(string(text)) {
		command, isCommand := strings.CutPrefix(line, "$ mlxp ")
		switch {
		case line == "```console\n":
			console = true
			out.WriteString(line)
		case line == "```\n" && console:
			console = false
			out.WriteString(line)
		case console && isCommand:
			commands++
			out.WriteString(line)
			stdout, _, err := mlxp(t, sampleLog, split(t, strings.TrimSpace(command))...)
			if err != nil {
				t.Errorf("%s%v", line, err)
			}
			out.WriteString(withoutDir(stdout))
		case console: // what it printed when this was written
		default:
			out.WriteString(line)
		}
	}
	if commands < 20 {
		t.Errorf("%d commands", commands)
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := strings.Split(string(text), "\n"), strings.Split(out.String(), "\n")
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("line %d:\ngot  %s\nwant %s\n(go test ./reader -run TestDocs -update rewrites it)", i+1, got[i], want[i])
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}

// withoutDir replaces where the log dir is.
func withoutDir(text string) string {
	dir, _ := os.Getwd()
	return strings.ReplaceAll(text, dir+"/"+sampleLog, "/home/ana/proj/logs")
}

// split cuts a command line into words; single quotes are all it knows of a shell.
func split(t *testing.T, line string) []string {
	var words []string
	var word strings.Builder
	quoted, started := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, started = !quoted, true
		case r == ' ' && !quoted:
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quoted {
		t.Fatalf("a quote is open: %s", line)
	}
	return append(words, word.String())
}
