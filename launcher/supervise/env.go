package supervise

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/logdir"
)

// What an environment may hold. Linux refuses a single string of 128 KiB and
// more (MAX_ARG_STRLEN, execve(2)), and all strings with the arguments together
// may be limited to 1/4 of an 8 MiB stack.
const (
	maxLeaf   = 32 << 10
	maxLeaves = 512 << 10
)

const (
	configPrefix   = "MLXP_CONFIG"
	runDirVariable = "MLXP_RUN_DIR"
)

// variables are the variables of design section 4 but the config's leaves.
func (a *attempt) variables() []string {
	return []string{
		configPrefix + "=" + a.run.Path(logdir.ConfigJSON),
		runDirVariable + "=" + a.run.Dir,
		"MLXP_RUN_ID=" + strconv.Itoa(a.run.ID),
		"MLXP_METRICS=" + a.run.Path(logdir.MetricsJSONL),
		"MLXP_METRICS_DIR=" + a.run.Path(logdir.MetricsDir) + string(filepath.Separator),
		"MLXP_ARTIFACTS=" + a.run.Path(logdir.ArtifactsDir) + string(filepath.Separator),
		"MLXP_RESTARTS=" + strconv.Itoa(a.restarts()),
		"MLXP_WORK_DIR=" + string(a.info.WorkDir),
		"MLXP_ORIG_CWD=" + string(a.info.Cwd),
	}
}

// restarts is how often the program was started before. An attempt that was
// refused before that does not count.
func (a *attempt) restarts() int {
	n := -1
	for _, before := range a.info.Attempts {
		if !before.Started.IsZero() {
			n++
		}
	}
	return n
}

// unbuffered makes Python write what it prints as it comes, also into a pipe or file.
const unbuffered = "PYTHONUNBUFFERED"

// environment returns the program's environment: base without what an outer run
// set, then vars, then one variable for each leaf of the config. It also tells
// which leaves are in the JSON file only, and why.
func environment(base []string, conf *config.Node, vars []string) (env, left []string) {
	own := map[string]bool{"MLXP_METRICS": true, "MLXP_METRICS_DIR": true, "MLXP_ARTIFACTS": true,
		"MLXP_RESTARTS": true, "MLXP_WORK_DIR": true, "MLXP_ORIG_CWD": true}
	for _, v := range base {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, configPrefix) && !strings.HasPrefix(name, "MLXP_RUN") && !own[name] {
			env = append(env, v)
		}
	}
	env = append(env, vars...)
	if _, set := LookupEnv(base, unbuffered); !set {
		env = append(env, unbuffered+"=1")
	}

	type leaf struct{ path, name, text string }
	var leaves []leaf
	count := map[string]int{}
	for path, node := range conf.Leaves() {
		if len(path) == 0 {
			continue // the config as a whole is empty
		}
		name := configPrefix
		for _, part := range path {
			name += "__" + fold(part.Text)
		}
		leaves = append(leaves, leaf{config.Dotted(path), name, node.PlainText()})
		count[name]++
	}
	size := 0
	var same, nul, long []string
	for _, l := range leaves {
		switch {
		case count[l.name] > 1:
			same = append(same, l.path)
		case strings.IndexByte(l.text, 0) >= 0:
			nul = append(nul, l.path)
		case len(l.text) > maxLeaf || size+len(l.name)+len(l.text) > maxLeaves:
			long = append(long, l.path)
		default:
			env = append(env, l.name+"="+l.text)
			size += len(l.name) + len(l.text)
		}
	}
	for _, g := range []struct {
		why   string
		paths []string
	}{{"the variable's name would be the same", same}, {"a NUL byte", nul}, {"too long for the environment", long}} {
		if len(g.paths) > 0 {
			left = append(left, fmt.Sprintf("in the file of $%s, but not in a variable: %s (%s)", configPrefix, list(g.paths), g.why))
		}
	}
	return env, left
}

// fold makes a key a part of a variable's name.
func fold(key string) string {
	out := []byte(key)
	for i, c := range out {
		switch {
		case c >= 'a' && c <= 'z':
			out[i] = c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		default:
			out[i] = '_'
		}
	}
	return string(out)
}

// list names a few of many paths.
func list(paths []string) string {
	const few = 5
	if len(paths) <= few {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:few], ", "), len(paths)-few)
}
