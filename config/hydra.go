package config

import (
	"slices"
	"strings"
	"sync"
)

// Hydra composes its own settings together with the program's config, under the
// key hydra. The parts of them that are {} here are open: plugins bring what
// they hold, and any key may be set there. The others have a fixed set of keys,
// which is Hydra 1.3's: hydra/conf/__init__.py.
const hydraDefaults = `
mode: null
searchpath: []
run: {dir: '???'}
sweep: {dir: '???', subdir: '???'}
hydra_logging: {}
job_logging: {}
sweeper: {}
launcher: {}
callbacks: {}
help: {app_name: '???', header: '???', footer: '???', template: '???'}
hydra_help: {hydra_help: '???', template: '???'}
output_subdir: .hydra
overrides: {hydra: [], task: []}
job:
  name: '???'
  chdir: null
  override_dirname: '???'
  id: '???'
  num: '???'
  config_name: '???'
  env_set: {}
  env_copy: []
  config: {override_dirname: {kv_sep: '=', item_sep: ',', exclude_keys: []}}
runtime:
  version: '???'
  version_base: '???'
  cwd: '???'
  config_sources: {}
  output_dir: '???'
  choices: {}
verbose: {}
`

const hydraKey = "hydra"

// hydraBase is hydraDefaults as a value.
var hydraBase = sync.OnceValue(func() *Node {
	n, err := ParseYAML([]byte(hydraDefaults), "hydra")
	if err != nil {
		panic(err) // a mistake in the text above
	}
	return n
})

// hydraGroups are the groups of Hydra's own defaults list, with their options.
var hydraGroups = [][2]string{
	{"output", "default"}, {"launcher", "basic"}, {"sweeper", "basic"}, {"help", "default"}, {"hydra_help", "default"},
	{"hydra_logging", "default"}, {"job_logging", "default"}, {"callbacks", ""}, {"env", "default"},
}

const hydraConfig = "hydra/config"

// hydraFile is Hydra's own config. The options of its groups are in Hydra or in
// plugins; those that are not in the tree are taken to be empty.
func hydraFile() *file {
	f := &file{name: hydraConfig, content: hydraBase(), builtin: true}
	for _, g := range hydraGroups {
		f.entries = append(f.entries, &entry{group: g[0], name: g[1], none: g[1] == ""})
	}
	return f
}

// isHydraGroup reports whether a group belongs to Hydra: one of its own, or one
// that a plugin may bring.
func isHydraGroup(group string) bool { return strings.HasPrefix(group, hydraKey+"/") }

// isOwnHydraGroup reports whether Hydra's own defaults list has the group.
func isOwnHydraGroup(group string) bool {
	return slices.ContainsFunc(hydraGroups, func(g [2]string) bool { return group == hydraKey+"/"+g[0] })
}

// isOpenHydra reports whether a path that begins with "hydra." leads into a part
// where any key may be set.
func isOpenHydra(path string) bool {
	at := hydraBase()
	for _, key := range strings.Split(path, ".")[1:] {
		if at.Kind != Map || len(at.Keys) == 0 {
			return true
		}
		if at = at.child(key); at == nil {
			return false
		}
	}
	return false
}

// checkHydra reports a key in a config file's hydra node that Hydra does not
// know, and a value of the wrong shape.
func checkHydra(n, known *Node) error {
	if err := checkHydraShape(n, known); err != nil {
		return err
	}
	if known.Kind != Map || len(known.Keys) == 0 {
		return nil
	}
	for i, key := range n.Keys {
		at := known.find(key)
		if at < 0 {
			m := merger{}
			return m.noKey(known, key, n.Items[i].Pos)
		}
		if err := checkHydra(n.Items[i], known.Items[at]); err != nil {
			return err
		}
	}
	return nil
}

// checkHydraShape reports a map where Hydra wants a single value, and a single
// value where it wants a map.
func checkHydraShape(n, known *Node) error {
	switch {
	case known.Kind == Map && len(known.Keys) > 0 && n.Kind != Map && !n.isInterpolation() && !n.isMissing():
		return errorAt(n.Pos, "Hydra has a map here, not %s", n.describe())
	case !known.isContainer() && n.isContainer():
		return errorAt(n.Pos, "Hydra has a single value here, not %s", n.describe())
	}
	return nil
}
