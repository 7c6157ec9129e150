package logdir

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Stamp tells one version of a file from another. The zero Stamp is that of no
// file.
type Stamp struct {
	Inode, Size uint64
	Modified    int64 // when its content changed, in nanoseconds since 1970
	Changed     int64 // when anything about it did: nobody can set that back
}

func stampFrom(st *unix.Stat_t) Stamp {
	return Stamp{st.Ino, uint64(st.Size), st.Mtim.Nano(), st.Ctim.Nano()}
}

// StampOfFile returns the stamp of an open file.
func StampOfFile(f *os.File) (Stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Stamp{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return stampFrom(&st), nil
}

// StampOf returns the stamp of the file at path as it is now.
func StampOf(path string) (Stamp, error) { return stampAt(unix.AT_FDCWD, path) }

// stampAt is StampOf for a path from an open directory.
func stampAt(dir int, path string) (Stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, path, &st, 0); err != nil {
		return Stamp{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return stampFrom(&st), nil
}

// Hash is a number for the stamp, 0 for none. Two stamps that differ have one hash
// once in 2^64 times.
func (s Stamp) Hash() uint64 {
	if s == (Stamp{}) {
		return 0
	}
	h := uint64(0)
	for _, n := range []uint64{s.Inode, s.Size, uint64(s.Modified), uint64(s.Changed)} {
		h ^= n // and the finalizer of MurmurHash3
		h = (h ^ h>>33) * 0xff51afd7ed558ccd
		h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
		h ^= h >> 33
	}
	return max(h, 1)
}

// A File is the content of a file, and what tells whether it is still that.
type File struct {
	Text  []byte
	Stamp Stamp     // from before it was read
	Read  time.Time // when that was
}

// ReadFile reads a regular file. Anything else is an error: a pipe would make the
// reader wait.
//
// It goes below package os, which asks the kernel four more questions about each
// file that it opens: a log dir of 10,000 runs has 20,000 of them.
func ReadFile(path string) (*File, error) {
	failed := func(op string, err error) (*File, error) {
		return nil, &fs.PathError{Op: op, Path: path, Err: err}
	}
	f := &File{Read: time.Now()}
	var fd int
	err := again(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return failed("open", err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return failed("stat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return failed("read", errors.New("not a regular file"))
	}
	f.Stamp = stampFrom(&st)
	f.Text = make([]byte, 0, st.Size+1) // room to find its end without growing
	for {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Read(fd, f.Text[len(f.Text):cap(f.Text)])
			return err
		})
		if err != nil {
			return failed("read", err)
		}
		if n == 0 {
			return f, nil
		}
		f.Text = f.Text[:len(f.Text)+n]
		if len(f.Text) == cap(f.Text) {
			f.Text = append(f.Text, 0)[:len(f.Text)]
		}
	}
}
