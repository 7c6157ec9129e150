package config

import (
	"slices"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
)

// A merger lays configs over each other as OmegaConf's merge does: maps are
// merged key by key, anything else is replaced. It changes the maps and lists of
// its tree in place, and takes over those of the configs it is given: see own.
type merger struct {
	root     *Node
	resolver Resolver // for what lies under an interpolation
	closed   bool     // struct mode: a key that is not there is an error
	trail    []int    // the items that lead from root to where it is
}

// own returns a copy of n that a merger may change. The items of lists are
// shared, since no merge reaches them.
func own(n *Node) *Node {
	if !n.isContainer() {
		return n
	}
	copied := *n
	if n.Kind == List {
		return &copied
	}
	copied.Keys = slices.Clip(n.Keys)
	copied.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		copied.Items[i] = own(item)
	}
	return &copied
}

// merge lays src over dst, which trail leads to.
func (m *merger) merge(dst, src *Node) error {
	find := dst.finder()
	for i, key := range src.Keys {
		over := src.Items[i]
		at := find(key)
		if at < 0 {
			if m.closed {
				return m.noKey(dst, key, over.Pos)
			}
			dst.Keys = append(dst.Keys, key)
			dst.Items = append(dst.Items, over)
			continue
		}
		m.trail = append(m.trail, at)
		err := m.lay(&dst.Items[at], over, key)
		m.trail = m.trail[:len(m.trail)-1]
		if err != nil {
			return err
		}
	}
	return nil
}

// lay lays over over the value in slot.
func (m *merger) lay(slot **Node, over *Node, key Key) error {
	if (*slot).isInterpolation() {
		// What it refers to is copied here, so that the rest of it stays.
		if target := m.target(); target != nil {
			*slot = own(target)
		}
	}
	under := *slot
	switch {
	case over.isMissing():
	case !under.isContainer() || !over.isContainer():
		*slot = over
	case under.Kind != over.Kind:
		return errorAt(over.Pos, "%s: %s cannot be merged with %s%s", key.Text, over.describe(), under.describe(), from(under.Pos))
	case under.Kind == List:
		*under = *over
	default:
		return m.merge(under, over)
	}
	return nil
}

func from(pos Pos) string {
	if pos.Line == 0 {
		return ""
	}
	return " of " + pos.String()
}

// target returns the list or map that the interpolation at trail refers to in
// the tree as it is now, or nil.
func (m *merger) target() *Node {
	e := newEvaluator(m.root, m.resolver)
	e.Notice = nil
	p := e.root
	for _, i := range m.trail {
		p = p.item(i)
	}
	v, err := e.evaluate(p)
	if err != nil || !v.isContainer() {
		return nil
	}
	return v.node
}

func (m *merger) noKey(dst *Node, key Key, pos Pos) error {
	err := errorAt(pos, "the key %s is not in the config", key.Text)
	if near, ok := nearest.Of(key.Text, dst.textKeys()); ok {
		return fault.Hint(err, "did you mean %s?", near)
	}
	return err
}
