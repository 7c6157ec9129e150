package launcher

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress is the one line on a terminal that tells how far several runs are. A
// nil progress shows nothing.
type progress struct {
	mu      sync.Mutex
	bar     *progressbar.ProgressBar
	size    int
	done    int
	running int
	failed  int // of those that are done
	stop    chan struct{}
}

// A fitting writes to a terminal, and no line that is longer than the terminal is wide:
// one that goes on in the next row could not be drawn anew.
type fitting struct{ tty *os.File }

func (f fitting) Write(text []byte) (int, error) {
	const rest = "\x1b[0K" // erases what was there before
	line, drawn := strings.CutSuffix(string(text), rest)
	width, _, err := term.GetSize(int(f.tty.Fd()))
	if !drawn || err != nil || width < 2 {
		return f.tty.Write(text)
	}
	line = strings.TrimPrefix(line, "\r")
	_, err = f.tty.WriteString("\r" + runewidth.Truncate(line, width-1, "") + rest)
	return len(text), err
}

// newProgress shows the line for size runs on the terminal out.
func newProgress(out *os.File, size int) *progress {
	p := &progress{size: size, stop: make(chan struct{})}
	p.bar = progressbar.NewOptions(size,
		progressbar.OptionSetWriter(fitting{out}),
		progressbar.OptionSetPredictTime(false), // nobody knows before a run has ended
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
	text := fmt.Sprintf("mlxp: %d of %d done, %d running", p.done, p.size, p.running)
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
		p.done++
		if !complete {
			p.failed++
		}
		progressbar.OptionSetPredictTime(true)(p.bar)
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
