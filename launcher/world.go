// Package launcher turns a command line into running programs: which words are
// overrides, which runs they stand for, what each run's program is given, and
// how several are run at a time.
package launcher

import (
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/scheduler"
)

// World is what the launcher needs of the process it runs in.
type World struct {
	Stdin, Stdout, Stderr *os.File
	Environ               []string
	Cwd                   string
	Version               string
	Self                  string           // the path of this mlxp, absolute
	Guard                 *supervise.Guard // of the runs that this process executes; nil: none
}

// abs makes a path of the user's absolute.
func (w World) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(w.Cwd, path)
}

func (w World) getenv(name string) string {
	value, _ := supervise.LookupEnv(w.Environ, name)
	return value
}

// site is a scheduler as the settings say that it is here; those that cannot be read
// say nothing: who asks for runs was told already.
func (w World) site(s *scheduler.Scheduler) *scheduler.Scheduler {
	settings, err := settingsHere(w)
	if err != nil {
		return s
	}
	return settings.Sites.of(s)
}

// client talks to the scheduler of that name; nil: there is none.
func (w World) client(name string, patience time.Duration) *scheduler.Client {
	s := scheduler.ByName(name)
	if s == nil {
		return nil
	}
	return &scheduler.Client{Scheduler: w.site(s), Environ: scheduler.CleanEnviron(w.Environ), Timeout: patience}
}

func userName(w World) string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return w.getenv("USER") // a user that only the cluster's directory service knows
}
