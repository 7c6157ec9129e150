package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

// dict is an Object for the tests.
type dict map[string]any

func (d dict) Field(name string) (any, bool) { v, ok := d[name]; return v, ok }

func (d dict) Names() []string {
	var names []string
	for name := range d {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type items []any

func (l items) Len() int     { return len(l) }
func (l items) At(i int) any { return l[i] }

func sample() dict {
	return dict{
		"id": int64(7),
		"config": dict{
			"lr": 0.1, "seed": int64(3), "one": int64(1), "name": "mlp", "on": true, "none": nil,
			"a-b": "dash", "clip": "Infinity",
			"optimizer": dict{"lr": 0.5},
			"layers":    items{int64(64), int64(32), 16.0},
			"empty":     items{},
			"1":         "under one",
		},
		"info":      dict{"status": "COMPLETE", "started": "2026-11-23T04:01:03.120Z", "command": items{"python", "train.py"}},
		"metrics":   dict{"train": dict{"loss": items{2.5, 0.5, 1.0}}},
		"artifacts": items{dict{"path": "ckpt/9.pt", "bytes": int64(12)}},
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{`config.lr < 1.0 && info.status == "COMPLETE"`, true},
		{`config.lr < 1`, true},
		{`config.seed == 3.0`, true},
		{`config.seed in [1, 2, 3]`, true},
		{`config.one in [1.0, 2.5]`, true},
		{`config.lr in [0.1, 1]`, true},
		{`config.name in ["mlp", "cnn"]`, true},
		{`config["a-b"] == 'dash'`, true},
		{`config[1] == "under one"`, true},
		{`"lr" in config`, true},
		{`has(config.lr)`, true},
		{`has(config.momentum)`, false},
		{`!has(config.momentum)`, true},
		{`has(config.optimizer.lr) && !has(config.optimizer.momentum)`, true},
		{`config.momentum == 1`, false},
		{`!(config.momentum == 1)`, false},
		{`config.momentum == 1 || config.lr == 0.1`, true},
		{`config.none == null`, true},
		{`config.on`, true},
		{`!config.on`, false},
		{`config.on ? config.lr < 1 : false`, true},
		{`config.layers.exists(n, n == 16)`, true},
		{`config.layers.all(n, n > 20)`, false},
		{`size(config.layers) == 3 && config.layers[2] == 16`, true},
		{`config.layers == [64, 32, 16]`, true},
		{`32 in config.layers`, true},
		{`config.layers.last() == 16 && config.layers.at(-1) == 16`, true},
		{`config.optimizer == {"lr": 0.5}`, true},
		{`config.name.matches("^m.p$") && config.name.startsWith("m")`, true},
		{`timestamp(info.started) > timestamp("2026-01-01T00:00:00Z")`, true},
		{`timestamp(info.started).getFullYear() == 2026`, true},
		{`metrics.train.loss.last() == 1 && metrics.train.loss.min() == 0.5 && metrics.train.loss.argmin() == 1`, true},
		{`metrics.train.loss.first() == 2.5 && metrics.train.loss.max() == 2.5 && metrics.train.loss.argmax() == 0`, true},
		{`metrics.train.loss.len() == 3 && metrics.train.loss.sum() == 4.0 && metrics.train.loss.at(1) == 0.5`, true},
		{`metrics.train.loss.mean() > 1.33 && metrics.train.loss.mean() < 1.34`, true},
		{`metrics.train.loss.exists(x, x < 0.6)`, true},
		{`metrics.train.loss.at(9) < 1`, false},
		{`metrics.test.loss.last() < 1`, false},
		{`config.empty.last() == 1`, false},
		{`artifacts.exists(a, a.path.endsWith(".pt") && a.bytes > 10)`, true},
		{`id == 7`, true},
		{`config.clip > 100`, true},
		{`config.clip == "Infinity"`, true},
		{`config.name == 1 || id == 7`, true},
		{`config.name < 1 || id == 7`, true},
		{`info.command[1] == "train.py"`, true},
		{`config.exists(k, k == "lr")`, true},
	} {
		t.Run(c.text, func(t *testing.T) {
			e, err := CompileFilter(c.text, Run...)
			if err != nil {
				t.Fatal(err)
			}
			tally, err := e.Tally()
			if err != nil {
				t.Fatal(err)
			}
			if got := tally.Match(sample()); got != c.want {
				t.Errorf("got %v, want %v (%v, %v)", got, c.want, tally.Err(), tally.Notes())
			}
			if err := tally.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCompileErrors pins what is said, where the caret stands, and the hint.
func TestCompileErrors(t *testing.T) {
	for _, c := range []struct{ text, want, rest, hint string }{
		{`config.seed is not None`, `unexpected "is"`, "is not None", "!= null"},
		{`config.seed in (1, 2)`, `unexpected ","`, ", 2)", "in [1, 2]"},
		{``, "empty", "", ""},
		{`config.lr <`, "ends too early", "", ""},
		{`config.lr < 1 config`, `unexpected "config"`, "config", ""},
		{`confg.lr < 1`, `unknown name "confg"`, "confg.lr", `"config"`},
		{`config.a < 1 && lr < 1`, `unknown name "lr"`, "lr < 1", "config.lr"},
		{`config.é == 1`, `unexpected "é"`, "é", `config["…"]`},
		{`config.a == "b`, `unexpected`, `"b`, "a quote is not closed"},
		{`config.a == "é" && lr < 1`, `unknown name "lr"`, "lr < 1", "config.lr"},
		{"config.a == 1 &&\n lr < 1", `unknown name "lr"`, "lr < 1", "config.lr"},
		{`metrics.train.loss.lst() < 1`, `unknown function lst()`, "lst() < 1", "last()"},
		{`min(metrics.train.loss) < 1`, "min() is called on a series", "(metrics", "metrics.train.loss.min()"},
		{`config.on == True`, `unknown name "True"`, "True", "true"},
		{`1 < "a"`, "< does not work on a number and a text", `< "a"`, ""},
		{`size(config)`, "a number, not a condition", "", ""},
		{`"a"`, "a text, not a condition", "", ""},
		{`config.a == 1 & config.b == 2`, "no operator &", "& config", "config.a == 1 && config.b == 2"},
		{`config.a = 1`, "no operator =", "= 1", "config.a == 1"},
		{`~config.a == 1 | config.b < 2`, "no operator ~", "~config", "!(config.a == 1) || config.b < 2"},
		{`~(config.a == 1)`, "no operator ~", "~(", "!(config.a == 1)"},
		{`(~config.a == 1) & config.b in ['=', "&"]`, "no operator ~", "~config", `(!(config.a == 1)) && config.b in ['=', "&"]`},
		{`config.a == 1 and config.b == 2`, `unexpected "and"`, "and", "&&"},
		{`not id == 3`, `unexpected "id"`, "id", "write !"},
		{`config.a == 1 && (not id == 3)`, `unexpected "id"`, "id", "write !"},
		{`config.*`, `unexpected ".*"`, ".*", ""},
		{`len(artifacts) > 0`, "len() is called on a series", "(artifacts", "artifacts.len()"},
		{`max(config.a + config.b) > 0`, "max()", "(config", "(config.a + config.b).max()"},
		{`metrics.a.last(2) > 0`, "last() is called on a series", "(2)", "write last()"},
		{`at(metrics.a, -1) > 0`, "at() is called on a series", "(metrics", "metrics.a.at(-1)"},
		{`max(metrics.a.at(1)) > 0`, "max()", "(metrics", "metrics.a.at(1).max()"},
		{`.A`, `unknown name`, "A", ""},
		{`metrics.val-loss.last() < 1`, `unknown name "loss"`, "loss", ""},
		{`std(config.a) < 1`, "unknown function std()", "std(", "--agg"},
		{`config.name.matches("[")`, "missing closing ]", "", ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			e, err := CompileFilter(c.text, Run...)
			if err == nil {
				_, err = e.Tally()
			}
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
			if p := fault.Place(err); c.rest != "" && (p == nil || !strings.HasPrefix(p.Text[p.Offset:], c.rest)) {
				t.Errorf("place %+v, want before %q", p, c.rest)
			}
			if hints := strings.Join(fault.Hints(err), "\n"); !strings.Contains(hints, c.hint) {
				t.Errorf("hint %q, want %q", hints, c.hint)
			}
		})
	}
}
