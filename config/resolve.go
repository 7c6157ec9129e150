package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
)

// A Resolver is what interpolations may ask for beside the config itself. Its
// zero value knows no environment variable, nothing of Hydra, and no time.
type Resolver struct {
	// Env looks up an environment variable, for ${oc.env:NAME}.
	Env func(name string) (string, bool)
	// Now is the time of ${now:%Y-%m-%d}. One resolution has one time.
	Now time.Time
	// Hydra is what ${hydra:runtime.cwd} selects from: [Composed.Hydra] with what
	// only the launcher knows added by WithValue.
	// It is called when an interpolation first asks.
	Hydra func() *Node
	// Strict makes an unknown resolver an error. Without it the interpolation
	// stays as it is written.
	Strict bool
	// Notice is told of each unknown resolver once, if it is not nil.
	Notice func(text string)
}

// maxText is how long a text may become through interpolations.
const maxText = MaxFile

// Resolve returns root with its interpolations replaced by what they stand for,
// as OmegaConf's to_container(resolve=True) does. Values that are ??? stay so,
// but an interpolation to one is an error, as is a cycle; such errors name the
// chain of keys. root itself is not changed and shares what has no
// interpolations with the result.
func Resolve(root *Node, r Resolver) (*Node, error) {
	e := newEvaluator(root, r)
	return e.content(e.root, 0)
}

// A place is a value where it stands in a tree, which is what a relative
// interpolation depends on.
type place struct {
	node   *Node
	parent *place // the list or map around it; nil at the root
	index  int    // in the parent's items
	items  []*place
	made   bool // made by a resolver or of text: not evaluated further, and nothing is inside
	kept   bool // a text kept as it was written, for want of a resolver

	busy   bool   // being evaluated
	result *place // once evaluated
	out    *Node  // once resolved with all that is in it
	size   int    // of out
}

func (p *place) item(i int) *place {
	if p.items == nil {
		p.items = make([]*place, len(p.node.Items))
	}
	if p.items[i] == nil {
		p.items[i] = &place{node: p.node.Items[i], parent: p, index: i}
	}
	return p.items[i]
}

func (p *place) isContainer() bool { return !p.made && p.node.isContainer() }

func (p *place) root() *place {
	for p.parent != nil {
		p = p.parent
	}
	return p
}

// path is where p is, for errors.
func (p *place) path() string {
	if p.parent == nil {
		return ""
	}
	outer := p.parent.path()
	switch {
	case p.index < 0:
		return outer
	case p.parent.node.Kind == List:
		return outer + "[" + strconv.Itoa(p.index) + "]"
	}
	return joinPath(outer, p.parent.node.Keys[p.index].Text)
}

func made(n *Node) *place { return &place{node: n, made: true} }

// An evaluator resolves the interpolations of one tree.
type evaluator struct {
	Resolver
	root    *place
	hydra   *place
	chain   []*place // being evaluated, the outermost first
	limit   int      // how many values may come out
	noticed map[string]bool
}

func newEvaluator(root *Node, r Resolver) *evaluator {
	e := &evaluator{Resolver: r, root: &place{node: root}, noticed: map[string]bool{}}
	e.limit = maxExpanded + 8*count(root)
	return e
}

// hydraRoot is where ${hydra:…} begins.
func (e *evaluator) hydraRoot() *place {
	if e.hydra == nil {
		e.hydra = &place{node: e.Hydra(), parent: e.root, index: -1}
	}
	return e.hydra
}

// count returns how many values n holds, shared ones once, up to a bound.
func count(n *Node) int {
	total := 1
	for _, item := range n.Items {
		total += count(item)
		if total > maxExpanded {
			return total
		}
	}
	return total
}

// content returns p with all interpolations in it resolved.
func (e *evaluator) content(p *place, depth int) (*Node, error) {
	q, err := e.evaluate(p)
	if err != nil {
		return nil, err
	}
	if !q.isContainer() {
		p.size = 1
		if q != p {
			p.size = count(q.node)
		}
		return q.node, nil
	}
	if q.out == nil {
		if q.busy || depth > maxDepth {
			return nil, located(p, fmt.Errorf("the value contains itself: %s", e.describeChain(q)))
		}
		q.busy = true
		e.chain = append(e.chain, q)
		q.out, err = e.items(q, depth)
		e.chain = e.chain[:len(e.chain)-1]
		q.busy = false
		if err != nil {
			return nil, err
		}
	}
	p.size = q.size
	return q.out, nil
}

func (e *evaluator) items(q *place, depth int) (*Node, error) {
	out := q.node
	q.size = 1
	for i, before := range q.node.Items {
		item := q.item(i)
		after, err := e.content(item, depth+1)
		if err != nil {
			return nil, err
		}
		if q.size += item.size; q.size > e.limit {
			return nil, e.failf(q, "interpolations make more than %d values of the config", e.limit)
		}
		if after == before {
			continue
		}
		if out == q.node {
			copied := *q.node
			copied.Items = append([]*Node(nil), q.node.Items...)
			out = &copied
		}
		out.Items[i] = after
	}
	return out, nil
}

// evaluate returns what p's interpolation stands for, or p if it is none.
func (e *evaluator) evaluate(p *place) (*place, error) {
	if p.made || !p.node.isInterpolation() {
		return p, nil
	}
	if p.result != nil {
		return p.result, nil
	}
	if p.busy {
		return nil, located(p, fmt.Errorf("the interpolations form a cycle: %s", e.describeChain(p)))
	}
	if p.parent == nil || len(e.chain) > maxDepth {
		return nil, e.failf(p, "the interpolations go deeper than %d levels", maxDepth)
	}
	expr, err := parseInterpolation(p.node.Text)
	if err != nil {
		return nil, errorAt(p.node.Pos, "%s: %w", p.path(), err)
	}
	p.busy = true
	e.chain = append(e.chain, p)
	result, err := e.text(expr, p)
	e.chain = e.chain[:len(e.chain)-1]
	p.busy = false
	if err != nil {
		var located *interpolationError
		if errors.As(err, &located) || isUnknown(err) {
			return nil, err
		}
		return nil, e.failf(p, "%w", err)
	}
	p.result = result
	return result, nil
}

// text evaluates the whole text of a value. An interpolation in it that needs
// an unknown resolver stays as it is written.
func (e *evaluator) text(expr expression, p *place) (*place, error) {
	j, ok := expr.(join)
	if !ok {
		return e.keep(expr, p)
	}
	var b strings.Builder
	kept := false
	for _, part := range j.parts {
		v, err := e.keep(part, p)
		if err != nil {
			return nil, err
		}
		kept = kept || v.kept
		if b.WriteString(v.node.pythonStr()); b.Len() > maxText {
			return nil, fmt.Errorf("the text becomes longer than %d MB", maxText>>20)
		}
	}
	result := made(textNode(b.String()))
	result.kept = kept
	return result, nil
}

func (e *evaluator) keep(expr expression, p *place) (*place, error) {
	v, err := e.eval(expr, p)
	if !isUnknown(err) || e.Strict {
		return v, err
	}
	if text := err.Error(); !e.noticed[text] && e.Notice != nil {
		e.noticed[text] = true
		e.Notice(text + "; interpolations that need it are kept as text")
	}
	source := ""
	switch x := expr.(type) {
	case *reference:
		source = x.source
	case *call:
		source = x.source
	}
	result := made(textNode(source))
	result.kept = true
	return result, nil
}

// eval evaluates a part of the text of p.
func (e *evaluator) eval(expr expression, p *place) (*place, error) {
	switch x := expr.(type) {
	case literal:
		return made(x.value), nil
	case join:
		var b strings.Builder
		for _, part := range x.parts {
			v, err := e.eval(part, p)
			if err != nil {
				return nil, err
			}
			if b.WriteString(v.node.pythonStr()); b.Len() > maxText {
				return nil, fmt.Errorf("the text becomes longer than %d MB", maxText>>20)
			}
		}
		return made(textNode(b.String())), nil
	case listExpr:
		n := &Node{Kind: List}
		for _, item := range x.items {
			v, err := e.eval(item, p)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, v.node)
		}
		return made(n), nil
	case dictExpr:
		return e.dict(x, p)
	case *reference:
		var path strings.Builder
		for _, part := range x.parts {
			key, err := e.keyText(part, p)
			if err != nil {
				return nil, err
			}
			path.WriteString(key)
		}
		return e.refer(path.String(), p.parent)
	}
	return e.call(expr.(*call), p)
}

func (e *evaluator) dict(x dictExpr, p *place) (*place, error) {
	n := &Node{Kind: Map}
	for i, item := range x.items {
		v, err := e.eval(item, p)
		if err != nil {
			return nil, err
		}
		key, ok := x.keys[i].asKey()
		if !ok {
			key = Key{Kind: Null} // a dict that is made so has any key
		}
		if at := n.find(key); at >= 0 {
			n.Items[at] = v.node
			continue
		}
		n.Keys = append(n.Keys, key)
		n.Items = append(n.Items, v.node)
	}
	return made(n), nil
}

// keyText evaluates a part of a path or of a resolver's name.
func (e *evaluator) keyText(part expression, p *place) (string, error) {
	v, err := e.eval(part, p)
	if err != nil {
		return "", err
	}
	if v.node.Kind != String {
		return "", fmt.Errorf("an interpolation inside a key must be a text, not %s", v.node.describe())
	}
	return v.node.Text, nil
}

// refer returns what a path leads to from a value inside the container from.
func (e *evaluator) refer(path string, from *place) (*place, error) {
	start, rest, err := origin(path, from)
	if err != nil {
		return nil, err
	}
	v, err := e.sel(start, rest, true)
	if err != nil {
		return nil, err
	}
	if v == nil && e.Hydra != nil {
		if under, ok := strings.CutPrefix(path, "hydra."); ok {
			v, err = e.sel(e.hydraRoot(), under, true)
		}
	}
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, e.notFound(start, rest)
	}
	for outer := from; outer != nil; outer = outer.parent {
		if outer == v {
			return nil, fmt.Errorf("${%s} refers to a value that it is inside of", path)
		}
	}
	return v, nil
}

// origin returns where a path begins: at the root or, with dots in front of it,
// at a container around the value.
func origin(path string, from *place) (*place, string, error) {
	if !strings.HasPrefix(path, ".") {
		return from.root(), path, nil
	}
	rest := path[1:]
	for ; strings.HasPrefix(rest, "."); rest = rest[1:] {
		if from = from.parent; from == nil {
			return nil, "", fmt.Errorf("${%s} leaves the config: it has more dots than there are levels", path)
		}
	}
	return from, rest, nil
}

// A stepError is a path that goes on below a value that is no container.
type stepError struct{ path, at string }

func (e *stepError) Error() string {
	return fmt.Sprintf("%s cannot be found: %s is no map or list", e.path, e.at)
}

// isStepError reports that err itself is a stepError. One of an interpolation
// on the way, which wraps its cause, is not meant.
func isStepError(err error) bool {
	_, is := err.(*stepError) //nolint:errorlint // see above
	return is
}

// sel returns what is at a path below start, nil if there is nothing.
// Interpolations on the way and at the end are evaluated. A missing value is an
// error where mustHave is true.
func (e *evaluator) sel(start *place, path string, mustHave bool) (*place, error) {
	if path == "" {
		return start, nil
	}
	keys := splitPath(path)
	for i, key := range keys {
		v, err := step(start, key)
		if err != nil || v == nil {
			return nil, err
		}
		if v.node.isMissing() && !v.made && mustHave {
			return nil, fmt.Errorf("%s is missing (???)", v.path())
		}
		if v, err = e.evaluate(v); err != nil {
			return nil, err
		}
		if i == len(keys)-1 {
			return v, nil
		}
		if v.kept {
			return nil, &unknownError{"a value kept as text"}
		}
		if !v.isContainer() {
			return nil, &stepError{path, strings.Join(keys[:i+1], ".")}
		}
		start = v
	}
	return nil, nil
}

// step returns an item of a container, nil if it has none by this key.
func step(c *place, key string) (*place, error) {
	i, err := c.node.index(key)
	if i < 0 {
		return nil, err
	}
	return c.item(i), nil
}

// index returns where a container has an item, -1 if it has none by this key. A
// key of a list that is no number is an error.
func (n *Node) index(key string) (int, error) {
	if n.Kind == Map {
		return n.find(Key{String, key}), nil
	}
	i, ok := pythonInt(key)
	if !ok {
		return -1, fmt.Errorf("%q is no index of a list", key)
	}
	if i < 0 || i >= len(n.Items) {
		return -1, nil
	}
	return i, nil
}

func (e *evaluator) notFound(start *place, path string) error {
	err := fmt.Errorf("the key %s is not there", path)
	keys := splitPath(path)
	for i, key := range keys {
		next, _ := step(start, key)
		if next == nil {
			if near, ok := nearest.Of(key, start.node.textKeys()); ok {
				keys[i] = near
				return fault.Hint(err, "did you mean %s?", strings.Join(keys[:i+1], "."))
			}
			break
		}
		if next, _ = e.evaluate(next); next == nil || !next.isContainer() {
			break
		}
		start = next
	}
	return err
}

func (n *Node) textKeys() []string {
	var names []string
	for _, k := range n.Keys {
		if k.Kind == String {
			names = append(names, k.Text)
		}
	}
	return names
}

// An interpolationError is an error at the value whose interpolation fails.
type interpolationError struct{ error }

func (e *interpolationError) Unwrap() error { return e.error }

// failf is an error about the interpolation of p, with the chain that led there.
func (e *evaluator) failf(p *place, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	var names []string
	for _, c := range e.chain {
		if !c.isContainer() && c != p {
			names = append(names, c.path())
		}
	}
	if len(names) > 0 {
		err = fmt.Errorf("%w (needed by %s)", err, strings.Join(names, " -> "))
	}
	return located(p, err)
}

// located says which value err is about.
func located(p *place, err error) error {
	text := p.path()
	if p.node.isInterpolation() {
		text += ": " + shorten(p.node.Text)
	}
	return &interpolationError{errorAt(p.node.Pos, "%s: %w", text, err)}
}

func shorten(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// describeChain names the keys from the first evaluation of p to the second.
func (e *evaluator) describeChain(p *place) string {
	var names []string
	for _, c := range e.chain {
		if c == p || names != nil {
			names = append(names, c.path())
		}
	}
	return strings.Join(append(names, p.path()), " -> ")
}
