package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// withMount runs a shell script in the scenario's directory, in a mount namespace
// of its own, so that no mount outlives it. $MLXP is the binary.
func (s *stress) withMount(script string) (string, error) {
	cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-euc", script)
	if os.Getuid() == 0 {
		cmd = exec.Command("unshare", "--mount", "sh", "-euc", script)
	}
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "MLXP="+s.mlxp)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return string(out), err
}

// fullDisk fills the disk of the log dir: while a program runs, which goes on and
// whose end is recorded, and before one is launched, of which nothing is left.
func (s *stress) fullDisk() error {
	out, err := s.withMount(`
mkdir small
mount -t tmpfs -o size=1M,nr_inodes=200 tmpfs small
status=0
"$MLXP" --log-dir small/logs -- sh -c 'until grep -q RUNNING "$MLXP_RUN_DIR/metadata/info.yaml"; do sleep 0.05; done; sleep 0.3; cat /dev/zero >"$MLXP_ARTIFACTS/big"; echo "printed all the same"; exit 3' || status=$?
echo "status $status"
grep '^status:' small/logs/1/metadata/info.yaml
grep '^exit_code:' small/logs/1/metadata/info.yaml
cat /dev/zero >small/more || true
status=0
"$MLXP" --log-dir small/logs n=range\(0,40\) -- true || status=$?
echo "launch $status"
"$MLXP" --log-dir small/logs query --json --fields id
ls small/logs
`)
	if err != nil {
		return err
	}
	for _, want := range []string{"printed all the same", "status 3", `status: "FAILED"`, "exit_code: 3", "no space left on device", "launch 2", "[\n{\"id\":1}\n]\n1\n"} {
		if !strings.Contains(out, want) {
			return fmt.Errorf("no %q in\n%s", want, out)
		}
	}
	return nil
}

// readOnly reads a log dir that nobody may write to, and tries to launch there.
func (s *stress) readOnly() error {
	out, err := s.withMount(`
mkdir disk
mount -t tmpfs tmpfs disk
"$MLXP" -q --log-dir disk/logs n=1,2 -- true
mount -o remount,ro disk
"$MLXP" --log-dir disk/logs query --fields config.n --json
status=0
"$MLXP" --log-dir disk/logs -- true || status=$?
echo "status $status"
`)
	if err != nil {
		return err
	}
	for _, want := range []string{`{"id":2,"config.n":2}`, "read-only file system", "status 2"} {
		if !strings.Contains(out, want) {
			return fmt.Errorf("no %q in\n%s", want, out)
		}
	}
	return nil
}
