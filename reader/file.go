package reader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/mlxp/mlxp/logdir"
)

// open opens a file of the run for reading. It has to be a regular one: a pipe
// would make the reader wait. The error is [fs.ErrNotExist] where there is none,
// and names the file as a path in the run's directory.
func (r *Record) open(name string) (*os.File, error) {
	f, err := os.OpenFile(r.Run.Path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		err = fs.ErrNotExist
	}
	if err == nil {
		var st fs.FileInfo
		if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
			err = errors.New("not a regular file")
		}
		if err != nil {
			f.Close()
		}
	}
	if err != nil {
		return nil, relative(name, err)
	}
	return f, nil
}

// readFile reads a whole file of the run.
func (r *Record) readFile(name string) (*logdir.File, error) {
	f, err := logdir.ReadFile(r.Run.Path(name))
	if errors.Is(err, syscall.ENOTDIR) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, relative(name, err)
	}
	return f, nil
}

// relative names a file in an error as a path in the run's directory, so that
// the same trouble of several runs reads the same.
func relative(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
