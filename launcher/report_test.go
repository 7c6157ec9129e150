package launcher

import "testing"

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		ids  []int
		want string
	}{
		{nil, ""}, {[]int{4}, "4"}, {[]int{17, 16, 18, 20, 22, 21}, "16-18 20-22"}, {[]int{1, 3}, "1 3"},
	} {
		if got := numbers(test.ids); got != test.want {
			t.Errorf("numbers(%v) = %q, want %q", test.ids, got, test.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0.0 s", 9.94: "9.9 s", 61: "61 s", 600: "10 min", 36000: "10.0 h"} {
		if got := duration(seconds); got != want {
			t.Errorf("duration(%v) = %s, want %s", seconds, got, want)
		}
	}
}
