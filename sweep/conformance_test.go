package sweep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
)

// deviations maps the ids of recorded cases in which this package answers
// otherwise than Hydra to the kind of deviation. docs/overrides.md gives the
// reason for each kind.
var deviations = map[string]string{}

// TestConformance replays what Hydra 1.3.5 answered, case by case.
// MLXP_CONFORMANCE_DIR names another directory with corpora of the same names.
func TestConformance(t *testing.T) {
	dir := os.Getenv("MLXP_CONFORMANCE_DIR")
	if dir == "" {
		dir = filepath.Join("testdata", "conformance")
	}
	replay(t, dir, "overrides", conformsOverride)
	replay(t, dir, "sweeps", conformsSweep)
}

// replay counts the cases of a corpus for which conforms finds no difference,
// and fails for the others, unless they are listed.
func replay(t *testing.T, dir, corpus string, conforms func(line []byte) (difference string)) {
	data, err := os.ReadFile(filepath.Join(dir, corpus+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	total, agree := 0, 0
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		total++
		var c struct{ ID string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%s: %v", corpus, err)
		}
		difference := conforms(line)
		if difference == "" {
			agree++
		} else {
			fmt.Println(c.ID)
		}
		switch kind, listed := deviations[c.ID]; {
		case difference != "" && !listed:
			t.Errorf("%s: %s\n%s", c.ID, difference, line)
		case difference == "" && listed:
			t.Errorf("%s agrees, but is listed as a deviation (%s)", c.ID, kind)
		}
	}
	fmt.Printf("%s: %d of %d\n", corpus, agree, total)
	if total == 0 {
		t.Errorf("%s: no cases", corpus)
	}
}

// A recorded is one line of overrides.jsonl.
type recorded struct {
	In       string
	OK       bool
	Kind     string
	Key      string
	Package  *string
	Sweep    *string
	Value    any
	ValueStr *string `json:"value_str"`
}

func conformsOverride(line []byte) string {
	var c recorded
	if err := json.Unmarshal(line, &c); err != nil {
		return err.Error()
	}
	a, perr := parseArgument(c.In, 0)
	switch {
	case perr != nil && c.OK:
		return perr.Error()
	case perr == nil && !c.OK:
		return "should be an error"
	case perr != nil:
		return ""
	}
	kinds := [...]string{config.Change: "change", config.Add: "add", config.ForceAdd: "force_add", config.Delete: "del"}
	if got := kinds[a.op]; got != c.Kind {
		return fmt.Sprintf("kind %s, want %s", got, c.Kind)
	}
	if a.key != c.Key || !reflect.DeepEqual(a.pkg, c.Package) {
		return fmt.Sprintf("key %q, package %v, want %q, %v", a.key, a.pkg, c.Key, c.Package)
	}
	if !a.isSweep() {
		withoutErrors(c.Value)
		switch {
		case c.Sweep != nil:
			return "no sweep, want " + *c.Sweep
		case a.value == nil || c.Value == nil:
			if a.value != nil || c.Value != nil {
				return fmt.Sprintf("value %v, want %v", a.value, c.Value)
			}
			return ""
		case !reflect.DeepEqual(tagged(a.value), c.Value):
			return fmt.Sprintf("value %v, want %v", tagged(a.value), c.Value)
		case c.ValueStr != nil && !a.value.hasSweep() && a.value.String() != *c.ValueStr:
			return fmt.Sprintf("text %q, want %q", a.value, *c.ValueStr)
		}
		return ""
	}
	s := a.value.sweep
	if c.Sweep == nil || s.form.String() != *c.Sweep {
		return fmt.Sprintf("a %s, want %v", s.form, c.Sweep)
	}
	var want map[string]any
	if err := json.Unmarshal(line, &want); err != nil {
		return err.Error()
	}
	texts := want["element_strs"]
	for _, k := range []string{"id", "in", "ok", "kind", "key", "package", "element_strs"} {
		delete(want, k)
	}
	withoutErrors(want)
	if got := taggedSweep(s); !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("got %v, want %v", got, want)
	}
	if texts == nil || slices.ContainsFunc(s.list, (*value).hasSweep) {
		return ""
	}
	x, err := a.axis(Options{})
	if err != nil {
		return err.Error()
	}
	got := []any{}
	for i, at := 0, x.open()[0]; i < int(x.n.Int64()); i++ {
		got = append(got, strings.TrimPrefix(at(i).Text, a.element+"="))
	}
	if !reflect.DeepEqual(got, texts) {
		return fmt.Sprintf("texts %q, want %q", got, texts)
	}
	return ""
}

// withoutErrors replaces the class of each exception in v by true.
func withoutErrors(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			withoutErrors(item)
		}
	case map[string]any:
		if _, ok := v["elements_error"]; ok {
			v["elements_error"] = true
		}
		for _, item := range v {
			withoutErrors(item)
		}
	}
}

// tagged returns v in the form of the corpora.
func tagged(v *value) any {
	if v.sweep != nil {
		return map[string]any{"sweep": taggedSweep(v.sweep)}
	}
	switch v.kind {
	case config.Null:
		return map[string]any{"null": true}
	case config.Bool:
		return map[string]any{"bool": v.bool}
	case config.Int:
		return map[string]any{"int": v.text}
	case config.Float:
		return map[string]any{"float": config.FormatFloat(v.float)}
	case config.String:
		return map[string]any{"str": v.text}
	case config.List:
		return map[string]any{"list": taggedAll(v.items)}
	}
	pairs := []any{}
	for i, k := range v.keys {
		pairs = append(pairs, []any{tagged(k), tagged(v.items[i])})
	}
	return map[string]any{"map": pairs}
}

func taggedAll(vs []*value) []any {
	all := []any{}
	for _, v := range vs {
		all = append(all, tagged(v))
	}
	return all
}

// taggedSweep returns the fields that tell s in the corpora.
func taggedSweep(s *spec) map[string]any {
	m := map[string]any{"sweep": s.form.String()}
	tags := []any{}
	for _, t := range s.tags {
		tags = append(tags, t)
	}
	m["tags"] = tags
	if s.shuffle {
		m["shuffle"] = true
	}
	texts := func(vs []*value) []any {
		all := []any{}
		for _, v := range vs {
			all = append(all, v.text)
		}
		return all
	}
	switch s.form {
	case simpleChoice, choice:
		if !s.shuffle {
			m["elements"] = taggedAll(s.list)
		}
	case span:
		m["range"] = map[string]any{"start": tagged(s.start), "stop": tagged(s.stop), "step": tagged(s.step)}
		r, err := s.walkable()
		if err != nil {
			m["elements_error"] = true
		} else if !s.shuffle {
			all, at := []any{}, r.walk()
			for i := range int(r.n.Int64()) {
				all = append(all, tagged(at(i)))
			}
			m["elements"] = all
		}
	case interval:
		m["interval"] = map[string]any{"start": tagged(s.start), "end": tagged(s.stop)}
	case glob:
		m["glob"] = map[string]any{"include": texts(s.include), "exclude": texts(s.exclude)}
	}
	return m
}

func conformsSweep(line []byte) string {
	var c struct {
		Args []string
		OK   bool
		Jobs [][]string
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return err.Error()
	}
	s, err := Parse(c.Args, Options{})
	switch {
	case err != nil && c.OK:
		return err.Error()
	case err == nil && !c.OK:
		return "should be an error"
	case err != nil:
		return ""
	}
	if !s.Len().IsInt64() || s.Len().Int64() != int64(len(c.Jobs)) {
		return fmt.Sprintf("%s jobs, want %d", s.Len(), len(c.Jobs))
	}
	n := 0
	for j := range s.Jobs() {
		if n == len(c.Jobs) {
			return "too many jobs"
		}
		got := []string{}
		for _, o := range j.Overrides {
			got = append(got, o.Text)
		}
		if !reflect.DeepEqual(got, c.Jobs[n]) {
			return fmt.Sprintf("job %d: %q, want %q", n, got, c.Jobs[n])
		}
		n++
	}
	if n != len(c.Jobs) {
		return fmt.Sprintf("%d jobs, want %d", n, len(c.Jobs))
	}
	return ""
}
