package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
)

// How deep defaults lists may lead from one config to the next, and to how many
// configs in all.
const (
	maxDefaultsDepth = 200
	maxDefaults      = 100_000
)

// A Source is a config file that took part in a composition.
type Source struct {
	Config   string // its name: "db/mysql"
	File     string // relative to the config directory
	Package  string // where its content went; "" for the top
	Parent   string // the config whose defaults list named it; "" for the primary config
	Content  *Node  // what it set, without its defaults list
	override string // the key its choice is overridden by, if it has one
	file     *file
}

// choices are the overrides that change defaults lists, from the command line
// and from the lists themselves.
type choices struct {
	values   map[string]*choice // by override key
	order    []string
	appended []*entry
	deleted  map[string]*deletion
	config   []Override // the others
}

type choice struct {
	value  *Node
	option Override // from the command line
	within string   // or the config whose defaults list has it
	pos    Pos
	used   bool
}

type deletion struct {
	option string
	any    bool
	used   bool
	word   string
}

// sortOverrides tells choices of options from changes of the config: a choice
// names a group.
func sortOverrides(overrides []Override, isGroup func(string) bool) (*choices, error) {
	c := &choices{}
	for _, o := range overrides {
		if o.Value != nil && o.Value.Kind == Map || !isGroup(o.Key) {
			c.config = append(c.config, o)
			continue
		}
		key := o.Key
		if o.Package != nil {
			key += "@" + *o.Package
		}
		switch {
		case o.Op == ForceAdd:
			return nil, fault.Hint(fmt.Errorf("%s: an option of a group cannot be added with ++", o.word()), "use + or no sign")
		case o.Op == Delete:
			d := &deletion{any: o.Value == nil || o.Value.Kind == Null, word: o.word()}
			if !d.any {
				if o.Value.Kind != String {
					return nil, fmt.Errorf("%s: an option is a text, not %s", o.word(), o.Value.describe())
				}
				d.option = o.Value.Text
			}
			if c.deleted == nil {
				c.deleted = map[string]*deletion{}
			}
			c.deleted[key] = d
		case !isChoice(o.Value):
			err := fmt.Errorf("%s: the option of the group %s is a text or a list of texts, not %s", o.word(), o.Key, o.Value.describe())
			return nil, fault.Hint(err, "~%s leaves the group out", key)
		case o.Op == Add:
			d := &entry{group: o.Key, pkg: o.Package, appended: true}
			if d.pkg != nil && *d.pkg == "_here_" {
				d.pkg = new(string)
			}
			d.choose(o.Value)
			c.appended = append(c.appended, d)
		default:
			c.set(key, &choice{value: o.Value, option: o})
		}
	}
	return c, nil
}

func (c *choices) set(key string, value *choice) {
	if c.values == nil {
		c.values = map[string]*choice{}
	}
	if c.values[key] == nil {
		c.order = append(c.order, key)
	}
	c.values[key] = value
}

func isChoice(n *Node) bool {
	if n.Kind == List {
		return !slices.ContainsFunc(n.Items, func(item *Node) bool { return item.Kind != String })
	}
	return n.Kind == String
}

// A walker follows defaults lists from the primary config down.
type walker struct {
	*choices
	tree  *Tree
	dirs  []string
	stack []*entry // from the primary config to where it is
	count int

	known  []string // override keys of the groups that were met, in order
	picked map[string]*entry
}

// A branch is an entry with those of its own defaults list; an entry without
// any stands for its file's content.
type branch struct {
	*entry
	items []branch // in the order of merging; nil for none
}

// load returns the file of a config. Hydra's own config is always there, and so
// is any option of Hydra's groups.
func (w *walker) load(path string) (*file, error) {
	if path == hydraConfig {
		return hydraFile(), nil
	}
	f, err := w.tree.load(w.dirs, path)
	if f == nil && err == nil && isHydraGroup(dirName(path)) {
		f = &file{name: path, content: &Node{Kind: Map}, builtin: true}
	}
	return f, err
}

// follow works out the branch of d.
func (w *walker) follow(d *entry, underInterpolation bool) (branch, error) {
	leaf := branch{entry: d}
	if w.count++; w.count > maxDefaults || len(w.stack) > maxDefaultsDepth {
		return leaf, fmt.Errorf("the defaults lists lead to too many configs: %s", w.chain(d))
	}
	var f *file
	if !d.isMissing() && !d.none {
		for _, outer := range w.stack {
			if !outer.none && outer.configPath() == d.configPath() && outer.packageName(true) == d.packageName(true) {
				return leaf, errorAt(d.pos, "the defaults lists form a cycle: %s", w.chain(d))
			}
		}
		var err error
		if f, err = w.load(d.configPath()); err != nil {
			return leaf, err
		}
		if f != nil && f.header != nil {
			d.setHeader(*f.header)
		}
	}
	if w.drop(d) {
		d.deleted = true
		return leaf, nil
	}
	if err := w.pick(d); err != nil {
		return leaf, err
	}
	if d.none {
		return leaf, nil
	}
	if strings.HasSuffix(d.configPath(), Missing) {
		return leaf, w.mustChoose(d)
	}
	if f == nil {
		if d.optional {
			d.deleted = true
			return leaf, nil
		}
		return leaf, w.notFound(d)
	}

	entries := make([]*entry, 0, len(f.entries)+1)
	for _, e := range f.entries {
		copied := *e
		entries = append(entries, &copied)
	}
	selfAdded := false
	if len(entries) > 0 || d.primary && len(w.appended) > 0 {
		var err error
		if entries, selfAdded, err = withSelf(entries, d); err != nil {
			return leaf, err
		}
	}
	if d.primary {
		entries = append(entries, w.appended...)
	}
	if err := w.takeOverrides(entries, d, underInterpolation); err != nil {
		return leaf, err
	}

	w.stack = append(w.stack, d)
	items, err := w.items(entries, d, selfAdded, underInterpolation)
	w.stack = w.stack[:len(w.stack)-1]
	return branch{d, items}, err
}

// withSelf makes sure that the config's own content has a place among entries:
// the last, if none is given.
func withSelf(entries []*entry, d *entry) ([]*entry, bool, error) {
	self, others := false, false
	for _, e := range entries {
		if !e.isSelf() {
			others = others || !e.override
			continue
		}
		if self {
			return nil, false, errorAt(e.pos, "_self_ is in the defaults list of %s twice", d.configPath())
		}
		self, others = true, true
	}
	if !self && others || len(entries) == 0 {
		return append(entries, &entry{name: selfName}), true, nil
	}
	return entries, !self, nil
}

// takeOverrides notes what the "override" entries of d's list choose. They
// stand at its end.
func (w *walker) takeOverrides(entries []*entry, d *entry, underInterpolation bool) error {
	var last *entry
	for _, e := range entries {
		if e.isSelf() {
			continue
		}
		e.place(d.groupPath(), d.packageName(true))
		if !e.override {
			if last != nil && !e.appended {
				return fault.Hint(errorAt(e.pos, "this entry comes after 'override %s'", last.group),
					"put the overrides at the end of the defaults list")
			}
			continue
		}
		last = e
		if underInterpolation {
			return errorAt(e.pos, "override %s: not possible in a config that is chosen by an interpolation", e.group)
		}
		key := e.overrideKey()
		if w.values[key] == nil {
			w.set(key, &choice{value: e.choice(), within: d.configPath(), pos: e.pos})
		}
	}
	return nil
}

// items follows the entries of d's list. That goes from the last to the first,
// since of two choices of a group the later list entry is met first; choices by
// interpolation wait for the others.
func (w *walker) items(entries []*entry, d *entry, selfAdded, underInterpolation bool) ([]branch, error) {
	dir, outer := d.groupPath(), d.packageName(true)
	var items []branch
	add := func(e *entry) error {
		b, err := w.follow(e, underInterpolation)
		items = append(items, b)
		return err
	}
	for _, e := range slices.Backward(entries) {
		switch {
		case e.isSelf():
			items = append(items, branch{entry: e})
			continue
		case e.override:
			continue
		}
		e.place(dir, outer)
		if e.isGroup() {
			if c := w.values[e.overrideKey()]; c != nil {
				e.choose(c.value)
				c.used = true
			}
		}
		switch {
		case e.many:
			for _, option := range slices.Backward(e.options) {
				if strings.Contains(option, "${") {
					return nil, errorAt(e.pos, "an interpolation cannot stand in a list of options")
				}
				one := &entry{name: e.group + "/" + option, pkg: e.pkg, optional: e.optional, pos: e.pos}
				one.place(dir, outer)
				if err := add(one); err != nil {
					return nil, err
				}
			}
		case e.isInterpolation():
			items = append(items, branch{entry: e})
		default:
			if err := add(e); err != nil {
				return nil, err
			}
		}
	}

	known := w.choicesSoFar(entries, selfAdded)
	for i, b := range items {
		if !b.isInterpolation() || b.items != nil {
			continue
		}
		if err := w.interpolate(b.entry, known); err != nil {
			return nil, err
		}
		b.place(dir, outer)
		followed, err := w.follow(b.entry, true)
		if err != nil {
			return nil, err
		}
		items[i] = followed
	}
	slices.Reverse(items)
	return items, nil
}

// drop reports whether the command line deletes the choice d.
func (w *walker) drop(d *entry) bool {
	if !d.isGroup() {
		return false
	}
	x := w.deleted[d.overrideKey()]
	if x == nil || !x.any && (d.none || x.option != d.name) {
		return false
	}
	x.used = true
	return true
}

// pick notes the choice d. A group is chosen once for each package.
func (w *walker) pick(d *entry) error {
	if !d.isGroup() {
		return nil
	}
	key := d.overrideKey()
	before := w.picked[key]
	if before == nil {
		w.picked[key] = d
		w.known = append(w.known, key)
		return nil
	}
	if before.name == d.name && before.none == d.none {
		return nil
	}
	err := errorAt(d.pos, "%s is chosen twice: %s and %s", key, d.choice().pythonStr(), before.choice().pythonStr())
	return fault.Hint(err, "to replace a choice, write 'override %s: %s'", key, before.choice().pythonStr())
}

// choicesSoFar is what the interpolations in a defaults list may refer to: the
// choices made so far, by override key, and the list itself as defaults.
func (w *walker) choicesSoFar(entries []*entry, selfAdded bool) *Node {
	known := w.chosen()
	list := &Node{Kind: List}
	for _, e := range entries {
		switch {
		case e.isSelf() && selfAdded:
		case e.isGroup():
			list.Items = append(list.Items, &Node{Kind: Map, Keys: []Key{{String, e.overrideKey()}}, Items: []*Node{e.choice()}})
		default:
			list.Items = append(list.Items, textNode(e.configPath()))
		}
	}
	known.Keys = append(known.Keys, Key{String, "defaults"})
	known.Items = append(known.Items, list)
	return known
}

// interpolate replaces the interpolation in an entry's choice by what it stands
// for among the known choices.
func (w *walker) interpolate(d *entry, known *Node) error {
	text := d.name
	if !d.isGroup() {
		text = d.configPath()
	} else if strings.HasPrefix(text, "${defaults.") && len(text) > 12 && text[12] == '.' {
		return fault.Hint(errorAt(d.pos, "%s: ${defaults.…} is a form of Hydra 1.0", text), "name the group: ${model}")
	}
	r := w.tree.resolver
	r.Strict = true
	ev := newEvaluator(known, r)
	around := &place{node: &Node{Kind: Map, Keys: []Key{{String, "option"}}, Items: []*Node{textNode(text)}}, parent: ev.root, index: -1}
	v, err := ev.evaluate(around.item(0))
	if err == nil && (v.isContainer() || v.node.Kind != String) {
		err = fmt.Errorf("the option is a text, not %s", v.node.describe())
	}
	if err != nil {
		err = errorAt(d.pos, "the option %s: %w", text, err)
		return fault.Hint(err, "known here: %s", strings.Join(w.known, ", "))
	}
	d.name = v.node.Text
	if !d.isGroup() {
		d.name = "/" + d.name
	}
	return nil
}

// mustChoose is the error of a choice that is left to the command line.
func (w *walker) mustChoose(d *entry) error {
	if !d.isGroup() {
		return errorAt(d.pos, "the name of a config cannot be ???")
	}
	err := errorAt(d.pos, "an option of %s has to be chosen", d.overrideKey())
	return w.hintOptions(err, d.groupPath(), fmt.Sprintf("add %s=OPTION", d.overrideKey()))
}

func (w *walker) hintOptions(err error, group, advice string) error {
	options, listErr := w.tree.options(w.dirs, group)
	if listErr != nil {
		return fault.Hint(err, "%s; there is no group %s in the config directory", advice, group)
	}
	return fault.Hint(err, "%s; the options of %s are %s", advice, group, list(options))
}

func (w *walker) notFound(d *entry) error {
	const store = "a config that Python code registers (ConfigStore) cannot be read: see --no-config"
	path := d.configPath()
	if d.primary {
		err := fmt.Errorf("there is no config %s.yaml in %s", strings.TrimSuffix(path, ".yaml"), w.tree.dir)
		options, _ := w.tree.options(w.dirs, dirName(path))
		return fault.Hint(fault.Hint(err, "%s", store), "the configs there are %s", list(options))
	}
	err := errorAt(d.pos, "there is no config %s", path)
	if c := w.values[d.overrideKey()]; d.isGroup() && c != nil && c.within == "" {
		err = fmt.Errorf("%s: there is no config %s", c.option.word(), path)
	} else if d.appended {
		err = fmt.Errorf("+%s=%s: there is no config %s", d.overrideKey(), d.name, path)
	}
	group := dirName(path)
	options, listErr := w.tree.options(w.dirs, group)
	if listErr == nil && len(options) > 0 {
		if near, ok := nearest.Of(baseName(path), options); ok {
			err = fault.Hint(err, "did you mean %s?", near)
		}
		in := group
		if in == "" {
			in = "the config directory"
		}
		err = fault.Hint(err, "%s has %s", in, list(options))
	}
	return fault.Hint(err, "%s", store)
}

// chain names the configs from the primary one to d.
func (w *walker) chain(d *entry) string {
	var names []string
	for _, e := range w.stack {
		names = append(names, e.configPath())
	}
	names = append(names, d.configPath())
	if len(names) > 8 {
		names = append(append(names[:4:4], "…"), names[len(names)-4:]...)
	}
	return strings.Join(names, " -> ")
}

// sources lists the files of a branch in the order of merging.
func (w *walker) sources(b branch, parent, grandparent *entry) ([]Source, error) {
	if b.items != nil {
		var all []Source
		for _, item := range b.items {
			some, err := w.sources(item, b.entry, parent)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	d, from := b.entry, parent
	if d.deleted || d.isMissing() || d.none {
		return nil, nil
	}
	if d.isSelf() {
		d, from = parent, grandparent
	}
	f, err := w.load(d.configPath())
	if err != nil || f == nil {
		return nil, err
	}
	s := Source{Config: d.configPath(), File: f.name, Package: d.packageName(true), Content: f.content, file: f}
	if from != nil {
		s.Parent = from.configPath()
	}
	if !b.isSelf() && d.isGroup() {
		s.override = d.overrideKey()
	}
	return []Source{s}, nil
}

// checkUsed reports a choice or deletion that met no entry of any list.
func (w *walker) checkUsed() error {
	for _, key := range w.order {
		c := w.values[key]
		group, _, _ := strings.Cut(key, "@")
		if c.used || isHydraGroup(group) && !isOwnHydraGroup(group) {
			continue
		}
		err := fmt.Errorf("the choice of %s has no effect: no defaults list has it", key)
		if c.within != "" {
			err = errorAt(c.pos, "override %s has no effect: no defaults list has it", key)
		}
		var meant []string
		for _, known := range w.known {
			if g, _, _ := strings.Cut(known, "@"); g == group {
				meant = append(meant, known)
			}
		}
		sort.Strings(meant)
		if near, ok := nearest.Of(key, w.known); ok && len(meant) == 0 {
			meant = []string{near}
		}
		if len(meant) > 0 {
			err = fault.Hint(err, "did you mean %s?", strings.Join(meant, " or "))
		}
		if c.within == "" {
			err = fault.Hint(err, "+%s=%s adds it to the defaults list", key, c.value.pythonStr())
		}
		return err
	}
	for key, d := range w.deleted {
		if !d.used {
			return fmt.Errorf("%s: no defaults list has %s", d.word, key)
		}
	}
	return nil
}
