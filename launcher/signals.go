package launcher

import (
	"context"
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/launcher/supervise"
)

// A listener is a run that goes on.
type listener struct {
	received chan os.Signal
	stopped  chan struct{} // tells that the program has stopped, as it was told
}

// signals passes the signals that mlxp gets on to the runs that go on.
type signals struct {
	got chan os.Signal

	mu       sync.Mutex
	runs     map[*listener]bool
	last     os.Signal // the last one that asks to end
	stop     chan struct{}
	stopping sync.Once
}

// toStop is how long programs have to stop after Ctrl-Z, before mlxp does. Until they
// have, one of them may read what is typed for the shell.
const toStop = time.Second

// passed are the signals that are passed on.
var passed = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGTSTP}

// catchSignals starts passing signals on. What was ignored when mlxp started,
// as SIGHUP is under nohup, stays ignored, here and in the program.
func catchSignals() *signals {
	s := &signals{got: make(chan os.Signal, 16), runs: map[*listener]bool{}, stop: make(chan struct{})}
	for _, sig := range passed {
		if !signal.Ignored(sig) {
			signal.Notify(s.got, sig)
		}
	}
	// Go ends a process whose stdout is a closed pipe. The program has to meet
	// the closed pipe, not mlxp.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	go s.pump()
	return s
}

func (s *signals) pump() {
	for sig := range s.got {
		s.mu.Lock()
		switch sig {
		case unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT:
			s.ask(sig)
		}
		s.send(sig)
		s.mu.Unlock()
		if sig == unix.SIGTSTP {
			s.suspend()
		}
	}
}

// ask notes that sig asks to end.
func (s *signals) ask(sig os.Signal) {
	s.last = sig
	s.stopping.Do(func() { close(s.stop) })
}

// interrupt does as if mlxp had got SIGINT when no run goes on.
func (s *signals) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ask(unix.SIGINT)
}

// suspend stops mlxp after its programs, until a shell continues it. If there is
// none that could, it goes on, and they do.
func (s *signals) suspend() {
	s.mu.Lock()
	runs := slices.Collect(maps.Keys(s.runs))
	s.mu.Unlock()
	patience, done := context.WithTimeout(context.Background(), toStop) // for all of them
	for _, run := range runs {
		select {
		case <-run.stopped:
		case <-patience.Done():
		}
	}
	done()
	supervise.Suspend(unix.Getpid(), unix.SIGTSTP)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(unix.SIGCONT)
}

func (s *signals) send(sig os.Signal) {
	for run := range s.runs {
		select {
		case run.received <- sig:
		default: // it has that many to hear of already
		}
	}
}

// subscribe returns a listener that gets the signals for a run, and the function
// that ends that. It returns none if a signal has asked to end: no run is to start
// any more.
func (s *signals) subscribe() (*listener, func()) {
	run := &listener{make(chan os.Signal, 16), make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		return nil, func() {}
	}
	s.runs[run] = true
	return run, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.runs, run)
	}
}

// ended returns the signal that asked to end, nil if none did.
func (s *signals) ended() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
