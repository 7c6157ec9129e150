package sweep

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
)

var seeds = []string{
	"lr=0.1", "+db@src=a,b", "~x", "~x=1", "++a.b=[1,{k: 'v'}]", "a='it\\'s'", `a="\\\\"`, "a=${oc.env:HOME}/x", "a=x\\,y",
	"a=choice('1',[2],{k:v})", "a=sort(3,1,2,reverse=true)", "a=tag(t,range(0,1,0.1))", "a=shuffle([1,2,3])", "a=glob([a*,b*],exclude=c)",
	"a=int(float('1e3'),true)", "pair=zip(model=choice(vit,mlp),opt.lr=[0.1,1])", "p=shuffle(zip(+a/b@c=range(3),d=[x,y,z]))",
	"ckpt=epoch=1", "a=[1", "a={1:}", "=1", "@p=1", "a=", "a=: ", "a=\t", "a=1,", "a=é", "a=1e400", "a=-nan", strings.Repeat("a=[", 9),
}

// Whatever is read is written so that reading it again gives the same. Only
// the unquoted strings that functions return, such as that of str(1), may
// read as something else; reading that once more changes nothing.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		o, err := ParseOverride(word)
		if err != nil {
			return
		}
		back, err := ParseOverride(o.Text)
		if err != nil {
			if strings.ContainsAny(word, "($") {
				return // a function's text, or an interpolation with quotes inside
			}
			t.Fatalf("%q is written as %q, which is an error: %v", word, o.Text, err)
		}
		if !strings.Contains(word, "(") && showOverride(o) != showOverride(back) {
			t.Fatalf("%q is %s, and then %s", word, showOverride(o), showOverride(back))
		}
		again, err := ParseOverride(back.Text)
		if err != nil || again.Text != back.Text {
			t.Fatalf("%q is written as %q, then as %q (%v)", word, back.Text, again.Text, err)
		}
	})
}

// The number of jobs is known before they are made, their values are what
// their texts read as, and the same words give the same jobs.
func FuzzJobs(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "b=range(3)", uint64(0))
	}
	f.Fuzz(func(t *testing.T, first, second string, seed uint64) {
		groups := func(string) ([]string, error) { return []string{"b", "a", "x y"}, nil }
		opts := Options{Groups: groups, Seed: seed}
		s, err := Parse([]string{first, second}, opts)
		if err != nil {
			return
		}
		again, err := Parse([]string{first, second}, opts)
		if err != nil {
			t.Fatal(err)
		}
		var texts [][]string
		count := 0
		for j := range s.Jobs() {
			if j.Index != count {
				t.Fatalf("job %d has the index %d", count, j.Index)
			}
			if count++; count > 100 {
				break
			}
			words := append(j.Words(0), j.Words(1)...)
			texts = append(texts, words)
			for _, w := range words {
				if w == first || w == second {
					continue // not swept
				}
				o, err := ParseOverride(w)
				if err != nil {
					continue // plain text that Hydra could not read
				}
				o.Text = w // the name of a group's option stands as it is
				found := false
				for _, have := range j.Overrides {
					found = found || showOverride(o) == showOverride(have)
				}
				if !found {
					t.Fatalf("%s is not among the overrides of %q", showOverride(o), words)
				}
			}
		}
		if n := s.Len(); count <= 100 && (!n.IsInt64() || n.Int64() != int64(count)) {
			t.Fatalf("%d jobs, but Len is %s", count, n)
		}
		for j := range again.Jobs() {
			if j.Index == len(texts) {
				break
			}
			if words := append(j.Words(0), j.Words(1)...); !reflect.DeepEqual(words, texts[j.Index]) {
				t.Fatalf("job %d is %q, then %q", j.Index, texts[j.Index], words)
			}
		}
	})
}

// Any text can be quoted, in either quote.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", `\`, `'`, `"`, `\'`, `\\"`, `a\\`, "${x}\n", `'\''`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, quote := range []byte{'\'', '"'} {
			written := (&value{kind: config.String, text: s, quote: quote}).String()
			a, err := parseArgument("a="+written, 0)
			if err != nil || a.value.text != s || a.value.quote != quote {
				t.Fatalf("%q is written as %s and reads as %+v (%v)", s, written, a, err)
			}
		}
		if o, err := ParseOverride("a=" + quoted(s)); err != nil || o.Value.Text != s {
			t.Fatalf("%q is quoted as %s (%v)", s, quoted(s), err)
		}
	})
}
