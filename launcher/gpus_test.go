package launcher

import (
	"slices"
	"strings"
	"testing"
)

func TestGPUs(t *testing.T) {
	for _, test := range []struct {
		name, environ, list string
		perGPU, count       int
		want                string // the slots in the order in which they are given, or an error that begins with "!"
	}{
		{"all", "", "all", 1, 2, "0 1"},
		{"two share one", "", "all", 2, 2, "0 1 0 1"},
		{"numbers", "", "0-1,3,1", 1, 4, "0 1 3"},
		{"within what is visible", "CUDA_VISIBLE_DEVICES=2,5,7", "1-2", 1, 8, "5 7"},
		{"UUIDs", "CUDA_VISIBLE_DEVICES=GPU-aa, GPU-bb", "all", 1, 8, "GPU-aa GPU-bb"},
		{"AMD", "HIP_VISIBLE_DEVICES=3", "0", 1, 8, "3"},
		{"what follows -1 is not visible", "CUDA_VISIBLE_DEVICES=1,-1,2", "all", 1, 8, "1"},
		{"too many", "", "0-2", 1, 2, "!there are 2 (0-1)"},
		{"none", "", "all", 1, 0, "!nvidia-smi tells of none"},
		{"none visible", "CUDA_VISIBLE_DEVICES=", "all", 1, 2, "!leaves none"},
		{"no number", "", "a", 1, 2, "!not a number"},
		{"backwards", "", "2-1", 1, 4, "!not a number"},
		{"no share", "", "all", 0, 4, "!--per-gpu"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := World{Environ: strings.Split(test.environ, "|")}
			g, err := newGPUs(w, test.list, test.perGPU, func() int { return test.count })
			if want, fails := strings.CutPrefix(test.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range g.size() {
				env, name, _ := g.take(w.Environ)
				got = append(got, name)
				if !slices.Contains(env, "CUDA_VISIBLE_DEVICES="+name) || !slices.Contains(env, "HIP_VISIBLE_DEVICES="+name) {
					t.Errorf("environment %q lacks %s", env, name)
				}
				if n := strings.Count(strings.Join(env, " "), "_VISIBLE_DEVICES="); n != 2 {
					t.Errorf("%d variables in %q", n, env)
				}
			}
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("slots %s, want %s", text, test.want)
			}
		})
	}
}
