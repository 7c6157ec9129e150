package script

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// recorder is a program called mlxp that notes how many words follow, its
// directory and its words, each with a NUL behind it.
const recorder = `#!/bin/sh
case $1 in query) echo 1; echo 2; exit;; esac
printf '%s\0' "$(($# + 1))" "$PWD" "$@" >>"$RECORD"
`

// A bench is a directory with a recorder on PATH.
type bench struct {
	t                *testing.T
	dir, bin, record string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t, filepath.Join(root, "work"), filepath.Join(root, "bin"), filepath.Join(root, "record")}
	for _, dir := range []string{b.dir, b.bin} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.write(filepath.Join(b.bin, "mlxp"), recorder)
	b.write(filepath.Join(b.bin, "module"), "#!/bin/sh\n")
	return b
}

func (b *bench) write(path, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

// environ is the environment that scripts get, here and in the real shell.
func (b *bench) environ() []string {
	return []string{"PATH=" + b.bin + ":/usr/bin:/bin", "HOME=" + b.dir, "RECORD=" + b.record, "LC_ALL=C.UTF-8"}
}

// run executes a script with a real shell and returns the calls of mlxp:
// directory and words.
func (b *bench) run(shell, path string, args ...string) [][]string {
	b.t.Helper()
	os.Remove(b.record)
	cmd := exec.Command(shell, append([]string{path}, args...)...)
	cmd.Dir, cmd.Env = b.dir, b.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		text, _ := os.ReadFile(path)
		b.t.Fatalf("%s %s: %v\n%s\n%s", shell, path, err, out, text)
	}
	text, err := os.ReadFile(b.record)
	if err != nil {
		b.t.Fatalf("%s %s called mlxp never", shell, path)
	}
	var calls [][]string
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	for len(words) > 0 {
		n, err := strconv.Atoi(words[0])
		if err != nil || n >= len(words) {
			b.t.Fatalf("the recorder wrote %q", words)
		}
		calls, words = append(calls, words[1:n+1]), words[n+1:]
	}
	return calls
}

func (b *bench) evaluate(path string, args ...string) (*Script, []Launch, error) {
	b.t.Helper()
	s, err := Read(path)
	if err != nil {
		return nil, nil, err
	}
	launches, err := s.Evaluate(context.Background(), Options{
		Environ: b.environ(), Dir: b.dir, Args: args, Self: filepath.Join(b.bin, "mlxp"),
		JobOnly: func(name string) bool { return strings.HasPrefix(name, "SLURM_") || name == "TMPDIR" },
	})
	return s, launches, err
}

// The launches that are worked out are those that the real shell makes; and the
// job script of each makes that one alone.
func TestLikeTheShell(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Fatal("bash is needed to compare with")
	}
	files, err := filepath.Glob("testdata/like-the-shell/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var args []string
			if first, _, ok := strings.Cut(strings.TrimPrefix(string(archive.Comment), "#!/bin/bash\n# args: "), "\n"); ok && len(first) < 100 && strings.Contains(string(archive.Comment), "# args: ") {
				args = strings.Split(first, "|")
			}
			path := filepath.Join(b.dir, "script.sh")
			b.write(path, string(archive.Comment))
			for _, f := range archive.Files {
				b.write(filepath.Join(b.dir, f.Name), string(f.Data))
			}
			shell := "bash"
			if strings.HasPrefix(string(archive.Comment), "#!/bin/sh") {
				shell = "sh"
			}
			s, launches, err := b.evaluate(path, args...)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, l := range launches {
				got = append(got, append([]string{l.Dir}, l.Args...))
			}
			want := b.run(shell, path, args...)
			if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
				t.Fatalf("worked out:\n%s\nthe shell launches:\n%s", show(got), show(want))
			}
			for i, l := range launches {
				if i%(1+len(launches)/2) != 0 { // of very many some
					continue
				}
				command := []string{filepath.Join(b.bin, "mlxp"), "job", "it's run", "\xff\n", itoa(i)}
				text, err := s.Job(l, JobText{Command: command, Exec: !l.Follows && !s.Traps})
				if err != nil {
					t.Fatal(err)
				}
				job := filepath.Join(b.dir, "job-"+itoa(i)+".sh")
				b.write(job, text)
				calls := b.run(shell, job)
				if len(calls) != 1 || !slices.Equal(calls[0], append([]string{l.Dir}, command[1:]...)) {
					t.Fatalf("job script of launch %d (%q):\n%s\ncalls:\n%s", i, l.Args, text, show(calls))
				}
			}
		})
	}
}

func show(calls [][]string) string {
	var b strings.Builder
	for _, call := range calls {
		b.WriteString("  " + strings.Join(call, " ¦ ") + "\n")
	}
	return b.String()
}
