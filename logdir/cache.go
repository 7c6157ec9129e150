package logdir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A cacheFile is a new version of a file that nobody will miss, in [OwnDir]. It
// takes its place as a whole, and does not wait for the disk.
type cacheFile struct {
	*os.File
	path  string // where it will be
	clock clock
}

// createCache begins a new version of the file of that name. It makes OwnDir if
// somebody deleted that.
func createCache(root, name string) (*cacheFile, error) {
	path := filepath.Join(root, OwnDir, name)
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), rand.Uint64()))
	create := func() (*os.File, error) { return os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666) }
	f, err := create()
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeOwn(root); err == nil {
			f, err = create()
		}
	}
	if err != nil {
		return nil, err
	}
	c := &cacheFile{File: f, path: path}
	// A file system may take a moment to give a new file its time: writing asks it.
	if _, err = f.WriteAt([]byte{0}, 0); err == nil {
		c.clock, err = clockOf(f)
	}
	if err = cmp.Or(err, f.Truncate(0)); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

// drop removes it.
func (c *cacheFile) drop() {
	_ = c.Close()
	_ = os.Remove(c.Name())
}

// commit puts it in its place, and removes what others have left that were killed
// while they wrote one.
func (c *cacheFile) commit() {
	dir := filepath.Dir(c.path)
	var err error
	if shared(dir) {
		var st fs.FileInfo
		if st, err = c.Stat(); err == nil {
			err = c.Chmod(st.Mode()&fs.ModePerm | 0o060)
		}
	}
	if err = cmp.Or(err, c.Close()); err == nil {
		err = os.Rename(c.Name(), c.path)
	}
	if err != nil {
		_ = os.Remove(c.Name())
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+filepath.Base(c.path)+".") {
			continue
		}
		if st, err := e.Info(); err == nil && c.clock.there.Sub(st.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
