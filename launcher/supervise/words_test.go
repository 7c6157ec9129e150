package supervise

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
)

func parse(t testing.TB, text string) *config.Node {
	t.Helper()
	n, err := config.ParseYAML([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const fillConfig = "lr: 0.1\nmodel: {units: 4, name: a b, layers: [1, 2]}\nnone: null\n"

func TestFill(t *testing.T) {
	conf := parse(t, fillConfig)
	places := Places{"run_id": "7"}
	for _, test := range []struct{ name, in, want string }{
		{"a value", "{lr}", "0.1"},
		{"in a word", "--rate={lr},{model.units}!", "--rate=0.1,4!"},
		{"a text as it is", "{model.name}", "a b"},
		{"null is empty", "<{none}>", "<>"},
		{"a list as JSON", "{model.layers}", "[1,2]"},
		{"an item", "{model.layers[1]}", "2"},
		{"a place", "{@run_id}", "7"},
		{"a place that is not known yet", "{@run_dir}", "{@run_dir}"},
		{"a pair of braces less", "{{lr}}", "{lr}"},
		{"JSON around it", `{"a": {lr}}`, `{"a": 0.1}`},
		{"after a dollar", "${lr}", "${lr}"},
		{"after an at sign", "@{lr}", "@{lr}"},
		{"after a backslash", `\{lr}`, `\{lr}`},
		{"no key", "{other} {1..3} {} {print $1} {", "{other} {1..3} {} {print $1} {"},
		{"braces without an end", "{lr", "{lr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Fill([]string{test.in}, conf, places)
			if err != nil || got[0] != test.want {
				t.Errorf("Fill(%q) = %q, %v; want %q", test.in, got, err, test.want)
			}
		})
	}
}

func TestFillRefuses(t *testing.T) {
	conf := parse(t, fillConfig)
	for _, test := range []struct {
		name, in, hint string
		offset         int
	}{
		{"one letter off", "{model.unit}", "{model.units}", 1},
		{"the first part is there", "x={model.other}", "", 3},
		{"a place one letter off", "{@run_di}", "{@run_dir}", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Fill([]string{test.in}, conf, nil)
			place := fault.Place(err)
			if place == nil || place.Offset != test.offset || !strings.Contains(strings.Join(fault.Hints(err), " "), test.hint) {
				t.Errorf("Fill(%q): %v at %+v, hints %q", test.in, err, place, fault.Hints(err))
			}
		})
	}
}

// Whatever a word holds, Fill gives an escaped one back as it was.
func FuzzEscape(f *testing.F) {
	for _, word := range []string{"{lr}", "{{lr}}", "{{{lr}", "${lr}", "{model.unit}", "d={a:1}", "{@run_id}}", "{lr}{lr}", "\\{lr}", "{{", "}}{"} {
		f.Add(word)
	}
	conf := parse(f, fillConfig)
	f.Fuzz(func(t *testing.T, word string) {
		got, err := Fill([]string{Escape(word, conf)}, conf, Places{"run_id": "7"})
		if err != nil || got[0] != word {
			t.Errorf("Escape(%q) = %q, filled %q, %v", word, Escape(word, conf), got, err)
		}
	})
}

func TestEnvironment(t *testing.T) {
	long := strings.Repeat("x", maxLeaf+1)
	conf := parse(t, "a-b: 1\na_b: 2\nmodel: {numUnits: 4}\nnul: \"\\0\"\né: 3\nlong: "+long+"\nempty: {}\nlist: [1, a]\nnone: null\nyes: true\n")
	base := []string{"HOME=/home/a", "MLXP_CONFIG=/old", "MLXP_CONFIG__OLD=1", "MLXP_RUN_DIR=/old", "MLXP_METRICS=/old", "MLXP_SETTINGS__X=1", "MLXPX=1"}
	env, left := environment(base, conf, []string{"MLXP_RUN_ID=7"})
	want := []string{"HOME=/home/a", "MLXP_SETTINGS__X=1", "MLXPX=1", "MLXP_RUN_ID=7", "PYTHONUNBUFFERED=1", "MLXP_CONFIG__MODEL__NUMUNITS=4",
		"MLXP_CONFIG____=3", "MLXP_CONFIG__EMPTY={}", `MLXP_CONFIG__LIST=[1,"a"]`, "MLXP_CONFIG__NONE=", "MLXP_CONFIG__TRUE=true"}
	if !slices.Equal(env, want) {
		t.Errorf("environment:\n%s\nwant:\n%s", strings.Join(env, "\n"), strings.Join(want, "\n"))
	}
	if env, _ := environment([]string{"PYTHONUNBUFFERED="}, parse(t, "{}"), nil); !slices.Equal(env, []string{"PYTHONUNBUFFERED="}) {
		t.Errorf("PYTHONUNBUFFERED is the user's to set: %q", env)
	}
	wantLeft := []string{
		"in the file of $MLXP_CONFIG, but not in a variable: a-b, a_b (the variable's name would be the same)",
		"in the file of $MLXP_CONFIG, but not in a variable: nul (a NUL byte)",
		"in the file of $MLXP_CONFIG, but not in a variable: long (too long for the environment)",
	}
	if !slices.Equal(left, wantLeft) {
		t.Errorf("left out:\n%s", strings.Join(left, "\n"))
	}
}

func TestEnvironmentIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		text.WriteString(string(rune('a'+i%26)) + strings.Repeat("k", i/26+1) + ": " + strings.Repeat("x", 20<<10) + "\n")
	}
	env, left := environment(nil, parse(t, text.String()), nil)
	size := 0
	for _, v := range env {
		size += len(v)
	}
	if size > maxLeaves+len(env) || size < maxLeaves/2 || len(left) != 1 {
		t.Errorf("%d bytes in %d variables, left out %q", size, len(env), left)
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	write := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "bin", "tool"), 0o777)
	write(filepath.Join(dir, "first", "tool"), 0o666)
	write(filepath.Join(dir, "first", "data"), 0o666)
	write(filepath.Join(dir, "work", "here"), 0o777)
	environ := []string{"PATH=/none", "PATH=" + filepath.Join(dir, "first") + ":" + filepath.Join(dir, "bin")}
	work := filepath.Join(dir, "work")
	for _, test := range []struct {
		name, program, want string
		status              int
		hint                string
	}{
		{"found later in PATH", "tool", filepath.Join(dir, "bin", "tool"), 0, ""},
		{"relative to the work dir", "./here", filepath.Join(work, "here"), 0, ""},
		{"absolute", filepath.Join(work, "here"), filepath.Join(work, "here"), 0, ""},
		{"in the current directory only", "here", "", fault.NotFound, "./here"},
		{"nowhere", "nowhere", "", fault.NotFound, ""},
		{"not executable", "data", "", fault.NotExecutable, "chmod +x"},
		{"a path that is not there", "./nowhere", "", fault.NotFound, ""},
		{"a directory", "../work", "", fault.NotExecutable, ""},
		{"below a file", "./here/x", "", fault.NotFound, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := LookPath(test.program, work, environ)
			if test.status == 0 && (got != test.want || err != nil) {
				t.Errorf("LookPath = %s, %v; want %s", got, err, test.want)
			}
			if fault.Status(err) != test.status || !strings.Contains(strings.Join(fault.Hints(err), " "), test.hint) {
				t.Errorf("LookPath: %v, status %d, hints %q", err, fault.Status(err), fault.Hints(err))
			}
		})
	}
}
