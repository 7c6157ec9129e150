package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
)

// refused checks that err is there and says what it should.
func refused(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted; want an error that has %q", want)
	}
	text := err.Error() + "\n" + strings.Join(fault.Hints(err), "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the error is\n%s\nwithout %q", text, w)
		}
	}
}

func TestYAMLErrors(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	chain := "a0: &a0 [x]\n"
	for i := 1; i < 1100; i++ {
		chain += fmt.Sprintf("a%d: &a%d [*a%d]\n", i, i, i-1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"duplicate key", "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key \"a\" is there twice, first at line 1"},
		{"tab", "a:\n\tb: 1\n", "f.yaml:2:1: a tab"},
		{"not UTF-8", "é: 1\nb: \xff\n", "f.yaml:2:4: the byte 0xff"},
		{"a control character", "é: \x01\n", "f.yaml:1:4: the character U+0001"},
		{"interpolation", "a:\n  b: ${c\n", "f.yaml:2:6: the interpolation has no end"},
		{"interpolation in brackets", "a: {b: ${c}}\n", "has to be quoted"},
		{"question marks in brackets", "a: [???]\n", "has to be quoted"},
		{"alias", "a: *b\n", "f.yaml:1:4: there is no anchor &b"},
		{"null key", "null: 1\n", "f.yaml:1:1: null cannot be a key"},
		{"scalar", "5\n", "f.yaml:1:1: a config is a map or a list"},
		{"two documents", "a: 1\n---\nb: 1\n", "a second document"},
		{"alias bomb", bomb, "aliases make more than"},
		{"an alias of what it is in", "a: &a [*a]\n", "contains itself"},
		{"a merge of itself", "a: &a {<<: *a}\n", "merged into itself"},
		{"depth of brackets", strings.Repeat("[", 5000), "nested deeper than 1000"},
		{"depth of blocks", strings.Repeat("- ", 5000) + "x", "nested deeper than 1000"},
		{"depth by aliases", chain, "deeper than 1000"},
	} {
		_, err := config.ParseYAML([]byte(test.text), "f.yaml")
		t.Run(test.name, func(t *testing.T) { refused(t, err, test.want) })
	}
	_, err := config.ParseYAML(make([]byte, config.MaxFile+1), "f.yaml")
	refused(t, err, "f.yaml:1:1: the file is larger than 64 MB")
}

func TestResolveErrors(t *testing.T) {
	doubling := "a0: xxxxxxxxxxxxxxxx\n"
	growing := "a0: [1, 2]\n"
	for i := 1; i < 40; i++ {
		doubling += fmt.Sprintf("a%d: ${a%d}${a%d}\n", i, i-1, i-1)
		growing += fmt.Sprintf("a%d: ['${a%d}', '${a%d}']\n", i, i-1, i-1)
	}
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"cycle", "a: ${b}\nb: x${c}\nc: ${a}\n", []string{"f.yaml:1:4: a: ${b}", "a -> b -> c -> a"}},
		{"itself", "a: ${a}\n", []string{"a -> a"}},
		{"containers", "a: {x: '${b}'}\nb: {y: '${a}'}\n", []string{"contains itself"}},
		{"its own map", "a: {x: '${a}'}\n", []string{"inside of"}},
		{"missing key", "model: {width: 1}\na: ${model.widht}\n", []string{"f.yaml:2:4: a: ${model.widht}: the key model.widht is not there", "did you mean model.width?"}},
		{"missing value", "a: ???\nb: ${c}\nc: ${a}\n", []string{"c: ${a}: a is missing (???)", "needed by b"}},
		{"below a scalar", "a: 1\nb: ${a.c}\n", []string{"a is no map or list"}},
		{"unset variable", "a: ${oc.env:NOPE}\n", []string{"NOPE is not set"}},
		{"unknown resolver", "a: ${mine:1}\n", []string{"the resolver mine is not known"}},
		{"text that doubles", doubling, []string{"longer than 64 MB"}},
		{"values that double", growing, []string{"make more than"}},
	} {
		n, err := config.ParseYAML([]byte(test.text), "f.yaml")
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		_, err = config.Resolve(n, config.Resolver{Strict: true})
		t.Run(test.name, func(t *testing.T) { refused(t, err, test.want...) })
	}
}

func TestComposeErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config":      "defaults:\n  - db: mysql\n  - optional site: none\n  - _self_\nmodel: {width: 1}\nlink: ${model}\nl: [1]\n",
		"db/mysql":    "port: 1\n",
		"db/sqlite":   "port: 2\n",
		"loop/a":      "defaults: [b]\n",
		"loop/b":      "defaults: [a]\n",
		"grow/a":      "defaults: [{/grow@x: a}]\n",
		"must":        "defaults:\n  - db: ???\n",
		"order":       "defaults:\n  - override db: sqlite\n  - db: mysql\n",
		"absent":      "defaults:\n  - db: mysqll\n",
		"unused":      "defaults:\n  - override dbx: mysql\n",
		"twice":       "defaults: [_self_, {db: mysql}, _self_]\n",
		"outside":     "defaults: [../secret]\n",
		"number":      "defaults:\n  - db: 3\n",
		"map":         "defaults: {db: mysql}\n",
		"header":      "# @package a b\nx: 1\n",
		"unknown":     "defaults:\n  - _self_\nhydra:\n  rnu: {dir: x}\n",
		"wide/self":   "defaults: [{self@a: self}, {self@b: self}]\n",
		"mixed":       "defaults: [{db: mysql}, _self_]\ndb: [1]\n",
		"interpolate": "defaults:\n  - db: ${nope}\n",
	} {
		write(t, filepath.Join(dir, name+".yaml"), text)
	}
	for _, test := range []struct {
		name, config, words string
		want                []string
	}{
		{"no config", "confg", "", []string{"there is no config confg.yaml", "the configs there are absent, config,"}},
		{"no option", "absent", "", []string{"absent.yaml:2:5: there is no config db/mysqll", "did you mean mysql?", "db has mysql, sqlite", "--no-config"}},
		{"no option by override", "config", "db=pg", []string{"db=pg: there is no config db/pg", "db has mysql, sqlite"}},
		{"outside", "outside", "", []string{"../secret", "outside the config directory"}},
		{"outside by override", "config", "db=../../x", []string{"outside the config directory"}},
		{"to be chosen", "must", "", []string{"must.yaml:2:5: an option of db has to be chosen", "add db=OPTION", "mysql, sqlite"}},
		{"override first", "order", "", []string{"order.yaml:3:5", "put the overrides at the end"}},
		{"override of nothing", "unused", "", []string{"unused.yaml:2:5: override dbx has no effect"}},
		{"two selves", "twice", "", []string{"_self_ is in the defaults list of twice twice"}},
		{"cycle", "loop/a", "", []string{"loop/b.yaml:1:12", "loop/a -> loop/b -> loop/a"}},
		{"growing packages", "grow/a", "", []string{"too many configs: grow/a -> "}},
		{"growing tree", "wide/self", "", []string{"wide/self"}},
		{"a number", "number", "", []string{"number.yaml:2:9: the option of the group db is a text", "quote it"}},
		{"no list", "map", "", []string{"map.yaml:1:11: defaults is a list, not a map"}},
		{"header", "header", "", []string{"header.yaml:1:1: a header", "# @package NAME"}},
		{"Hydra's keys", "unknown", "", []string{"unknown.yaml:4:8: the key rnu is not in the config", "did you mean run?"}},
		{"map and list", "mixed", "", []string{"mixed.yaml:2:5: db: a list cannot be merged with a map of db/mysql.yaml:1:1"}},
		{"interpolation", "interpolate", "", []string{"interpolate.yaml:2:5: the option ${nope}"}},
		{"misspelt key", "config", "model.widht=1", []string{"model.widht=1: model.widht is not in the config", "did you mean model.width?"}},
		{"misspelt group", "config", "model.deep.x=1", []string{"+model.deep.x adds"}},
		{"below an interpolation", "config", "link.width=2", []string{"link is the interpolation ${model}"}},
		{"added twice", "config", "+model.width=1", []string{"is in the config already of config.yaml:5:16", "++model.width"}},
		{"nothing to delete", "config", "~model.depth", []string{"there is no model.depth"}},
		{"another value", "config", "~model.width=2", []string{"the value of model.width is 1, not 2"}},
		{"item of a list", "config", "~l.0", []string{"l is a list"}},
		{"index", "config", "l.5=1", []string{"l.5 is not in the config"}},
		{"list for a map", "config", "model=[1]", []string{"model is a map in the config"}},
		{"package without group", "config", "model@x=1", []string{"there is no config group model"}},
		{"no effect", "config", "db@x=mysql", []string{"db@x", "did you mean db?", "+db@x=mysql"}},
		{"null option", "config", "db=null", []string{"not null", "~db"}},
		{"deletion of nothing", "config", "~db=sqlite", []string{"~db=sqlite"}},
	} {
		var words []string
		if test.words != "" {
			words = []string{test.words}
		}
		_, err := compose(config.Open(dir, config.Resolver{}), test.config, words)
		t.Run(test.name, func(t *testing.T) { refused(t, err, test.want...) })
	}
}

func TestComposeConcurrently(t *testing.T) {
	tree := config.Open(writeTree(t, 20, 5), config.Resolver{})
	want, err := compose(tree, "config", []string{"group01.key_1=7"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				c, err := compose(tree, "config", []string{"group01.key_1=7", fmt.Sprintf("lr=%d", i)})
				if err != nil {
					t.Error(err)
					return
				}
				if v, _ := c.Config.At("lr"); v.Text != fmt.Sprint(i) {
					t.Errorf("lr is %s, not %d", v.Text, i)
				}
				a, _ := c.Config.At("group01")
				if b, _ := want.Config.At("group01"); !a.Equal(b) {
					t.Errorf("group01 is %s, not %s", a.AppendJSON(nil), b.AppendJSON(nil))
				}
			}
		})
	}
	wg.Wait()
}
