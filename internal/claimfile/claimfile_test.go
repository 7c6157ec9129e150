package claimfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// One of many makes the file, and whoever finds it finds all of it.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "claim")
	var made atomic.Int32
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			err := Create(path, []byte("mine\n"))
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != "mine\n" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Errorf("%d have made it", made.Load())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
	if err := Create(filepath.Join(dir, "no", "claim"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its directory: %v", err)
	}
}
