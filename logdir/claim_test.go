package logdir

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/claimfile"
	"github.com/mlxp/mlxp/internal/process"
)

func newRun(t *testing.T, info *Info) Run {
	t.Helper()
	run := create(t, open(t, t.TempDir()))
	info.Schema, info.ID = 1, run.ID
	if err := run.Freeze(info, nil, nil); err != nil {
		t.Fatal(err)
	}
	return run
}

// claimedBy writes claim.n as if process p had made it.
func claimedBy(t *testing.T, run Run, n int, p process.Process) {
	t.Helper()
	text, err := json.Marshal(ClaimInfo{N: n, Hostname: "elsewhere", Process: p})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.claimPath(n), text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// rebooted writes claim.n as if a process of this host had made it before the
// host was started again.
func rebooted(t *testing.T, run Run, n int) {
	t.Helper()
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ClaimInfo{N: n, Hostname: hostname, Process: process.Process{Pid: 1, Start: 1, Boot: "before"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.claimPath(n), text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// ended is a process of this machine that has ended.
func ended(t *testing.T) process.Process {
	t.Helper()
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, err := process.StartOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := process.Self()
	p.Pid, p.Start = cmd.Process.Pid, start
	if got := p.Life(); got != process.Alive {
		t.Errorf("a running process is %v, want Alive", got)
	}
	cmd.Process.Kill()
	for range 1000 { // not waited for: a zombie has ended, too
		if p.Life() == process.Gone {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got := p.Life(); got != process.Gone {
		t.Errorf("a zombie is %v, want Gone", got)
	}
	cmd.Wait()
	return p
}

func TestClaim(t *testing.T) {
	gone := ended(t)
	elsewhere := process.Process{Pid: 1, Start: 1, Boot: "another", PidNS: 1}
	for _, test := range []struct {
		name   string
		before func(t *testing.T, run Run)
		want   int // the attempt claimed, -1: refused
	}{
		{"never started", func(*testing.T, Run) {}, 0},
		{"owner lives", func(t *testing.T, r Run) { claimedBy(t, r, 0, process.Self()) }, -1},
		{"owner is gone", func(t *testing.T, r Run) { claimedBy(t, r, 0, gone) }, 1},
		{"owner is unknown", func(t *testing.T, r Run) { claimedBy(t, r, 0, elsewhere) }, -1},
		{"the newest counts", func(t *testing.T, r Run) { claimedBy(t, r, 2, gone); claimedBy(t, r, 10, gone) }, 11},
		{"unknown, but its end is recorded", func(t *testing.T, r Run) {
			claimedBy(t, r, 0, elsewhere)
			if err := r.WriteInfo(&Info{Schema: 1, Status: Failed, Attempts: []Attempt{{N: 0, Ended: Now()}}}); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"this host before it was started again, after a long silence", func(t *testing.T, r Run) {
			rebooted(t, r, 0)
			old := time.Now().Add(-2 * silence)
			if err := os.Chtimes(r.claimPath(0), old, old); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"a host of this name that has just given a sign", func(t *testing.T, r Run) { rebooted(t, r, 0) }, -1},
		{"not filled in, long ago", func(t *testing.T, r Run) {
			old := time.Now().Add(-2 * silence)
			if err := os.WriteFile(r.claimPath(0), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(r.claimPath(0), old, old); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"not filled in yet", func(t *testing.T, r Run) {
			if err := os.WriteFile(r.claimPath(0), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := newRun(t, &Info{Status: Created})
			test.before(t, run)
			claim, err := run.Claim("", nil)
			var claimed *ErrClaimed
			switch {
			case test.want < 0 && !errors.As(err, &claimed):
				t.Errorf("Claim = %v, %v; want ErrClaimed", claim, err)
			case test.want >= 0 && (err != nil || claim.N != test.want):
				t.Errorf("Claim = %v, %v; want attempt %d", claim, err, test.want)
			}
		})
	}
}

func TestClaimAtOnce(t *testing.T) {
	run := newRun(t, &Info{Status: Created})
	claimedBy(t, run, 0, ended(t))
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			_, err := run.Claim("", nil)
			var claimed *ErrClaimed
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &claimed):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 got the claim, want 1", won.Load())
	}
}

func TestClaimSign(t *testing.T) {
	run := newRun(t, &Info{Status: Created})
	claim, err := run.Claim("12_3", nil)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(run.claimPath(0), old, old); err != nil {
		t.Fatal(err)
	}
	if err := claim.Touch(); err != nil {
		t.Fatal(err)
	}
	owner, err := run.LastClaim()
	if err != nil || time.Since(owner.Sign) > time.Minute || owner.Job != "12_3" {
		t.Errorf("LastClaim = %+v, %v; want a fresh sign of life of job 12_3", owner, err)
	}
	if err := claim.Drop(); err != nil {
		t.Fatal(err)
	}
	if owner, err := run.LastClaim(); owner != nil || err != nil {
		t.Errorf("after Drop: %+v, %v", owner, err)
	}
}

func TestShownStatus(t *testing.T) {
	gone := ended(t)
	self := process.Self()
	elsewhere := process.Process{Pid: 1, Start: 1, Boot: "another"}
	for _, test := range []struct {
		name string
		info Info
		want Status
	}{
		{"running", Info{Status: Running, Process: &self}, Running},
		{"supervisor gone", Info{Status: Running, Process: &gone}, Lost},
		{"gone while starting", Info{Status: Starting, Process: &gone}, Lost},
		{"elsewhere", Info{Status: Running, Process: &elsewhere}, Running},
		{"complete", Info{Status: Complete, Process: &gone}, Complete},
		{"created", Info{Status: Created}, Created},
	} {
		if got := (Run{t.TempDir(), 1}).ShownStatus(&test.info); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// What a killed writer left goes when the run is claimed again; what somebody is
// about to claim with stays.
func TestClaimRemovesLeftovers(t *testing.T) {
	run := newRun(t, &Info{Status: Created})
	old := time.Now().Add(-2 * silence)
	left := map[string]bool{".info.yaml123": false, ".config.json9": false, claimfile.Prefix + "a.1.1": false, claimfile.Prefix + "b.2.2": true}
	for name, young := range left {
		path := run.Path(MetadataDir + "/" + name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if !young {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := run.Claim("", nil); err != nil {
		t.Fatal(err)
	}
	for name, stays := range left {
		if _, err := os.Stat(run.Path(MetadataDir + "/" + name)); (err == nil) != stays {
			t.Errorf("%s: %v, want that it stays: %v", name, err, stays)
		}
	}
}
