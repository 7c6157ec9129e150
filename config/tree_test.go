package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/sweep"
)

func jsonAt(t *testing.T, n *config.Node, path string) string {
	t.Helper()
	v, ok := n.At(path)
	if !ok {
		return "nothing"
	}
	return string(v.AppendJSON(nil))
}

func TestComposed(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.yaml"), "defaults:\n  - db: mysql\n  - _self_\n  - override hydra/launcher: submitit_slurm\n"+
		"hydra:\n  sweeper: {params: {lr: '0.1,1'}}\n  launcher: {timeout_min: 60}\n  job: {config: {override_dirname: {exclude_keys: [seed]}}}\nlr: 1\nseed: 2\n")
	write(t, filepath.Join(dir, "db", "mysql.yaml"), "defaults: [engine: inno]\nport: 1\n")
	write(t, filepath.Join(dir, "db", "engine", "inno.yaml"), "page: 16\n")
	tree := config.Open(dir, config.Resolver{})
	c, err := compose(tree, "config", []string{"lr=0.5", "seed=3", "hydra.launcher.mem=4", "db.port=2"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		n          *config.Node
		path, want string
	}{
		{c.Config, "", `{"db":{"engine":{"page":16},"port":2},"lr":0.5,"seed":3}`},
		{c.Choices, "db", `"mysql"`},
		{c.Choices, "db/engine", `"inno"`},
		{c.Choices, "hydra/launcher", `"submitit_slurm"`},
		{c.Hydra(), "sweeper.params", `{"lr":"0.1,1"}`},
		{c.Hydra(), "launcher", `{"timeout_min":60,"mem":4}`},
		{c.Hydra(), "job.override_dirname", `"db.port=2,lr=0.5"`},
		{c.Hydra(), "job.config_name", `"config"`},
		{c.Hydra(), "overrides.hydra", `["hydra.launcher.mem=4"]`},
		{c.Hydra(), "runtime.choices.db", `"mysql"`},
	} {
		if got := jsonAt(t, test.n, test.path); got != test.want {
			t.Errorf("%s is %s, not %s", test.path, got, test.want)
		}
	}
	var sources []string
	for _, s := range c.Sources {
		sources = append(sources, strings.Join([]string{s.File, s.Package, s.Parent}, " "))
	}
	want := []string{"db/engine/inno.yaml db.engine db/mysql", "db/mysql.yaml db config", "config.yaml  "}
	if !slices.Equal(sources, want) {
		t.Errorf("the sources are %q, not %q", sources, want)
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"db/b.yaml", "db/A.yaml", "db/old.yml", "db/readme.md", "db/sub/x.yaml", "db/both.yaml", "db/both/x.yaml"} {
		write(t, filepath.Join(dir, name), "")
	}
	tree := config.Open(dir, config.Resolver{})
	got, err := tree.Options("db")
	if want := []string{"A", "b", "both"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the options are %q (%v), not %q", got, err, want)
	}
	_, err = tree.Options("nope")
	refused(t, err, "no config group nope", "the groups are db")
	_, err = tree.Options("../")
	refused(t, err, "outside")
}

func TestSearchPath(t *testing.T) {
	dir, more := t.TempDir(), t.TempDir()
	write(t, filepath.Join(more, "db", "extra.yaml"), "port: 9\n")
	write(t, filepath.Join(dir, "config.yaml"), "defaults: [{db: extra}]\nhydra: {searchpath: ['pkg://somewhere', 'file://${oc.env:MORE}']}\n")
	c, err := compose(config.Open(dir, config.Resolver{Env: func(string) (string, bool) { return more, true }}), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Config.AppendJSON(nil)); got != `{"db":{"port":9}}` {
		t.Errorf("the config is %s", got)
	}
}

func TestDefaultsFromEnvironment(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.yaml"), "defaults:\n  - db: ${oc.env:DB,mysql}\n  - site: lab\n  - model_${site}\n")
	write(t, filepath.Join(dir, "db", "mysql.yaml"), "port: 1\n")
	write(t, filepath.Join(dir, "db", "pg.yaml"), "port: 2\n")
	write(t, filepath.Join(dir, "site", "lab.yaml"), "")
	write(t, filepath.Join(dir, "model_lab.yaml"), "for: lab\n")
	c, err := compose(config.Open(dir, config.Resolver{Env: func(string) (string, bool) { return "pg", true }}), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Config.AppendJSON(nil)); got != `{"db":{"port":2},"site":{},"for":"lab"}` {
		t.Errorf("the config is %s", got)
	}
}

func TestFree(t *testing.T) {
	s, err := sweep.Parse([]string{"lr=0.1", "model.width=64", "+model.depth=2", "model/arch=vit", "l=[1,{a:2}]", "l.1.a=3", "~lr"}, sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Free(s.Overrides())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"model":{"width":64,"depth":2},"model/arch":"vit","l":[1,{"a":3}]}`
	if got := string(c.Config.AppendJSON(nil)); got != want {
		t.Errorf("the config is %s, not %s", got, want)
	}
	s, err = sweep.Parse([]string{"db@x=1"}, sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Free(s.Overrides())
	refused(t, err, "no config group db")
}
