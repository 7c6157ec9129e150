package reader

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/logdir"
)

func logsCommand(logDir func(*cli.Context) (string, error)) *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Usage:     "print what a run printed",
		ArgsUsage: "ID",
		Description: `Prints the run's standard output, of all its attempts, as a terminal would show
it: a line that was drawn again and again, as progress bars are, is printed once.
The files log.stdout and log.stderr in the run's directory hold every byte.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "stderr", Usage: "its standard error instead"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on until the run ends"},
			&cli.IntFlag{Name: "last", Usage: "only the last `N` lines"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fault.Hint(errors.New("logs needs the number of one run"), "mlxp logs 43")
			}
			id, err := strconv.Atoi(c.Args().First())
			if err != nil || id < 1 {
				return fmt.Errorf("%s is not the number of a run", c.Args().First())
			}
			if c.IsSet("last") && c.Int("last") < 0 {
				return errors.New("--last needs a number from 0")
			}
			root, err := logDir(c)
			if err != nil {
				return err
			}
			log, err := Open(root)
			if err != nil {
				return err
			}
			r, err := log.Find(id)
			if err != nil {
				return err
			}
			name := logdir.LogStdout
			if c.Bool("stderr") {
				name = logdir.LogStderr
			}
			last := -1
			if c.IsSet("last") {
				last = c.Int("last")
			}
			return r.printLog(c.Context, c.App.Writer, name, last, c.Bool("follow"))
		},
	}
}

// printLog prints a log file from its last lines on, all of it if last is
// negative. With follow it goes on until the run has ended.
func (r *Record) printLog(ctx context.Context, out io.Writer, name string, last int, follow bool) error {
	f, err := r.open(name)
	for errors.Is(err, fs.ErrNotExist) && follow && !r.over() {
		if err := pause(ctx); err != nil {
			return err
		}
		f, err = r.open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has printed nothing: it was never started
	}
	if err != nil {
		return fmt.Errorf("run %d: %w", r.ID(), err)
	}
	defer f.Close()
	if last >= 0 {
		if err := seekLast(f, last); err != nil {
			return fmt.Errorf("run %d: %w", r.ID(), err)
		}
	}
	w := bufio.NewWriter(out)
	screen := &line{out: w}
	for {
		over := !follow || r.over() // before the last read, so that nothing is missed
		if _, err := io.Copy(screen, f); err != nil {
			return fmt.Errorf("run %d: %w", r.ID(), err)
		}
		if over {
			screen.end()
			return w.Flush()
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// over tells whether no more is to come: the run has ended or is lost.
func (r *Record) over() bool {
	now := newRecord(r.log, r.Run, r.demand)
	status := now.Status()
	return status.Ended() || status == logdir.Lost || status == ""
}

// pause waits a moment for more to come.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(200 * time.Millisecond):
		return nil
	}
}

// seekLast sets f to the beginning of its last n lines. A line that has no end
// yet counts.
func seekLast(f *os.File, n int) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return err
	}
	block := make([]byte, tailBlock)
	for at := end; at > 0; {
		size := min(at, int64(len(block)))
		at -= size
		text := block[:size]
		if _, err := f.ReadAt(text, at); err != nil && err != io.EOF {
			return err
		}
		for i := len(text) - 1; i >= 0; i-- {
			if text[i] != '\n' || at+int64(i) == end-1 {
				continue
			}
			if n--; n == 0 {
				_, err := f.Seek(at+int64(i)+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// longest is how much of a line without an end is kept: beyond it, it is printed
// as it is.
const longest = 1 << 20

// A line is one line of a terminal, wide enough for any text. What is written to
// it comes out when the line is complete, as it would be seen then: a carriage
// return goes back to its beginning, a backspace one step, and what follows
// replaces what is there. Escape sequences are left out, but for the one that
// erases the rest of the line.
type line struct {
	out    *bufio.Writer
	cells  []byte // what is to be seen, in UTF-8
	at     int    // where the next character goes
	escape []byte // a sequence that is not complete
}

func (l *line) Write(text []byte) (int, error) {
	for _, c := range text {
		switch {
		case len(l.escape) > 0:
			l.sequence(c)
		case c == '\n':
			l.cells = append(l.cells, '\n')
			if _, err := l.out.Write(l.cells); err != nil {
				return 0, err
			}
			l.cells, l.at = l.cells[:0], 0
		case c == '\r':
			l.at = 0
		case c == '\b':
			l.at = l.before(l.at)
		case c == 0x1b:
			l.escape = append(l.escape, c)
		default:
			l.put(c)
		}
	}
	return len(text), nil
}

// put writes one byte of a character over what is there: over a whole character
// if it begins one.
func (l *line) put(c byte) {
	if len(l.cells) >= longest {
		_, _ = l.out.Write(l.cells)
		l.cells, l.at = l.cells[:0], 0
	}
	if l.at >= len(l.cells) {
		l.cells = append(l.cells, c)
		l.at = len(l.cells)
		return
	}
	if c&0xc0 == 0x80 { // goes on with a character: it has no place of its own
		l.cells = append(l.cells[:l.at], append([]byte{c}, l.cells[l.at:]...)...)
		l.at++
		return
	}
	next := l.at + 1
	for next < len(l.cells) && l.cells[next]&0xc0 == 0x80 {
		next++
	}
	l.cells[l.at] = c
	l.cells = append(l.cells[:l.at+1], l.cells[next:]...)
	l.at++
}

// before is the place of the character in front of a place.
func (l *line) before(at int) int {
	at--
	for at > 0 && at < len(l.cells) && l.cells[at]&0xc0 == 0x80 {
		at--
	}
	return max(at, 0)
}

// sequence takes one more byte of an escape sequence (ECMA-48, 5.4: ESC [,
// parameters, a final byte from @ on).
func (l *line) sequence(c byte) {
	l.escape = append(l.escape, c)
	switch {
	case len(l.escape) == 2 && c == '[':
		return
	case len(l.escape) > 2 && (c < '@' || c > '~') && len(l.escape) < 64:
		return
	case c == 'K' && !bytes.ContainsAny(l.escape, "12") && l.at < len(l.cells):
		l.cells = l.cells[:l.at]
	}
	l.escape = l.escape[:0]
}

// end prints a last line that has no end.
func (l *line) end() {
	_, _ = l.out.Write(l.cells) // its error is Flush's
	l.cells, l.at = l.cells[:0], 0
}
