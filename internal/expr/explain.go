package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
	"github.com/mlxp/mlxp/internal/pattern"
)

var (
	undeclared   = pattern.New(`^undeclared reference to '([^']*)'`)
	noOverload   = pattern.New(`^found no matching overload for '([^']*)' applied to '\(?(.*?)\)?'$`)
	mismatched   = pattern.New(`^Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting`)
	unrecognized = pattern.New(`^Syntax error: token recognition error at: '(.*)'$`)
	noViable     = pattern.New(`^Syntax error: no viable alternative at input '(.*)'$`)
	missing      = pattern.New(`^Syntax error: missing '(.)' at '(.*)'$`)
	operatorOf   = pattern.New(`^_(.+)_$|^(!|-)_$`)
	celTypeText  = strings.NewReplacer("dyn", "any value", "uint", "a number", "int", "a number", "double", "a number", "string", "a text", "list(", "a list (", "bool", "a bool")
)

// explain words an error of CEL's parser or checker for people.
func explain(text string, about subject, issue *cel.Error) error {
	place := byteOffset(text, lineOffset(text, issue.Location.Line())+issue.Location.Column())
	at := func(format string, args ...any) error { return fault.At(fmt.Errorf(format, args...), text, place) }
	if m := undeclared().FindStringSubmatch(issue.Message); m != nil {
		if isCall(text, place, m[1]) {
			return unknownFunction(text, place-len(m[1]), m[1], about)
		}
		return unknownName(text, place, m[1], about)
	}
	if m := noOverload().FindStringSubmatch(issue.Message); m != nil {
		name, args := m[1], strings.ReplaceAll(celTypeText.Replace(m[2]), ", ", " and ")
		if op := operatorOf().FindStringSubmatch(name); op != nil {
			return at("%s does not work on %s", op[1]+op[2], args)
		}
		if slices.Contains(Reductions, name) || name == "at" {
			return fault.Hint(at("%s() is called on a series", name), "write %s", asMember(text, place, name))
		}
		if name == "@in" {
			return fault.Hint(at("in does not work on %s", args), "write id in [1, 2, 3], or id >= 1 && id <= 3")
		}
		return at("%s() does not work on %s", name, args)
	}
	if m := mismatched().FindStringSubmatch(issue.Message); m != nil {
		if m[1] == "<EOF>" {
			return fault.At(errors.New("the expression ends too early"), text, len(text))
		}
		err := at("unexpected %q", m[1])
		if word := strings.TrimRight(text[:place], " "); word == "not" || strings.HasSuffix(word, " not") || strings.HasSuffix(word, "(not") {
			return fault.Hint(err, "write !(…) for not")
		}
		if in, ok := map[string]string{"and": "&&", "or": "||", "not": "!"}[m[1]]; ok {
			return fault.Hint(err, "write %s", in)
		}
		if m[1] == "is" {
			return fault.Hint(err, "write == null or != null; has(config.x) tells whether a key is there")
		}
		if open := strings.LastIndexByte(text[:place], '('); m[1] == "," && open >= 0 && strings.HasSuffix(strings.TrimRight(text[:open], " "), " in") {
			return fault.Hint(err, "a list has square brackets: in [1, 2]")
		}
		return err
	}
	if m := noViable().FindStringSubmatch(issue.Message); m != nil {
		if i := strings.LastIndex(text[:min(len(text), place+len(m[1]))], m[1]); i >= 0 { // it points into it
			place = i
		}
		return at("unexpected %q", m[1])
	}
	if m := missing().FindStringSubmatch(issue.Message); m != nil {
		if m[2] == "<EOF>" {
			place = len(text)
		}
		return at("%q is missing", m[1])
	}
	if m := unrecognized().FindStringSubmatch(issue.Message); m != nil {
		err := at("unexpected %q", m[1])
		if r, _ := utf8.DecodeRuneInString(m[1]); r == '"' || r == '\'' {
			return fault.Hint(err, "a quote is not closed")
		}
		return fault.Hint(err, "a key that is no plain name is written config[\"…\"]")
	}
	return at("%s", strings.TrimPrefix(issue.Message, "Syntax error: "))
}

// asMember writes a call of a series function, whose parenthesis is at open, as
// it ought to be: min(x) as x.min().
func asMember(text string, open int, name string) string {
	before := strings.TrimSuffix(strings.TrimRight(text[:open], " "), name)
	if strings.HasSuffix(strings.TrimRight(before, " "), ".") {
		if name == "at" {
			return "at(i)"
		}
		return name + "()"
	}
	on, rest := "metrics.train.loss", ""
	if args := Split(strings.TrimSuffix(strings.TrimPrefix(text[open:closing(text, open)], "("), ")")); len(args) > 0 {
		on = args[0].Text
		if term(on, 0) < len(on) {
			on = "(" + on + ")"
		}
		if name == "at" && len(args) > 1 {
			rest = args[1].Text
		}
	}
	return on + "." + name + "(" + rest + ")"
}

// closing returns the end of the brackets that open at a place.
func closing(text string, open int) int {
	end := len(text)
	scan(text[open:], func(i, depth int) {
		if end == len(text) && depth == 0 && strings.IndexByte(")]}", text[open+i]) >= 0 {
			end = open + i + 1
		}
	})
	return end
}

// term returns the end of the name at a place, with all selections and calls
// behind it.
func term(text string, place int) int {
	for place < len(text) {
		switch c := text[place]; {
		case c == '.' || isNameRune(rune(c)):
			place++
		case c == '(' || c == '[':
			place = closing(text, place)
		default:
			return place
		}
	}
	return place
}

func unknownFunction(text string, place int, name string, about subject) error {
	err := fault.At(fmt.Errorf("unknown function %s()", name), text, place)
	functions := append(slices.Clone(Reductions), "at", "size", "has", "matches", "startsWith", "endsWith", "contains", "exists", "all", "timestamp", "duration")
	if about.group {
		functions = append(slices.Clone(Aggregates), functions...)
	}
	if near, ok := nearest.Of(name, functions); ok {
		return fault.Hint(err, "did you mean %s()?", near)
	}
	switch {
	case about.group:
		return fault.Hint(err, "the aggregates are %s", list(Aggregates))
	case slices.Contains(Aggregates, name):
		return fault.Hint(err, "%s() is about a group of runs: it belongs into --agg", name)
	}
	return fault.Hint(err, "the series functions are %s and at(i)", strings.Join(Reductions, ", "))
}

// An Unknown is the error for a name that an expression about a run begins with,
// but that is none of [Run].
type Unknown struct {
	Name string
	Path []string // it and the fields selected of it; or, of a name with hyphens that it is a part of
	Call string   // the function called on that, "" if there is none
}

func (u *Unknown) Error() string { return fmt.Sprintf("unknown name %q", u.Name) }

// hyphenated is a name that CEL reads as a difference.
var hyphenated = pattern.New(`[A-Za-z_][\w.]*-[\w.-]*\w`)

// unknownAt reads the name at a place. Its path is never empty.
func unknownAt(text string, place int, name string) *Unknown {
	start, end := place, place
	for end < len(text) && (text[end] == '.' || isNameRune(rune(text[end]))) {
		end++
	}
	for _, m := range hyphenated().FindAllStringIndex(text, -1) {
		if m[0] < place && place < m[1] {
			start, end = m[0], m[1]
		}
	}
	u := &Unknown{Name: name, Path: strings.FieldsFunc(text[start:end], func(r rune) bool { return r == '.' })}
	if len(u.Path) == 0 {
		u.Path = []string{name}
	}
	if last := len(u.Path) - 1; last > 0 && strings.HasPrefix(text[end:], "(") {
		u.Call, u.Path = u.Path[last], u.Path[:last]
	}
	return u
}

func unknownName(text string, place int, name string, about subject) error {
	unknown := unknownAt(text, place, name)
	err := fault.At(unknown, text, place)
	if about.group {
		err = fault.At(errors.New(unknown.Error()), text, place) // no field is meant
	}
	lower := strings.ToLower(name)
	switch near, ok := nearest.Of(name, about.vars); {
	case lower != name && (lower == "true" || lower == "false"):
		return fault.Hint(err, "write %s", lower)
	case name == "None" || name == "nil":
		return fault.Hint(err, "write null")
	case about.group && slices.Contains(Run, name):
		return fault.Hint(err, "an aggregate takes it of all runs of a group: mean(%s)", text[place:term(text, place)])
	case ok:
		return fault.Hint(err, "did you mean %q?", near)
	case about.group:
		vars := slices.DeleteFunc(slices.Clone(about.vars), func(v string) bool { return strings.HasPrefix(v, "_") }) // see Variable
		return fault.Hint(err, "what can be used here: %s", list(append(vars, "aggregates")))
	}
	return fault.Hint(err, "a field of the config is written config.%s, a text with quotes: \"%s\"", name, name)
}

// isCall tells whether the place of an undeclared reference is that of a
// function: CEL then points at the parenthesis.
func isCall(text string, place int, name string) bool {
	return place < len(text) && text[place] == '(' && strings.HasSuffix(strings.TrimRight(text[:place], " \t\n"), name)
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// lineOffset returns the character at which a line, counted from 1, begins.
func lineOffset(text string, line int) int {
	n := 0
	for _, r := range text {
		if line <= 1 {
			break
		}
		n++
		if r == '\n' {
			line--
		}
	}
	return n
}
