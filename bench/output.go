package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// throughput compares what mlxp does with output that is shown through a pipe with what
// tee does: the same bytes, from the same program, kept in a file and passed on.
func throughput(b *bench) (string, error) {
	const size = 1 << 30
	head := fmt.Sprintf("head -c %d /dev/zero", size)
	out := filepath.Join(b.dir, "out")
	var ratios []float64
	var with, without []time.Duration
	for range 5 {
		tee, err := b.drain("sh", "-c", head+" | tee "+out)
		if err != nil {
			return "", err
		}
		ours, err := b.drain(append([]string{b.mlxp, "-q", "--"}, strings.Fields(head)...)...)
		if err != nil {
			return "", err
		}
		for _, path := range []string{out, filepath.Join(b.dir, "logs")} {
			if err := os.RemoveAll(path); err != nil {
				return "", err
			}
		}
		with, without, ratios = append(with, ours), append(without, tee), append(ratios, tee.Seconds()/ours.Seconds())
	}
	slices.Sort(ratios)
	rate := func(d time.Duration) float64 { return float64(size) / 1e9 / d.Seconds() }
	return fmt.Sprintf("%.2f times (%.1f and %.1f GB/s)", ratios[len(ratios)/2], rate(median(with)), rate(median(without))), nil
}

// drain runs a command, reads what it prints through a pipe, and returns how long that
// took.
func (b *bench) drain(words ...string) (time.Duration, error) {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = b.dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{out}, make([]byte, 1<<20)); err != nil {
		return 0, err
	}
	return time.Since(began), cmd.Wait()
}

// idle measures the processor time that mlxp and its guard take while a program sleeps.
func idle(b *bench) (string, error) {
	const lasts = 30 * time.Second
	cmd := exec.Command(b.mlxp, "-q", "--", "sleep", fmt.Sprint(int(lasts.Seconds())+10))
	cmd.Dir = b.dir
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	time.Sleep(3 * time.Second)
	before, err := ranFor(cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	time.Sleep(lasts)
	after, err := ranFor(cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.3f %%", 100*(after-before).Seconds()/lasts.Seconds()), nil
}

// ranFor returns the time that the threads of a process, and of those of its children
// that are mlxp, were on a processor (sched-stats.rst of Linux).
func ranFor(pid int) (time.Duration, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(stats) == 0 {
		return 0, errors.Join(fmt.Errorf("no /proc/%d/task/*/schedstat", pid), err)
	}
	var sum time.Duration
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range children {
		text, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(text)) {
			name, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if id, err := strconv.Atoi(child); err == nil && strings.HasPrefix(string(name), "mlxp\x00") {
				ran, err := ranFor(id)
				if err != nil {
					return 0, err
				}
				sum += ran
			}
		}
	}
	return sum, nil
}
