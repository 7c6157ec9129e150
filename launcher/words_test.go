package launcher

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

func TestFindOverrides(t *testing.T) {
	for _, test := range []struct {
		name  string
		words string // in fields
		want  []int
	}{
		{"plain", "train lr=1", []int{1}},
		{"operators", "train +a=1 ++a.b=2 ~c ~d=1 ~e@f", []int{1, 2, 3, 4, 5}},
		{"groups and packages", "train db/x=mysql db@y.z=a @p=1", []int{1, 2}},
		{"an empty value", "train a=", []int{1}},
		{"dollars and dashes in a key", "train $a-b.c$=1", []int{1}},
		{"the program", "lr=1 x=2", []int{1}},
		{"options", "train --lr=1 -x=2 -", nil},
		{"no key", "train =1 1=2 a..b=1 a.=1 .a=1 a/=1", nil},
		{"no value", "train lr +lr ++a", nil},
		{"a path of a home directory", "train ~/data ~user", []int{2}},
		{"a leading env", "env A=1 B=2 train lr=1", []int{4}},
		{"a leading env with options", "/usr/bin/env -i -u X A=1 train lr=1", []int{6}},
		{"env alone", "env A=1", nil},
		{"env in the middle", "train env A=1", []int{2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Line{Words: strings.Fields(test.words)}.findOverrides()
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("findOverrides(%s) = %v, %v; want %v", test.words, got, err, test.want)
			}
		})
	}
	if got, err := (Line{Overrides: []string{"a=1"}, Words: []string{"train", "b=2"}}).findOverrides(); got != nil || err != nil {
		t.Errorf("with overrides in front: %v, %v", got, err)
	}
}

func TestFindOverridesInDoubt(t *testing.T) {
	for _, option := range []string{"-x", "-e", "-v", "--env", "--export"} {
		_, err := Line{Words: []string{"docker", option, "A=1"}}.findOverrides()
		if fault.Place(err) == nil || !strings.Contains(strings.Join(fault.Hints(err), ""), "mlxp KEY=VALUE… -- docker") {
			t.Errorf("%s A=1: %v, hints %q", option, err, fault.Hints(err))
		}
	}
	if _, err := (Line{Words: []string{"train", "-x", "a.b=1"}}).findOverrides(); err != nil {
		t.Errorf("a dotted key after -x: %v", err)
	}
}

func TestHydraFlags(t *testing.T) {
	for _, test := range []struct {
		words string
		want  int
	}{
		{"python train.py -m lr=1,2", 1},
		{"python train.py lr=1,2 --multirun", 1},
		{"python -m package.train lr=1", 0},
		{"python train.py -cn other --config-dir=x", 2},
		{"-m", 0},
	} {
		if got := (Line{Words: strings.Fields(test.words)}).hydraFlags(); len(got) != test.want {
			t.Errorf("hydraFlags(%s) = %q, want %d", test.words, got, test.want)
		}
	}
}
