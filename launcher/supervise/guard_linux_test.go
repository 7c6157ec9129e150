package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// waitFor waits until done, at most as long as a very busy machine may take.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lives tells whether the process lives whose pid is in a file.
func lives(t *testing.T, path string) bool {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return !ended(pid)
}

// family starts a child in the group, one in another session whose parent ends,
// and one that ignores SIGTERM, each leaving its pid in a file.
const family = `
sh -c 'echo $$ >child; exec sleep 600' &
setsid sh -c '(sh -c "echo \$\$ >daemon; exec sleep 600") & exit 0'
sh -c 'trap "" TERM; echo $$ >stubborn; sleep 600; sleep 600' &
while [ ! -s child ] || [ ! -s daemon ] || [ ! -s stubborn ]; do sleep 0.01; done
`

// What belongs to a run ends when its supervisor is killed, daemons included, and
// nothing else does.
func TestSupervisorKilled(t *testing.T) {
	run := created(t, "{}", "sh", "-c", family+"echo ready >ready; wait; sleep 600")
	root := filepath.Dir(run.Dir)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), superviseVariable+"="+run.Dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the program is ready and the run RUNNING", func() bool {
		info, err := run.ReadInfo()
		_, readyErr := os.Stat(filepath.Join(root, "ready"))
		return err == nil && info.Status == logdir.Running && readyErr == nil
	})
	stranger := exec.Command("sleep", "600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Wait()
	defer stranger.Process.Kill()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for _, name := range []string{"child", "daemon", "stubborn"} {
		waitFor(t, name+" ends", func() bool { return !lives(t, filepath.Join(root, name)) })
	}
	if stranger.Process.Signal(unix.Signal(0)) != nil {
		t.Error("a stranger was killed")
	}
	info, err := run.ReadInfo()
	if err != nil || info.Status != logdir.Running || run.ShownStatus(info) != logdir.Lost {
		t.Errorf("the record says %v, shown is %v, %v; want RUNNING, shown as LOST", info.Status, run.ShownStatus(info), err)
	}
}

// What a program leaves behind ends with it, however short it ran.
func TestProgramLeavesDaemons(t *testing.T) {
	for name, script := range map[string]string{
		"a long run":  family + "sleep 0.2",
		"a short run": "setsid sh -c 'echo $$ >daemon; exec sleep 600' & while [ ! -s daemon ]; do :; done; cp daemon child; cp daemon stubborn",
	} {
		t.Run(name, func(t *testing.T) {
			run := created(t, "{}", "sh", "-c", script)
			opts, _ := quietly()
			if _, err := Run(run, opts); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"child", "daemon", "stubborn"} {
				waitFor(t, name+" ends", func() bool { return !lives(t, filepath.Join(filepath.Dir(run.Dir), name)) })
			}
		})
	}
}

// A guard does nothing for what was released, and takes no pid for the one that
// it was told of if another process has it by now.
func TestGuardSpares(t *testing.T) {
	sleep := exec.Command("sleep", "600")
	sleep.SysProcAttr = sysProcAttr(false)
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer sleep.Wait()
	defer sleep.Process.Kill()
	pid := sleep.Process.Pid
	for _, lines := range []string{
		fmt.Sprintf("+ %d %d %q %q\n- %d\n", pid, startOf(pid), "", "/nowhere", pid),
		fmt.Sprintf("+ %d %d %q %q\n", pid, startOf(pid)+1, "", "/nowhere"),
		fmt.Sprintf("+ %d", pid),
		"+ 1 1 \"\" \"/nowhere\"\n", "nonsense\n", "\n", "+ x y z\n",
	} {
		guard(strings.NewReader(lines))
		if ended(pid) {
			t.Fatalf("killed after %q", lines)
		}
	}
	guard(strings.NewReader(fmt.Sprintf("+ %d %d %q %q\n", pid, startOf(pid), "", "/nowhere")))
	waitFor(t, "the watched process ends", func() bool { return ended(pid) })
}
