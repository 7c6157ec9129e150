package launcher

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSubscribe(t *testing.T) {
	s := catchSignals()
	run, done := s.subscribe()
	if err := unix.Kill(os.Getpid(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if sig := <-run.received; sig != unix.SIGTERM {
		t.Errorf("received %v", sig)
	}
	done()
	<-s.stop
	if late, _ := s.subscribe(); late != nil || s.ended() != unix.SIGTERM {
		t.Errorf("after %v, a run may still start", s.ended())
	}
}
