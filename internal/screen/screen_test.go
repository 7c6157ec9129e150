package screen

import (
	"bufio"
	"slices"
	"strings"
	"testing"
)

func TestLineIsAsATerminalShowsIt(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "a\nb\n", "a\nb\n"},
		{"no end", "a\nb", "a\nb"},
		{"a progress bar", "\r10%|#  |\r50%|## |\r100%|###|\n", "100%|###|\n"},
		{"a shorter text leaves the rest", "hello\rab\n", "abllo\n"},
		{"erase the rest", "hello\r\x1b[Kab\n", "ab\n"},
		{"colours", "\x1b[1;31mred\x1b[0m\n", "red\n"},
		{"backspace", "abc\b\bx\n", "axc\n"},
		{"wide characters", "äöü\rx\n", "xöü\n"},
		{"over a wide character", "abc\rä\n", "äbc\n"},
		{"windows", "a\r\nb\r\n", "a\nb\n"},
		{"backspace at the beginning", "\b\ba\n", "a\n"},
		{"a torn sequence", "a\x1b[3", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			w := bufio.NewWriter(&out)
			l := NewLine(w)
			for _, c := range []byte(test.in) { // however it is cut
				if _, err := l.Write([]byte{c}); err != nil {
					t.Fatal(err)
				}
			}
			l.End()
			w.Flush()
			if out.String() != test.want {
				t.Errorf("got %q, want %q", out.String(), test.want)
			}
		})
	}
}

func TestLast(t *testing.T) {
	bar := strings.Repeat("\r 10%|###   |", 20_000) + "\r100%|######|"
	for _, test := range []struct {
		in   string
		n    int
		want []string
	}{
		{"", 3, nil},
		{"\n \n", 3, nil},
		{"a\nb\n\nc", 2, []string{"b", "c"}},
		{"a\n" + bar + "\nTraceback\n", 2, []string{"100%|######|", "Traceback"}},
	} {
		if got := Last(strings.NewReader(test.in), test.n); !slices.Equal(got, test.want) {
			t.Errorf("Last(%.40q) = %q, want %q", test.in, got, test.want)
		}
	}
}
