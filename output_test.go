package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// everything is set where no test may be skipped for want of a tool, and none be made
// smaller than what is promised: in CI.
var everything = os.Getenv("MLXP_TEST_EVERYTHING") != ""

// Every byte of a large output arrives, in the log and behind the pipe.
func TestLargeOutput(t *testing.T) {
	size := 32 << 20
	if everything {
		size = 1 << 30
	}
	dir := t.TempDir()
	cmd := exec.Command("mlxp", "-q", "--", "program", "flood", fmt.Sprint(size))
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown := hashOf(t, out)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Open(filepath.Join(dir, "logs", "1", "log.stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	written, err := os.ReadFile(filepath.Join(dir, "hash"))
	if err != nil {
		t.Fatal(err)
	}
	if kept := hashOf(t, log); kept != string(written) || shown != string(written) {
		t.Errorf("written, kept and shown differ: %s, %s, %s", written, kept, shown)
	}
}

func hashOf(t *testing.T, r io.Reader) string {
	t.Helper()
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// Many short lines arrive on a terminal, and in the log as they were written.
func TestManyLines(t *testing.T) {
	n := 50_000
	if everything {
		n = 1_000_000
	}
	c := newConsole(t)
	c.press(fmt.Sprintf("mlxp -- program lines %d\n", n))
	c.want("line 0\r\nline 1\r\n")
	c.want(fmt.Sprintf("\nline %d\r\n$ ", n-1))
	log := c.file("", "logs", "1", "log.stdout")
	if got := strings.Count(log, "\n"); got != n || strings.Contains(log, "\r") {
		t.Errorf("%d lines of %d are kept, or carriage returns with them", got, n)
	}
}

// A line that does not end is shown as it comes, and a run that prints it ends like any
// other.
func TestEndlessLine(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("mlxp", "-q", "--", "sh", "-c", "while :; do printf '%1000s' x; done")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, out, 1<<20); err != nil {
		t.Error(err)
	}
	cmd.Process.Signal(unix.SIGTERM)
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 128+int(unix.SIGTERM) {
		t.Errorf("exit status %d", status)
	}
	logs := exec.Command("mlxp", "logs", "1")
	logs.Dir = dir
	text, err := logs.Output()
	if err != nil || len(text) < 1<<20 || strings.Trim(string(text), " x") != "" {
		t.Errorf("logs prints %d bytes, %v", len(text), err)
	}
}

// Output that cannot be shown is no success, though the run is complete.
func TestUnshown(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("only Linux has /dev/full")
	}
	defer full.Close()
	dir := t.TempDir()
	var told strings.Builder
	cmd := exec.Command("mlxp", "--", "echo", "hello")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, full, &told
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(told.String(), "no space left on device") {
		t.Errorf("%v, and mlxp says %q", err, told.String())
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "logs", "1", "log.stdout")); string(kept) != "hello\n" {
		t.Errorf("log.stdout holds %q, %v", kept, err)
	}
}
