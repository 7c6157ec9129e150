package launcher

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A progress is the one line on a terminal that tells how far several runs are. A
// nil progress shows nothing.
type progress struct {
	mu      sync.Mutex
	bar     *progressbar.ProgressBar
	running int
	failed  int
	stop    chan struct{}
}

// newProgress shows the line for size runs on out.
func newProgress(out io.Writer, size int) *progress {
	p := &progress{stop: make(chan struct{})}
	p.bar = progressbar.NewOptions(size,
		progressbar.OptionSetWriter(out),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetWidth(20),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
	)
	p.change(func() {})
	go func() { // time goes on while nothing ends
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.change(func() {})
			case <-p.stop:
				return
			}
		}
	}()
	return p
}

// change makes a change and draws the line.
func (p *progress) change(by func()) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		return
	}
	by()
	text := fmt.Sprintf("mlxp: %d running", p.running)
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	p.bar.Describe(text)
	_ = p.bar.RenderBlank()
}

func (p *progress) started() { p.change(func() { p.running++ }) }

func (p *progress) ended(complete bool) {
	p.change(func() {
		p.running--
		if !complete {
			p.failed++
		}
		_ = p.bar.Add(1)
	})
}

// aside takes the line away while show prints something else.
func (p *progress) aside(show func()) {
	if p == nil {
		show()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.bar.Clear()
	show()
	if p.stop != nil {
		_ = p.bar.RenderBlank()
	}
}

// end takes the line away for good.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
		_ = p.bar.Clear()
	}
}
