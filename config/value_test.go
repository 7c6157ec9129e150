package config_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/mlxp/mlxp/config"
)

// parse reads YAML that has to be right.
func parse(t *testing.T, text string) *config.Node {
	t.Helper()
	n, err := config.ParseYAML([]byte(text), "")
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return n
}

func TestAppendYAML(t *testing.T) {
	text := func(s string) *config.Node { return config.NewText(s) }
	float := func(f float64) *config.Node { return &config.Node{Kind: config.Float, Float: f} }
	for _, test := range []struct {
		name string
		in   *config.Node
		want string
	}{
		{"word", text("hello"), "hello"},
		{"interpolation", text("${a.b}-x"), "${a.b}-x"},
		{"path", text("/data/x.csv"), "/data/x.csv"},
		{"bool", text("yes"), "'yes'"},
		{"bool of others", text("y"), "'y'"},
		{"float", text("1e3"), "'1e3'"},
		{"octal", text("010"), "'010'"},
		{"octal of others", text("0o7"), "'0o7'"},
		{"null", text("null"), "'null'"},
		{"empty", text(""), "''"},
		{"date", text("2020-01-02"), "'2020-01-02'"},
		{"time", text("1:30"), "'1:30'"},
		{"missing", text("???"), "'???'"},
		{"quote", text("it's"), "it's"},
		{"comment", text("a #b"), "'a #b'"},
		{"colon", text("a: 'b'"), "'a: ''b'''"},
		{"spaces", text(" a"), "' a'"},
		{"lines", text("a\nb\n"), "|\n    a\n    b"},
		{"lines without an end", text("a\n\nb"), "|-\n    a\n\n    b"},
		{"lines with empty ones at the end", text("a\n\n\n"), "|+\n    a\n\n"},
		{"lines that begin with a space", text(" a\nb"), `" a\nb"`},
		{"tab", text("a\tb"), `"a\tb"`},
		{"control", text("a\x00\x1b"), `"a\x00\x1b"`},
		{"bytes that are not UTF-8", text("a\xff"), `"a\udcff"`},
		{"1.0", float(1), "1.0"},
		{"1e16", float(1e16), "1.0e+16"},
		{"1e-5", float(1e-5), "1.0e-05"},
		{"inf", float(math.Inf(-1)), "-.inf"},
		{"nan", float(math.NaN()), ".nan"},
		{"large int", &config.Node{Kind: config.Int, Text: "123456789012345678901234567890"}, "123456789012345678901234567890"},
		{"binary", &config.Node{Kind: config.Bytes, Text: "hi"}, `!!binary "aGk="`},
		{"empty list", &config.Node{Kind: config.List}, "[]"},
		{"empty map", &config.Node{Kind: config.Map}, "{}"},
	} {
		list := &config.Node{Kind: config.List, Items: []*config.Node{{Kind: config.List, Items: []*config.Node{test.in}}}}
		got := string(list.AppendYAML(nil))
		if got != "- - "+test.want+"\n" {
			t.Errorf("%s: %q, want %q", test.name, got, "- - "+test.want+"\n")
		}
		if again := parse(t, got); !again.Equal(list) {
			t.Errorf("%s: %q reads as %s", test.name, got, again.AppendJSON(nil))
		}
	}
}

func TestYAMLAndJSONForms(t *testing.T) {
	n := parse(t, "b:\n  - x: 1\n    y: {z: [1.0, no]}\n  - []\n1: {}\ntrue: '1'\n'on': \"\\uDCFF\"\n")
	const asYAML = "b:\n- x: 1\n  'y':\n    z:\n    - 1.0\n    - false\n- []\n1: '1'\n'on': \"\\udcff\"\n"
	if got := string(n.AppendYAML(nil)); got != asYAML {
		t.Errorf("YAML is\n%s, not\n%s", got, asYAML)
	}
	const asJSON = `{"b":[{"x":1,"y":{"z":[1.0,false]}},[]],"1":"1","on":"\udcff"}`
	if got := string(n.AppendJSON(nil)); got != asJSON {
		t.Errorf("JSON is\n%s, not\n%s", got, asJSON)
	}
	const indented = "{\n  \"a\": [\n    1,\n    {}\n  ]\n}"
	if got := string(parse(t, "a: [1, {}]").AppendJSONIndent(nil, "  ")); got != indented {
		t.Errorf("indented JSON is\n%s, not\n%s", got, indented)
	}
}

func TestParseJSON(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{"b":1,"a":1.0}`, ""},
		{`[1e3,-0.0,-0,1E400]`, `[1000.0,-0.0,0,"Infinity"]`},
		{`"\ud83d\ude00\udcff\u00e9\/"`, `"😀\udcffé/"`},
		{`{"a":1,"a":2}`, `{"a":2}`},
		{"123456789012345678901234567890", ""},
		{` [ ] `, "[]"},
	} {
		n, err := config.ParseJSON([]byte(test.in))
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if want := cmpOr(test.want, test.in); string(n.AppendJSON(nil)) != want {
			t.Errorf("%s is written as %s, not %s", test.in, n.AppendJSON(nil), want)
		}
	}
	for _, bad := range []string{"", "[1,]", "{a:1}", "01", "1.", `"\x"`, "[1] 2", `"a`, "NaN", "+1", "{\"a\":1", "\"\n\"", "tru"} {
		if n, err := config.ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%q is read as %s", bad, n.AppendJSON(nil))
		}
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestAt(t *testing.T) {
	n := parse(t, "model:\n  layers: [{size: 1}, {size: 2}]\n5: five\n")
	for path, want := range map[string]string{
		"model.layers[1].size": "2", "model.layers.0.size": "1", "5": `"five"`, "model.layers": `[{"size":1},{"size":2}]`,
	} {
		if v, ok := n.At(path); !ok || string(v.AppendJSON(nil)) != want {
			t.Errorf("%s is %v, not %s", path, v, want)
		}
	}
	for _, path := range []string{"model.x", "model.layers.2", "model.layers.-1", "5.x", "model."} {
		if v, ok := n.At(path); ok {
			t.Errorf("%s is %s", path, v.AppendJSON(nil))
		}
	}
}

func TestLeavesAndMissing(t *testing.T) {
	n := parse(t, "a: {b: 1, c: {}}\nl: [1, '???', {k: '???'}]\nm: ???\n")
	var paths []string
	for keys, leaf := range n.Leaves() {
		paths = append(paths, config.Dotted(keys)+"="+string(leaf.AppendJSON(nil)))
	}
	if want := []string{"a.b=1", "a.c={}", `l=[1,"???",{"k":"???"}]`, `m="???"`}; !slices.Equal(paths, want) {
		t.Errorf("the leaves are %q, not %q", paths, want)
	}
	if got, want := n.Missing(), []string{"l[1]", "l[2].k", "m"}; !slices.Equal(got, want) {
		t.Errorf("missing are %q, not %q", got, want)
	}
}

func TestWithValue(t *testing.T) {
	n := parse(t, "a: {b: 1}\nc: 2\n")
	changed := n.WithValue("a.d.e", config.NewText("x")).WithValue("c", config.NewText("y"))
	if got := string(changed.AppendJSON(nil)); got != `{"a":{"b":1,"d":{"e":"x"}},"c":"y"}` {
		t.Errorf("the result is %s", got)
	}
	if got := string(n.AppendJSON(nil)); got != `{"a":{"b":1},"c":2}` {
		t.Errorf("the original became %s", got)
	}
}

func TestResolvers(t *testing.T) {
	var notices []string
	r := config.Resolver{
		Now: time.Date(2026, 1, 3, 14, 5, 9, 123456789, time.UTC),
		Hydra: func() *config.Node {
			return parse(t, "runtime: {output_dir: /logs/1, cwd: '${base}'}\njob: {num: 3, id: '???'}\n")
		},
		Env:    func(name string) (string, bool) { return "<" + name + ">", name == "A" },
		Notice: func(text string) { notices = append(notices, text) },
	}
	for _, test := range []struct{ in, want string }{
		{"${now:%Y-%m-%d}", `"2026-01-03"`},
		{"${now:%H-%M-%S}", `"14-05-09"`},
		{"'${now:\"%d %b %y, %A %j %p %I %f %U %W %V %%\"}'", `"03 Jan 26, Saturday 003 PM 02 123456 00 00 01 %"`},
		{"${hydra:runtime.output_dir}", `"/logs/1"`},
		{"${hydra:runtime.cwd}/x", `"/base/x"`},
		{"n${hydra:job.num}", `"n3"`},
		{"${hydra:job.id}", `"${hydra:job.id}"`},
		{"${oc.env:A}", `"<A>"`},
		{"${oc.env:B,1.50}", `"1.5"`},
		{"${mine:1}", `"${mine:1}"`},
		{"${base}-${mine:${base}}-${oc.env:A}", `"/base-${mine:${base}}-<A>"`},
		{"'${oc.decode:${mine:1}}'", `"${oc.decode:${mine:1}}"`},
	} {
		n := parse(t, "base: /base\nx: "+test.in+"\n")
		resolved, err := config.Resolve(n, r)
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if x, _ := resolved.At("x"); string(x.AppendJSON(nil)) != test.want {
			t.Errorf("%s is %s, not %s", test.in, x.AppendJSON(nil), test.want)
		}
	}
	if len(notices) != 4 {
		t.Errorf("the notices are %q", notices)
	}
}
