package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// Composed is a config as Hydra composes it, interpolations as they are
// written.
type Composed struct {
	// Config is the program's config, without Hydra's own part.
	Config *Node
	// Choices maps each config group to the option that was chosen for it, null
	// for none.
	Choices *Node
	// Sources are the files that were read, in the order of merging.
	Sources []Source

	hydra     *Node // as composed; nil: as Hydra has it
	name      string
	overrides []Override
}

// maxPrepared is how many compositions a Tree keeps.
const maxPrepared = 256

// A prepared composition is everything but the changes to single keys.
type prepared struct {
	root    *Node // with the key hydra
	choices *Node
	sources []Source
}

// Compose composes the config called name with overrides, as Hydra 1.3 does: the
// config's defaults list and those it leads to, the content of their files in
// that order, then the overrides that change keys, in theirs. A name of "" means
// no primary config.
//
// Errors name the file and line they come from, with hints.
func (t *Tree) Compose(name string, overrides []Override) (*Composed, error) {
	dirs, err := t.searchPath(name, overrides)
	if err != nil {
		return nil, err
	}
	isGroup := func(group string) bool { return isHydraGroup(group) || t.isGroup(dirs, group) }
	c, err := sortOverrides(overrides, isGroup)
	if err != nil {
		return nil, err
	}
	p, err := t.prepare(name, dirs, c, overrides)
	if err != nil {
		return nil, err
	}

	e := &editor{root: p.root, resolver: t.resolver}
	for _, o := range c.config {
		if err := e.applyComposed(o); err != nil {
			return nil, err
		}
	}
	// Hydra's part is merged first, so it is the first key.
	config := *e.root
	config.Keys, config.Items = config.Keys[1:], config.Items[1:]
	return &Composed{
		Config:    &config,
		Choices:   p.choices,
		Sources:   p.sources,
		hydra:     e.root.Items[0],
		name:      name,
		overrides: overrides,
	}, nil
}

// applyComposed is apply for a config that has Hydra's part in it.
func (e *editor) applyComposed(o Override) error {
	if !strings.HasPrefix(o.Key, hydraKey+".") || e.free {
		return e.apply(o)
	}
	if known, fixed := hydraBase().At(o.Key[len(hydraKey)+1:]); fixed {
		if o.Op == Delete {
			return fmt.Errorf("%s: Hydra's own keys cannot be deleted", o.word())
		}
		if err := checkHydraShape(o.Value, known); err != nil {
			return fmt.Errorf("%s: %w", o.word(), err)
		}
	}
	if o.Op == Change && isOpenHydra(o.Key) {
		o.Op = ForceAdd
	}
	return e.apply(o)
}

// Free makes a config of overrides alone: they create the keys they name.
func Free(overrides []Override) (*Composed, error) {
	e := &editor{root: &Node{Kind: Map}, free: true}
	for _, o := range overrides {
		if err := e.apply(o); err != nil {
			return nil, err
		}
	}
	return &Composed{Config: e.root, Choices: &Node{Kind: Map}, overrides: overrides}, nil
}

// prepare composes the files. Which those are depends on the choices of options
// alone, so what it finds is kept for the next call with the same ones.
func (t *Tree) prepare(name string, dirs []string, c *choices, overrides []Override) (*prepared, error) {
	key := name
	if len(dirs) > 1 || len(c.config) < len(overrides) {
		key = preparedKey(name, dirs, c)
	}
	t.mu.Lock()
	p := t.prepared[key]
	t.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := t.composeFiles(name, dirs, c)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	if len(t.prepared) < maxPrepared {
		t.prepared[key] = p
	}
	t.mu.Unlock()
	return p, nil
}

// preparedKey names what decides the files.
func preparedKey(name string, dirs []string, c *choices) string {
	var b strings.Builder
	b.WriteString(name)
	for _, dir := range dirs[1:] {
		b.WriteString("\x00d" + dir)
	}
	for _, key := range c.order {
		b.WriteString("\x00=" + key + "\x00")
		b.Write(c.values[key].value.AppendJSON(nil))
	}
	for _, d := range c.appended {
		b.WriteString("\x00+" + d.group)
		if d.pkg != nil {
			b.WriteString("@" + *d.pkg)
		}
		b.WriteByte(0)
		b.Write(d.choice().AppendJSON(nil))
	}
	deleted := make([]string, 0, len(c.deleted))
	for key, d := range c.deleted {
		deleted = append(deleted, fmt.Sprintf("\x00~%s\x00%v%s", key, d.any, d.option))
	}
	sort.Strings(deleted)
	return b.String() + strings.Join(deleted, "")
}

// searchPath returns the directories where configs are looked for: the tree's
// own, and those that hydra.searchpath of the primary config or of the command
// line adds.
func (t *Tree) searchPath(name string, overrides []Override) ([]string, error) {
	dirs := []string{t.dir}
	var paths *Node
	if name != "" {
		f, err := t.load(dirs, name)
		if err != nil {
			return nil, err
		}
		if f != nil && f.content.Kind != Map {
			return nil, errorAt(f.content.Pos, "the primary config is a map, not %s", f.content.describe())
		}
		if f != nil {
			if h := f.content.child(hydraKey); h != nil && h.Kind == Map {
				paths = h.child("searchpath")
			}
		}
	}
	for _, o := range overrides {
		if o.Key == "hydra.searchpath" && o.Op != Delete && o.Package == nil {
			paths = o.Value
			break
		}
	}
	if paths == nil || paths.Kind == Null {
		return dirs, nil
	}
	if paths.Kind != List || !isChoice(paths) {
		return nil, errorAt(paths.Pos, "hydra.searchpath is a list of texts, not %s", paths.describe())
	}
	resolved, err := Resolve(&Node{Kind: Map, Keys: []Key{{String, "searchpath"}}, Items: []*Node{paths}}, t.resolver)
	if err != nil {
		return nil, err
	}
	for _, item := range resolved.Items[0].Items {
		path, isFile := strings.CutPrefix(item.Text, "file://")
		if isFile || !strings.Contains(path, "://") {
			dirs = append(dirs, path)
		}
	}
	return dirs, nil
}

// composeFiles follows the defaults lists and merges the files they lead to.
func (t *Tree) composeFiles(name string, dirs []string, c *choices) (*prepared, error) {
	w := &walker{choices: c, tree: t, dirs: dirs, picked: map[string]*entry{}}
	var all []Source
	// The primary config comes last but is followed first: it decides what
	// Hydra's own defaults list chooses.
	if name != "" || len(c.appended) > 0 {
		primary := &entry{name: name, primary: true}
		b, err := w.followPrimary(primary)
		if err != nil {
			return nil, err
		}
		if all, err = w.sources(b, nil, nil); err != nil {
			return nil, err
		}
	}
	h, err := w.follow(&entry{name: hydraConfig}, false)
	if err != nil {
		return nil, err
	}
	own, err := w.sources(h, nil, nil)
	if err != nil {
		return nil, err
	}
	all = append(own, all...)
	if err := checkDuplicates(all); err != nil {
		return nil, err
	}
	if err := w.checkUsed(); err != nil {
		return nil, err
	}
	p := &prepared{choices: w.chosen()}
	if p.root, err = t.merge(all, name); err != nil {
		return nil, err
	}
	for _, s := range all {
		if !s.file.builtin {
			p.sources = append(p.sources, s)
		}
	}
	return p, nil
}

// followPrimary follows the primary config; without a name, only what the
// command line appends to it.
func (w *walker) followPrimary(d *entry) (branch, error) {
	if d.name != "" {
		return w.follow(d, false)
	}
	if err := w.takeOverrides(w.appended, d, false); err != nil {
		return branch{}, err
	}
	items, err := w.items(w.appended, d, false, false)
	return branch{d, items}, err
}

func (w *walker) chosen() *Node {
	n := &Node{Kind: Map}
	for _, key := range w.known {
		n.Keys = append(n.Keys, Key{String, key})
		n.Items = append(n.Items, w.picked[key].choice())
	}
	return n
}

func checkDuplicates(sources []Source) error {
	seen := map[string]bool{}
	for _, s := range sources {
		if s.override != "" && seen[s.override] {
			return fmt.Errorf("%s is more than once in the defaults lists", s.override)
		}
		seen[s.override] = true
	}
	return nil
}

// merge lays the files over each other.
func (t *Tree) merge(sources []Source, primary string) (*Node, error) {
	m := &merger{root: &Node{Kind: Map}, resolver: t.resolver}
	owned := map[*file]*Node{}
	for _, s := range sources {
		if s.file.builtin && s.Config != hydraConfig {
			continue
		}
		content := owned[s.file]
		if content == nil {
			content = own(s.Content)
			owned[s.file] = content
		}
		// Hydra merges a file that goes to the top as it is, and a copy of any
		// other: where one file is used twice, the first time at the top, the
		// second time has what was merged over the first.
		if s.Package != "" {
			content = embed(s.Package, own(content))
		}
		if content.Kind != Map {
			return nil, fault.Hint(errorAt(content.Pos, "%s is a list, which cannot be merged at the top of the config", s.Config),
				"give it a package: # @package NAME")
		}
		if h := content.child(hydraKey); h != nil {
			if err := checkHydra(h, hydraBase()); err != nil {
				return nil, err
			}
			if h.child("searchpath") != nil && s.Config != primary && s.Config != hydraConfig {
				return nil, errorAt(h.Pos, "hydra.searchpath can be set in the primary config only")
			}
		}
		if err := m.merge(m.root, content); err != nil {
			return nil, err
		}
	}
	return m.root, nil
}

// embed puts n at a package.
func embed(pkg string, n *Node) *Node {
	keys := splitPath(pkg)
	for _, key := range slices.Backward(keys) {
		n = &Node{Kind: Map, Keys: []Key{{String, key}}, Items: []*Node{n}, Pos: n.Pos}
	}
	return n
}

// Hydra returns Hydra's part of the config: what ${hydra:…} selects from, and
// where a project says hydra.sweeper.params. It holds job.override_dirname,
// job.config_name, runtime.choices and overrides; what else only a launcher
// knows is ???. It is made anew at each call: few configs ask for it.
func (c *Composed) Hydra() *Node {
	hydra := c.hydra
	if hydra == nil {
		hydra = hydraBase()
	}
	task, own := &Node{Kind: List}, &Node{Kind: List}
	var keys []string
	for _, o := range c.overrides {
		if strings.HasPrefix(o.Key, hydraKey+".") || isHydraGroup(o.Key) {
			own.Items = append(own.Items, textNode(o.word()))
			continue
		}
		task.Items = append(task.Items, textNode(o.word()))
		keys = append(keys, o.Key)
	}
	config := &Node{}
	if c.name != "" {
		config = textNode(c.name)
	}
	dirname := textNode(overrideDirname(hydra, keys, task.Items))
	return hydra.
		with("runtime", hydra.child("runtime").with("choices", c.Choices)).
		with("overrides", hydra.child("overrides").with("hydra", own).with("task", task)).
		with("job", hydra.child("job").with("config_name", config).with("override_dirname", dirname))
}

// with returns n with another value of a key that it has. Where n is no map, or
// there is no value, it returns n: the user has put something else there.
func (n *Node) with(key string, value *Node) *Node {
	if n == nil || value == nil {
		return n
	}
	at := n.find(Key{String, key})
	if at < 0 {
		return n
	}
	changed := *n
	changed.Items = slices.Clone(n.Items)
	changed.Items[at] = value
	return &changed
}

// overrideDirname joins the overrides to a name for a folder, in the way that
// hydra.job.config.override_dirname says.
func overrideDirname(hydra *Node, keys []string, task []*Node) string {
	kv, sep := "=", ","
	var exclude []*Node
	if n, ok := hydra.At("job.config.override_dirname"); ok && n.Kind == Map {
		if v := n.child("kv_sep"); v != nil {
			kv = v.pythonStr()
		}
		if v := n.child("item_sep"); v != nil {
			sep = v.pythonStr()
		}
		if v := n.child("exclude_keys"); v != nil {
			exclude = v.Items
		}
	}
	var lines []string
	for i, key := range keys {
		if !slices.ContainsFunc(exclude, func(n *Node) bool { return n.Text == key }) {
			lines = append(lines, task[i].Text)
		}
	}
	sort.Strings(lines)
	return strings.ReplaceAll(strings.Join(lines, sep), "=", kv)
}

// WithValue returns n with value at a dotted path, whose maps are made where
// they are missing. n does not change.
func (n *Node) WithValue(path string, value *Node) *Node {
	p := &place{node: n}
	keys := splitPath(path)
	for _, key := range keys[:len(keys)-1] {
		next, _ := p.inside(key)
		if next == nil || next.node.Kind != Map {
			next = p.put(key, &Node{Kind: Map})
		}
		p = next
	}
	return p.put(keys[len(keys)-1], value).replaced(value)
}
