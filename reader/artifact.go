package reader

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mlxp/mlxp/logdir"
)

// An Artifact is a file that a run left in its artifacts directory.
type Artifact struct {
	Path  string // in that directory, with slashes
	Bytes int64
	Time  time.Time // when it was last written
}

// Field returns what an expression finds in an artifact: path, bytes, time.
func (a Artifact) Field(name string) (any, bool) {
	switch name {
	case "path":
		return a.Path, true
	case "bytes":
		return a.Bytes, true
	case "time":
		return a.Time, true
	}
	return nil, false
}

// Names returns path, bytes and time.
func (a Artifact) Names() []string { return []string{"path", "bytes", "time"} }

type artifactList []Artifact

func (l artifactList) Len() int     { return len(l) }
func (l artifactList) At(i int) any { return l[i] }

// Artifacts lists the run's artifacts by path. A symbolic link counts as what it
// points at; directories do not count.
func (r *Record) Artifacts() []Artifact {
	if r.hasFiles {
		return r.artifacts
	}
	r.hasFiles = true
	root := r.Run.Path(logdir.ArtifactsDir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return fs.SkipAll // it has none
			}
			r.warn("%v", err)
			return nil
		}
		if d.IsDir() {
			if d.Name() == keysDir && r.legacy() {
				return fs.SkipDir
			}
			return nil
		}
		st, err := statFile(path, d)
		if err != nil || st.IsDir() {
			return nil // a link to nothing, or to a directory
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		r.artifacts = append(r.artifacts, Artifact{filepath.ToSlash(rel), st.Size(), st.ModTime()})
		return nil
	})
	if err != nil {
		r.warn("%v", err)
	}
	return r.artifacts
}

func statFile(path string, d fs.DirEntry) (fs.FileInfo, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		return os.Stat(path)
	}
	return d.Info()
}
