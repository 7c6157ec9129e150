package script

import (
	"context"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func paper(b *testing.B) *Script {
	archive, err := txtar.ParseFile("testdata/like-the-shell/paper.txtar")
	if err != nil {
		b.Fatal(err)
	}
	s, err := Parse("paper.sh", archive.Comment)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// The 105 launches of a script in three loops.
func BenchmarkEvaluate(b *testing.B) {
	s, o := paper(b), Options{Dir: b.TempDir()}
	for b.Loop() {
		if launches, err := s.Evaluate(context.Background(), o); err != nil || len(launches) != 106 {
			b.Fatal(len(launches), err)
		}
	}
}

// The job script of one of them.
func BenchmarkJob(b *testing.B) {
	s := paper(b)
	launches, err := s.Evaluate(context.Background(), Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Job(launches[50], JobText{Command: []string{"mlxp", "job"}}); err != nil {
			b.Fatal(err)
		}
	}
}
