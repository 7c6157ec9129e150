package logdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// ReplaceFile makes path hold text: a reader sees the old content or the new
// one, also if mlxp or the machine stops at any moment, and a full disk leaves
// the old one. The file's mode follows the umask.
func ReplaceFile(path string, text []byte) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o666))
	if err != nil {
		return writing(path, err)
	}
	defer f.Cleanup()
	if _, err := f.Write(text); err != nil {
		return writing(path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return writing(path, err)
	}
	return nil
}

// writing is err for the file at path: what went wrong with the one that was to take its
// place names that one.
func writing(path string, err error) error {
	var failed *os.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return &os.PathError{Op: "write", Path: path, Err: err}
}

// replaceSoon makes path hold text as [ReplaceFile] does, but does not wait for the
// disk: after a power cut the file may be the old one.
func replaceSoon(path string, text []byte) error {
	own := fmt.Sprintf("%s.%d", filepath.Join(filepath.Dir(path), "."+filepath.Base(path)), os.Getpid())
	_ = os.Remove(own) // of a process that was killed and had this number
	if err := writeNew(own, text); err != nil {
		return writing(path, err)
	}
	if err := os.Rename(own, path); err != nil {
		_ = os.Remove(own)
		return writing(path, err)
	}
	return nil
}

// writeNew writes a file that must not exist yet, without waiting for the disk:
// see [Log.Sync]. If it cannot be written it is removed.
//
// It goes below package os, which asks the kernel seven more questions about each
// file that it opens: a sweep of 10,000 runs has 30,000 of them.
func writeNew(path string, text []byte) error {
	var fd int
	err := again(func() (err error) {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o666)
		return err
	})
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	for err == nil && len(text) > 0 {
		var n int
		err = again(func() (err error) {
			n, err = unix.Write(fd, text)
			return err
		})
		text = text[max(n, 0):]
	}
	// What a network file system could not write, it may say only here.
	if closeErr := unix.Close(fd); err == nil && !errors.Is(closeErr, unix.EINTR) {
		err = closeErr
	}
	if err != nil {
		os.RemoveAll(path)
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// again repeats a system call that a signal has interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
