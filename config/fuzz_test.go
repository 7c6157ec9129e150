package config_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/sweep"
)

// FuzzParseYAML: what is read can be written and read back, as YAML and as JSON,
// and is then the same.
func FuzzParseYAML(f *testing.F) {
	for _, text := range []string{
		"a: 1\nb: [x, 1.5, null, yes]\n", "a: &x {b: 1e3}\nc: *x\nd: {<<: *x, e: 2}\n", "a: |\n  text\n\n  more\nb: >-\n  x\n  y\n",
		"'a': \"\\u263a\\n\"\n? b\n: - 1\n  - {c: d}\n", "- 010\n- 0x1F\n- 1:30\n- .inf\n- 2020-01-01\n", "a: '${b}-${oc.env:X,\"y\"}'\n",
		"%YAML 1.1\n---\na: !!binary aGk=\n...\n", "a: !!omap [b: 1]\n1: x\ntrue: y\n", "hello", "", "a: [\n", "\t",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := config.ParseYAML(text, "f.yaml")
		if err != nil {
			return
		}
		written := n.AppendYAML(nil)
		again, err := config.ParseYAML(written, "again.yaml")
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, written, err)
		}
		if !again.Equal(n) {
			t.Fatalf("%q is written as %q, which has other values", text, written)
		}
		asJSON := n.AppendJSON(nil)
		fromJSON, err := config.ParseJSON(asJSON)
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, asJSON, err)
		}
		if distinctKeys(n) && !bytes.Equal(fromJSON.AppendJSON(nil), asJSON) {
			t.Fatalf("%s changes when it is read and written", asJSON)
		}
	})
}

// distinctKeys reports whether the keys of each map stay distinct as texts.
func distinctKeys(n *config.Node) bool {
	seen := map[string]bool{}
	for _, k := range n.Keys {
		if seen[k.Text] {
			return false
		}
		seen[k.Text] = true
	}
	for _, item := range n.Items {
		if !distinctKeys(item) {
			return false
		}
	}
	return true
}

// FuzzParseJSON: what is read is written in a form that reads the same.
func FuzzParseJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,1.0,"x\ud83d\ude00\udcff",null,true]}`, `-0.0`, `[1e400,{"a":1,"a":2}]`, `"\u0000"`, `[`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := config.ParseJSON(text)
		if err != nil {
			return
		}
		again, err := config.ParseJSON(n.AppendJSON(nil))
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, n.AppendJSON(nil), err)
		}
		if !bytes.Equal(again.AppendJSON(nil), n.AppendJSON(nil)) {
			t.Fatalf("%q is written as %q, then as %q", text, n.AppendJSON(nil), again.AppendJSON(nil))
		}
	})
}

// FuzzResolve: an interpolation is resolved or refused, the config it is in does
// not change, and a text is itself when it is referred to.
func FuzzResolve(f *testing.F) {
	for _, text := range []string{
		"${a}", "x-${b.c}-${l[0]}", "${.a}${..b}", `\${a} \\${a}`, "${oc.env:HOME,'x y'}", "${oc.select:b.d,[1,{k: v}]}", "${${k}}",
		"${oc.decode:'[1, ${a}]'}", `${oc.create:"{x: ${a}}"}`, "${oc.dict.values:b}", "${now:%Y}", "${unknown:1,2}", "${self}", "${",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names := []config.Key{}
		items := []*config.Node{}
		set := func(name string, n *config.Node) {
			names = append(names, config.Key{Kind: config.String, Text: name})
			items = append(items, n)
		}
		set("a", &config.Node{Kind: config.Int, Text: "1"})
		set("b", &config.Node{Kind: config.Map, Keys: []config.Key{{Kind: config.String, Text: "c"}}, Items: []*config.Node{config.NewText("${a}")}})
		set("l", &config.Node{Kind: config.List, Items: []*config.Node{config.NewText("x")}})
		set("k", config.NewText("a"))
		set("self", config.NewText(text))
		set("copy", config.NewText("[${self}]"))
		root := &config.Node{Kind: config.Map, Keys: names, Items: items}
		before := root.AppendJSON(nil)
		resolved, err := config.Resolve(root, config.Resolver{})
		if !bytes.Equal(root.AppendJSON(nil), before) {
			t.Fatalf("resolving %q changed the config", text)
		}
		if err != nil {
			return
		}
		if !strings.Contains(text, "${") {
			if n, _ := resolved.At("copy"); n.Text != "["+text+"]" {
				t.Fatalf("%q is %q where it is referred to", text, n.Text)
			}
		}
	})
}

// FuzzCompose: composing with an override changes nothing for the next one.
func FuzzCompose(f *testing.F) {
	f.Add("defaults:\n  - db: a\n  - _self_\nx: 1\n", "# @package _global_\ny: {z: 2}\n", "x=2")
	f.Add("defaults: [{db@p: a}, {optional db: '${db@p}'}]\n", "defaults: [b]\nx: '${y}'\n", "+db@q=[a,b]")
	f.Add("defaults: [db/a, override db: b]\nl: [{k: 1}]\n", "defaults: [/config]\n", "l.0.k=3")
	f.Add("x: {a: '${y}'}\ny: {b: 1}\n", "x: {a: {c: 2}}\n", "~x.a.b")
	f.Fuzz(func(t *testing.T, primary, option, word string) {
		s, err := sweep.Parse([]string{word}, sweep.Options{})
		if err != nil || s.Swept() {
			return
		}
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.yaml"), primary)
		write(t, filepath.Join(dir, "db", "a.yaml"), option)
		write(t, filepath.Join(dir, "db", "b.yaml"), "b: 1\n")
		tree := config.Open(dir, config.Resolver{})
		before, firstErr := tree.Compose("config", nil)
		_, _ = tree.Compose("config", s.Overrides())
		after, secondErr := tree.Compose("config", nil)
		if (firstErr == nil) != (secondErr == nil) {
			t.Fatalf("the first time %v, then %v", firstErr, secondErr)
		}
		if firstErr == nil && !bytes.Equal(before.Config.AppendJSON(nil), after.Config.AppendJSON(nil)) {
			t.Fatalf("%s before %q, %s after it", before.Config.AppendJSON(nil), word, after.Config.AppendJSON(nil))
		}
	})
}
