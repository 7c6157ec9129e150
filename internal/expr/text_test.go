package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

func TestFields(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`config.a.b < 1 && info.status == "x"`, []string{"config.a.b", "info.status"}},
		{`metrics["train.loss"].last() + metrics.test.loss.min()`, []string{`metrics["train.loss"] last`, "metrics.test.loss min"}},
		{`config.layers.exists(l, l.size > config.min)`, []string{"config.layers", "config.min"}},
		{`config.x.exists(config, config.y)`, []string{"config.x"}},
		{`config[info.user].a`, []string{"config", "info.user"}},
		{`has(config.a) ? [config.b] : [id]`, []string{"config.a has", "config.b", "id"}},
	} {
		e, err := Compile(c.text, Run...)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var got []string
		for _, f := range e.Fields {
			s := f.String()
			if f.Call != "" {
				s += " " + f.Call
			}
			if f.Guarded {
				s += " has"
			}
			got = append(got, s)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Part
	}{
		{`config.lr`, []Part{{"", "config.lr", 0}}},
		{`config.lr, best = metrics.x.min()`, []Part{{"", "config.lr", 0}, {"best", "metrics.x.min()", 18}}},
		{`config.a in [1,2], x={"a": 1, "b": 2}["a"]`, []Part{{"", "config.a in [1,2]", 0}, {"x", `{"a": 1, "b": 2}["a"]`, 21}}},
		{`config.a == "x,y=z"`, []Part{{"", `config.a == "x,y=z"`, 0}}},
		{`a==1,b<=2,c!=3`, []Part{{"", "a==1", 0}, {"", "b<=2", 5}, {"", "c!=3", 10}}},
		{`"""a",b""", r'\', x`, []Part{{"", `"""a",b"""`, 0}, {"", `r'\'`, 12}, {"", "x", 18}}},
		{`,a,,`, []Part{{"", "a", 1}}},
		{`größe=config.x`, []Part{{"größe", "config.x", 8}}},
		{`config.lr = 1`, []Part{{"", "config.lr = 1", 0}}},
	} {
		if got := Split(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestGroup(t *testing.T) {
	g, err := CompileGroupFilter(`n > 3 && mean(metrics.a.last()) < 2 * std( metrics["x)"].min() )`, "n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range g.Calls {
		got = append(got, c.Function+": "+c.Arg.Text)
	}
	if want := []string{"mean: metrics.a.last()", `std:  metrics["x)"].min() `}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct{ text, want, rest, hint string }{
		{`n > 3 && mean(metrcs.a.last()) < 2`, `unknown name "metrcs"`, "metrcs", "metrics"},
		{`mean(max(config.x)) < 2`, "max() is called on a series", "(", "config.x.max()"},
		{`mean(config.x) < m`, `unknown name "m"`, "m", ""},
		{`mean(config.x) < mm`, `unknown name "mm"`, "mm", "n and aggregates"},
		{`config.lr < 2`, `unknown name "config"`, "config", "mean(config.lr)"},
		{`metrics["a b"].at(-1) < 2`, `unknown name "metrics"`, "metrics", `mean(metrics["a b"].at(-1))`},
		{`avg(config.lr) < 2`, "unknown function avg()", "avg(", "mean, std"},
		{`medain(config.lr) < 2`, "unknown function medain()", "medain(", "median()"},
		{`mean(config.x`, `")" is missing`, "", ""},
		{`mean() < 1`, "an expression is missing", ") < 1", ""},
	} {
		_, err := CompileGroupFilter(c.text, "n")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
			continue
		}
		if p := fault.Place(err); p == nil || p.Text != c.text || !strings.HasPrefix(p.Text[p.Offset:], c.rest) {
			t.Errorf("%s: place %+v", c.text, p)
		}
		if hints := strings.Join(fault.Hints(err), "\n"); !strings.Contains(hints, c.hint) {
			t.Errorf("%s: hints %q, want %q", c.text, hints, c.hint)
		}
	}
}

// FuzzCompile: no text makes the compiler panic, and every place lies in the
// text.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{`config.lr < 1`, `a & b | ~c = d`, `mean(metrics.x) > "`, `'''`, `r"\"`, `x.y[0]{`, `len(artifacts`, `a-b.c()`, `config.*`, `avg(x`, `min()`, "é\n🙂 < 1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, compile := range []func() error{
			func() error { _, err := CompileFilter(text, Run...); return err },
			func() error { _, err := CompileGroup(text, "n"); return err },
		} {
			if p := fault.Place(compile()); p != nil && (p.Text != text || p.Offset < 0 || p.Offset > len(text)) {
				t.Errorf("%q: place %+v", text, p)
			}
		}
		Split(text)
	})
}
