package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mlxp/mlxp/internal/fault"
)

// A Tree is a config directory: primary configs at its top, config groups in
// its folders, one file for each option. Each file is read at most once, and
// what several calls of Compose have in common is composed once, so a Tree
// shows the files as they were when they were first needed.
//
// Any number of goroutines may use a Tree at once.
type Tree struct {
	dir      string
	resolver Resolver

	mu       sync.Mutex
	known    map[string]*folder // by directory: dir and those of hydra.searchpath
	prepared map[string]*prepared
}

// A folder is what is known of a directory, by the names of configs and groups.
type folder struct {
	files  map[string]*file // nil where there is no such file
	groups map[string]bool  // whether there is such a group
}

// A file is a config file as it was read.
type file struct {
	name    string // as errors show it
	content *Node  // without the defaults list
	entries []*entry
	header  *string // what follows "# @package"
	builtin bool    // Hydra's, not read from the tree
	err     error
}

// Open returns the config directory dir. It reads nothing yet. r answers the
// interpolations that composing needs: those in defaults lists, such as
// "db: ${oc.env:DB,mysql}".
func Open(dir string, r Resolver) *Tree {
	return &Tree{dir: dir, resolver: r, known: map[string]*folder{}, prepared: map[string]*prepared{}}
}

// folder returns what is known of a directory. t.mu is held.
func (t *Tree) folder(dir string) *folder {
	if t.known[dir] == nil {
		t.known[dir] = &folder{map[string]*file{}, map[string]bool{}}
	}
	return t.known[dir]
}

// Options returns the names of the options of a config group, sorted: of
// "db", the files db/*.yaml. It is an error if there is no such group.
func (t *Tree) Options(group string) ([]string, error) {
	return t.options([]string{t.dir}, group)
}

func (t *Tree) options(dirs []string, group string) ([]string, error) {
	found := false
	names := map[string]bool{}
	for _, dir := range dirs {
		path, err := within(dir, group)
		if err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			continue
		}
		found = true
		for _, entry := range entries {
			name := strings.TrimSuffix(entry.Name(), ".yaml")
			if info, err := os.Stat(filepath.Join(path, name+".yaml")); err == nil && info.Mode().IsRegular() {
				names[name] = true
			}
		}
	}
	if !found {
		err := fmt.Errorf("there is no config group %s in %s", group, t.dir)
		return nil, fault.Hint(err, "the groups are %s", list(t.folders()))
	}
	options := make([]string, 0, len(names))
	for name := range names {
		options = append(options, name)
	}
	slices.Sort(options)
	return options, nil
}

// folders returns the config groups at the top, for hints.
func (t *Tree) folders() []string {
	var names []string
	entries, _ := os.ReadDir(t.dir)
	for _, entry := range entries {
		if info, err := os.Stat(filepath.Join(t.dir, entry.Name())); err == nil && info.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// within returns the file that a config's or group's name stands for, which has
// to be in dir.
func within(dir, name string) (string, error) {
	clean := filepath.FromSlash(name)
	if name != "" && !filepath.IsLocal(clean) {
		return "", fault.Hint(fmt.Errorf("%s is outside the config directory %s", name, dir),
			"name configs by their path from the config directory")
	}
	return filepath.Join(dir, clean), nil
}

// isGroup reports whether a config group is there.
func (t *Tree) isGroup(dirs []string, group string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, dir := range dirs {
		f := t.folder(dir)
		is, known := f.groups[group]
		if !known {
			path, err := within(dir, group)
			if err == nil {
				info, statErr := os.Stat(path)
				is = statErr == nil && info.IsDir()
			}
			f.groups[group] = is
		}
		if is {
			return true
		}
	}
	return false
}

// load returns the config of a name, nil if there is none.
func (t *Tree) load(dirs []string, name string) (*file, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, dir := range dirs {
		folder := t.folder(dir)
		f, known := folder.files[name]
		if !known {
			full := strings.TrimSuffix(name, ".yaml") + ".yaml"
			path, err := within(dir, full)
			if err != nil {
				return nil, err
			}
			f = readFile(path, full)
			folder.files[name] = f
		}
		if f != nil {
			return f, f.err
		}
	}
	return nil, nil
}

// readFile reads a config file; nil if there is none.
func readFile(path, name string) *file {
	f := &file{name: name}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir(), errors.Is(err, fs.ErrNotExist), isNotDir(err):
		return nil
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%s is no regular file", name)
	case err == nil && info.Size() > MaxFile:
		err = fmt.Errorf("%s is larger than %d MB", name, MaxFile>>20)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		f.err = err
		return f
	}
	f.err = f.parse(text)
	return f
}

// isNotDir reports that a file stands where a folder would have to be, or that
// the name is none that a file can have.
func isNotDir(err error) bool {
	var pathErr *fs.PathError
	return errors.As(err, &pathErr) && !errors.Is(err, fs.ErrPermission)
}

func (f *file) parse(text []byte) error {
	var err error
	if f.header, err = packageHeader(text, f.name); err != nil {
		return err
	}
	if f.content, err = ParseYAML(text, f.name); err != nil {
		return err
	}
	if f.content.Kind != Map {
		return nil
	}
	at := f.content.find(Key{String, "defaults"})
	if at < 0 {
		return nil
	}
	if f.entries, err = parseEntries(f.content.Items[at]); err != nil {
		return err
	}
	f.content.Keys = slices.Delete(f.content.Keys, at, at+1)
	f.content.Items = slices.Delete(f.content.Items, at, at+1)
	return nil
}

var headerLine = regexp.MustCompile(`^\s*#\s*@`)

// packageHeader returns what the comment "# @package …" at the start of a file
// says.
func packageHeader(text []byte, name string) (*string, error) {
	head := string(text[:min(len(text), 2048)])
	var pkg *string
	chars := 0
	for i, line := range strings.Split(strings.ReplaceAll(head, "\r", "\n"), "\n") {
		if chars += len([]rune(line)) + 1; chars > 512 {
			break // Hydra looks no further
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !headerLine.MatchString(line) {
			break
		}
		words := strings.FieldsFunc(strings.TrimSpace(strings.TrimLeft(line, "#")), func(r rune) bool { return r == ' ' })
		if len(words) != 2 {
			err := errorAt(Pos{name, i + 1, 1}, "a header is one word and its value, not %q", line)
			return nil, fault.Hint(err, "write # @package NAME")
		}
		if words[0] == "@package" {
			pkg = &words[1]
		}
	}
	return pkg, nil
}
