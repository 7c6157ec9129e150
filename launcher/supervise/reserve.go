package supervise

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

// A run's end must be on record also when the disk has filled up in between, by
// the run itself most likely, and at once. So a run keeps a block of the disk in a
// file of its own, from before its program starts, and gives it back for the final
// record.
const (
	reserveName = logdir.MetadataDir + "/.reserve"
	reserveSize = 16 << 10
)

// patience is how long the end of a run is tried to be recorded on a full disk.
const patience = 20 * time.Second

// makeReserve makes the reserve. Without it, the end is tried to be recorded for
// a while all the same.
func (a *attempt) makeReserve() {
	path := a.run.Path(reserveName)
	if os.WriteFile(path, make([]byte, reserveSize), 0o666) == nil {
		a.reserve = path
		return
	}
	_ = os.Remove(path)
}

// giveBack makes room for the record.
func (a *attempt) giveBack() {
	if a.reserve != "" {
		_ = os.Remove(a.reserve) // as it may have been before
	}
}

// writeEnd writes the final record. While the disk is full it tries again, until
// it has tried for patience or the user asks to end.
func (a *attempt) writeEnd() error {
	a.giveBack()
	err := a.run.WriteInfo(a.info)
	for began := time.Now(); isFull(err) && time.Since(began) < patience; err = a.run.WriteInfo(a.info) {
		a.opts.Warn(fmt.Sprintf("run %d has ended, and the disk is too full to record it: trying for %v; free some space, or press Ctrl-C to give up", a.run.ID, patience))
		select {
		case <-time.After(500 * time.Millisecond):
		case sig := <-a.opts.Signals:
			if sig == unix.SIGINT || sig == unix.SIGTERM {
				return err
			}
		}
	}
	return err
}

// isFull tells whether an error is that of a full disk or quota.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
