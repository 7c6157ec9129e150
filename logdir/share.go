package logdir

import (
	"io/fs"
	"os"
	"path/filepath"
)

// A log dir that a group may write in is shared: what is made in it can be
// written by the group as well, whatever the umask says, so that a colleague can
// resume a run. setgid, which gives new files the group, is inherited.

// shared tells whether the group may write in dir.
func shared(dir string) bool {
	st, err := os.Stat(dir)
	return err == nil && st.Mode()&0o020 != 0
}

// mkdirShared makes a directory, for the group if its parent is.
func mkdirShared(path string) error { return mkdir(path, shared(filepath.Dir(path))) }

// mkdir makes a directory, for the group if that is asked for.
func mkdir(path string, forGroup bool) error {
	if err := os.Mkdir(path, 0o777); err != nil || !forGroup {
		return err
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode()&0o070 == 0o070 {
		return err
	}
	return os.Chmod(path, st.Mode()&(fs.ModePerm|fs.ModeSetgid|fs.ModeSticky)|0o070)
}

// Mkdir makes a directory of the run. It fails with [fs.ErrExist] if that is
// there.
func (r Run) Mkdir(name string) error { return mkdirShared(r.Path(name)) }

// OpenAppend opens a file of the run to append to it and read it, making it if
// it is not there.
func (r Run) OpenAppend(name string) (*os.File, error) {
	path := r.Path(name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil || !shared(filepath.Dir(path)) {
		return f, err
	}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Mode()&0o060 != 0o060 {
		// Fails if it is somebody else's, who has seen to it.
		_ = f.Chmod(st.Mode()&fs.ModePerm | 0o060)
	}
	return f, nil
}
