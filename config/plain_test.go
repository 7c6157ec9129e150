package config

import (
	"math"
	"slices"
	"testing"
)

func TestPlainText(t *testing.T) {
	for _, test := range []struct {
		name string
		in   *Node
		want string
	}{
		{"null", &Node{Kind: Null}, ""},
		{"text", &Node{Kind: String, Text: "a \"b\"\n"}, "a \"b\"\n"},
		{"bool", &Node{Kind: Bool, Bool: true}, "true"},
		{"int", &Node{Kind: Int, Text: "12345678901234567890"}, "12345678901234567890"},
		{"float", &Node{Kind: Float, Float: 1}, "1.0"},
		{"bytes", &Node{Kind: Bytes, Text: "hello"}, "aGVsbG8="},
		{"nan", &Node{Kind: Float, Float: math.NaN()}, "NaN"},
		{"minus infinity", &Node{Kind: Float, Float: math.Inf(-1)}, "-Infinity"},
		{"list", &Node{Kind: List, Items: []*Node{{Kind: String, Text: "a"}, {Kind: Null}}}, `["a",null]`},
		{"empty map", &Node{Kind: Map}, "{}"},
	} {
		if got := test.in.PlainText(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPaths(t *testing.T) {
	n, err := ParseYAML([]byte("a:\n  b: 1\n  c: {d: [1, {e: 2}]}\nf: {}\n"), "x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a", "a.b", "a.c", "a.c.d", "f"}
	if got := slices.Collect(n.Paths()); !slices.Equal(got, want) {
		t.Errorf("Paths = %v, want %v", got, want)
	}
	for path := range n.Paths() {
		if path != "a" {
			t.Errorf("it goes on after the loop is left: %s", path)
		}
		break
	}
}
