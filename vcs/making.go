package vcs

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/mlxp/mlxp/internal/claimfile"
	"github.com/mlxp/mlxp/internal/process"
)

// A making is the right to make one backup: a file created with O_EXCL, whose time
// is renewed while its owner is at it.
type making struct {
	path string
	stop chan struct{}
	done chan struct{}
}

// A maker is who makes a backup.
type maker struct {
	Host    string          `json:"host"`
	Process process.Process `json:"process"`
}

// errMade tells that somebody else has made, or given up, what was waited for.
var errMade = errors.New("nobody makes it any more")

const (
	sign    = 2 * time.Second  // how often a maker gives a sign of life
	silence = 60 * time.Second // after which one on another host counts as gone
)

// claimMaking waits until nobody else makes the backup. It returns errMade when
// somebody did: then it may be there.
func claimMaking(ctx context.Context, path string) (*making, error) {
	text, err := json.Marshal(self())
	if err != nil {
		return nil, err
	}
	waited := false
	var last time.Time // the newest sign seen
	seen := time.Now() // and when
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := claimfile.Create(path, text)
		if err == nil && waited {
			return nil, errors.Join(os.Remove(path), errMade)
		}
		if err == nil {
			return hold(path), nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		st, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMade
		}
		if err != nil {
			return nil, err
		}
		if !st.ModTime().Equal(last) {
			last, seen = st.ModTime(), time.Now()
		}
		if gone(path) || time.Since(seen) > silence {
			removeStale(path)
			continue
		}
		waited = true
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// hold renews the time of the claim until it is dropped.
func hold(path string) *making {
	m := &making{path, make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(m.done)
		tick := time.NewTicker(sign)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				now := time.Now()
				_ = os.Chtimes(path, now, now)
			case <-m.stop:
				return
			}
		}
	}()
	return m
}

func (m *making) drop() {
	close(m.stop)
	<-m.done
	os.RemoveAll(m.path)
}

// gone tells whether the maker is known to have ended: it was a process of this
// host.
func gone(path string) bool {
	text, err := os.ReadFile(path)
	var owner maker
	if err != nil || json.Unmarshal(text, &owner) != nil || owner.Process.Boot == "" {
		return false // it may be about to write its name
	}
	me := self()
	rebooted := owner.Host == me.Host && owner.Process.Boot != me.Process.Boot
	return rebooted || owner.Process.Life() == process.Gone
}

// removeStale removes the claim of a maker that is gone. Of several that do so at
// once, none removes the claim of one who was faster.
func removeStale(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	moved := path + ".stale." + time.Now().Format("150405.000000000")
	if os.Rename(path, moved) != nil {
		return
	}
	if now, err := os.ReadFile(moved); err == nil && string(now) != string(text) {
		_ = os.Link(moved, path) // it was somebody's who is at it
	}
	os.RemoveAll(moved)
}

func self() maker {
	host, _ := os.Hostname()
	return maker{host, process.Self()}
}
