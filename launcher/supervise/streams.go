package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// streams connects the program's stdin, stdout and stderr.
type streams struct {
	tty     *terminal
	child   [3]*os.File // as the program gets them
	own     []*os.File  // those of child that are closed once it has them
	sources []*os.File  // our ends of its output
	copying sync.WaitGroup

	mu      sync.Mutex
	unkept  error // the first that kept output from the log
	unshown error // the first that kept output from being shown
}

// openStreams makes the program's stdin, stdout and stderr. Output that is not
// shown goes to its log file directly; what is shown goes through a pipe, or
// through a terminal if it is shown on one.
func (a *attempt) openStreams(tty *terminal) (*streams, error) {
	s := &streams{tty: tty}
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
	var read func(buffer []byte) ([]byte, error)
	if isTerminal(shown) {
		screen, end, err := openScreen(shown)
		if err != nil {
			return err
		}
		screen.keys = i == 2
		s.tty.add(screen)
		ours, theirs = screen.master, end
		read = func(buffer []byte) ([]byte, error) {
			return screen.read(buffer, s.tty.follow)
		}
	} else {
		var err error
		if ours, theirs, err = os.Pipe(); err != nil {
			return err
		}
		growPipe(theirs)
		read = func(buffer []byte) ([]byte, error) {
			n, err := ours.Read(buffer)
			return buffer[:n], err
		}
	}
	s.child[i] = theirs
	s.own = append(s.own, theirs)
	s.sources = append(s.sources, ours)
	s.copying.Go(func() {
		defer ours.Close()
		defer log.Close()
		s.copy(read, log, shown)
	})
	return nil
}

// copy copies what read reads to log and shown until its end. A log that cannot be
// written does not keep output from being shown, nor the other way round; if
// nobody reads any more what is shown, the program learns it as it would
// without us.
func (s *streams) copy(read func([]byte) ([]byte, error), log, shown *os.File) {
	buffer := make([]byte, 128<<10)
	for {
		text, err := read(buffer)
		if len(text) > 0 {
			if _, err := log.Write(text); err != nil {
				s.fail(&s.unkept, err)
			}
			switch _, err := shown.Write(text); {
			case errors.Is(err, unix.EPIPE):
				return
			case err != nil:
				s.fail(&s.unshown, err)
			}
		}
		if err != nil { // io.EOF, or EIO from a terminal that nobody has open
			if !errors.Is(err, io.EOF) && !errors.Is(err, unix.EIO) && !errors.Is(err, os.ErrClosed) {
				s.fail(&s.unkept, err)
			}
			return
		}
	}
}

// fail keeps the first problem of a kind.
func (s *streams) fail(first *error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *first == nil {
		*first = err
	}
}

// problems returns what kept output from the log and from being shown, if anything.
func (s *streams) problems() (unkept, unshown error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unkept, s.unshown
}

// started closes what only the program has to hold.
func (s *streams) started() {
	for _, f := range s.own {
		f.Close()
	}
}

// wait waits until all output has been copied, but, once nothing more is there, no
// longer than limit: a process that left the program's group may hold it open for ever.
func (s *streams) wait(limit time.Duration) {
	done := make(chan struct{})
	go func() { s.copying.Wait(); close(done) }()
	for range 10 {
		select {
		case <-done:
			return
		case <-time.After(limit):
		}
		if !s.pending() {
			break
		}
		// A machine that is very busy has not let us read what is there.
	}
	for _, f := range s.sources {
		f.Close()
	}
	<-done
}

// pending tells whether there is output that was written and not read yet.
func (s *streams) pending() bool { return slices.ContainsFunc(s.sources, readable) }

// readable tells whether there is something to read.
func readable(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	there := false
	_ = conn.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(look, 0)
		there = err == nil && n > 0 && look[0].Revents&unix.POLLIN != 0
	})
	return there
}
