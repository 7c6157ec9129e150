package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/mlxp/mlxp/logdir"
)

// streams connects the program's stdin, stdout and stderr.
type streams struct {
	child   [3]*os.File // as the program gets them
	own     []*os.File  // those of child that are closed once it has them
	sources []*os.File  // our ends of its output
	windows []window    // terminals to keep in size
	copying sync.WaitGroup

	mu      sync.Mutex
	failure error // the first that kept output from being kept
}

// A window is a terminal of the program's that has the size of one of ours.
type window struct{ from, to *os.File }

// openStreams makes the program's stdin, stdout and stderr. Output that is not
// shown goes to its log file directly; what is shown goes through a pipe, or
// through a terminal if it is shown on one.
func (a *attempt) openStreams() (*streams, error) {
	s := new(streams)
	s.child[0] = a.opts.Stdin
	if a.opts.Stdin == nil {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		s.child[0] = null
		s.own = append(s.own, null)
	}
	for i, out := range []struct {
		name  string
		shown *os.File
	}{{logdir.LogStdout, a.opts.Stdout}, {logdir.LogStderr, a.opts.Stderr}} {
		log, err := a.run.OpenAppend(out.name)
		if err == nil && out.shown == nil {
			s.child[i+1] = log
			s.own = append(s.own, log)
			continue
		}
		if err == nil {
			err = s.tee(i+1, log, out.shown)
		}
		if err != nil {
			s.started()
			s.wait(0)
			return nil, fmt.Errorf("run %d: %w", a.run.ID, err)
		}
	}
	return s, nil
}

// tee connects stream i so that what the program writes goes to log and shown.
func (s *streams) tee(i int, log, shown *os.File) error {
	var ours, theirs *os.File
	var err error
	if term.IsTerminal(int(shown.Fd())) {
		if ours, theirs, err = pty.Open(); err != nil {
			return err
		}
		// The real terminal does what is left to do with the output: "\n"
		// becomes "\r\n" there, unless the program has asked it not to.
		if _, err = term.MakeRaw(int(theirs.Fd())); err != nil {
			return err
		}
		s.windows = append(s.windows, window{shown, ours})
		s.resize()
	} else {
		if ours, theirs, err = os.Pipe(); err != nil {
			return err
		}
		growPipe(theirs)
	}
	s.child[i] = theirs
	s.own = append(s.own, theirs)
	s.sources = append(s.sources, ours)
	s.copying.Go(func() { s.copy(ours, log, shown) })
	return nil
}

// copy copies source to log and shown until its end. A log that cannot be
// written does not keep output from being shown, nor the other way round; if
// nobody reads any more what is shown, the program learns it as it would
// without us.
func (s *streams) copy(source, log, shown *os.File) {
	defer source.Close()
	defer log.Close()
	buffer := make([]byte, 128<<10)
	for {
		n, err := source.Read(buffer)
		if n > 0 {
			if _, err := log.Write(buffer[:n]); err != nil {
				s.fail(err)
			}
			if _, err := shown.Write(buffer[:n]); errors.Is(err, unix.EPIPE) {
				return
			}
		}
		if err != nil { // io.EOF, or EIO from a terminal that nobody has open
			if !errors.Is(err, io.EOF) && !errors.Is(err, unix.EIO) && !errors.Is(err, os.ErrClosed) {
				s.fail(err)
			}
			return
		}
	}
}

func (s *streams) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
	}
}

// problem returns the first failure to keep output.
func (s *streams) problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// started closes what only the program has to hold.
func (s *streams) started() {
	for _, f := range s.own {
		f.Close()
	}
}

// resize gives the program's terminals the size of ours.
func (s *streams) resize() {
	for _, w := range s.windows {
		size, err := unix.IoctlGetWinsize(int(w.from.Fd()), unix.TIOCGWINSZ)
		if err != nil {
			continue
		}
		// Not Fd, which would make the file blocking, so that closing it
		// could not end a read.
		if conn, err := w.to.SyscallConn(); err == nil {
			conn.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size) })
		}
	}
}

// wait waits until all output has been copied, but no longer than limit: a
// process that left the program's group may hold it open for ever.
func (s *streams) wait(limit time.Duration) {
	done := make(chan struct{})
	go func() { s.copying.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(limit):
	}
	for _, f := range s.sources {
		f.Close()
	}
	<-done
}
