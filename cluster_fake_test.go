package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/fakesched"
)

// fakeSites are the fakes of all schedulers: each test has one of its own.
func fakeSites(t *testing.T) []*site {
	commands := t.TempDir()
	if err := fakesched.Build(commands); err != nil {
		t.Fatal(err)
	}
	// mlxp, too, starts faster than a test binary, and is started two thousand times.
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", commands, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	t.Setenv("PATH", commands+string(os.PathListSeparator)+os.Getenv("PATH"))
	return []*site{
		fakeSite(fakesched.Config{Scheduler: "slurm"}, realSites["slurm"]),
		fakeSite(fakesched.Config{Scheduler: "sge"}, func() *site {
			s := *realSites["sge"]
			s.short = []string{"#$ -l h_rt=0:0:2"}
			return &s
		}()),
		// A second of its is short, since it submits again what lasted a minute, and no
		// limit comes before it is told to all the same.
		fakeSite(fakesched.Config{Scheduler: "oar", Second: time.Millisecond}, &site{
			name:    "oar",
			bare:    true,
			header:  []string{"#OAR -l /resource_id=1,walltime=400:0:0"},
			pending: "#OAR --hold",
			refused: "#OAR -q nosuchq",
			says:    "The queue nosuchq does not exist",
			cancel:  []string{"oardel"},
			kills:   true,
			lingers: true,
			resumes: true,
			again:   []string{"#OAR -t besteffort", "#OAR -t idempotent"},
			short:   []string{"#OAR -l /resource_id=1,walltime=400:0:0", "#OAR --checkpoint 500"},
			requeue: func(*testing.T, ...string) {},
		}),
		fakeSite(fakesched.Config{Scheduler: "openpbs"}, pbsSite("pbs")),
		fakeSite(fakesched.Config{Scheduler: "torque"}, pbsSite("torque")),
		fakeSite(fakesched.Config{Scheduler: "lsf"}, &site{
			name:    "lsf",
			header:  []string{"#BSUB -W 10"},
			pending: "#BSUB -H",
			refused: "#BSUB -q nosuch",
			says:    "nosuch: No such queue",
			cancel:  []string{"bkill"},
			requeue: func(*testing.T, ...string) {},
		}),
		fakeSite(fakesched.Config{Scheduler: "moab"}, &site{
			name:    "moab",
			bare:    true,
			header:  []string{"#MSUB -l walltime=0:10:0"},
			pending: "#MSUB -h",
			refused: "#MSUB -q nosuch",
			says:    "Unknown queue",
			cancel:  []string{"canceljob"},
			short:   []string{"#MSUB -l walltime=2"},
			requeue: func(*testing.T, ...string) {},
		}),
	}
}

func pbsSite(name string) *site {
	return &site{
		name:    name,
		bare:    true,
		header:  []string{"#PBS -l walltime=0:10:0"},
		pending: "#PBS -h",
		refused: "#PBS -q nosuch",
		says:    "Unknown queue",
		cancel:  []string{"qdel"},
		short:   []string{"#PBS -l walltime=2"},
		requeue: func(*testing.T, ...string) {},
	}
}

// fakeSite is a fake of a scheduler whose scripts are like those of a real one.
func fakeSite(config fakesched.Config, like *site) *site {
	s := *like
	s.real = false
	s.patience = time.Minute
	config.Slots, config.KillWait = 4, 10*time.Second // nobody waits for it who ends when told to
	if config.Second == 0 {
		config.Second = 10 * time.Second // no limit comes before it is told to
	}
	s.fresh = func(t *testing.T) *site {
		fake, err := fakesched.New(t.TempDir(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := fake.Stop(); err != nil {
				t.Error(err)
			}
		})
		order := func(what string, jobs ...string) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				if err := fake.Order(what, jobs...); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := s
		s.env = []string{"FAKESCHED=" + fake.Dir()}
		if s.requeue != nil {
			s.requeue = func(t *testing.T, jobs ...string) { order("requeued", jobs...)(t) }
		}
		switch {
		case s.name == "oar": // its end cannot be caught, the warning before can
			s.timeLimit = func(t *testing.T, job string) { order("warn:1h", job)(t) }
		case s.timeLimit != nil || s.short != nil:
			s.timeLimit = func(t *testing.T, job string) { order("time limit", job)(t) }
		}
		if s.warn != nil || s.name == "sge" {
			s.warn = func(t *testing.T, job string) { order("warn:1h", job)(t) }
		}
		if s.requeue != nil {
			s.nodeFails = func(t *testing.T, job string) { order("node failure", job)(t) }
		}
		s.calls = func(t *testing.T) int {
			calls, err := fake.Calls()
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, call := range calls {
				if call.Command == s.query {
					n++
				}
			}
			return n
		}
		s.largest = func(t *testing.T, n int) {
			if config.Scheduler == "slurm" {
				n++ // MaxArraySize is not reached
			}
			if err := fake.Change(func(c *fakesched.Config) { c.Largest = n }); err != nil {
				t.Fatal(err)
			}
		}
		s.accept = func(t *testing.T, n int) {
			if err := fake.Change(func(c *fakesched.Config) { c.Accept = n }); err != nil {
				t.Fatal(err)
			}
		}
		down := func(is bool) {
			if err := fake.Change(func(c *fakesched.Config) { c.Down = is }); err != nil {
				t.Fatal(err)
			}
		}
		s.stop = func(*testing.T) func() {
			down(true)
			return func() { down(false) }
		}
		return &s
	}
	return &s
}
