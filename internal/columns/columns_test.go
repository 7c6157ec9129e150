package columns

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// block writes the texts and reads them back.
func block(t testing.TB, kind Kind, texts ...string) *Block {
	t.Helper()
	cuts := make([]Cut, len(texts))
	for i, text := range texts {
		if text != "" {
			cuts[i] = Split(kind, []byte(text))
		}
	}
	b, err := ReadBlock(kind, AppendBlock(nil, cuts), new(Shapes))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		row, ok := b.Row(i)
		if ok != (text != "") {
			t.Fatalf("row %d is there: %v", i, ok)
		}
		if !ok {
			continue
		}
		if back := string(row.AppendAll(nil)); back != text {
			t.Fatalf("%q is read back as %q", text, back)
		}
		if again := row.Cut(); again.Shape != cuts[i].Shape || fmt.Sprint(again.Values) != fmt.Sprint(cuts[i].Values) {
			t.Fatalf("%q is cut into %q, and after reading into %q", text, cuts[i], again)
		}
	}
	return b
}

func text(v []byte) any { return string(v) }

// find returns the text at a path, "" if there is nothing.
func find(row Text, path ...string) string {
	n := row.Root()
	for _, name := range path {
		if n = n.Child(name); n == nil {
			return ""
		}
	}
	if n.IsValue() {
		if v := row.Value(n, text).(string); v != string(row.Append(nil, n)) {
			return "two answers"
		}
	}
	return string(row.Append(nil, n))
}

func TestValues(t *testing.T) {
	b := block(t, JSON,
		`{"lr": 0.1, "model": {"units": [1, {"a": "]"}], "name": "m\"}"}, "none": {}}`+"\n",
		`{"lr": 0.1, "model": {"units": [2], "name": null}, "none": {}}`+"\n",
		`{"a\u0062": 1}`, ``, `{"x": {"y": {"z": "ü"}}}`,
	)
	for _, c := range []struct {
		row  int
		path string
		want string
	}{
		{0, "lr", "0.1"}, {1, "lr", "0.1"}, {0, "model.units", `[1, {"a": "]"}]`}, {1, "model.units", "[2]"},
		{0, "model.name", `"m\"}"`}, {1, "model.name", "null"}, {0, "none", "{}"}, {0, "none.x", ""}, {2, "ab", "1"},
		{4, "x.y.z", `"ü"`}, {4, "x", `{"y": {"z": "ü"}}`}, {1, "model", `{"units": [2], "name": null}`}, {0, "other", ""},
	} {
		row, _ := b.Row(c.row)
		if got := find(row, strings.Split(c.path, ".")...); got != c.want {
			t.Errorf("row %d, %s: got %s, want %s", c.row, c.path, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	b := block(t, Lines, "schema: 1\n# more\n\nsweep: {\"id\":1,\"index\":2}\nreason: null \n", "status: \"COMPLETE\"\n")
	row, _ := b.Row(0)
	if find(row, "sweep", "index") != "2" || find(row, "reason") != "null" || fmt.Sprint(row.Root().Names) != "[schema sweep reason]" {
		t.Errorf("%v %s", row.Root().Names, find(row, "sweep", "index"))
	}
}

// Of a text that is not of its kind, or says a thing twice, nothing is known but
// the text.
func TestOpaque(t *testing.T) {
	for _, s := range []string{`[1]`, `{"a":1`, `{"a":1}}`, "{\"a\":\"\x00\"}", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `x`, `{"a" 1}`, `{"a":}`, `{"a":1,}`} {
		if row, _ := block(t, JSON, s, `{"a":1}`).Row(0); row.Root() != nil {
			t.Errorf("%q: it has a root", s)
		}
	}
	for _, s := range []string{"a: 1", "a: \nb: 2\n", "a: {\"b\":\n1}\n", "a: 1 2\n", "a: 1\na: 2\n", "a b: 1\n", "a:1\n"} {
		if row, _ := block(t, Lines, s).Row(0); row.Root() != nil {
			t.Errorf("%q: it has a root", s)
		}
	}
}

// However many different values a column has, each row gets its own back.
func TestColumnWidths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, different := range []int{1, 2, 256, 257, 999, 1000} {
		var texts []string
		for i := range 1000 {
			texts = append(texts, fmt.Sprintf(`{"a":%d,"b":{"c":"%d"}}`, r.IntN(different), i%different))
		}
		b := block(t, JSON, texts...)
		for i := range texts {
			row, _ := b.Row(i)
			if find(row, "b", "c") != fmt.Sprintf("%q", fmt.Sprint(i%different)) {
				t.Fatalf("row %d of %d different ones: %s", i, different, find(row, "b", "c"))
			}
		}
	}
}

// FuzzSplit: any text comes back.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,"]"]},"c":"x"}`, "a: 1\nb: {\"c\":2}\n", `{}`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []Kind{JSON, Lines} {
			block(t, kind, s, s, `{"a":1}`)
		}
	})
}

// FuzzBlock: whatever is read as a block, it can be asked for all it has.
func FuzzBlock(f *testing.F) {
	f.Add(AppendBlock(nil, []Cut{Split(JSON, []byte(`{"a":1,"b":{"c":2}}`)), {}, Split(JSON, []byte(`{"a":2,"b":{"c":2}}`)), Split(JSON, []byte(`x`))}))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := ReadBlock(JSON, bytes.Clone(body), new(Shapes))
		if err != nil {
			return
		}
		for i := range b.Len() {
			row, ok := b.Row(i)
			if !ok {
				continue
			}
			row.AppendAll(nil)
			row.Cut()
			if root := row.Root(); root != nil {
				for _, name := range root.Names {
					find(row, name)
				}
			}
		}
	})
}
