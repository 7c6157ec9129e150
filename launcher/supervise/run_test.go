package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/logdir"
)

// TestMain makes signals that whoever runs the tests may ignore, as a shell does
// for its background jobs, ordinary ones for the programs started here.
//
// The test binary is also a supervisor to be killed, and its guard.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == GuardWord {
		RunGuard()
		os.Exit(0)
	}
	if dir := os.Getenv(superviseVariable); dir != "" {
		os.Unsetenv(superviseVariable)
		os.Exit(superviseRun(dir))
	}
	if mb, _ := strconv.Atoi(os.Getenv(eatVariable)); mb > 0 {
		eat(mb)
		os.Exit(0)
	}
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1)
	os.Exit(m.Run())
}

// superviseVariable makes the test binary supervise the run in the directory it
// names.
const superviseVariable = "TEST_SUPERVISE"

// loginShellVariable makes it hold the leader of its session meanwhile.
const loginShellVariable = "TEST_LOGIN_SHELL"

// superviseRun is a supervisor to be killed.
func superviseRun(dir string) int {
	run, err := logdir.OpenRun(dir)
	if err == nil {
		opts, _ := quietly()
		opts.Guard = new(Guard)
		if os.Getenv(loginShellVariable) != "" {
			opts.LoginShell = LoginShell()
			received := make(chan os.Signal, 1)
			signal.Notify(received, unix.SIGTERM)
			opts.Signals = received
		}
		_, err = Run(run, opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// created makes a run of a command in a log dir of its own.
func created(t *testing.T, conf string, command ...string) logdir.Run {
	t.Helper()
	log, err := logdir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run, err := log.Create()
	if err != nil {
		t.Fatal(err)
	}
	info := &logdir.Info{Schema: 1, ID: run.ID, Status: logdir.Created, Command: jsontext.Texts(command),
		WorkDir: jsontext.Text(log.Root), Cwd: jsontext.Text(log.Root), Sweep: &logdir.Sweep{ID: run.ID, Size: 1}}
	if err := run.Freeze(info, []byte(conf), nil); err != nil {
		t.Fatal(err)
	}
	return run
}

// quietly are options that show nothing; notices go to the returned slice.
func quietly() (Options, *[]string) {
	notices := new([]string)
	return Options{
		Environ: os.Environ(),
		Notice:  func(text string) { *notices = append(*notices, text) },
		Warn:    func(text string) { *notices = append(*notices, text) },
		Unshown: func(err error) { *notices = append(*notices, err.Error()) },
		Unkept:  func(err error) { *notices = append(*notices, err.Error()) },
		Resolve: func(n *config.Node, _ *logdir.Info) (*config.Node, error) {
			return config.Resolve(n, config.Resolver{})
		},
	}, notices
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRunEndings(t *testing.T) {
	for _, test := range []struct {
		name, script string
		status       logdir.Status
		code         int
		signal       string
	}{
		{"success", "exit 0", logdir.Complete, 0, ""},
		{"failure", "exit 3", logdir.Failed, 3, ""},
		{"killed by a signal", "kill -KILL $$", logdir.Interrupted, 137, "SIGKILL"},
		{"a program that closes its output", "exec >&- 2>&-; exit 4", logdir.Failed, 4, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := created(t, "{}", "sh", "-c", test.script)
			opts, _ := quietly()
			info, err := Run(run, opts)
			if err != nil {
				t.Fatal(err)
			}
			recorded, err := run.ReadInfo()
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []*logdir.Info{info, recorded} {
				signal := ""
				if i.Signal != nil {
					signal = *i.Signal
				}
				if i.Status != test.status || *i.ExitCode != test.code || signal != test.signal {
					t.Errorf("%s %d %q, want %s %d %q", i.Status, *i.ExitCode, signal, test.status, test.code, test.signal)
				}
				if i.Seconds == nil || i.Ended.Before(i.Started.Time) || len(i.Attempts) != 1 || i.Attempts[0].Status != test.status {
					t.Errorf("record is not whole: %+v", i)
				}
			}
		})
	}
}

func TestRunCannotStart(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, program string
		status        int
	}{
		{"no such program", "no-such-program", fault.NotFound},
		{"a directory", "/", fault.NotExecutable},
		{"no such interpreter", script, fault.NotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := created(t, "{}", test.program)
			opts, _ := quietly()
			_, err := Run(run, opts)
			if fault.Status(err) != test.status {
				t.Errorf("Run: %v with status %d, want %d", err, fault.Status(err), test.status)
			}
			info, err := run.ReadInfo()
			if err != nil {
				t.Fatal(err)
			}
			if info.Status != logdir.Failed || *info.Reason != logdir.NotStarted || *info.ExitCode != test.status {
				t.Errorf("record: %s %v %v", info.Status, *info.Reason, info.ExitCode)
			}
			if !strings.Contains(read(t, run.Path(logdir.LogStderr)), "mlxp: ") {
				t.Error("log.stderr does not tell why")
			}
		})
	}
}

// started runs a script in the background, until it has made the file ready.
func started(t *testing.T, signals chan os.Signal, grace time.Duration, script string) (logdir.Run, func() *logdir.Info) {
	t.Helper()
	run := created(t, "{}", "sh", "-c", script)
	opts, _ := quietly()
	opts.Signals, opts.Grace = signals, grace
	done := make(chan *logdir.Info, 1)
	go func() {
		info, err := Run(run, opts)
		if err != nil {
			t.Error(err)
		}
		done <- info
	}()
	ready := filepath.Join(filepath.Dir(run.Dir), "ready")
	for range 5000 {
		if _, err := os.Stat(ready); err == nil {
			return run, func() *logdir.Info { return <-done }
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the program does not get ready")
	return run, nil
}

func TestRunPassesSignalsOn(t *testing.T) {
	t.Run("a program that ends by it", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		_, wait := started(t, signals, 0, "touch ready; while :; do sleep 0.01; done")
		signals <- unix.SIGINT
		if info := wait(); info.Status != logdir.Interrupted || *info.Signal != "SIGINT" || *info.ExitCode != 130 {
			t.Errorf("%s %v %d", info.Status, *info.Signal, *info.ExitCode)
		}
	})
	t.Run("a program that gives up in its own way", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		_, wait := started(t, signals, 0, "trap 'exit 9' TERM; touch ready; while :; do sleep 0.01; done")
		signals <- unix.SIGTERM
		if info := wait(); info.Status != logdir.Interrupted || *info.Signal != "SIGTERM" || *info.ExitCode != 9 || *info.Reason != logdir.BySignal {
			t.Errorf("%s %v %d", info.Status, *info.Signal, *info.ExitCode)
		}
	})
	t.Run("a program that ignores it, after the grace time", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		_, wait := started(t, signals, 50*time.Millisecond, "trap '' TERM; touch ready; while :; do sleep 0.01; done")
		signals <- unix.SIGTERM
		if info := wait(); *info.Signal != "SIGKILL" || *info.ExitCode != 137 {
			t.Errorf("%s %v %d", info.Status, *info.Signal, *info.ExitCode)
		}
	})
	t.Run("the grace time does not begin anew", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		_, wait := started(t, signals, 100*time.Millisecond, "trap '' TERM; touch ready; while :; do sleep 0.01; done")
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case signals <- unix.SIGTERM:
					time.Sleep(10 * time.Millisecond)
				case <-stop:
					return
				}
			}
		}()
		if info := wait(); *info.Signal != "SIGKILL" {
			t.Errorf("%s %v", info.Status, *info.Signal)
		}
		close(stop)
	})
	t.Run("a second SIGINT ends at once", func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		_, wait := started(t, signals, time.Hour, "trap '' INT; touch ready; while :; do sleep 0.01; done")
		signals <- unix.SIGINT
		time.Sleep(2 * oneCtrlC)
		signals <- unix.SIGINT
		if info := wait(); *info.Signal != "SIGKILL" {
			t.Errorf("%s %v %d", info.Status, *info.Signal, *info.ExitCode)
		}
	})
	t.Run("a SIGINT that is told twice is one", func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		run, wait := started(t, signals, time.Hour, "trap 'echo caught; sleep 0.3; exit 9' INT; touch ready; while :; do sleep 0.01; done")
		signals <- unix.SIGINT
		signals <- unix.SIGINT
		if info := wait(); *info.Signal != "SIGINT" || *info.ExitCode != 9 || read(t, run.Path(logdir.LogStdout)) != "caught\n" {
			t.Errorf("%s %v %d, output %q", info.Status, *info.Signal, *info.ExitCode, read(t, run.Path(logdir.LogStdout)))
		}
	})
}

// SIGUSR1 reaches the processes that catch it and kills none that do not: sh
// does, sleep does not.
func TestRunSparesWhoDoesNotCatch(t *testing.T) {
	signals := make(chan os.Signal, 1)
	run, wait := started(t, signals, 0, `trap 'echo caught; kill $child; exit 0' USR1
		sleep 100 & child=$!
		touch ready
		wait $child; echo "sleep ended with $?"; exit 1`)
	signals <- unix.SIGUSR1
	if info := wait(); info.Status != logdir.Complete {
		t.Errorf("%s, output %q", info.Status, read(t, run.Path(logdir.LogStdout)))
	}
}

// What the program leaves behind in its group ends with it.
func TestRunSweepsUp(t *testing.T) {
	run := created(t, "{}", "sh", "-c", `sh -c 'trap "" TERM; echo $$; touch ready; while :; do sleep 0.01; done' & until [ -e ready ]; do sleep 0.01; done`)
	opts, _ := quietly()
	begin := time.Now()
	if _, err := Run(run, opts); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, run.Path(logdir.LogStdout))))
	if err != nil {
		t.Fatal(err)
	}
	for unix.Kill(pid, 0) == nil {
		if time.Since(begin) > 10*time.Second {
			unix.Kill(pid, unix.SIGKILL)
			t.Fatalf("process %d goes on", pid)
		}
		time.Sleep(time.Millisecond)
	}
}

// Only one of many who start a run at once executes it.
func TestRunOnce(t *testing.T) {
	run := created(t, "{}", "sh", "-c", "echo once; sleep 0.2")
	var wait sync.WaitGroup
	errs := make(chan error, 10)
	for range cap(errs) {
		wait.Go(func() {
			opts, _ := quietly()
			_, err := Run(run, opts)
			errs <- err
		})
	}
	wait.Wait()
	close(errs)
	won := 0
	for err := range errs {
		var claimed *logdir.ErrClaimed
		if err == nil {
			won++
		} else if !errors.As(err, &claimed) && !strings.Contains(err.Error(), "is complete") {
			t.Error(err)
		}
	}
	if out := read(t, run.Path(logdir.LogStdout)); won != 1 || out != "once\n" {
		t.Errorf("%d executed it, output %q", won, out)
	}
}

// The config is final from the first start on, and so is the command.
func TestRunAgain(t *testing.T) {
	run := created(t, "who: ${oc.env:WHO}\n", "sh", "-c", `echo "$0 $MLXP_CONFIG__WHO $MLXP_RESTARTS"; exit 1`, "{who}")
	for i, who := range []string{"first", "second"} {
		opts, _ := quietly()
		opts.Resolve = func(n *config.Node, _ *logdir.Info) (*config.Node, error) {
			return config.Resolve(n, config.Resolver{Env: func(string) (string, bool) { return who, true }})
		}
		info, err := Run(run, opts)
		if err != nil || len(info.Attempts) != i+1 {
			t.Fatalf("%+v, %v", info, err)
		}
	}
	if out := read(t, run.Path(logdir.LogStdout)); out != "first first 0\nfirst first 1\n" {
		t.Errorf("output %q", out)
	}
}

// Output that cannot be kept is shown all the same, and the program goes on.
func TestRunWithAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("only Linux has /dev/full")
	}
	run := created(t, "{}", "sh", "-c", "echo one; sleep 0.05; echo two")
	if err := os.Symlink("/dev/full", run.Path(logdir.LogStdout)); err != nil {
		t.Fatal(err)
	}
	shown := filepath.Join(t.TempDir(), "shown")
	out, err := os.Create(shown)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	opts, notices := quietly()
	opts.Stdout, opts.Stderr = out, out
	info, err := Run(run, opts)
	if err != nil || info.Status != logdir.Complete {
		t.Errorf("%v, %v", info, err)
	}
	if got := read(t, shown); got != "one\ntwo\n" {
		t.Errorf("shown %q", got)
	}
	if len(*notices) != 1 || !strings.Contains((*notices)[0], "no space left") {
		t.Errorf("notices %q", *notices)
	}
	if record, err := run.ReadInfo(); err != nil || len(record.Problems) != 1 || !strings.Contains(string(record.Problems[0]), "log.stdout") {
		t.Errorf("record %+v, %v", record, err)
	}
}

// Every byte arrives in the log and on the screen, from a program that writes
// faster than anybody reads.
func TestRunKeepsEveryByte(t *testing.T) {
	const size = 3 << 20
	run := created(t, "{}", "sh", "-c", fmt.Sprintf("head -c %d /dev/zero; printf '\\377\\r\\n' >&2", size))
	out, err := os.Create(filepath.Join(t.TempDir(), "shown"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	opts, _ := quietly()
	opts.Stdout, opts.Stderr = out, out
	if _, err := Run(run, opts); err != nil {
		t.Fatal(err)
	}
	if got := read(t, run.Path(logdir.LogStdout)); got != strings.Repeat("\x00", size) {
		t.Errorf("log.stdout has %d bytes", len(got))
	}
	if got := read(t, run.Path(logdir.LogStderr)); got != "\xff\r\n" {
		t.Errorf("log.stderr is %q", got)
	}
}
