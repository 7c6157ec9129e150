package fakesched

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// commands is where the commands of the schedulers are.
var commands string

func TestMain(m *testing.M) {
	status := 1
	var err error
	if commands, err = os.MkdirTemp("", "fakesched"); err == nil {
		if err = Build(commands); err == nil {
			status = m.Run()
		}
		os.RemoveAll(commands)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// A world is a site, a directory to work in and the commands on PATH.
type world struct {
	t    *testing.T
	site Site
	dir  string
	env  []string
}

func newWorld(t *testing.T, c Config) *world {
	t.Helper()
	t.Parallel() // most of a test is waiting
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: filepath.Join(root, "work")}
	home := filepath.Join(root, "home")
	for _, dir := range []string{w.dir, home} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.Home = home
	if w.site, err = New(filepath.Join(root, "site"), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.site.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.env = []string{"PATH=" + commands + ":/usr/local/bin:/usr/bin:/bin", "FAKESCHED=" + w.site.dir, "HOME=" + home, "USER=root", "SHELL=/bin/sh"}
	return w
}

// write makes a file in the work directory.
func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// read returns a file of the work directory.
func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// sh runs a line of shell and returns what it prints, and its status.
func (w *world) sh(line string, extra ...string) (stdout, stderr string, status int) {
	w.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Dir = w.dir
	cmd.Env = append(w.env[:len(w.env):len(w.env)], extra...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// ok runs a line that must succeed and returns its standard output.
func (w *world) ok(line string, extra ...string) string {
	w.t.Helper()
	out, errs, status := w.sh(line, extra...)
	if status != 0 {
		w.t.Fatalf("%s: status %d\n%s%s", line, status, out, errs)
	}
	return out
}

func (w *world) wait() {
	w.t.Helper()
	if err := w.site.Wait(30 * time.Second); err != nil {
		w.t.Fatalf("%v\n%s", err, w.snapshot())
	}
}

func (w *world) snapshot() string {
	text, _ := os.ReadFile(w.site.path("state.json"))
	return string(text)
}

// An answer is a command and exactly what it says. A trailing "…" in the
// expected text stands for any rest.
type answer struct {
	line        string
	status      int
	out, errors string
}

func (w *world) answers(all []answer) {
	w.t.Helper()
	for _, a := range all {
		out, errs, status := w.sh(a.line)
		if status != a.status || !said(out, a.out) || !said(errs, a.errors) {
			w.t.Errorf("%s\n got status %d\n  out %q\n  err %q\nwant status %d\n  out %q\n  err %q", a.line, status, out, errs, a.status, a.out, a.errors)
		}
	}
}

func said(got, want string) bool {
	if beginning, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(got, beginning)
	}
	return got == want
}

// equal compares what a thing is with what it should be.
func (w *world) equal(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
