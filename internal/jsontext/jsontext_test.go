package jsontext

import (
	"encoding/json"
	"testing"
)

func TestAppendQuote(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "lr=0.1", `"lr=0.1"`},
		{"quotes and backslashes", `a"b\c`, `"a\"b\\c"`},
		{"control characters", "a\n\t\x00\x7f", `"a\n\t\u0000\u007f"`},
		{"unicode", "é☃😀", `"é☃😀"`},
		{"C1 controls and line separators", "\u0085\u2028\u2029\ufeff", "\"\\u0085\\u2028\\u2029\\ufeff\""},
		{"bytes that are not UTF-8", "a\xff\x80b", `"a\udcff\udc80b"`},
		{"a surrogate in UTF-8 is not UTF-8", "\xed\xa0\x80", `"\udced\udca0\udc80"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(AppendQuote(nil, test.in)); got != test.want {
				t.Errorf("AppendQuote(%q) = %s, want %s", test.in, got, test.want)
			}
		})
	}
}

func TestUnquoteRefuses(t *testing.T) {
	for _, in := range []string{``, `"`, `a`, `"a`, "\"\n\"", `"\x"`, `"\"`, `"\u12"`, `"\ud800"`, `"\udc00"`, `"a"b"`} {
		if got, err := Unquote([]byte(in)); err == nil {
			t.Errorf("Unquote(%s) = %q, want an error", in, got)
		}
	}
}

// What is quoted reads back as it was, through encoding/json too.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "\xed\xb2\x80", "😀\xf0\x9f", "\u2028\\\"\n", "\\udc80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendQuote(nil, s)
		if got, err := Unquote(quoted); err != nil || got != s {
			t.Fatalf("Unquote(%s) = %q, %v; want %q", quoted, got, err, s)
		}
		encoded, err := json.Marshal(Text(s))
		if err != nil {
			t.Fatal(err)
		}
		var back Text
		if err := json.Unmarshal(encoded, &back); err != nil || string(back) != s {
			t.Fatalf("json: %s gives %q, %v; want %q", encoded, back, err, s)
		}
	})
}
