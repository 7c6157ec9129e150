package config

import (
	"errors"
	"fmt"
	"strings"
)

// An unknownError is a resolver that only the program knows.
type unknownError struct{ what string }

func (e *unknownError) Error() string { return e.what + " is not known to mlxp" }

func isUnknown(err error) bool {
	var u *unknownError
	return errors.As(err, &u)
}

// A resolver computes ${name:args} in the text of p.
type resolver struct {
	min, max int // how many arguments it takes
	call     func(e *evaluator, args []*place, p *place) (*place, error)
}

// resolverNamed returns a resolver of OmegaConf or Hydra that does not need
// Python.
func resolverNamed(name string) (r resolver, ok bool) {
	switch name {
	case "oc.env":
		return resolver{1, 2, resolveEnv}, true
	case "oc.select":
		return resolver{1, 2, resolveSelect}, true
	case "oc.decode":
		return resolver{1, 1, resolveDecode}, true
	case "oc.create":
		return resolver{1, 1, resolveCreate}, true
	case "oc.deprecated":
		return resolver{1, 2, resolveDeprecated}, true
	case "oc.dict.keys":
		return resolver{1, 1, resolveKeys}, true
	case "oc.dict.values":
		return resolver{1, 1, resolveValues}, true
	case "now":
		return resolver{1, 1, resolveNow}, true
	case "hydra":
		return resolver{1, 1, resolveHydra}, true
	}
	return resolver{}, false
}

func (e *evaluator) call(c *call, p *place) (*place, error) {
	var parts []string
	for _, part := range c.name {
		text, err := e.keyText(part, p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	name := strings.Join(parts, ".")
	var args []*place
	for _, arg := range c.args {
		v, err := e.eval(arg, p)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	r, ok := resolverNamed(name)
	if !ok {
		return nil, &unknownError{"the resolver " + name}
	}
	if len(args) < r.min || len(args) > r.max {
		return nil, fmt.Errorf("%s takes %d to %d arguments, not %d", name, r.min, r.max, len(args))
	}
	v, err := r.call(e, args, p)
	if err != nil && !isUnknown(err) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, err
}

func argText(arg *place, what string) (string, error) {
	if arg.node.Kind != String {
		return "", fmt.Errorf("the %s is a text, not %s", what, arg.node.describe())
	}
	return arg.node.Text, nil
}

func resolveEnv(e *evaluator, args []*place, p *place) (*place, error) {
	name, err := argText(args[0], "name of a variable")
	if err != nil {
		return nil, err
	}
	if e.Env != nil {
		if value, ok := e.Env(name); ok {
			return made(textNode(value)), nil
		}
	}
	switch {
	case len(args) < 2:
		return nil, fmt.Errorf("the environment variable %s is not set, and no default is given", name)
	case args[1].node.Kind == Null:
		return args[1], nil
	}
	return made(textNode(args[1].node.pythonStr())), nil
}

// selectArg returns what the path in an argument leads to, or nil.
func (e *evaluator) selectArg(arg, p *place, mustHave bool) (*place, error) {
	path, err := argText(arg, "key")
	if err != nil {
		return nil, err
	}
	start, rest, err := origin(path, p.parent)
	if err != nil {
		return nil, err
	}
	v, err := e.sel(start, rest, mustHave)
	if isStepError(err) {
		return nil, nil
	}
	return v, err
}

func resolveSelect(e *evaluator, args []*place, p *place) (*place, error) {
	v, err := e.selectArg(args[0], p, false)
	if err != nil {
		return nil, err
	}
	if v != nil && !v.node.isMissing() {
		return v, nil
	}
	if len(args) == 2 {
		return args[1], nil
	}
	return made(&Node{}), nil
}

func resolveDecode(e *evaluator, args []*place, p *place) (*place, error) {
	if args[0].node.Kind == Null {
		return args[0], nil
	}
	text, err := argText(args[0], "argument")
	if err != nil {
		return nil, err
	}
	expr, err := parseElement(text)
	if err != nil {
		return nil, err
	}
	return e.eval(expr, p)
}

func resolveCreate(e *evaluator, args []*place, p *place) (*place, error) {
	n := args[0].node
	switch n.Kind {
	case String:
		doc, err := parseDocument([]byte(n.Text), "")
		if err != nil {
			return nil, err
		}
		if n, err = asConfig(doc); err != nil {
			return nil, err
		}
	case List, Map:
		if args[0].made {
			if err := checkMade(n); err != nil {
				return nil, err
			}
		}
	case Null:
		return made(n), nil
	default:
		return nil, fmt.Errorf("a config is made of a map, a list or a text, not of %s", n.describe())
	}
	return &place{node: n, parent: p.parent, index: -1}, nil
}

// checkMade reports what a config cannot hold of a value made of text.
func checkMade(n *Node) error {
	for i, item := range n.Items {
		if n.Kind == Map && n.Keys[i].Kind == Null {
			return errors.New("null cannot be a key")
		}
		if err := checkMade(item); err != nil {
			return err
		}
	}
	return checkInterpolation(n)
}

func resolveDeprecated(e *evaluator, args []*place, p *place) (*place, error) {
	message := "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'"
	if len(args) == 2 {
		text, err := argText(args[1], "message")
		if err != nil {
			return nil, err
		}
		message = text
	}
	v, err := e.selectArg(args[0], p, false)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fmt.Errorf("the key %s is not there", args[0].node.Text)
	}
	text := strings.NewReplacer(
		"$OLD_KEY", p.path(), "${OLD_KEY}", p.path(),
		"$NEW_KEY", args[0].node.Text, "${NEW_KEY}", args[0].node.Text,
	).Replace(message)
	if e.Notice != nil && !e.noticed[text] {
		e.noticed[text] = true
		e.Notice(text)
	}
	return v, nil
}

// selectMap returns the map that an argument names.
func (e *evaluator) selectMap(arg, p *place) (*place, error) {
	v, err := e.selectArg(arg, p, true)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, fmt.Errorf("the key %s is not there", arg.node.Text)
	case !v.isContainer() || v.node.Kind != Map:
		return nil, fmt.Errorf("%s is %s, not a map", arg.node.Text, v.node.describe())
	}
	return v, nil
}

func resolveKeys(e *evaluator, args []*place, p *place) (*place, error) {
	v, err := e.selectMap(args[0], p)
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: List}
	for _, k := range v.node.Keys {
		n.Items = append(n.Items, k.value())
	}
	return &place{node: n, parent: p.parent, index: -1}, nil
}

func resolveValues(e *evaluator, args []*place, p *place) (*place, error) {
	v, err := e.selectMap(args[0], p)
	if err != nil {
		return nil, err
	}
	path := args[0].node.Text
	if strings.HasPrefix(path, ".") {
		path = "." + path // the list is one level deeper than the interpolation
	}
	// The values are interpolations, so keys that are no texts cannot be reached.
	n := &Node{Kind: List}
	for _, k := range v.node.Keys {
		item := textNode("${" + path + "." + k.value().pythonStr() + "}")
		if err := checkInterpolation(item); err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	return &place{node: n, parent: p.parent, index: -1}, nil
}

func resolveNow(e *evaluator, args []*place, p *place) (*place, error) {
	pattern, err := argText(args[0], "format")
	if err != nil {
		return nil, err
	}
	return made(textNode(strftime(e.Now, pattern))), nil
}

func resolveHydra(e *evaluator, args []*place, p *place) (*place, error) {
	path, err := argText(args[0], "key")
	if err != nil {
		return nil, err
	}
	if e.Hydra == nil {
		return nil, &unknownError{"hydra:" + path}
	}
	v, err := e.sel(e.hydraRoot(), path, false)
	if err == nil && (v == nil || v.node.isMissing()) {
		err = &unknownError{"hydra:" + path}
	}
	return v, err
}
