package supervise

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// A signal to all processes of a job ends its login shell after the run: until then it
// is stopped.
func TestLoginShellWaits(t *testing.T) {
	run := created(t, "{}", "sh", "-c", "trap 'sleep 0.2; exit 3' TERM; sleep 600 & wait $!; wait")
	shell := startLoginShell(t, run)
	info, err := run.ReadInfo()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{shell.Process.Pid, info.Process.Pid} {
		if err := unix.Kill(pid, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	shell.Wait()
	if status := shell.ProcessState.Sys().(interface{ Signaled() bool }); !status.Signaled() {
		t.Errorf("the shell has ended with %v", shell.ProcessState)
	}
	if info, err := run.ReadInfo(); err != nil || info.Status != logdir.Interrupted || *info.ExitCode != 3 {
		t.Errorf("when the shell ends the run is %v, exit code %v, %v", info.Status, info.ExitCode, err)
	}
}

// A login shell goes on also if the supervisor is killed.
func TestLoginShellGoesOn(t *testing.T) {
	run := created(t, "{}", "sleep", "600")
	shell := startLoginShell(t, run)
	info, err := run.ReadInfo()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(info.Process.Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	shell.Wait()
	if status := shell.ProcessState.ExitCode(); status != 128+int(unix.SIGKILL) {
		t.Errorf("the shell has ended with %v, not with the status of the supervisor", shell.ProcessState)
	}
}

// startLoginShell executes a run below a shell that leads a session, and waits until
// that is stopped.
func startLoginShell(t *testing.T, run logdir.Run) *exec.Cmd {
	t.Helper()
	shell := exec.Command("/bin/sh", "-c", `"$0"; exit $?`, os.Args[0])
	shell.Env = append(os.Environ(), superviseVariable+"="+run.Dir, loginShellVariable+"=1")
	shell.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the shell is stopped and the run RUNNING", func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(shell.Process.Pid), "stat"))
		info, err2 := run.ReadInfo()
		return err == nil && err2 == nil && strings.Contains(string(stat), ") T ") && info.Status == logdir.Running
	})
	return shell
}
