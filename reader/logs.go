package reader

import (
	"bufio"
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
	"github.com/mlxp/mlxp/internal/screen"
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
	line := screen.NewLine(w)
	for {
		over := !follow || r.over() // before the last read, so that nothing is missed
		if _, err := io.Copy(line, f); err != nil {
			return fmt.Errorf("run %d: %w", r.ID(), err)
		}
		if over {
			line.End()
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
