package config

import (
	"strings"
)

// An entry is one item of a defaults list, in Hydra's terms: a choice of a
// group's option ("db: mysql") or the name of a config ("db/mysql").
//
// Where it stands in the tree of defaults decides what its names mean: a group
// is relative to the group of the config that names it, and its package, the
// place in the config where its content goes, to that config's package.
type entry struct {
	group   string   // "" for the name of a config; with "/" in front where it is absolute
	name    string   // the option, or the config
	none    bool     // group: null
	options []string // group: [a, b]
	many    bool     // whether options holds the choice
	pkg     *string  // what follows the "@"
	header  *string  // the "# @package" of the file it names

	dir      string // the group of the config that names it
	outer    string // that config's package
	optional bool
	override bool
	appended bool // by +group=option on the command line
	primary  bool
	deleted  bool
	pos      Pos
}

const (
	selfName   = "_self_"
	globalName = "_global_"
)

func (d *entry) isGroup() bool { return d.group != "" }
func (d *entry) isSelf() bool  { return d.name == selfName && !d.many }

// isMissing reports whether the choice is ???, to be made on the command line.
func (d *entry) isMissing() bool { return !d.many && !d.none && baseName(d.name) == Missing }

func (d *entry) isInterpolation() bool {
	return !d.many && !d.none && strings.Contains(d.name, "${")
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func dirName(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

func joinDir(dir, path string) string {
	if dir == "" || path == "" {
		return dir + path
	}
	return dir + "/" + path
}

// under returns path below the group of the config that names it, or from the
// top where path begins with a "/".
func (d *entry) under(path string) string {
	if absolute, ok := strings.CutPrefix(path, "/"); ok {
		return absolute
	}
	return joinDir(d.dir, path)
}

// groupPath is the group that the option or config is in.
func (d *entry) groupPath() string {
	if d.isGroup() {
		return d.under(d.group)
	}
	if rest, ok := strings.CutPrefix(d.name, "/"); ok {
		return dirName(rest)
	}
	return joinDir(d.dir, dirName(d.name))
}

// configPath is the file that the entry names, without its extension.
func (d *entry) configPath() string {
	if d.isGroup() {
		return joinDir(d.groupPath(), d.name)
	}
	return d.under(d.name)
}

// place tells the entry which config names it.
func (d *entry) place(dir, outer string) {
	d.dir, d.outer = dir, outer
	if d.pkg != nil && strings.Contains(*d.pkg, "_group_") {
		pkg := globalName + "." + strings.ReplaceAll(*d.pkg, "_group_", dotted(d.groupPath()))
		d.pkg = &pkg
	}
}

func dotted(path string) string { return strings.ReplaceAll(path, "/", ".") }

// packageName is where the content goes: the "@" of the entry counts before the
// header of the file, that before the group. The header does not count where
// the entry's override key is worked out.
func (d *entry) packageName(useHeader bool) string {
	var pkg string
	switch {
	case d.pkg != nil:
		pkg = *d.pkg
	case useHeader && d.header != nil:
		pkg = *d.header
	case d.isGroup():
		pkg = dotted(strings.TrimPrefix(d.group, "/"))
	default:
		pkg = dotted(dirName(strings.TrimPrefix(d.name, "/")))
	}
	full := pkg
	if d.outer != "" {
		full = d.outer
		if pkg != "" {
			full += "." + pkg
		}
	}
	if i := strings.LastIndex(full, globalName); i >= 0 {
		return full[min(i+len(globalName)+1, len(full)):]
	}
	return full
}

// overrideKey is what the choice is overridden as: its group, with the package
// where that is not the one it would have by its group.
func (d *entry) overrideKey() string {
	key := d.groupPath()
	pkg := d.packageName(false)
	if pkg == dotted(key) {
		return key
	}
	if pkg == "" {
		pkg = globalName
	}
	return key + "@" + pkg
}

// setHeader notes the "# @package" of the file that the entry names. It counts
// from the top of the config.
func (d *entry) setHeader(pkg string) {
	if pkg != globalName && !strings.HasPrefix(pkg, globalName+".") {
		pkg = globalName + "." + pkg
	}
	d.header = &pkg
}

// choice is what was chosen, as runtime.choices shows it.
func (d *entry) choice() *Node {
	switch {
	case d.none:
		return &Node{}
	case d.many:
		n := &Node{Kind: List}
		for _, option := range d.options {
			n.Items = append(n.Items, textNode(option))
		}
		return n
	}
	return textNode(d.name)
}

// choose makes value, of an override, the choice.
func (d *entry) choose(value *Node) {
	d.name, d.none, d.many, d.options = "", value.Kind == Null, value.Kind == List, nil
	if d.many {
		for _, item := range value.Items {
			d.options = append(d.options, item.Text)
		}
		return
	}
	d.name = value.Text
}

// parseEntries reads the defaults list of a config file.
func parseEntries(list *Node) ([]*entry, error) {
	if list == nil || list.isMissing() {
		return nil, nil
	}
	if list.Kind != List {
		return nil, errorAt(list.Pos, "defaults is a list, not %s", list.describe())
	}
	var entries []*entry
	for _, item := range list.Items {
		d, err := parseEntry(item)
		if err != nil {
			return nil, err
		}
		d.pos = item.Pos
		entries = append(entries, d)
	}
	return entries, nil
}

func parseEntry(item *Node) (*entry, error) {
	if item.Kind == String {
		name, pkg := splitPackage(item.Text)
		if name == selfName && pkg != nil {
			return nil, errorAt(item.Pos, "_self_ takes no package")
		}
		return &entry{name: name, pkg: pkg}, nil
	}
	if item.Kind != Map {
		return nil, errorAt(item.Pos, "an item of a defaults list is a config's name or 'group: option', not %s", item.describe())
	}
	if len(item.Keys) != 1 {
		return nil, errorAt(item.Pos, "an item of a defaults list has one key, not %d", len(item.Keys))
	}
	if item.Keys[0].Kind != String {
		return nil, errorAt(item.Pos, "the name of a config group is a text")
	}
	group, pkg := splitPackage(item.Keys[0].Text)
	d := &entry{pkg: pkg}
	words := strings.Split(group, " ")
	d.group = words[len(words)-1]
	for _, word := range words[:len(words)-1] {
		if word == "optional" {
			d.optional = true
		} else if word == "override" {
			d.override = true
		} else {
			break
		}
	}
	if d.group == "" {
		return nil, errorAt(item.Pos, "the name of the config group is missing")
	}
	return d, d.parseChoice(item.Items[0])
}

func (d *entry) parseChoice(value *Node) error {
	switch value.Kind {
	case Null, String:
	case List:
		for _, option := range value.Items {
			if option.Kind != String {
				return errorAt(option.Pos, "an option of the group %s is a text, not %s; quote it", d.group, option.describe())
			}
		}
	default:
		return errorAt(value.Pos, "the option of the group %s is a text, a list of texts or null, not %s; quote it", d.group, value.describe())
	}
	d.choose(value)
	return nil
}

// splitPackage cuts "db@backup" in two. Of "db@a:b", the form for renaming in
// Hydra 1.0, only a counts.
func splitPackage(s string) (name string, pkg *string) {
	name, after, found := strings.Cut(s, "@")
	if !found {
		return name, nil
	}
	after, _, _ = strings.Cut(after, ":")
	if after == "_here_" {
		after = ""
	}
	return name, &after
}
