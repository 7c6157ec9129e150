package supervise

import (
	"sync"
	"time"
)

// A meter samples what the processes of a run use: the program, those that it has
// started, and what they have started. What is shared by several, as after a fork,
// counts once.
type meter struct {
	pid  int           // the program's
	stop chan struct{} // closed when the run has ended

	mu    sync.Mutex
	known map[int]uint64 // the processes seen last, by pid: when each started
	peak  int64          // the most memory that they had at a time, in bytes
	cpu   time.Duration  // the most CPU time that they and those they waited for had
}

// Timing of samples. A sample looks at all processes of the machine; so that it costs
// nothing that anybody notices, it is taken more rarely where it takes longer.
const (
	firstSamples = 100 * time.Millisecond // then twice as long, and so on up to
	nextSamples  = time.Second            // or
	restPerCost  = 2000                   // times as long as a sample takes, but not more than
	mostRest     = time.Minute
)

// startMeter starts sampling.
func startMeter(pid int) *meter {
	m := &meter{pid: pid, stop: make(chan struct{}), known: map[int]uint64{}}
	go func() {
		for rest := firstSamples; ; rest = min(rest*2, nextSamples) {
			began := time.Now()
			m.sample()
			cost := time.Since(began)
			select {
			case <-time.After(min(max(rest, cost*restPerCost), mostRest)):
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
