package supervise

import (
	"sync"
	"time"
)

// A meter samples what the processes of a run use: the program, those that it has
// started, and what they have started. What is shared by several, as after a fork,
// counts once.
type meter struct {
	group int           // the program's process group
	stop  chan struct{} // closed when the run has ended

	mu    sync.Mutex
	known map[int]uint64 // the processes seen last, by pid: when each started
	peak  int64          // the most memory that they had at a time, in bytes
	cpu   time.Duration  // the most CPU time that they and those they waited for had
}

// Timing of samples. A sample looks at all processes of the machine. So that it costs
// nothing that anybody notices, they become rarer as the run goes on, and never as rare
// as once a minute.
const (
	leastRest = 100 * time.Millisecond // then as long as the run has lasted, up to
	perCost   = 5000                   // this many times what a sample takes, and at least
	longRest  = 2 * time.Second
	mostRest  = time.Minute
)

// startMeter starts sampling what the program does that has a pid and a start time.
func startMeter(pid int, start uint64) *meter {
	m := &meter{group: pid, stop: make(chan struct{}), known: map[int]uint64{pid: start}}
	go func() {
		for began := time.Now(); ; {
			before := time.Now()
			m.sample()
			most := min(max(longRest, time.Since(before)*perCost), mostRest)
			select {
			case <-time.After(min(max(leastRest, time.Since(began)), most)):
			case <-m.stop:
				return
			}
		}
	}()
	return m
}

// end ends sampling when the program has ended, before what it left is ended, and
// returns what was found: the CPU time of what is left, the most CPU time that was
// seen, and the most memory. A nil meter has found nothing.
func (m *meter) end() (left, cpu time.Duration, memory int64) {
	if m == nil {
		return 0, 0, 0
	}
	close(m.stop)
	left = m.sample()
	m.mu.Lock()
	defer m.mu.Unlock()
	return left, m.cpu, m.peak
}
