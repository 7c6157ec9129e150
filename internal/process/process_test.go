package process

import (
	"os/exec"
	"testing"
	"time"
)

// ended is a process of this machine that has ended.
func ended(t *testing.T) Process {
	t.Helper()
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, err := StartOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := Self()
	p.Pid, p.Start = cmd.Process.Pid, start
	if got := p.Life(); got != Alive {
		t.Errorf("a running process is %v, want Alive", got)
	}
	cmd.Process.Kill()
	for range 1000 { // not waited for: a zombie has ended, too
		if p.Life() == Gone {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got := p.Life(); got != Gone {
		t.Errorf("a zombie is %v, want Gone", got)
	}
	cmd.Wait()
	return p
}

func TestLife(t *testing.T) {
	self, gone := Self(), ended(t)
	other := func(change func(*Process)) Process { p := self; change(&p); return p }
	for _, test := range []struct {
		name string
		p    Process
		want Life
	}{
		{"this process", self, Alive},
		{"one that has ended", gone, Gone},
		{"our pid, given again", other(func(p *Process) { p.Start++ }), Gone},
		{"another machine or boot", other(func(p *Process) { p.Boot = "x" }), Unknown},
		{"another pid namespace", other(func(p *Process) { p.PidNS++; p.Pid = 1 << 22 }), Unknown},
		{"nothing known", Process{}, Unknown},
	} {
		if got := test.p.Life(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestParseStat(t *testing.T) {
	state, start, err := parseStat("12 (a) R (b) S 1 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3\n")
	if err != nil || state != 'S' || start != 987654 {
		t.Errorf("parseStat = %c, %d, %v", state, start, err)
	}
	if _, _, err := parseStat("12 (a"); err == nil {
		t.Error("parseStat takes half a line")
	}
}
