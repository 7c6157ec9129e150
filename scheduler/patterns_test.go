package scheduler

import (
	"testing"

	"github.com/mlxp/mlxp/internal/pattern"
)

// Patterns are compiled when they are first used: all that the table has can be.
func TestPatterns(t *testing.T) {
	for _, s := range All {
		patterns := []pattern.Pattern{s.Answer, s.Despite, s.Full, s.Ends, s.Gone}
		for _, q := range s.Queries {
			patterns = append(patterns, q.None)
		}
		for _, p := range patterns {
			if p != nil && p().MatchString("") {
				t.Errorf("%s: a pattern matches an empty answer", s.Name)
			}
		}
	}
}
