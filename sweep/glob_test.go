package sweep

import "testing"

// The expectations are Python's: fnmatch.fnmatchcase(name, pattern).
func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "resnet", true},
		{"res*", "resnet", true},
		{"*net", "resnet", true},
		{"*s*t", "resnet", true},
		{"r*x*t", "resnet", false},
		{"r**t", "resnet", true},
		{"?", "a", true},
		{"?", "é", true},
		{"?", "", false},
		{"RES*", "resnet", false},
		{"[rv]*", "vit", true},
		{"[!rv]*", "vit", false},
		{"[^v]*", "vit", true}, // ^ is a character like any other
		{"[a-c]", "b", true},
		{"[c-a]", "b", false},
		{"[a-]", "-", true},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[a", "[a", true},
		{"[]", "[]", true},
		{`\*`, `\x`, true},
		{"a.b", "axb", false},
	} {
		if got := match(test.pattern, test.name); got != test.want {
			t.Errorf("match(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}
