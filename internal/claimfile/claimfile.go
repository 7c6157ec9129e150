// Package claimfile makes files by which one of several processes claims
// something, on any hosts that share a directory.
package claimfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Prefix begins the names of files that [Create] leaves beside the claim if its
// process is killed. They mean nothing.
const Prefix = ".claiming."

// Create makes a file that must not exist yet, with its content from the first
// moment on: who is killed has left his name, or nothing. Of any number of callers
// one makes it; the others get an error that is [io/fs.ErrExist].
//
// The content is written to a file of its own first, which then gets the name with
// link(2); that holds on NFS as well, where the answer to a link that was made may
// get lost, so that the number of links counts (open(2), O_EXCL). Where a file
// system has no hard links the file is made with O_EXCL, and is empty for a moment.
func Create(path string, text []byte) error {
	host, _ := os.Hostname()
	own := filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%s.%d.%d", Prefix, host, os.Getpid(), time.Now().UnixNano()))
	if err := write(own, text); err != nil {
		return err
	}
	defer func() { _ = os.Remove(own) }()
	err := unix.Link(own, path)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EMLINK):
		return write(path, text)
	case err != nil:
		var st unix.Stat_t
		if unix.Stat(own, &st) == nil && st.Nlink == 2 {
			return nil
		}
		return &os.LinkError{Op: "link", Old: own, New: path, Err: err}
	}
	return nil
}

// write makes a file that must not exist yet.
func write(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.RemoveAll(path)
	}
	return err
}
