package sweep

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
)

// groups are the options of two config groups, as a caller would list them.
func groups(group string) ([]string, error) {
	switch group {
	case "model":
		return []string{"vit", "resnet50", "resnet18", "Resnet34", "_base", "1", "a,b"}, nil
	case "data/train":
		return []string{"mnist", "cifar"}, nil
	case "broken":
		return nil, errors.New("permission denied")
	}
	return nil, nil
}

func mustParse(t *testing.T, opts Options, args ...string) *Sweep {
	t.Helper()
	s, err := Parse(args, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// texts returns the overrides of each job.
func texts(s *Sweep) []string {
	var all []string
	for j := range s.Jobs() {
		var words []string
		for _, o := range j.Overrides {
			words = append(words, o.Text)
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

func TestJobs(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"nothing":                 {nil, []string{""}},
		"no sweep":                {[]string{"a=1", "b=x"}, []string{"a=1 b=x"}},
		"last axis fastest":       {[]string{"a=1,2", "b=x,y"}, []string{"a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"}},
		"repeated key":            {[]string{"x=1,2", "y=3", "x=4,5"}, []string{"x=4 y=3", "x=5 y=3"}},
		"one key, three axes":     {[]string{"x=1", "+x=2", "++x=3,4"}, []string{"x=1 +x=2 ++x=3", "x=1 +x=2 ++x=4"}},
		"empty range":             {[]string{"a=range(0)", "b=1,2"}, nil},
		"a sweep of one":          {[]string{"a=choice(1)"}, []string{"a=1"}},
		"glob":                    {[]string{"model=glob(*,exclude=[_*,'1',a*])"}, []string{"model=Resnet34", "model=resnet18", "model=resnet50", "model=vit"}},
		"glob, set":               {[]string{"model=glob('[!rR_v]*')"}, []string{"model=1", `model=a\,b`}},
		"glob, list":              {[]string{"model=glob([v*,'*18'])"}, []string{"model=resnet18", "model=vit"}},
		"glob, package":           {[]string{"+data/train@x=glob(*)"}, []string{"+data/train@x=cifar", "+data/train@x=mnist"}},
		"glob, no such group":     {[]string{"lr=glob(*)"}, nil},
		"zip":                     {[]string{"p=zip(a=choice(1,2),b=[x,y])"}, []string{"a=1 b=x", "a=2 b=y"}},
		"zip times an axis":       {[]string{"s=1,2", "p=zip(a=[1,2],b=[x,y])"}, []string{"s=1 a=1 b=x", "s=1 a=2 b=y", "s=2 a=1 b=x", "s=2 a=2 b=y"}},
		"zip, group and value":    {[]string{"p=zip(model=glob(resnet*),opt.lr=range(0,1,0.5))"}, []string{"model=resnet18 opt.lr=0.0", "model=resnet50 opt.lr=0.5"}},
		"zip, spaces":             {[]string{"p=zip( data/train@a.b = [mnist] , +c = [[1,2]] )"}, []string{"data/train@a.b=mnist +c=[1,2]"}},
		"zip, tagged":             {[]string{"p=tag(t,zip(a=[1],b=[2]))"}, []string{"a=1 b=2"}},
		"two zips":                {[]string{"p=zip(a=[1,2],b=[3,4])", "q=zip(c=[5],d=[6])"}, []string{"a=1 b=3 c=5 d=6", "a=2 b=4 c=5 d=6"}},
		"a later zip of the name": {[]string{"p=zip(a=[1,2],b=[3,4])", "p=zip(a=[5],b=[6])"}, []string{"a=5 b=6"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, Options{Groups: groups}, test.args...)
			if got := texts(s); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if n := s.Len(); n.Int64() != int64(len(test.want)) {
				t.Errorf("Len is %s, want %d", n, len(test.want))
			}
		})
	}
}

// A swept value is what its text reads as; any other keeps its type.
func TestValues(t *testing.T) {
	for _, test := range []struct{ word, want string }{
		{"a=1,2", "1"},
		{"a='1','2'", `"1"`},
		{"a=choice('1','2')", "1"},
		{"a=str(1,2)", "1"},
		{"a=str(1)", `"1"`},
		{"a=choice('null',b)", "null"},
		{"a=choice([1,'2'],b)", `[1,"2"]`},
		{"a=choice('[1]',b)", `"[1]"`},
		{"a=choice(é,b)", ""},
		{"a=choice('é',b)", `"é"`}, // Hydra cannot read its own a=é
		{"a=choice('${x}',b)", `"${x}"`},
		{"a=choice(x:y,b)", `"x:y"`},
		{"a=range(3)", "0"},
		{"a=range(3.0)", "0.0"},
		{"a=sort(true,false)", "false"},
		{"a=1e400,2", "inf"},
		{"~a=null,1", "nothing"},
		{"model=glob('1')", "1"},
		{"model=glob(a*)", `"a,b"`},
	} {
		s, err := Parse([]string{test.word}, Options{Groups: groups})
		if err != nil {
			if test.want != "" {
				t.Errorf("%s: %v", test.word, err)
			}
			continue
		}
		for j := range s.Jobs() {
			if got := show(j.Overrides[0].Value); got != test.want {
				t.Errorf("%s: the first value is %s, want %s", test.word, got, test.want)
			}
			break
		}
	}
}

func TestParseOverride(t *testing.T) {
	for _, test := range []struct{ word, want string }{
		{"lr=0.1", "lr = 0.1 as lr=0.1"},
		{"+a.b=[1,{k: 'v'}]", `+a.b = [1,{"k":"v"}] as +a.b=[1,{k:'v'}]`},
		{"++db@src=my\\ sql", `++db@src = "my sql" as ++db@src=my\ sql`},
		{"a@=true", "a@ = true as a@=True"},
		{"~x", "~x = nothing as ~x=null"},
		{"~x=null", "~x = nothing as ~x=null"},
		{"~x=1", "~x = 1 as ~x=1"},
		{"a=", `a = "" as a=`},
		{"a=1e16", "a = 1e+16 as a=1e+16"},
		{"a={1:a,1.0:b,true:c}", `a = {1:"c"} as a={1:c}`},
		{"a=12345678901234567890123", "a = 12345678901234567890123 as a=12345678901234567890123"},
	} {
		o, err := ParseOverride(test.word)
		if err != nil {
			t.Errorf("%s: %v", test.word, err)
		} else if got := showOverride(o); got != test.want {
			t.Errorf("%s is %s, want %s", test.word, got, test.want)
		}
	}
	if _, err := ParseOverride("a=1,2"); err == nil {
		t.Error("a sweep is no error")
	}
}

// Without a sweep, repeated keys apply in turn.
func TestOverrides(t *testing.T) {
	s := mustParse(t, Options{}, "d={a:1}", "x=1", "d={b:2}")
	if s.Swept() || len(s.Overrides()) != 3 || s.Overrides()[2].Text != "d={b:2}" {
		t.Errorf("swept %v, overrides %v", s.Swept(), s.Overrides())
	}
	s = mustParse(t, Options{}, "x=1", "y=choice(2)")
	if !s.Swept() || s.Overrides() != nil {
		t.Errorf("swept %v, overrides %v", s.Swept(), s.Overrides())
	}
}

func TestWords(t *testing.T) {
	args := []string{"a= 'x'", "s=3,4", "p=zip(m=[1,2],n=[x,y])", "b=1", "b=2"}
	s := mustParse(t, Options{Params: []string{"lr=range(2)", "s=9,10,11"}}, args...)
	var last Job
	for job := range s.Jobs() {
		last = job
	}
	if last.Index != 7 {
		t.Errorf("the last index is %d", last.Index)
	}
	want := [][]string{{"a= 'x'"}, {"s=4"}, {"m=2", "n=y"}, nil, {"b=2"}}
	for i := range args {
		if got := last.Words(i); !slices.Equal(got, want[i]) {
			t.Errorf("word %s is %q, want %q", args[i], got, want[i])
		}
	}
	if got := last.ParamWords(); !slices.Equal(got, []string{"lr=1"}) {
		t.Errorf("the words of the params are %q", got)
	}
	if got := s.Zips(); !slices.Equal(got, []string{"p"}) {
		t.Errorf("zips %q", got)
	}
	for j := range mustParse(t, Options{}, "b=1", "b=2").Jobs() {
		if got := append(j.Words(0), j.Words(1)...); !slices.Equal(got, []string{"b=1", "b=2"}) {
			t.Errorf("without a sweep the words are %q", got)
		}
	}
}

// The order of a shuffle is a promise: these are not to change.
func TestShuffle(t *testing.T) {
	for name, test := range map[string]struct {
		word string
		seed uint64
		want []string
	}{
		"choice":       {"a=shuffle(1,2,3,4,5)", 0, []string{"a=5", "a=4", "a=2", "a=1", "a=3"}},
		"another seed": {"a=shuffle(1,2,3,4,5)", 1, []string{"a=2", "a=4", "a=5", "a=1", "a=3"}},
		"another key":  {"b=shuffle(1,2,3,4,5)", 0, []string{"b=3", "b=1", "b=2", "b=4", "b=5"}},
		"range":        {"a=shuffle(range(5))", 0, []string{"a=1", "a=0", "a=4", "a=2", "a=3"}},
		"floats":       {"a=shuffle(range(0,1,0.25))", 0, []string{"a=0.25", "a=0.75", "a=0.5", "a=0.0"}},
		"lists":        {"a=[shuffle([1,2,3,4]),shuffle([1,2,3,4])]", 0, []string{"a=[[2,1,3,4],[2,3,4,1]]"}},
		"rows":         {"p=shuffle(zip(a=range(4),b=[w,x,y,z]))", 0, []string{"a=3 b=z", "a=2 b=y", "a=1 b=x", "a=0 b=w"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(mustParse(t, Options{Seed: test.seed}, test.word)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLen(t *testing.T) {
	s := mustParse(t, Options{}, "a=range(10000000000)", "b=range(0,1e12,0.5)", "c=range(1,2,1e-300)", "d=1,2")
	want, _ := new(big.Float).SetString("4e322")
	if ratio, _ := new(big.Float).Quo(new(big.Float).SetInt(s.Len()), want).Float64(); ratio < 0.999 || ratio > 1.001 {
		t.Errorf("Len is %s", s.Len())
	}
	n := 0
	for j := range s.Jobs() {
		if n++; n == 1000 {
			if got := j.Overrides[2].Text; got != "c=1.0" {
				t.Errorf("the third override is %s", got)
			}
			break
		}
	}
}

func TestNodeSharesNothingWithAnotherJob(t *testing.T) {
	var jobs []Job
	for j := range mustParse(t, Options{}, "a=1,2", "b=3,4").Jobs() {
		jobs = append(jobs, j)
	}
	jobs[0].Overrides[0] = config.Override{}
	if got := jobs[1].Overrides[0].Text; got != "a=1" {
		t.Errorf("changing one job changed another: %s", got)
	}
}

// The length of a float range is what walking through it gives, also where its
// end is a sum of its steps.
func TestFloatRangeLength(t *testing.T) {
	for _, test := range []struct {
		word string
		want string
	}{
		{"a=range(0,1,0.1)", "10"},
		{"a=range(0.1,0.4,0.1)", "4"}, // the third sum is rounded to just below 0.4
		{"a=range(1,0,-0.25)", "4"},
		{"a=range(0,1,1e-6)", "1000001"}, // 1e-6 is a little less than a millionth
		{"a=range(1000000.)", "1000000"},
		{"a=range(0,1e9,0.5)", "2000000000"},
		{"a=range(-0.0,0.5)", "1"},
		{"a=range(0,5,inf)", "1"},
		{"a=range(0,-5,inf)", "0"},
	} {
		if got := mustParse(t, Options{}, test.word).Len().String(); got != test.want {
			t.Errorf("%s has %s values, want %s", test.word, got, test.want)
		}
	}
}
