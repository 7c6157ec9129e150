package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
)

func TestHints(t *testing.T) {
	inner := Hint(fs.ErrNotExist, "first")
	err := Hint(fmt.Errorf("outer: %w", Hint(inner, "%d. step", 2)), "first")
	if got := Hints(err); !slices.Equal(got, []string{"2. step", "first"}) {
		t.Errorf("Hints = %q, want the innermost first, each once", got)
	}
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "outer: file does not exist" {
		t.Errorf("the error is now %v", err)
	}
	both := errors.Join(Hint(errors.New("a"), "for a"), Hint(errors.New("b"), "for b"))
	if got := Hints(both); len(got) != 2 {
		t.Errorf("Hints of joined errors = %q", got)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"no error", nil, 0},
		{"an error without one", errors.New("x"), Usage},
		{"with one", Exit(errors.New("x"), NotFound), NotFound},
		{"the outermost counts", Exit(fmt.Errorf("y: %w", Exit(errors.New("x"), NotFound)), Incomplete), Incomplete},
		{"below a hint", Hint(Exit(errors.New("x"), NotFound), "h"), NotFound},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestNilStaysNil(t *testing.T) {
	if Hint(nil, "h") != nil || At(nil, "x", 0) != nil || Exit(nil, 1) != nil {
		t.Error("nil became an error")
	}
}

func TestPlace(t *testing.T) {
	for offset, want := range map[int]int{-1: 0, 1: 1, 9: 3} {
		if got := Place(Hint(At(errors.New("x"), "abc", offset), "h")); got.Offset != want || got.Text != "abc" {
			t.Errorf("At(%d) = %+v, want %d", offset, got, want)
		}
	}
	if Place(errors.New("x")) != nil {
		t.Error("Place finds what is not there")
	}
}
