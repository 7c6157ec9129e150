package script

import (
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// settled returns a word that package expand reads as a shell does: without the
// alternatives that are not taken, as the unknown one of ${KNOWN:-$UNKNOWN},
// which the package would expand all the same, and with other nodes for what it
// reads differently or not at all.
func (e *evaluator) settled(word *syntax.Word) *syntax.Word {
	others := map[syntax.Node]syntax.Node{}
	e.mayBeUnset = nil
	for n := range syntax.Preorder(word) {
		switch n := n.(type) {
		case *syntax.ArithmExp:
			e.expectUnset(n)
			if c := e.beyond(n.X); c != nil {
				others[n] = &syntax.SglQuoted{Value: e.unknown(c)}
			}
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil {
				e.expectUnset(n.Param)
			}
			if other := e.settledParameter(n); other != nil {
				others[n] = other
			}
		}
	}
	if len(others) == 0 {
		return word
	}
	return copyOf(word, func(n syntax.Node) syntax.Node { return others[n] })
}

// settledParameter returns what stands for one ${…}, nil for itself.
func (e *evaluator) settledParameter(p *syntax.ParamExp) syntax.Node {
	if p.Param == nil {
		return e.notRead(p)
	}
	v := e.lookup(p.Param.Value)
	if _, target := v.Resolve(environ{e}); v.Kind == expand.NameRef {
		v = target
	}
	index, isWord := p.Index.(*syntax.Word)
	switch {
	case p.Index != nil && v.Kind == expand.String && e.causeIn(v.Str) != nil: // an array, for all that is known
		return &syntax.SglQuoted{Value: v.Str}
	case p.Length && isWord && v.Kind == expand.Associative && (index.Lit() == "@" || index.Lit() == "*"):
		return &syntax.SglQuoted{Value: strconv.Itoa(len(v.Map))}
	case p.Index != nil && v.Kind == expand.Associative && !isWord, p.Width, p.IsSet, p.NestedParam != nil, p.Flags != nil:
		return e.notRead(p)
	case p.Repl != nil && !p.Repl.All && anchor(p.Repl.Orig) != "":
		return e.anchored(p, v)
	case p.Exp == nil:
		return nil
	case p.Exp.Op == syntax.OtherParamOps:
		if op := p.Exp.Word.Lit(); op == "U" || op == "u" || op == "L" || op == "a" {
			return nil
		}
		if p.Exp.Word.Lit() == "Q" {
			return e.mapTo(p, v, func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" })
		}
		return e.notRead(p)
	case p.Exp.Word == nil || p.Exp.Word.Lit() != "" || p.Index != nil || p.Excl:
		return nil
	}
	full := v.IsSet() && v.String() != ""
	taken := true
	switch p.Exp.Op {
	case syntax.DefaultUnset, syntax.AssignUnset, syntax.ErrorUnset:
		taken = !v.IsSet()
	case syntax.DefaultUnsetOrNull, syntax.AssignUnsetOrNull, syntax.ErrorUnsetOrNull:
		taken = !full
	case syntax.AlternateUnset:
		taken = v.IsSet()
	case syntax.AlternateUnsetOrNull:
		taken = full
	}
	if taken {
		return nil
	}
	c := *p
	c.Exp = &syntax.Expansion{Op: p.Exp.Op}
	return &c
}

// notRead is the unknown value of an expansion that is not read here.
func (e *evaluator) notRead(node syntax.Node) syntax.Node {
	return &syntax.SglQuoted{Value: e.unknown(e.notReadCause(node))}
}

func (e *evaluator) notReadCause(node syntax.Node) *cause {
	from, to := int(node.Pos().Offset()), int(node.End().Offset())
	text := "an expression"
	if e.foreign == 0 && from < to && to <= len(e.script.text) {
		text = shortened([]string{e.script.text[from:to]})
	}
	return &cause{line: e.line, what: text + ", which is not read here", mend: "write it in another way"}
}

// beyond returns why the value of an arithmetic expression is not known that
// package expand would read wrongly: one that sets an element of an array.
func (e *evaluator) beyond(x syntax.ArithmExpr) *cause {
	for n := range syntax.Preorder(x) {
		var target syntax.ArithmExpr
		switch n := n.(type) {
		case *syntax.BinaryArithm:
			if assigns[n.Op] {
				target = n.X
			}
		case *syntax.UnaryArithm:
			if n.Op == syntax.Inc || n.Op == syntax.Dec {
				target = n.X
			}
		case *syntax.FlagsArithm:
			return e.notReadCause(n)
		}
		word, ok := target.(*syntax.Word)
		if target == nil || ok && syntax.ValidName(word.Lit()) {
			continue
		}
		c := e.notReadCause(n)
		for in := range syntax.Preorder(target) {
			if p, ok := in.(*syntax.ParamExp); ok && p.Param != nil {
				e.unknownArray(p.Param.Value, e.sh.vars[p.Param.Value], c)
			}
		}
		return c
	}
	return nil
}

// anchor returns the # or % that a pattern to replace begins with: it must match
// at the beginning or the end.
func anchor(word *syntax.Word) string {
	if word == nil || len(word.Parts) == 0 {
		return ""
	}
	if lit, ok := word.Parts[0].(*syntax.Lit); ok && (strings.HasPrefix(lit.Value, "#") || strings.HasPrefix(lit.Value, "%")) {
		return lit.Value[:1]
	}
	return ""
}

// anchored expands ${name/#pattern/text} and ${name/%pattern/text}.
func (e *evaluator) anchored(p *syntax.ParamExp, v expand.Variable) syntax.Node {
	at := anchor(p.Repl.Orig)
	parts := append([]syntax.WordPart{}, p.Repl.Orig.Parts...)
	first := *parts[0].(*syntax.Lit)
	first.Value = first.Value[1:]
	parts[0] = &first
	pat, with := e.text(&syntax.Word{Parts: parts}, expand.Pattern), e.literal(p.Repl.With)
	if c := e.causeInAll([]string{pat, with}); c != nil {
		return &syntax.SglQuoted{Value: e.unknown(c)}
	}
	expr, err := pattern.Regexp(pat, pattern.ExtendedOperators)
	if err != nil {
		return e.notRead(p)
	}
	if at == "#" {
		expr = "^(?:" + expr + ")"
	} else {
		expr = "(?:" + expr + ")$"
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return e.notRead(p)
	}
	re.Longest()
	return e.mapTo(p, v, func(s string) string {
		place := re.FindStringIndex(s)
		if place == nil {
			return s
		}
		return s[:place[0]] + with + s[place[1]:]
	})
}

// mappedPrefix begins the names of variables that stand for mapped values.
const mappedPrefix = "mlxp_mapped_"

// mapTo returns an expansion of the same elements, each mapped.
func (e *evaluator) mapTo(p *syntax.ParamExp, v expand.Variable, to func(string) string) syntax.Node {
	if c := e.causeInVar(v); c != nil {
		return &syntax.SglQuoted{Value: e.unknown(c)}
	}
	switch v.Kind {
	case expand.Indexed:
		list := make([]string, len(v.List))
		for i, s := range v.List {
			list[i] = to(s)
		}
		v.List = list
	case expand.Associative:
		m := map[string]string{}
		for k, s := range v.Map {
			m[k] = to(s)
		}
		v.Map = m
	default:
		if v.IsSet() {
			v.Str = to(v.Str)
		}
	}
	e.mapped = append(e.mapped, v)
	c := *p
	c.Repl, c.Exp, c.Short = nil, nil, false
	if c.Index == nil && (p.Param.Value == "@" || p.Param.Value == "*") {
		c.Index = &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: p.Param.Value}}}
	}
	c.Param = &syntax.Lit{Value: mappedPrefix + strconv.Itoa(len(e.mapped)-1)}
	return &c
}

// expectUnset notes the names in a node as those that the script expects not to
// be set.
func (e *evaluator) expectUnset(node syntax.Node) {
	for n := range syntax.Preorder(node) {
		if lit, ok := n.(*syntax.Lit); ok && syntax.ValidName(lit.Value) {
			if e.mayBeUnset == nil {
				e.mayBeUnset = map[string]bool{}
			}
			e.mayBeUnset[lit.Value] = true
		}
	}
}
