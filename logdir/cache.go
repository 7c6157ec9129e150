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

// A CacheFile is a new version of a file that nobody will miss, in [OwnDir]. It
// takes its place as a whole, and does not wait for the disk.
//
// It is not written with locks, nor read with any: a reader has the old version
// or the new one, and both hold checksums.
type CacheFile struct {
	*os.File
	path  string // where it will be
	clock clock
}

// A clock tells the time of the file system that the log dir is on, which may be
// another machine's.
type clock struct{ local, there time.Time }

// CreateCache begins a new version of the file of that name in the OwnDir of a log
// dir. It makes OwnDir, and a folder in the name, if they are not there.
func CreateCache(root, name string) (*CacheFile, error) {
	path := filepath.Join(root, OwnDir, name)
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), rand.Uint64()))
	create := func() (*os.File, error) { return os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666) }
	f, err := create()
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeOwn(root); err == nil {
			if err = mkdirShared(filepath.Dir(path)); err == nil || errors.Is(err, fs.ErrExist) {
				f, err = create()
			}
		}
	}
	if err != nil {
		return nil, err
	}
	c := &CacheFile{File: f, path: path}
	// A file system may take a moment to give a new file its time: writing asks it.
	if _, err = f.WriteAt([]byte{0}, 0); err == nil {
		var st fs.FileInfo
		if st, err = f.Stat(); err == nil {
			c.clock = clock{time.Now(), st.ModTime()}
		}
	}
	if err = cmp.Or(err, f.Truncate(0)); err != nil {
		c.Drop()
		return nil, err
	}
	return c, nil
}

// Settled tells whether a file had been left alone for a while when it was read:
// then its stamp is that of what was read, whoever looks.
func (c *CacheFile) Settled(stamp Stamp, read time.Time) bool {
	then := c.clock.there.Add(read.Sub(c.clock.local))
	return then.Sub(time.Unix(0, stamp.Modified)) >= young
}

// young is how old a file has to be for its stamp to mean something: one that is
// changed twice within a tick of the clock may look the same.
const young = 2 * time.Second

// Drop removes it.
func (c *CacheFile) Drop() {
	_ = c.Close()
	_ = os.Remove(c.Name())
}

// Commit puts it in its place, and removes what others have left that were killed
// while they wrote one.
func (c *CacheFile) Commit() {
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
