package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
)

// LookPath finds the executable of a program that is to run in dir with the
// environment environ, as a shell there would. The error has the exit status
// that a shell gives: 127 if there is none, 126 if it may not be executed.
func LookPath(program, dir string, environ []string) (string, error) {
	if strings.Contains(program, "/") {
		path := program
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return path, executable(program, path)
	}
	var denied error
	for _, folder := range filepath.SplitList(pathOf(environ)) {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder) // an empty one means the current directory
		}
		path := filepath.Join(folder, program)
		err := executable(program, path)
		if err == nil {
			return path, nil
		}
		if fault.Status(err) == fault.NotExecutable && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	err := fault.Exit(fmt.Errorf("%s: command not found", program), fault.NotFound)
	if st, statErr := os.Stat(filepath.Join(dir, program)); statErr == nil && !st.IsDir() {
		return "", fault.Hint(err, "a program in the current directory is started with ./%s", program)
	}
	if name, _, ok := strings.Cut(program, "="); ok && name != "" {
		return "", fault.Hint(err, "overrides stand in front of -- or behind the program: mlxp %s -- PROGRAM, or mlxp -- PROGRAM %s", program, program)
	}
	return "", err
}

func executable(program, path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return fault.Exit(fmt.Errorf("%s: no such file", program), fault.NotFound)
	case err != nil:
		return fault.Exit(fmt.Errorf("%s: %w", program, err), fault.NotExecutable)
	case st.IsDir():
		return fault.Exit(fmt.Errorf("%s: is a directory", program), fault.NotExecutable)
	case unix.Access(path, unix.X_OK) != nil:
		err := fault.Exit(fmt.Errorf("%s: permission denied", program), fault.NotExecutable)
		if st.Mode()&0o111 == 0 {
			return fault.Hint(err, "make it executable (chmod +x %s), or put its interpreter in front", program)
		}
		return err
	}
	return nil
}

// LookupEnv returns the value of name in environ, and whether it is there; of
// several the last one counts.
func LookupEnv(environ []string, name string) (value string, found bool) {
	for _, v := range environ {
		if rest, ok := strings.CutPrefix(v, name); ok && strings.HasPrefix(rest, "=") {
			value, found = rest[1:], true
		}
	}
	return value, found
}

func pathOf(environ []string) string {
	path, _ := LookupEnv(environ, "PATH")
	return path
}
