package sweep

import "testing"

func BenchmarkParseOverride(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseOverride("optimizer.lr=0.1"); err != nil {
			b.Fatal(err)
		}
	}
}

// Five axes, 10,000 jobs.
func BenchmarkExpand(b *testing.B) {
	args := []string{"lr=0.1,0.01,0.001,0.0001,0.00001", "model=choice(mlp,resnet,vit,gpt)", "seed=range(10)",
		"drop=range(0,0.5,0.1)", "opt.betas=[0.9,0.99],[0.9,0.999],[0.8,0.9],[0.8,0.99],[0.7,0.9],[0.7,0.8],[0,0],[0.1,0.1],[0.2,0.2],[0.3,0.3]"}
	b.ReportAllocs()
	for b.Loop() {
		s, err := Parse(args, Options{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for j := range s.Jobs() {
			n += len(j.Overrides) / 5
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
}
