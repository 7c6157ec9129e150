package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/launcher"
)

var golden = flag.Bool("golden", false, "rewrite the expected output in testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mlxp": main, "program": program})
}

// program is the user's program in the stories. Its words say what it does:
//
//	env PREFIX    prints the variables with this prefix, sorted as they come
//	words …       prints the other words, one a line, in brackets
//	metric TEXT   appends a line to $MLXP_METRICS
//	sleep D       sleeps that long
//	await F TEXT  waits until the file F holds TEXT
//	exit N        ends with this status
//	KEY=VALUE     nothing
//
// and those of onTerminal.
func program() {
	args := os.Args[1:]
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "env":
			i++
			for _, v := range os.Environ() {
				if strings.HasPrefix(v, args[i]) {
					fmt.Println(v)
				}
			}
		case "words":
			for _, word := range args[i+1:] {
				fmt.Printf("[%s]\n", word)
			}
			return
		case "metric":
			i++
			f, err := os.OpenFile(os.Getenv("MLXP_METRICS"), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = fmt.Fprintln(f, args[i])
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(99)
			}
		case "say":
			i++
			fmt.Fprintln(os.Stderr, args[i])
		case "sleep":
			i++
			d, _ := time.ParseDuration(args[i])
			time.Sleep(d)
		case "await":
			await(args[i+1], args[i+2])
			return
		case "exit":
			i++
			status := 0
			fmt.Sscan(args[i], &status)
			os.Exit(status)
		default:
			i += onTerminal(args[i:])
		}
	}
}

// await waits until a file holds a text, at most as long as a very busy machine
// may take.
func await(path, text string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), text) {
			return
		}
	}
	fmt.Fprintf(os.Stderr, "%s never held %s\n", path, text)
	os.Exit(99)
}

// Each story of testdata/script is told through the real binary.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *golden,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"NO_COLOR", "MLXP_RUN_DIR"} {
				env.Setenv(name, "")
			}
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+who+"_NAME", "a")
				env.Setenv("GIT_"+who+"_EMAIL", "a@example.org")
			}
			return nil
		},
	})
}

// The help of mlxp as a whole is written by hand: it has to name what there is.
func TestUsageIsComplete(t *testing.T) {
	app := newApp(launcher.World{})
	var flags []cli.Flag
	for _, c := range app.Commands {
		if c.Name == launcher.LaunchName {
			flags = c.Flags
		}
		if !c.Hidden && !strings.Contains(usage, "\n  "+c.Name+" ") {
			t.Errorf("the help does not name the command %s", c.Name)
		}
	}
	for _, f := range append(flags, app.Flags...) {
		for _, name := range f.Names() {
			if !strings.Contains(usage, "-"+name) {
				t.Errorf("the help does not name the flag %s", name)
			}
		}
	}
}

// docs/runs.md names the test that keeps each promise: each has to be there.
func TestPromisesAreKept(t *testing.T) {
	page, err := os.ReadFile("docs/runs.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*/*_test.go")
	deeper, err2 := filepath.Glob("*/*/*_test.go")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var tests strings.Builder
	for _, path := range append(files, deeper...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	named := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(page), -1)
	if len(named) < 20 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "func "+name+"(") {
			t.Errorf("there is no test %s", name)
		}
	}
}

func TestCompletions(t *testing.T) {
	app := newApp(launcher.World{})
	for _, test := range []struct {
		words string // the last one is completed; a lone - at the end stands for nothing typed yet
		want  string // must be among the answers
		not   string // must not
	}{
		{"-", "query", "--where"},
		{"qu", "query", "show"},
		{"--dr", "--dry-run", "--where"},
		{"--", "--seed-sweep", "--sort"},
		{"a=1 --whe", "--where", "--log-dir"},
		{"query --so", "--sort", "--where"},
		{"query --", "--log-dir", "--jobs"},
		{"--log-dir x query --gr", "--group", "--jobs"},
		{"completion -", "fish", "query"},
		{"query --sort -", "", "query"},
	} {
		words := strings.Fields(test.words)
		if last := len(words) - 1; words[last] == "-" {
			words[last] = ""
		}
		got := completions(app, words)
		if test.want != "" && !slices.Contains(got, test.want) || slices.Contains(got, test.not) {
			t.Errorf("completions(%q) = %q; want %q among them, not %q", words, got, test.want, test.not)
		}
	}
}
