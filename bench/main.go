// Command bench measures whole processes of mlxp beside what users would take
// instead, and prints a Markdown table. Machines are noisy: read medians and
// ratios, and run it again.
//
//	go run ./bench [NAME…]
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A measurement is one row of the table.
type measurement struct {
	name   string
	what   string
	target string // what docs/performance.md promises, on two cores and a local disk
	run    func(b *bench) (result string, err error)
}

var measurements = []measurement{
	{"overhead", "`mlxp -- true` over plain `true`, median of 50 pairs", "at most 10 ms", overhead},
	{"fsync", "fsyncs of `mlxp -- sleep 0.2`", "at most 6", fsyncs},
	{"sweep", "1,000 runs of `true`, `-j 2`, beside `xargs -P 2`", "at most 10 s", sweep},
	{"plan", "10,000 combinations, `--dry-run`", "at most 0.2 s", plan},
	{"versions", "`--vcs commit`, its backup there, over no `--vcs`; 100 files", "at most 15 ms", versions},
	{"backup", "the first `--vcs commit` of 10,000 files, beside `git worktree add`", "at most 1.5 times", firstBackup},
	{"snapshot", "the second `--vcs snapshot` of 100,000 files", "at most 2 s", secondSnapshot},
	{"sub", "1,000 runs submitted to a real Slurm, beside a loop of 100 `sbatch`", "at most 1.5 s", submit},
	{"job", "the job script of a run of `true` over the same lines without mlxp, median of 50 pairs", "at most 10 ms", jobOverhead},
	{"jobmemory", "memory and address space of the mlxp of a job", "at most 20 and 800 MB", jobMemory},
	{"throughput", "throughput of 1 GiB through a pipe, beside `tee`", "at least 0.9 times", throughput},
	{"idle", "processor time of a supervisor and its guard while a program sleeps", "at most 0.1 %", idle},
	{"memory", "memory of the supervisor of a run that goes on", "at most 15 MB", memory},
}

// A bench is where the measurements run.
type bench struct {
	mlxp string // the binary
	dir  string // an empty directory
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	dir, err := os.MkdirTemp("", "mlxp-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{mlxp: filepath.Join(dir, "mlxp")}
	build := exec.Command("go", "build", "-trimpath", "-o", b.mlxp, "github.com/mlxp/mlxp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	fmt.Println("| what | measured | to reach |\n| --- | --- | --- |")
	for _, m := range measurements {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		b.dir = filepath.Join(dir, m.name)
		if err := os.Mkdir(b.dir, 0o777); err != nil {
			return err
		}
		result, err := m.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Printf("| %s | %s | %s |\n", m.what, result, m.target)
	}
	return nil
}

// time runs a command in the bench's directory and returns how long it took.
func (b *bench) time(words ...string) (time.Duration, error) {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = b.dir
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, out)
	}
	return took, err
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// overhead also tells how long the start of the least Go program takes, by which
// the figure of one machine, on one day, can be compared with that of another.
func overhead(b *bench) (string, error) {
	source, least := filepath.Join(b.dir, "least.go"), filepath.Join(b.dir, "least")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o666); err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", least, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	var with, without, over, start []time.Duration
	for range 50 {
		d, err := b.time(b.mlxp, "-q", "--", "true")
		if err != nil {
			return "", err
		}
		bare, err := b.time("true")
		if err != nil {
			return "", err
		}
		empty, err := b.time(least)
		if err != nil {
			return "", err
		}
		with, without, over, start = append(with, d), append(without, bare), append(over, d-bare), append(start, empty)
	}
	return fmt.Sprintf("%.1f ms more (%.1f and %.1f ms; an empty Go program: %.1f ms)", ms(median(over)), ms(median(with)), ms(median(without)), ms(median(start))), nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func sweep(b *bench) (string, error) {
	took, err := b.time(b.mlxp, "-q", "-j", "2", "--", "true", "n=range(1000)")
	if err != nil {
		return "", err
	}
	loop, err := b.time("sh", "-c", "seq 1000 | xargs -P 2 -n 1 true")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f s, %.1f times", took.Seconds(), took.Seconds()/loop.Seconds()), nil
}

func plan(b *bench) (string, error) {
	if err := os.Mkdir(filepath.Join(b.dir, "configs"), 0o777); err != nil {
		return "", err
	}
	conf := new(bytes.Buffer)
	for g := range 5 {
		fmt.Fprintf(conf, "g%d:\n", g)
		for k := range 10 {
			fmt.Fprintf(conf, "  k%d: %d\n", k, k)
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, "configs", "config.yaml"), conf.Bytes(), 0o666); err != nil {
		return "", err
	}
	words := []string{b.mlxp, "--dry-run", "--", "true",
		"g0.k0=range(10)", "g1.k1=range(10)", "g2.k2=range(10)", "g3.k3=range(5)", "g4.k4=1,2"}
	var took []time.Duration
	for range 9 {
		d, err := b.time(words...)
		if err != nil {
			return "", err
		}
		took = append(took, d)
	}
	return fmt.Sprintf("%.2f s", median(took).Seconds()), nil
}

// memory reads the peak of the supervisor's memory while its program runs.
func memory(b *bench) (string, error) {
	peaks, err := b.peaks([]string{"VmHWM"}, b.mlxp, "-q", "--", "sleep", "2")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f MB", peaks[0]), nil
}

// peaks starts a command that goes on for two seconds and returns these lines of its
// /proc/PID/status after one, in MB.
func (b *bench) peaks(names []string, words ...string) ([]float64, error) {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = b.dir
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(time.Second)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return nil, err
	}
	peaks := make([]float64, len(names))
	for i, name := range names {
		_, rest, found := strings.Cut(string(text), "\n"+name+":")
		kib, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
		if !found || err != nil {
			return nil, fmt.Errorf("no %s in /proc/PID/status", name)
		}
		peaks[i] = float64(kib) * 1024 / 1e6
	}
	return peaks, nil
}

// fsyncs counts what a network file system would make us wait for.
func fsyncs(b *bench) (string, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return "not measured: no strace here", nil
	}
	trace := filepath.Join(b.dir, "trace")
	if _, err := b.time("strace", "-f", "-e", "trace=fsync,fdatasync,syncfs,sync", "-o", trace, b.mlxp, "-q", "--", "sleep", "0.2"); err != nil {
		return "", err
	}
	text, err := os.ReadFile(trace)
	calls := regexp.MustCompile(`(?m)^\d+ +(fsync|fdatasync|syncfs|sync)\(`).FindAll(text, -1)
	return strconv.Itoa(len(calls)), err
}
