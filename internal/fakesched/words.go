package fakesched

import (
	"iter"
	"maps"
	"os"
	"path/filepath"
)

func mapKeys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lookPath finds a file on PATH, executable or not.
func lookPath(name string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	return ""
}
