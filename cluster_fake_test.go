package main

import (
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/fakesched"
)

// fakeSites are the fakes of all schedulers: each test has one of its own.
func fakeSites(*testing.T) []*site {
	return []*site{
		fakeSite(fakesched.Config{Scheduler: "slurm"}, realSites["slurm"]),
	}
}

// fakeSite is a fake of a scheduler whose scripts are like those of a real one.
func fakeSite(config fakesched.Config, like *site) *site {
	s := *like
	s.real = false
	s.patience = time.Minute
	config.Slots = 4
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
		order := func(what string) func(t *testing.T, job string) {
			return func(t *testing.T, job string) {
				t.Helper()
				if err := fake.Order(what, job); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := s
		s.env = []string{"FAKESCHED=" + fake.Dir()}
		if s.requeue != nil {
			s.requeue = order("requeued")
		}
		s.timeLimit = order("warn:1s")
		if s.warn != nil {
			s.warn = order("warn:1h")
		}
		if s.requeue != nil {
			s.nodeFails = order("node failure")
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
		s.requeueExit = 0
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
