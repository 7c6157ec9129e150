package script

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"mvdan.cc/sh/v3/syntax"
)

// traps are programs that tell of having been started.
var traps = []string{"touch", "python", "mlxp", "rm", "mkdir", "cp", "tee", "sed", "awk", "find", "xargs", "env", "srun", "bash", "sh"}

// sandbox returns the options for a script that may do nothing but read: its
// PATH leads to traps. check fails the test if it did more.
func sandbox(t testing.TB) (o Options, check func(t testing.TB, script string)) {
	root := t.TempDir()
	dir, bin := filepath.Join(root, "dir"), filepath.Join(root, "bin")
	for _, d := range []string{dir, bin} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sprung := filepath.Join(root, "sprung")
	for _, name := range traps {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho $0 >>"+Quote(sprung)+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o = Options{
		Dir: dir, Environ: []string{"PATH=" + bin, "HOME=" + dir, "TMPDIR=" + dir},
		JobOnly: func(name string) bool { return strings.HasPrefix(name, "SLURM_") },
	}
	return o, func(t testing.TB, script string) {
		t.Helper()
		if names, err := os.ReadFile(sprung); err == nil {
			t.Errorf("started: %s\nby %s", names, script)
		}
		for _, d := range []string{dir, root} {
			entries, err := os.ReadDir(d)
			if err != nil || d == dir && len(entries) > 0 || d == root && len(entries) > 2 {
				t.Errorf("%s was written to (%v, %v)\nby %s", d, entries, err, script)
			}
		}
	}
}

// dangerous are scripts that would start a program or write a file if a shell
// executed them.
var dangerous = []string{
	"touch x", "python x.py", ">x", ">>x", "echo a >x", "echo a >| x", ": &>x", "exec >x", "exec 3>x; echo a >&3", "cat <>x",
	"$(touch x)", "a=$(touch x)", "`touch x`", "cat <(touch x)", "echo a > >(touch x)", "trap 'touch x' EXIT", "trap 'touch x' DEBUG ERR",
	"command touch x", "exec touch x", "builtin eval 'touch x'", "eval touch x", "\\touch x", "'touch' x", "env touch x", "nohup touch x",
	"sort -o x /dev/null", "sort -ox /dev/null", "sort --ou=x /dev/null", "sort --compress-program=touch /dev/null", "uniq /dev/null x",
	"uniq - x", "uniq -- /dev/null -x", "tee x </dev/null", "sed w\\ x /dev/null", "awk 'BEGIN{system(\"touch x\")}'", "find . -exec touch x ;", "xargs touch x",
	"coproc touch x", "touch x &", "(touch x)", "{ touch x; }", "f() { touch x; }; f", "time touch x", "! touch x", "if touch x; then :; fi",
	"seq() { touch x; }; seq 3", "PATH=.:$PATH; seq 3", "LD_PRELOAD=./x.so seq 3", "export LD_PRELOAD=./x.so; seq 3", "printf -v x %s a; touch $x",
	"mapfile -C 'touch x' -c 1 l <<<a", "read x < <(touch x)", "select x in a; do touch x; done", "[ -n \"$(touch x)\" ]", "[[ -n $(touch x) ]]", "(( $(touch x) ))",
	"a[$(touch x)]=1", "echo ${a[$(touch x)]}", "x='a[$(touch x)]'; echo $((x))", "let 'a[$(touch x)]'", "declare a=$(touch x)", "cat <<A\n$(touch x)\nA",
	"alias seq='touch x'; seq", "shopt -s expand_aliases\nalias y='touch x'\ny", "source /dev/stdin <<<'touch x'", ". <(echo touch x)", "enable -f ./x.so x",
	"mlxp query x", "mlxp -- p $(mlxp query)", "mlxp gc", "date -s 0", "date 01010000", "date -f x", "cd ~; >x", "bc <<< 'x'", "${x:=$(touch x)}", "echo ${x@P}",
}

func TestNothingIsDone(t *testing.T) {
	for _, script := range dangerous {
		o, check := sandbox(t)
		for _, text := range []string{script, script + "\nmlxp -- p", "#!/bin/sh\n" + script + "\nmlxp -- p", "for i in 1 2; do " + script + "\nmlxp -- p; done"} {
			s, err := Parse("x.sh", []byte(text))
			if err != nil {
				continue
			}
			s.Evaluate(context.Background(), o)
			check(t, text)
		}
	}
}

// No text makes evaluating panic, hang, start a program or write a file; and a
// job script is in the language of its script.
func FuzzEvaluate(f *testing.F) {
	for _, script := range dangerous {
		f.Add(script)
	}
	files, _ := filepath.Glob("testdata/*/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Comment))
	}
	o, check := sandbox(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("x.sh", []byte(text))
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		launches, err := s.Evaluate(ctx, o)
		check(t, text)
		if errors.Is(err, context.DeadlineExceeded) {
			return
		}
		for i, l := range launches {
			if i > 3 {
				break
			}
			job, err := s.Job(l, JobText{Command: []string{"/bin/mlxp", "job", "a'b\n"}, Exec: !l.Follows})
			if err != nil && strings.ContainsAny(text, "\f\v") {
				continue // the parser's idea of a blank is wider than the printer's
			}
			if err != nil {
				t.Fatal(err)
			}
			language := syntax.LangBash
			if s.posix {
				language = syntax.LangPOSIX
			}
			if _, err := parseAs("job.sh", job, language); err != nil || strings.ContainsRune(job, mark) {
				t.Fatalf("%v in the job script of %q:\n%s\nof\n%s", err, l.Args, job, text)
			}
		}
	})
}
