package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// need skips a test without the tools that it is about.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if everything {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
}

// A pane is a terminal in tmux: what a person sees there is what counts.
type pane struct {
	t      *testing.T
	dir    string
	socket string
}

func newPane(t *testing.T) *pane {
	t.Helper()
	need(t, "tmux")
	t.Parallel()
	dir := t.TempDir()
	p := &pane{t, dir, filepath.Join(dir, "tmux")}
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", dir, "env", "ENV=", "PS1=$ ", "sh", "-i")
	t.Cleanup(func() { p.tmux("kill-server") })
	p.shows(`^\$$`)
	return p
}

func (p *pane) tmux(words ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, words...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v\n%s", words, err, out)
	}
	return string(out)
}

// press presses keys, which have tmux's names.
func (p *pane) press(keys ...string) {
	p.t.Helper()
	p.tmux(append([]string{"send-keys", "--"}, keys...)...)
}

// shows waits until the last line that holds anything matches.
func (p *pane) shows(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		screen := strings.TrimRight(p.tmux("capture-pane", "-p"), "\n")
		if re.MatchString(screen[strings.LastIndexByte(screen, '\n')+1:]) {
			return screen
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the last line never matches %s:\n%s", pattern, screen)
		}
	}
}

func TestTmux(t *testing.T) {
	t.Run("less", func(t *testing.T) {
		need(t, "less")
		p := newPane(t)
		var numbers strings.Builder
		for i := range 500 {
			fmt.Fprintf(&numbers, "number %d\n", i+1)
		}
		if err := os.WriteFile(filepath.Join(p.dir, "numbers"), []byte(numbers.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		p.press("mlxp -- less numbers", "Enter")
		p.shows(`^numbers`)
		p.press("G")
		p.shows(`^numbers \(END\)|^\(END\)`)
		p.press("C-z")
		p.shows(`^\$$`)
		p.press("fg", "Enter")
		p.shows(`END`)
		p.press("g")
		if screen := p.shows(`^:`); !strings.HasPrefix(screen, "number 1\n") {
			t.Errorf("the first page is not there:\n%s", screen)
		}
		p.press("q")
		p.shows(`^\$$`)
	})

	t.Run("pdb and input", func(t *testing.T) {
		need(t, "python3")
		p := newPane(t)
		script := "name = input('name? ')\nbreakpoint()\nprint('bye', name)\n"
		if err := os.WriteFile(filepath.Join(p.dir, "a.py"), []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
		p.press("mlxp -- python3 a.py", "Enter")
		p.shows(`^name\?`)
		p.press("bob", "Enter")
		p.shows(`^\(Pdb\)`)
		p.press("p name * 2", "Enter")
		if screen := p.shows(`^\(Pdb\)`); !strings.Contains(screen, "'bobbob'") {
			t.Errorf("pdb does not answer:\n%s", screen)
		}
		p.press("C-c")
		p.press("C-c") // as without mlxp, it goes on
		p.press("c", "Enter")
		p.shows(`^\$$`)
	})

	t.Run("one progress line under the reports", func(t *testing.T) {
		p := newPane(t)
		p.press("clear; mlxp -q -- true; mlxp -j 2 -- sh -c 'test $MLXP_CONFIG__I -gt 2 && sleep 0.3' i=1,2,3,4,5,6", "Enter")
		screen := p.shows(`^\$$`)
		for _, want := range []string{
			"mlxp: 6 runs in logs, 2 at a time",
			"mlxp: run 2 failed with exit status 1 after [0-9.]+ s: i=1",
			"mlxp: 4 of 6 runs complete in logs; not complete: 2-3",
		} {
			if !regexp.MustCompile(want).MatchString(screen) {
				t.Errorf("%s is not shown:\n%s", want, screen)
			}
		}
		if strings.Contains(screen, "running") {
			t.Errorf("the progress line is left:\n%s", screen)
		}
	})
}
