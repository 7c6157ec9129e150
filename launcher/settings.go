package launcher

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/nearest"
)

// Settings steer mlxp itself. Names and defaults are those of MLXP's mlxp.yaml.
type Settings struct {
	Logger            LoggerSettings  `koanf:"logger" json:"logger"`
	VersionManager    VersionSettings `koanf:"version_manager" json:"version_manager"`
	UseVersionManager bool            `koanf:"use_version_manager" json:"use_version_manager"` // true: version_manager.mode commit, unless that is set
	UseLogger         bool            `koanf:"use_logger" json:"use_logger"`                   // false: no run directory
	InteractiveMode   bool            `koanf:"interactive_mode" json:"interactive_mode"`       // may ask, on a terminal
	Sites             Sites           `koanf:"scheduler_sites" json:"scheduler_sites,omitempty"`
}

// LoggerSettings are those of the log dir.
type LoggerSettings struct {
	ParentLogDir jsontext.Text `koanf:"parent_log_dir" json:"parent_log_dir"`
	ForcedLogID  int           `koanf:"forced_log_id" json:"forced_log_id"` // the run's number; none if not positive
}

// VersionSettings are those of the code's version.
type VersionSettings struct {
	Mode                string        `koanf:"mode" json:"mode"` // off, commit, snapshot
	ParentWorkDir       jsontext.Text `koanf:"parent_work_dir" json:"parent_work_dir"`
	ComputeRequirements bool          `koanf:"compute_requirements" json:"compute_requirements"`
	Environment         []string      `koanf:"environment" json:"environment,omitempty"`
	LockFiles           []string      `koanf:"lock_files" json:"lock_files,omitempty"` // globs; none: vcs.LockFileGlobs
	Link                []string      `koanf:"link" json:"link,omitempty"`
	MaxFile             Size          `koanf:"max_file" json:"max_file"` // the largest new file that a snapshot takes
}

// defaults are the settings where nobody says otherwise.
func defaults() Settings {
	return Settings{
		Logger:          LoggerSettings{ParentLogDir: "./logs", ForcedLogID: -1},
		VersionManager:  VersionSettings{Mode: vcsOff, ParentWorkDir: "./.work_dir", MaxFile: 100_000_000},
		UseLogger:       true,
		InteractiveMode: true,
	}
}

// known are the names of all settings.
var known = []string{
	"logger.parent_log_dir", "logger.forced_log_id",
	"version_manager.mode", "version_manager.parent_work_dir", "version_manager.compute_requirements",
	"version_manager.environment", "version_manager.lock_files", "version_manager.link", "version_manager.max_file",
	"use_version_manager", "use_logger", "interactive_mode",
}

// replaced are the settings of MLXP that have no effect here, and what there is
// instead. A name that ends in a dot stands for all that begin so.
var replaced = map[string]string{
	"logger.name":                "there is one kind of run directory",
	"logger.log_streams_to_file": "log.stdout and log.stderr are always kept",
	"version_manager.name":       "use version_manager.mode",
	"scheduler.":                 "use mlxp sub and the script's header lines",
	"use_scheduler":              "use mlxp sub",
	"resolve":                    "the program's JSON file is always resolved",
	"as_ConfigDict":              "the program reads JSON",
}

// SettingsFile is the name of the settings file in a config dir.
const SettingsFile = "mlxp.yaml"

const settingsPrefix = "MLXP_SETTINGS__"

// ReadSettings reads the settings: the file in configDir, if there is one, then
// the variables in environ, then the mlxp.* overrides. notice is told of
// settings that have no effect. An unknown name is an error.
func ReadSettings(configDir string, environ []string, overrides []config.Override, notice func(string)) (Settings, error) {
	s := defaults()
	k := koanf.New(".")
	ignored := map[string]string{} // name: where it was set
	layers := []layer{}
	if configDir != "" {
		l, err := fileLayer(configDir + "/" + SettingsFile)
		if err != nil {
			return s, err
		}
		layers = append(layers, l)
	}
	layers = append(layers, environLayer(environ), overrideLayer(overrides))
	for _, l := range layers {
		dropNulls(l.tree)
		if err := l.check(ignored); err != nil {
			return s, err
		}
		if err := k.Load(l, nil); err != nil {
			return s, err
		}
	}
	if len(ignored) > 0 {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(ignored)) {
			names = append(names, fmt.Sprintf("%s (%s)", name, replacement(name)))
		}
		notice("settings without effect here: " + strings.Join(names, ", "))
	}
	err := k.UnmarshalWithConf("", &s, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result:           &s,
		TagName:          "koanf",
		WeaklyTypedInput: true, // variables are text
		DecodeHook:       mapstructure.ComposeDecodeHookFunc(mapstructure.StringToSliceHookFunc(","), sizes, wholeNumbers),
	}})
	if err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	if s.UseVersionManager && !k.Exists("version_manager.mode") {
		s.VersionManager.Mode = vcsCommit
	}
	return s, s.valid()
}

// wholeNumbers refuses a float where an integer is meant, which would be cut.
func wholeNumbers(_, to reflect.Type, value any) (any, error) {
	if x, ok := value.(float64); ok && to.Kind() == reflect.Int && x != math.Trunc(x) {
		return nil, fmt.Errorf("%v is not an integer", x)
	}
	return value, nil
}

// Size is a number of bytes. As text it may have a unit: "2GB", "1.5 GiB".
type Size int64

// units of sizes, by their lower-case names; a "b" at the end is optional.
var units = map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}

// sizes reads the text of a size.
func sizes(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[Size]() {
		return value, nil
	}
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, known := units[strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text[len(number):])), "b")]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || !(n*unit >= 0 && n*unit < math.MaxInt64) {
		return nil, fmt.Errorf("%q is not a size such as 100MB", text)
	}
	return Size(n * unit), nil
}

// dropNulls takes out what was left empty, such as "logger:" with nothing below.
func dropNulls(tree map[string]any) {
	for name, value := range tree {
		if sub, ok := value.(map[string]any); ok {
			dropNulls(sub)
		} else if value == nil {
			delete(tree, name)
		}
	}
}

func (s Settings) valid() error {
	if s.Logger.ParentLogDir == "" {
		return fault.Hint(errors.New("logger.parent_log_dir is empty"), "leave it out for ./logs")
	}
	if err := s.Sites.valid(); err != nil {
		return err
	}
	switch s.VersionManager.Mode {
	case vcsOff, vcsCommit, vcsSnapshot:
	default:
		return fault.Hint(fmt.Errorf("version_manager.mode: unknown mode %q", s.VersionManager.Mode), "use off, commit or snapshot")
	}
	return nil
}

func replacement(name string) string {
	for prefix, instead := range replaced {
		if name == prefix || strings.HasSuffix(prefix, ".") && strings.HasPrefix(name, prefix) {
			return instead
		}
	}
	return ""
}

// A layer is one source of settings, a koanf provider.
type layer struct {
	source string // for messages
	tree   map[string]any
}

// ReadBytes is not used: see [layer.Read].
func (l layer) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }

// Read returns the settings as nested maps.
func (l layer) Read() (map[string]any, error) { return l.tree, nil }

// check refuses unknown names, and moves those without effect to ignored.
func (l layer) check(ignored map[string]string) error {
	for name := range flatten("", l.tree) {
		switch {
		case slices.Contains(known, name), slices.Contains(siteNames(), name):
		case replacement(name) != "" || name == "scheduler":
			ignored[name] = l.source
		default:
			err := fmt.Errorf("%s: unknown setting %s", l.source, name)
			if near, ok := nearest.Of(name, append(siteNames(), known...)); ok {
				return fault.Hint(err, "did you mean %s?", near)
			}
			return fault.Hint(err, "the settings are %s; scheduler_sites.NAME.{%s}", strings.Join(known, ", "), strings.Join(siteKeys, ","))
		}
	}
	return nil
}

// flatten joins the names of nested settings with dots.
func flatten(prefix string, tree map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range tree {
		if sub, ok := value.(map[string]any); ok && len(sub) > 0 {
			maps.Copy(out, flatten(prefix+name+".", sub))
		} else {
			out[prefix+name] = value
		}
	}
	return out
}

func fileLayer(path string) (layer, error) {
	l := layer{source: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	if l.tree, err = yaml.Parser().Unmarshal(text); err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// environLayer reads MLXP_SETTINGS__LOGGER__PARENT_LOG_DIR and the like. An
// empty variable counts as unset.
func environLayer(environ []string) layer {
	l := layer{source: "environment", tree: map[string]any{}}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		name, ok := strings.CutPrefix(name, settingsPrefix)
		if !ok || value == "" {
			continue
		}
		path := strings.ToLower(strings.ReplaceAll(name, "__", "."))
		for _, exact := range slices.Concat(known, siteNames(), slices.Collect(maps.Keys(replaced))) {
			if strings.ToLower(exact) == path {
				path = exact
			}
		}
		set(l.tree, path, value)
	}
	return l
}

// overrideLayer reads mlxp.logger.parent_log_dir=/x and the like.
func overrideLayer(overrides []config.Override) layer {
	l := layer{source: "command line", tree: map[string]any{}}
	for _, o := range overrides {
		set(l.tree, strings.TrimPrefix(o.Key, settingsKey), plain(o.Value))
	}
	return l
}

// settingsKey begins the key of an override that sets a setting.
const settingsKey = "mlxp."

func set(tree map[string]any, path string, value any) {
	for {
		first, rest, nested := strings.Cut(path, ".")
		if !nested {
			tree[first] = value
			return
		}
		sub, ok := tree[first].(map[string]any)
		if !ok {
			sub = map[string]any{}
			tree[first] = sub
		}
		tree, path = sub, rest
	}
}

// plain is a value of an override as koanf holds it.
func plain(n *config.Node) any {
	switch {
	case n == nil || n.Kind == config.Null:
		return nil
	case n.Kind == config.Bool:
		return n.Bool
	case n.Kind == config.List:
		var items []any
		for _, item := range n.Items {
			items = append(items, plain(item))
		}
		return items
	}
	return n.PlainText()
}

// LogDir is the log dir of a command that launches nothing: the one that the
// flag --log-dir gave, else the settings', absolute.
func LogDir(w World, flag string) (string, error) {
	if flag != "" {
		return w.abs(flag), nil
	}
	s, err := settingsHere(w)
	return w.abs(string(s.Logger.ParentLogDir)), err
}

// settingsHere are the settings of a command that composes no config.
func settingsHere(w World) (Settings, error) {
	dir := ""
	for _, candidate := range configDirs {
		if isFile(filepath.Join(w.Cwd, candidate, SettingsFile)) {
			dir = filepath.Join(w.Cwd, candidate)
			break
		}
	}
	return ReadSettings(dir, w.Environ, nil, func(string) {})
}
