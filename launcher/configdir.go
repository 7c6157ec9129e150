package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// configDirs are where a config is looked for, without --config-dir.
var configDirs = []string{"configs", "config", "conf"}

// A ConfigPlace is where the config of a command line is.
type ConfigPlace struct {
	Dir  string // as the user would write it; empty: there is no config
	Name string // of the primary config, without .yaml
}

func (p ConfigPlace) String() string {
	if p.Dir == "" {
		return "no config: the overrides alone are it"
	}
	return "config: " + filepath.Join(p.Dir, p.Name+".yaml")
}

// FindConfig finds the config dir in the directory cwd: the one of
// [configDirs] that holds the primary config. Several, or one with other
// primary configs only, is an error that names them. notice is told if it is
// not the first.
func FindConfig(cwd, name string, notice func(string)) (ConfigPlace, error) {
	place := ConfigPlace{Name: name}
	var found, others []string
	for _, dir := range configDirs {
		if isFile(filepath.Join(cwd, dir, name+".yaml")) {
			found = append(found, dir)
			continue
		}
		files, err := filepath.Glob(filepath.Join(cwd, dir, "*.yaml"))
		if err != nil {
			return place, err
		}
		for _, file := range files {
			if filepath.Base(file) != SettingsFile {
				others = append(others, "./"+filepath.Join(dir, filepath.Base(file)))
			}
		}
	}
	switch {
	case len(found) > 1:
		return place, fault.Hint(fmt.Errorf("several directories hold %s.yaml: ./%s", name, strings.Join(found, ", ./")),
			"choose one: --config-dir %s", found[0])
	case len(found) == 1:
		place.Dir = found[0]
		if found[0] != configDirs[0] {
			notice("config from ./" + found[0])
		}
	case len(others) > 0:
		example := strings.TrimSuffix(filepath.Base(others[0]), ".yaml")
		return place, fault.Hint(fmt.Errorf("no %s.yaml in the config directory, but %s", name, strings.Join(others, ", ")),
			"choose one: --config-name %s; or --no-config, if the overrides alone are the config", example)
	}
	return place, nil
}

// givenConfig is the place that --config-dir names.
func givenConfig(cwd, dir, name string) (ConfigPlace, error) {
	place := ConfigPlace{Dir: dir, Name: name}
	path := dir
	if !filepath.IsAbs(path) {
		path = filepath.Join(cwd, path)
	}
	st, err := os.Stat(path)
	if err != nil {
		return place, fmt.Errorf("--config-dir: %w", err)
	}
	if !st.IsDir() {
		return place, fmt.Errorf("--config-dir: %s is not a directory", dir)
	}
	return place, nil
}

// settingsDir is the directory whose mlxp.yaml counts: the config dir, or
// where that would be.
func settingsDir(cwd string, place ConfigPlace) string {
	if place.Dir != "" {
		return place.Dir
	}
	i := slices.IndexFunc(configDirs, func(dir string) bool {
		return isFile(filepath.Join(cwd, dir, SettingsFile))
	})
	if i < 0 {
		return ""
	}
	return configDirs[i]
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
