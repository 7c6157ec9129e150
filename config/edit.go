package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
)

// An editor applies overrides to a config. It copies what it changes and what
// leads there, and shares the rest: the config it began with stays as it is.
type editor struct {
	root     *Node
	resolver Resolver
	free     bool // keys need not exist
}

// apply makes one override, which is no choice of a group's option.
func (e *editor) apply(o Override) error {
	if o.Package != nil {
		return fault.Hint(fmt.Errorf("%s: there is no config group %s, which the @ needs", o.word(), o.Key),
			"leave @%s out to set the key %s", *o.Package, o.Key)
	}
	var err error
	switch {
	case o.Op == Delete:
		err = e.delete(o)
	case o.Op == Add:
		err = e.add(o)
	default:
		err = e.set(o, o.Op != Change || e.free)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.word(), err)
	}
	return nil
}

// Edit applies overrides to a composed config, which stays as it is, and returns
// the edited one. No option of a group can be chosen any more: files are not read.
// A key that is not there has to be added, with +.
func Edit(root *Node, overrides []Override, r Resolver) (*Node, error) {
	e := &editor{root: root, resolver: r}
	for _, o := range overrides {
		before, there := e.root.At(o.Key)
		if there && before.Kind == Map && o.Op != Delete && o.Value != nil && o.Value.Kind == String {
			return nil, fault.Hint(fmt.Errorf("%s: %s is composed already: no other option of a group can be chosen", o.word(), o.Key),
				"launch anew to compose anew, or set the values below %s", o.Key)
		}
		if err := e.apply(o); err != nil {
			return nil, err
		}
	}
	return e.root, nil
}

// word is the override as the user would write it.
func (o Override) word() string {
	if o.Text != "" {
		return o.Text
	}
	text := map[Op]string{Add: "+", ForceAdd: "++", Delete: "~"}[o.Op] + o.Key
	if o.Package != nil {
		text += "@" + *o.Package
	}
	if o.Value != nil {
		text += "=" + o.Value.pythonStr()
	}
	return text
}

// find returns what is at a key, its interpolations evaluated. It is nil where
// nothing is, or null or ???, or where the path crosses a scalar.
func (e *editor) find(key string) (*place, error) {
	v, err := e.container(key)
	if err != nil || v == nil || v.node.Kind == Null || v.node.isMissing() {
		return nil, err
	}
	return v, nil
}

// container is find for a value that may be null.
func (e *editor) container(key string) (*place, error) {
	ev := newEvaluator(e.root, e.resolver)
	ev.Notice = nil
	v, err := ev.sel(ev.root, key, false)
	if isStepError(err) || isUnknown(err) {
		return nil, nil
	}
	return v, err
}

func (e *editor) add(o Override) error {
	v, err := e.find(o.Key)
	if err != nil {
		return err
	}
	if v != nil && !e.free && !o.Value.isContainer() {
		return fault.Hint(fmt.Errorf("%s is in the config already%s", o.Key, from(v.node.Pos)),
			"%s without the + changes it, ++%s adds or changes it", o.Key, o.Key)
	}
	return e.set(o, true)
}

func (e *editor) delete(o Override) error {
	v, err := e.find(o.Key)
	if err != nil {
		return err
	}
	if v == nil {
		return e.missing(o.Key, fmt.Errorf("there is no %s in the config to delete", o.Key))
	}
	if o.Value != nil && o.Value.Kind != Null && !o.Value.equalPython(v.node) {
		return fmt.Errorf("the value of %s is %s, not %s", o.Key, v.node.pythonStr(), o.Value.pythonStr())
	}
	outer, last := "", o.Key
	if dot := strings.LastIndexByte(o.Key, '.'); dot >= 0 {
		outer, last = o.Key[:dot], o.Key[dot+1:]
	}
	c, err := e.container(outer)
	if err != nil {
		return err
	}
	if c == nil || !c.isStored() {
		return nil // made by an interpolation anew each time it is asked for
	}
	if c.node.Kind != Map {
		return fault.Hint(fmt.Errorf("%s is a list, whose items cannot be deleted one by one", outer),
			"give the whole list: %s=[…]", outer)
	}
	i := c.node.find(Key{String, last})
	without := *c.node
	without.Keys = slices.Delete(slices.Clone(c.node.Keys), i, i+1)
	without.Items = slices.Delete(slices.Clone(c.node.Items), i, i+1)
	e.root = c.replaced(&without)
	return nil
}

// isStored reports whether p is a part of the tree, and not made by a resolver.
func (p *place) isStored() bool {
	for ; p.parent != nil; p = p.parent {
		if p.index < 0 {
			return false
		}
	}
	return !p.made
}

// replaced returns the root of a tree that has n in place of p.
func (p *place) replaced(n *Node) *Node {
	for ; p.parent != nil; p = p.parent {
		copied := *p.parent.node
		copied.Items = slices.Clone(copied.Items)
		copied.Items[p.index] = n
		n = &copied
	}
	return n
}

// set changes the value at a key or, where open is true, adds it together with
// the maps that lead to it.
func (e *editor) set(o Override, open bool) error {
	if err := checkMade(o.Value); err != nil {
		return err
	}
	p := &place{node: e.root}
	keys := splitPath(o.Key)
	for i, key := range keys[:len(keys)-1] {
		next, err := p.inside(key)
		if err != nil {
			return err
		}
		if next == nil || !next.node.isContainer() {
			if !open || next == nil && p.node.Kind == List {
				return e.missing(o.Key, noKey(next, strings.Join(keys[:i+1], ".")))
			}
			next = p.put(key, &Node{Kind: Map})
		}
		p = next
	}

	last := keys[len(keys)-1]
	slot, err := p.inside(last)
	if err != nil {
		return err
	}
	if slot == nil && (!open || p.node.Kind == List) {
		return e.missing(o.Key, noKey(nil, o.Key))
	}
	switch {
	case slot == nil:
		e.root = p.put(last, o.Value).replaced(o.Value)
	case !slot.node.isContainer() || !o.Value.isContainer():
		e.root = slot.replaced(o.Value)
	default:
		return e.mergeInto(slot, o, open)
	}
	return nil
}

// ErrNoKey is in the error for an override of a key that the config does not
// have.
var ErrNoKey = errors.New("is not in the config")

// noKey is the error for a path at which there is nothing, or what cannot hold
// the key that is asked for.
func noKey(at *place, path string) error {
	if at != nil && !at.node.isInterpolation() {
		return fmt.Errorf("%s is %s%s, which holds no keys", path, at.node.describe(), from(at.node.Pos))
	}
	return fmt.Errorf("%s %w", path, ErrNoKey)
}

// inside is step for a tree that is about to change: it keeps nothing in p.
func (p *place) inside(key string) (*place, error) {
	i, err := p.node.index(key)
	if i < 0 {
		return nil, err
	}
	return &place{node: p.node.Items[i], parent: p, index: i}, nil
}

// put returns the place of a key's value in p after n has become it.
func (p *place) put(key string, n *Node) *place {
	copied := *p.node
	i, _ := p.node.index(key)
	if i >= 0 {
		copied.Items = slices.Clone(copied.Items)
		copied.Items[i] = n
	} else {
		i = len(copied.Items)
		copied.Keys = append(slices.Clip(copied.Keys), Key{String, key})
		copied.Items = append(slices.Clip(copied.Items), n)
	}
	return &place{node: n, index: i, parent: &place{node: &copied, parent: p.parent, index: p.index}}
}

// mergeInto lays a list or map over the one at slot.
func (e *editor) mergeInto(slot *place, o Override, open bool) error {
	if slot.node.Kind != o.Value.Kind {
		return fmt.Errorf("%s is %s in the config%s, not %s", o.Key, slot.node.describe(), from(slot.node.Pos), o.Value.describe())
	}
	if slot.node.Kind == List {
		e.root = slot.replaced(o.Value)
		return nil
	}
	m := &merger{resolver: e.resolver, closed: !open}
	for p := slot; p.parent != nil; p = p.parent {
		m.trail = append(m.trail, p.index)
	}
	slices.Reverse(m.trail)
	merged := own(slot.node)
	m.root = slot.replaced(merged)
	if err := m.merge(merged, own(o.Value)); err != nil {
		return err
	}
	e.root = m.root
	return nil
}

// missing adds to err how to add the key, or which one was probably meant.
func (e *editor) missing(key string, err error) error {
	p := &place{node: e.root}
	keys := splitPath(key)
	for i, k := range keys {
		next, stepErr := step(p, k)
		if stepErr != nil {
			return err
		}
		if next != nil && next.node.isInterpolation() {
			return fault.Hint(err, "%s is the interpolation %s: set the key it refers to, or replace it with ++%s",
				strings.Join(keys[:i+1], "."), next.node.Text, key)
		}
		if next == nil {
			if near, ok := nearest.Of(k, p.node.textKeys()); ok {
				keys[i] = near
				return fault.Hint(err, "did you mean %s? (+%s adds a key)", strings.Join(keys, "."), key)
			}
			break
		}
		p = next
	}
	return fault.Hint(err, "+%s adds a key that the config does not have", key)
}

// equalPython reports whether Python's == holds: 1, 1.0 and true are equal.
func (n *Node) equalPython(m *Node) bool {
	if n.isContainer() || m.isContainer() {
		if n.Kind != m.Kind || len(n.Items) != len(m.Items) {
			return false
		}
		for i, item := range n.Items {
			j := i
			if n.Kind == Map {
				if j = m.find(n.Keys[i]); j < 0 {
					return false
				}
			}
			if !item.equalPython(m.Items[j]) {
				return false
			}
		}
		return true
	}
	a, ok := n.asKey()
	b, also := m.asKey()
	if !ok || !also {
		return n.Kind == m.Kind && n.Text == m.Text
	}
	return a.canonical() == b.canonical()
}
