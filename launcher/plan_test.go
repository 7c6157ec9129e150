package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plan makes the plan of a command line in a directory with a config.
func plan(tb testing.TB, conf string, line Line) *Plan {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "configs"), 0o777); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "configs", "config.yaml"), []byte(conf), 0o666); err != nil {
		tb.Fatal(err)
	}
	p, err := NewPlan(Request{
		Line:   line,
		World:  World{Cwd: dir},
		Place:  ConfigPlace{Dir: "configs", Name: "config"},
		Notice: func(text string) { tb.Error(text) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func commands(t *testing.T, p *Plan) []string {
	t.Helper()
	var out []string
	for job, err := range p.Jobs() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Join(job.Command, " "))
	}
	return out
}

func TestCommands(t *testing.T) {
	const conf = "lr: 0.1\nseed: 0\nmodel: {name: a}\n"
	for _, test := range []struct {
		name string
		conf string
		line Line
		want []string
	}{
		{"as typed", conf, Line{Words: []string{"train", "lr=1e-3", "-v"}}, []string{"train lr=1e-3 -v"}},
		{"a sweep", conf, Line{Words: []string{"train", "lr=1,2", "x", "seed=3"}}, []string{"train lr=1 x seed=3", "train lr=2 x seed=3"}},
		{"in front", conf, Line{Overrides: []string{"lr=1,2"}, Words: []string{"train", "a=b"}}, []string{"train a=b", "train a=b"}},
		{"placeholders push override words out", conf, Line{Words: []string{"train", "-l", "{lr}", "lr=1,2"}}, []string{"train -l {lr}", "train -l {lr}"}},
		{"settings stay here", conf, Line{Words: []string{"train", "lr=1", "mlxp.use_logger=true"}}, []string{"train lr=1"}},
		{"args", conf, Line{Overrides: []string{"lr=1", "model.name=b", "~seed"}, Words: []string{"train", "{@args}"}}, []string{"train --lr={lr} --model.name={model.name}"}},
		{"axes of the config", conf + "hydra: {sweeper: {params: {seed: '1,2'}}}\n", Line{Words: []string{"train", "lr=1"}}, []string{"train lr=1 seed=1", "train lr=1 seed=2"}},
		{"and the command line over them", conf + "hydra: {sweeper: {params: {seed: '1,2'}}}\n", Line{Words: []string{"train", "seed=7"}}, []string{"train seed=7"}},
		{"a value in braces", conf, Line{Words: []string{"train", "model.name='{lr}'"}}, []string{"train model.name='{{lr}}'"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := commands(t, plan(t, test.conf, test.line)); !slices.Equal(got, test.want) {
				t.Errorf("commands:\n%q\nwant:\n%q", got, test.want)
			}
		})
	}
}

func TestFindConfig(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  []string
		want   string
		notice string
		err    string
	}{
		{"none", nil, "", "", ""},
		{"the first", []string{"configs/config.yaml"}, "configs", "", ""},
		{"another one", []string{"conf/config.yaml"}, "conf", "config from ./conf", ""},
		{"settings alone", []string{"configs/mlxp.yaml"}, "", "", ""},
		{"groups alone", []string{"conf/db/mysql.yaml"}, "", "", ""},
		{"several", []string{"configs/config.yaml", "conf/config.yaml"}, "", "", "several directories hold config.yaml: ./configs, ./conf"},
		{"another name", []string{"config/train.yaml", "config/mlxp.yaml"}, "", "", "no config.yaml in the config directory, but ./config/train.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range test.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			notice := ""
			place, err := FindConfig(dir, "config", func(text string) { notice += text })
			if fmt.Sprint(err) != test.err && (err != nil || test.err != "") || place.Dir != test.want || notice != test.notice {
				t.Errorf("FindConfig = %+v, %v, notice %q", place, err, notice)
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	var conf strings.Builder
	for g := range 5 {
		fmt.Fprintf(&conf, "g%d:\n", g)
		for k := range 10 {
			fmt.Fprintf(&conf, "  k%d: %d\n", k, k)
		}
	}
	line := Line{Words: []string{"train", "g0.k0=range(10)", "g1.k1=range(10)", "g2.k2=range(10)", "g3.k3=range(5)", "g4.k4=1,2"}}
	for b.Loop() {
		n := 0
		for _, err := range plan(b, conf.String(), line).Jobs() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 10_000 {
			b.Fatalf("%d jobs", n)
		}
	}
}
