package sweep

import (
	"strings"

	"github.com/mlxp/mlxp/config"
)

// zip reads zip(KEY=VALUES,...), of which the name has been read. Hydra has no
// such function; its design note on zipped sweeps describes it:
// https://github.com/facebookresearch/hydra/blob/8a6668c481/docs/design/zipped_sweeps.md
// The names of its arguments are keys of overrides, dotted paths and groups
// with their packages among them, which no other function's arguments can be.
func (p *parser) zip(name token) (*value, *ParseError) {
	open := p.tok
	s := spec{form: zipped}
	seen := map[string]bool{}
	for pos := open.end; ; pos = p.tok.end {
		m, err := p.member(pos)
		if err != nil {
			return nil, p.unclosed(open, err)
		}
		if seen[m.head.name()] {
			return nil, refusal(p.s, m.offset, "%s is here twice", m.head.name())
		}
		seen[m.head.name()] = true
		s.members = append(s.members, m)
		if p.tok.kind == tokParenClose {
			break
		}
		if p.tok.kind != tokComma {
			return nil, p.unclosed(open, p.unexpected(", or )"))
		}
	}
	if len(s.members) < 2 {
		return nil, refusal(p.s, name.start, "zip pairs the values of at least two keys")
	}
	return swept(s), p.advance()
}

// member reads one KEY=VALUES of a zip.
func (p *parser) member(pos int) (member, *ParseError) {
	if pos == len(p.s) {
		return member{}, errorAt(p.s, pos, "expected KEY=VALUES")
	}
	h, end, err := parseHead(p.s, pos)
	if err != nil {
		return member{}, err
	}
	equal, err := scan(p.s, end)
	switch {
	case err != nil:
		return member{}, err
	case h.key == "" || equal.kind != tokEqual:
		return member{}, refusal(p.s, pos, "zip takes members with names: zip(lr=choice(0.1,1),seed=[1,2])")
	case h.op == config.Delete:
		return member{}, refusal(p.s, pos, "a member of zip cannot delete")
	case strings.HasPrefix(h.key, "hydra.") || strings.HasPrefix(h.key, "hydra/"):
		return member{}, refusal(p.s, pos, "a member of zip cannot be one of Hydra's own settings")
	}
	if err := p.advanceTo(equal.end); err != nil {
		return member{}, err
	}
	start := p.tok.start
	v, err := p.element()
	if err != nil {
		return member{}, err
	}
	switch {
	case v.class() == aList:
		v = swept(spec{form: choice, list: v.items})
	case v.sweep == nil:
		return member{}, refusal(p.s, start, "a member's values are a list or a sweep: %s=[%s,…]", h.element, v)
	case v.sweep.form == interval:
		return member{}, refusal(p.s, start, "an interval has no values to pair")
	case v.sweep.form == zipped:
		return member{}, refusal(p.s, start, "a zip cannot be in a zip")
	case v.sweep.shuffle:
		return member{}, refusal(p.s, start, "shuffling one member would lose the pairs: write shuffle(zip(…)), which shuffles whole rows")
	}
	return member{h, v, pos}, nil
}

// name is what the head sets, whatever it does to it.
func (h head) name() string {
	if h.pkg == nil {
		return h.key
	}
	return h.key + "@" + *h.pkg
}

// checkZips finds zips with impossible names, and keys that a zip and another
// word both set.
func (s *Sweep) checkZips() error {
	zipOf := map[string]*argument{}
	for i := range s.args {
		a := s.args[i]
		if !a.isZip() || s.axisOf[i] < 0 {
			continue
		}
		if a.op != config.Change || a.pkg != nil || a.key == "" || strings.ContainsAny(a.key, "./$") {
			return a.fail("a zip has a name of letters, digits, _ and - before its =: pair=zip(…)")
		}
		for _, m := range a.value.sweep.members {
			if other := zipOf[m.head.name()]; other != nil {
				return a.fail("the zip %s sets %s too", other.key, m.head.name())
			}
			zipOf[m.head.name()] = a
		}
	}
	for i := range s.args {
		a := s.args[i]
		if zip := zipOf[a.name()]; zip != nil && s.axisOf[i] >= 0 {
			return a.fail("the zip %s sets %s too", zip.key, a.name())
		}
	}
	return nil
}
