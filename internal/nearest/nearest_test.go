package nearest

import "testing"

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"lr", "lr", 0},
		{"optimzer", "optimizer", 1}, {"sede", "seed", 1}, {"kitten", "sitting", 3}, {"é", "e", 1},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestOf(t *testing.T) {
	names := []string{"seed", "optimizer", "optimizer.lr", "model"}
	for _, test := range []struct {
		name, want string
		ok         bool
	}{
		{"sead", "seed", true}, {"Optimiser", "optimizer", true}, {"optimizer.rl", "optimizer.lr", true},
		{"x", "", false}, {"dataset", "", false},
	} {
		if got, ok := Of(test.name, names); got != test.want || ok != test.ok {
			t.Errorf("Of(%q) = %q, %v; want %q, %v", test.name, got, ok, test.want, test.ok)
		}
	}
}
