// Command stress does to mlxp what a bad week does: it kills supervisors and
// programs at random moments, fills the disk, takes the right to write away, and
// has many launchers share one log dir. After each it checks that the log dir
// tells the truth.
//
//	go run ./stress [-short] [-seed N]
//
// It needs sh, and root (or user namespaces) on Linux for what needs a file system
// of its own. It signals only processes that it has started.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mlxp/mlxp/logdir"
)

// A scenario is one kind of bad luck, done n times.
type scenario struct {
	name    string
	n, fewN int // how often, and with -short
	run     func(s *stress) error
}

var scenarios = []scenario{
	{"numbers", 3, 1, (*stress).numbers},
	{"kill", 200, 15, (*stress).kill},
	{"kill while making a sweep", 50, 6, (*stress).killMaking},
	{"two at once", 20, 3, (*stress).twoAtOnce},
	{"full disk", 1, 1, (*stress).fullDisk},
	{"read-only", 1, 1, (*stress).readOnly},
}

// A stress is what the scenarios share.
type stress struct {
	mlxp string // the binary
	dir  string // empty, for each scenario anew
	rand *rand.Rand
}

func main() {
	if root := os.Getenv(createVariable); root != "" {
		os.Exit(createMany(root))
	}
	short := flag.Bool("short", false, "fewer of each")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments")
	flag.Parse()
	if err := run(*short, *seed, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "stress: %v\n(-seed %d)\n", err, *seed)
		os.Exit(1)
	}
}

func run(short bool, seed uint64, names []string) error {
	top, err := os.MkdirTemp("", "mlxp-stress")
	if err != nil {
		return err
	}
	defer os.RemoveAll(top)
	s := &stress{mlxp: filepath.Join(top, "mlxp"), rand: rand.New(rand.NewPCG(seed, 0))}
	build := exec.Command("go", "build", "-o", s.mlxp, "github.com/mlxp/mlxp")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	for _, sc := range scenarios {
		if len(names) > 0 && !strings.Contains(strings.Join(names, " "), sc.name) {
			continue
		}
		n := sc.n
		if short {
			n = sc.fewN
		}
		began := time.Now()
		for i := range n {
			s.dir = filepath.Join(top, "work")
			if err := os.Mkdir(s.dir, 0o777); err != nil {
				return err
			}
			if err := sc.run(s); err != nil {
				kept, _ := os.MkdirTemp("", "mlxp-stress-failed")
				_ = os.Rename(s.dir, filepath.Join(kept, "work"))
				return fmt.Errorf("%s, time %d: %w (kept in %s)", sc.name, i+1, err, kept)
			}
			if err := os.RemoveAll(s.dir); err != nil {
				return err
			}
		}
		fmt.Printf("%-26s %4d times, %.1f s\n", sc.name, n, time.Since(began).Seconds())
	}
	return nil
}

// command is mlxp in the scenario's directory, in a process group of its own.
func (s *stress) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.mlxp, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// output runs mlxp and returns what it printed.
func (s *stress) output(args ...string) (string, error) {
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("mlxp %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

func (s *stress) write(name, text string) error {
	return os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o777)
}

// eventually waits until done returns nil, at most as long as a very busy machine
// may take, and returns the last error.
func eventually(done func() error) error {
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = done(); err == nil {
			return nil
		}
	}
	return err
}

// program works for a moment. It leaves a trace if it finds that another process
// executes the same run, and done.ID when it has done all its work.
const program = `cd "$MLXP_ORIG_CWD"
lock=lock.$MLXP_RUN_ID
if [ -e $lock ]; then
	case $(cat /proc/$(cat $lock)/stat 2>/dev/null) in
	"" | *") Z "*) ;; # ended; PID 1 of a container may not ask for its status
	*) echo "$MLXP_RUN_ID: $$ beside $(cat $lock)" >>overlap ;;
	esac
fi
echo $$ >$lock.new && mv $lock.new $lock
echo '{"step":1}' >>"$MLXP_METRICS"
until grep -q RUNNING "$MLXP_RUN_DIR/metadata/info.yaml"; do sleep 0.02; done # then there is a guard
setsid sh -c 'exec sleep 300' &
sleep 0.$MLXP_CONFIG__N
echo '{"step":2}' >>"$MLXP_METRICS"
touch done.$MLXP_RUN_ID
rm $lock
`

const size = 12 // of a sweep

// kill kills the supervisor of a sweep, a program, or both, at a random moment.
func (s *stress) kill() error {
	if err := s.write("program", program); err != nil {
		return err
	}
	cmd := s.command("-q", "-j", "3", "n=range(10,"+fmt.Sprint(10+size)+")", "--", "sh", "program")
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(time.Duration(s.rand.IntN(1000)) * time.Millisecond)
	which := s.rand.IntN(3)
	if which != 0 {
		if pid := s.aProgram(); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if which != 1 {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	if err := eventually(s.nothingLives); err != nil {
		return err
	}
	made, err := s.count("true")
	if err != nil {
		return err
	}
	if made != 0 && made != size {
		return fmt.Errorf("%d of %d runs were made", made, size)
	}
	for try := 0; made > 0; try++ {
		if err := s.truth(); err != nil {
			return err
		}
		left, err := s.count(`info.status != "COMPLETE"`)
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if try == 5 {
			return fmt.Errorf("%d runs are not complete after %d times resume", left, try)
		}
		if _, err := s.output("-q", "resume", "-j", "3", "--where", `info.status != "COMPLETE"`); err != nil {
			return err
		}
	}
	return nil
}

// aProgram returns the pid of a program that runs, 0 if there is none.
func (s *stress) aProgram() int {
	locks, _ := filepath.Glob(filepath.Join(s.dir, "lock.*"))
	for _, lock := range locks {
		text, err := os.ReadFile(lock)
		pid := 0
		if _, scanErr := fmt.Sscan(string(text), &pid); err == nil && scanErr == nil {
			return pid
		}
	}
	return 0
}

// nothingLives returns an error if a process lives that belongs to a run.
func (s *stress) nothingLives() error {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "MLXP_RUN_DIR="+s.dir) {
			continue
		}
		return fmt.Errorf("%s belongs to a run and lives", filepath.Dir(path))
	}
	return nil
}

// count returns how many runs match a condition.
func (s *stress) count(where string) (int, error) {
	if _, err := os.Stat(filepath.Join(s.dir, "logs")); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	out, err := s.command("-q", "query", "--json", "--fields", "id", where).Output()
	if err != nil {
		return 0, fmt.Errorf("query %s: %w", where, err)
	}
	return strings.Count(string(out), `"id"`), nil
}

// truth checks that no record lies, nothing running any more.
func (s *stress) truth() error {
	if text, err := os.ReadFile(filepath.Join(s.dir, "overlap")); err == nil {
		return fmt.Errorf("executed twice at once: %s", text)
	}
	runs, err := logdir.Runs(filepath.Join(s.dir, "logs"))
	if err != nil {
		return err
	}
	for _, run := range runs {
		info, err := run.ReadInfo()
		if err != nil {
			return err
		}
		_, notDone := os.Stat(filepath.Join(s.dir, fmt.Sprintf("done.%d", run.ID)))
		switch shown := run.ShownStatus(info); shown {
		case logdir.Complete:
			if notDone != nil {
				return fmt.Errorf("run %d is COMPLETE and has not done its work", run.ID)
			}
		case logdir.Starting, logdir.Running:
			return fmt.Errorf("run %d is %s and nobody executes it", run.ID, shown)
		}
	}
	return nil
}

// killMaking kills mlxp while it makes the directories of a sweep: all of them
// are runs then, or none.
func (s *stress) killMaking() error {
	const many = 500
	cmd := s.command("-q", "n=range(0,"+fmt.Sprint(many)+")", "--", "true")
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(time.Duration(s.rand.IntN(120)) * time.Millisecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	made, err := s.count("true")
	if err == nil && made != 0 && made != many {
		err = fmt.Errorf("%d of %d runs were made", made, many)
	}
	return err
}

// twoAtOnce resumes a sweep twice at the same moment: each run executes once.
func (s *stress) twoAtOnce() error {
	if err := s.write("program", `test "$MLXP_RESTARTS" = 0 && exit 1; echo x >>"$MLXP_ORIG_CWD/ran.$MLXP_RUN_ID"`); err != nil {
		return err
	}
	_ = s.command("-q", "n=range(0,8)", "--", "sh", "program").Run() // fails, each of them
	first, second := s.command("-q", "resume", "-j", "2", "--where", "true"), s.command("-q", "resume", "-j", "2", "--where", "true")
	if err := errors.Join(first.Start(), second.Start()); err != nil {
		return err
	}
	if err := errors.Join(first.Wait(), second.Wait()); err != nil {
		return err
	}
	for id := 1; id <= 8; id++ {
		text, err := os.ReadFile(filepath.Join(s.dir, fmt.Sprintf("ran.%d", id)))
		if err != nil || string(text) != "x\n" {
			return fmt.Errorf("run %d: %q, %w: it is to be resumed once", id, text, err)
		}
	}
	return nil
}
