package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// jobScript writes a job script in the bench's directory.
func (b *bench) jobScript(lines ...string) error {
	text := "#!/bin/bash\n#SBATCH --hold\n" + strings.ReplaceAll(strings.Join(lines, "\n"), "mlxp", b.mlxp) + "\n"
	return os.WriteFile(filepath.Join(b.dir, "job.sh"), []byte(text), 0o777)
}

// submit submits runs that wait, and cancels them.
func submit(b *bench) (string, error) {
	if _, err := exec.LookPath("sbatch"); err != nil {
		return "not measured: no sbatch here", nil
	}
	if err := b.jobScript("mlxp -- true 'n=range(1000)'"); err != nil {
		return "", err
	}
	var took []time.Duration
	for range 5 {
		d, err := b.time(b.mlxp, "-q", "sub", "job.sh")
		if err != nil {
			return "", err
		}
		took = append(took, d)
		if _, err := b.time(b.mlxp, "-q", "cancel", "--where", `info.status == "SUBMITTED"`); err != nil {
			return "", err
		}
	}
	loop, err := b.time("sh", "-c", `for i in $(seq 100); do sbatch --parsable --output=/dev/null job.sh || exit; done >ids; scancel $(cat ids)`)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.2f s; the loop %.2f s", median(took).Seconds(), loop.Seconds()), nil
}

// localRuns makes n runs with job scripts that run without a scheduler, and returns
// the path of a run's script by its number.
func (b *bench) localRuns(n int, program string) (func(i int) string, error) {
	const fails = "cp no-such-file there || exit" // in the job, so that none of the runs starts
	if err := b.jobScript(fails, fmt.Sprintf("mlxp -- %s 'n=range(%d)'", program, n)); err != nil {
		return nil, err
	}
	cmd := exec.Command(b.mlxp, "-q", "sub", "--local", "job.sh")
	cmd.Dir = b.dir
	_ = cmd.Run()
	path := func(i int) string { return filepath.Join(b.dir, "logs", fmt.Sprint(i+1), "script.sh") }
	for i := range n {
		text, err := os.ReadFile(path(i))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path(i), []byte(strings.Replace(string(text), fails+"\n", "", 1)), 0o777); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// jobOverhead executes job scripts without a scheduler: what it does is not ours.
func jobOverhead(b *bench) (string, error) {
	const pairs = 50
	script, err := b.localRuns(pairs, "true")
	if err != nil {
		return "", err
	}
	plain := filepath.Join(b.dir, "plain.sh")
	if err := os.WriteFile(plain, []byte("#!/bin/bash\nexec true\n"), 0o777); err != nil {
		return "", err
	}
	var over, with, without []time.Duration
	for i := range pairs {
		d, err := b.time("bash", script(i))
		if err != nil {
			return "", err
		}
		bare, err := b.time("bash", plain)
		if err != nil {
			return "", err
		}
		over, with, without = append(over, d-bare), append(with, d), append(without, bare)
	}
	return fmt.Sprintf("%.1f ms more (%.1f and %.1f ms)", ms(median(over)), ms(median(with)), ms(median(without))), nil
}

// jobMemory reads the peaks of the mlxp of a job that may have 800 MB of address space:
// without a limit Go reserves more than it needs.
func jobMemory(b *bench) (string, error) {
	script, err := b.localRuns(1, "sh -c 'sleep 2'")
	if err != nil {
		return "", err
	}
	peaks, err := b.peaks([]string{"VmHWM", "VmPeak"}, "bash", "-c", `ulimit -v 819200; exec bash "$0"`, script(0)) // which executes mlxp in its place
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f MB and %.0f MB", peaks[0], peaks[1]), nil
}
