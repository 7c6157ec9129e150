package sweep

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

// Each error has a reason, the place ^ is put at, and what to write instead.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		args   []string // the place of the error is marked by ‸
		reason string
		hint   string
	}{
		"= in a value": {[]string{"ckpt=epoch‸=1-step=2.ckpt"}, "an = inside a value has to be quoted",
			`to have it as one text, quote it: ckpt="epoch=1-step=2.ckpt" (in a shell: 'ckpt="epoch=1-step=2.ckpt"')`},
		"open [": {[]string{"a=‸[1,2"}, "[ is never closed", `to have it as one text, quote it: a="[1,2" (in a shell: 'a="[1,2"')`},
		"open [ in {": {[]string{"a={k:[1‸}"}, "expected , or ] here, not '}'",
			`to have it as one text, quote it: a="{k:[1}" (in a shell: 'a="{k:[1}"')`},
		"open (":  {[]string{"a=choice‸(1"}, "( is never closed", `to have it as one text, quote it: a="choice(1" (in a shell: 'a="choice(1"')`},
		"extra ]": {[]string{"a=1‸]"}, "']' cannot stand here", `to have it as one text, quote it: a="1]" (in a shell: 'a="1]"')`},
		"comma in a text": {[]string{"msg=hello, world‸!"}, "'!' has to be quoted",
			`to have it as one text, quote it: msg="hello, world!" (in a shell: 'msg="hello, world!"')`},
		"comma at the end": {[]string{"a=1,2,‸"}, "expected a value here, but the override ends",
			`leave the last comma out, or quote the value if the comma is a part of it: a="1,2," (in a shell: 'a="1,2,"')`},
		"both quotes": {[]string{`a=it‸'s "so"`}, "the quote ' is never closed",
			`to have it as one text, quote it: a="it's \"so\"" (in a shell: 'a="it'\''s \"so\""')`},
		"Python's tuple":             {[]string{"a=‸(1,2)"}, "a value does not begin with (; a list is written [1,2]", `to have it as one text, quote it: a="(1,2)" (in a shell: 'a="(1,2)"')`},
		"space after a quote":        {[]string{"a='b'‸ "}, "nothing may follow here, not even a space", `to have it as one text, quote it: a="'b' " (in a shell: 'a="'\''b'\'' "')`},
		"spaces around =":            {[]string{"lr‸ = 0.1"}, "expected = and a value here, not ' '", "leave the spaces around = out: lr=0.1"},
		"three words":                {[]string{"lr‸", "=", "0.1"}, "expected = and a value", "write lr=0.1 in one word, without spaces around ="},
		"two words":                  {[]string{"lr‸", "=0.1"}, "expected = and a value", "write lr=0.1 in one word, without spaces around ="},
		"two words, the other way":   {[]string{"lr=", "0.1‸"}, "expected = and a value", "write lr=0.1 in one word, without spaces around ="},
		"a flag":                     {[]string{"‸--lr=0.1"}, "a key does not begin with '-'", "an override has no dashes before it: lr=0.1"},
		"an interval":                {[]string{"lr=‸interval(0,1)"}, "an interval has no values of its own: only a sampler could choose some", "say which values: lr=range(0.0,1.0,STEP) or lr=choice(0.0,1.0)"},
		"an unknown function":        {[]string{"a=‸Choice(1)"}, "Choice: there is no function Choice; did you mean choice?", ""},
		"a misspelt function":        {[]string{"a=‸rnage(3)"}, "rnage: there is no function rnage; did you mean range?", ""},
		"an argument's type":         {[]string{"a=‸range(b)"}, "range: start is text, it has to be a number", ""},
		"a missing argument":         {[]string{"a=‸interval(1)"}, "interval: the argument end is missing", ""},
		"a wrong argument":           {[]string{"a=‸sort(1,2,desc=true)"}, "sort: there is no argument desc", ""},
		"a sweep in a list":          {[]string{"a=‸[choice(1,2)]"}, "a sweep cannot stand inside a list or a dict: choose among whole ones, as in choice([1],[2])", ""},
		"a sweep in a sweep":         {[]string{"a=‸choice(1,2),3"}, "a sweep cannot stand inside another sweep: give all values to one", ""},
		"a range without end":        {[]string{"a=‸range(0,inf,0.5)"}, "the range has no end", ""},
		"a range without step":       {[]string{"a=‸range(0,1,0)"}, "the step of a range cannot be 0", ""},
		"a group with a dot":         {[]string{"db/‸a.b=1"}, "a config group's name has only letters, digits, _ and - between its slashes", ""},
		"too many brackets":          {[]string{"a=" + strings.Repeat("[", 500) + "‸" + strings.Repeat("[", 9500)}, "more than 500 brackets are open here", ""},
		"too long an integer":        {[]string{"a=‸" + strings.Repeat("1", 4301)}, "an integer has at most 4300 digits", ""},
		"a huge shuffle":             {[]string{"a=‸shuffle(range(2000000))"}, "2000000 values are too many to shuffle: at most 1000000 are possible", ""},
		"glob, no reading":           {[]string{"broken=‸glob(*)"}, "the options of broken: permission denied", ""},
		"zip, lengths":               {[]string{"p=‸zip(a=choice(1,2),b=[x])"}, "the members of a zip need equally many values: a has 2, b has 1", ""},
		"zip, no values":             {[]string{"p=‸zip(a=[],b=range(0))"}, "the members of the zip have no values", ""},
		"zip, simple choice":         {[]string{"p=zip(a=‸1,2,b=3)"}, "a member's values are a list or a sweep: a=[1,…]", ""},
		"zip, no names":              {[]string{"p=zip(‸[1],[2])"}, "zip takes members with names: zip(lr=choice(0.1,1),seed=[1,2])", ""},
		"zip, one member":            {[]string{"p=‸zip(a=[1,2])"}, "zip pairs the values of at least two keys", ""},
		"zip, a key twice":           {[]string{"p=zip(a=[1],‸a=[2])"}, "a is here twice", ""},
		"zip, a key elsewhere":       {[]string{"p=zip(a=[1],b=[2])", "a=‸3"}, "the zip p sets a too", ""},
		"zip, a key of another":      {[]string{"p=zip(a=[1],b=[2])", "q=‸zip(c=[1],+b=[2])"}, "the zip p sets b too", ""},
		"zip, interval":              {[]string{"p=zip(a=[1],b=‸interval(0,1))"}, "an interval has no values to pair", ""},
		"zip, shuffled member":       {[]string{"p=zip(a=[1],b=‸shuffle(1,2))"}, "shuffling one member would lose the pairs: write shuffle(zip(…)), which shuffles whole rows", ""},
		"zip in a zip":               {[]string{"p=zip(a=[1],b=‸zip(c=[1],d=[2]))"}, "a zip cannot be in a zip", ""},
		"zip, deletion":              {[]string{"p=zip(a=[1],‸~b=[2])"}, "a member of zip cannot delete", ""},
		"zip, a setting of Hydra":    {[]string{"p=zip(a=[1],‸hydra.x=[2])"}, "a member of zip cannot be one of Hydra's own settings", ""},
		"zip, a path for a name":     {[]string{"p.q=‸zip(a=[1],b=[2])"}, "a zip has a name of letters, digits, _ and - before its =: pair=zip(…)", ""},
		"zip in a list":              {[]string{"p=‸[zip(a=[1],b=[2])]"}, "a sweep cannot stand inside a list or a dict: choose among whole ones, as in choice([1],[2])", ""},
		"zip, a sweep in its values": {[]string{"p=‸zip(a=[choice(1,2)],b=[2])"}, "a sweep cannot stand inside another sweep: give all values to one", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			var word string
			offset := -1
			for _, a := range test.args {
				if at := strings.Index(a, "‸"); at >= 0 {
					offset = at
					a = strings.Replace(a, "‸", "", 1)
					word = a
				}
				args = append(args, a)
			}
			_, err := Parse(args, Options{Groups: groups})
			if err == nil {
				t.Fatal("no error")
			}
			if place := fault.Place(err); place == nil || place.Text != word || place.Offset != offset {
				t.Errorf("the place is %+v, want %d in %s", place, offset, word)
			}
			if !strings.HasSuffix(err.Error(), test.reason) {
				t.Errorf("got  %s\nwant %s", err, test.reason)
			}
			var hints []string
			if test.hint != "" {
				hints = []string{test.hint}
			}
			if got := fault.Hints(err); !slices.Equal(got, hints) {
				t.Errorf("hints %q\nwant  %q", got, hints)
			}
			if perr := new(ParseError); errors.As(err, &perr) && (perr.Word != word || perr.Offset != offset) {
				t.Errorf("the ParseError is at %d in %s", perr.Offset, perr.Word)
			}
		})
	}
}

// What a hint says to write works.
func TestHintsRead(t *testing.T) {
	for _, word := range []string{"ckpt=epoch=1-step=2.ckpt", "a=[1,2", `a=it's "so" \`, "msg=hello, world!", "a=${a.${b}}"} {
		mended := word[:strings.Index(word, "=")+1] + quoted(word[strings.Index(word, "=")+1:])
		o, err := ParseOverride(mended)
		if err != nil || o.Key+"="+o.Value.Text != word {
			t.Errorf("%s was mended to %s, which is %s (%v)", word, mended, showOverride(o), err)
		}
	}
}
