package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

func TestTally(t *testing.T) {
	lr := func(values ...any) (runs []dict) {
		for _, v := range values {
			c := dict{}
			if v != nil {
				c["lr"] = v
			}
			runs = append(runs, dict{"config": c})
		}
		return runs
	}
	for _, c := range []struct {
		name, text string
		runs       []dict
		matches    int
		err        string // "" for none
		hint       string
		notes      string
	}{
		{"numbers", `config.lr < 1`, lr(0.1, int64(2)), 1, "", "", ""},
		{"a text in every run", `config.lr < 1`, lr("a", "b"), 0, `config.lr is a text and 1 is a number`, "double(config.lr)", ""},
		{"a text in some runs", `config.lr < 1`, lr(0.1, "auto", 0.2), 2, "", "", "config.lr is a text and 1 is a number in 1 run"},
		{"some are texts, none matches", `config.lr < 0`, lr(0.1, "auto"), 0, "", "", "in 1 run"},
		{"equal to a text, all numbers", `config.lr == "0.1"`, lr(0.1), 0, `config.lr is a number and "0.1" is a text`, "without quotes", ""},
		{"equal to a text, mixed", `config.lr == "auto"`, lr(0.1, "auto"), 1, "", "", ""},
		{"unequal to a text matches", `config.lr != "auto"`, lr(0.1), 1, "", "", "in 1 run"},
		{"a wrong comparison that does not matter", `config.lr == "x" || config.lr < 1`, lr(0.1), 1, "", "", "in 1 run"},
		{"no run has it", `config.lr < 1`, lr(nil, nil), 0, "", "", ""},
		{"some lack it", `config.lr < 1`, lr(0.1, nil), 1, "", "", "1 run lacks config.lr"},
		{"no runs", `config.lr < "x"`, nil, 0, "", "", ""},
		{"no condition", `config.lr`, lr(0.1), 0, "the expression is a number, not a condition", "", ""},
		{"a condition in some runs", `config.lr`, lr(true, 0.1), 1, "", "", "the result is a number in 1 run"},
		{"does not work", `config.lr.startsWith("x")`, lr(0.1), 0, "startsWith() does not work on what it is given", "", ""},
		{"does not add up", `config.lr + "x" == "y"`, lr(0.1), 0, `+ does not work on what config.lr and "x" are`, "", ""},
		{"division", `1 / config.lr == 1`, lr(int64(0), int64(1)), 1, "", "", "division by zero in 1 run"},
		{"a text and a time", `config.lr > timestamp("2026-01-01T00:00:00Z")`, lr("2026-02-01T00:00:00Z"), 0, "config.lr is a text and the right side is a time", "timestamp(config.lr)", ""},
		{"a series of texts", `config.lr.min() < 1`, lr(items{1.0, "x"}), 0, "min() needs numbers: 1 value is a text", "", ""},
		{"a series of bools", `config.lr.min() < 1`, lr(items{true, "x", 1.0}), 0, "min() needs numbers: 2 values are none, the first of them is a bool", "", ""},
		{"null", `config.lr < 1`, []dict{{"config": dict{"lr": nil}}}, 0, "config.lr is null", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := CompileFilter(c.text, Run...)
			if err != nil {
				t.Fatal(err)
			}
			// The runs are dealt to two tallies, which are merged.
			tallies := make([]*Tally, 2)
			for i := range tallies {
				if tallies[i], err = e.Tally(); err != nil {
					t.Fatal(err)
				}
			}
			for i, run := range c.runs {
				tallies[i%2].Match(run)
			}
			tally := tallies[0]
			tally.Merge(tallies[1])
			if tally.Matches != c.matches || tally.Runs != len(c.runs) {
				t.Errorf("%d of %d match, want %d of %d", tally.Matches, tally.Runs, c.matches, len(c.runs))
			}
			err = tally.Err()
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if hints := strings.Join(fault.Hints(err), " "); !strings.Contains(hints, c.hint) {
				t.Errorf("hints %q, want %q", hints, c.hint)
			}
			notes := strings.Join(append(tally.Notes(), tally.Lacks()...), "; ")
			if c.err == "" && ((notes == "") != (c.notes == "") || !strings.Contains(notes, c.notes)) {
				t.Errorf("notes %q, want %q", notes, c.notes)
			}
		})
	}
}

func TestStrangers(t *testing.T) {
	e, err := CompileFilter(`config.lr < 1 && config.optimzer.lr < 1 && has(config.momentum) && config["x"][0] == 1`, Run...)
	if err != nil {
		t.Fatal(err)
	}
	tally, err := e.Tally()
	if err != nil {
		t.Fatal(err)
	}
	tally.Match(sample())
	var got []string
	for _, f := range tally.Strangers() {
		got = append(got, f.String()+" at "+e.Text[f.Offset:f.Offset+9])
	}
	if want := []string{"config.optimzer.lr at config.op", `config.x[0] at config["x`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		e, err := CompileFilter(`config.optimizer.lr < 1.0 && info.status == "COMPLETE"`, Run...)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.Tally(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	e, err := CompileFilter(`config.optimizer.lr < 1.0 && info.status == "COMPLETE" && config.seed in [1, 2, 3]`, Run...)
	if err != nil {
		b.Fatal(err)
	}
	tally, err := e.Tally()
	if err != nil {
		b.Fatal(err)
	}
	run := sample()
	b.ReportAllocs()
	for b.Loop() {
		if !tally.Match(run) {
			b.Fatal("no match")
		}
	}
}
