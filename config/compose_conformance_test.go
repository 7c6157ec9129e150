package config_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/sweep"
)

func TestConformanceCompose(t *testing.T) {
	trees := map[string]*config.Tree{}
	replay(t, "compose", func(c recorded) string {
		tree := trees[c.Dir]
		if tree == nil {
			tree = config.Open(filepath.Join(conformanceDir(), c.Dir), config.Resolver{})
			trees[c.Dir] = tree
		}
		if c.GlobJobs != nil || c.GlobError != "" {
			if d := sameJobs(c, tree); d != "" {
				return d
			}
		}
		name := ""
		if c.ConfigName != nil {
			name = *c.ConfigName
		}
		what := fmt.Sprintf("%s/%s %q", c.Dir, name, c.Overrides)
		composed, err := compose(tree, name, c.Overrides)
		if d := sameOutcome(what, err, c.OK); d != "" || !c.OK {
			return d
		}
		if d := sameValue(what, composed.Config, c.Config); d != "" {
			return d
		}
		resolved, err := config.Resolve(composed.Config, config.Resolver{Strict: true})
		if d := sameOutcome(what+" resolved", err, c.ResolveError == ""); d != "" || c.ResolveError != "" {
			return d
		}
		return sameValue(what+" resolved", resolved, c.Resolved)
	})
}

// compose composes one run: it refuses sweeps.
func compose(tree *config.Tree, name string, words []string) (*config.Composed, error) {
	s, err := sweep.Parse(words, sweep.Options{})
	if err != nil {
		return nil, err
	}
	if s.Swept() {
		return nil, fmt.Errorf("%q is a sweep", words)
	}
	return tree.Compose(name, s.Overrides())
}

// sameJobs compares the jobs of a sweep with a glob.
func sameJobs(c recorded, tree *config.Tree) string {
	s, err := sweep.Parse(c.Overrides, sweep.Options{Groups: func(group string) ([]string, error) {
		options, err := tree.Options(group)
		if err != nil {
			return nil, nil
		}
		return options, nil
	}})
	if d := sameOutcome(fmt.Sprintf("%q", c.Overrides), err, c.GlobError == ""); d != "" || c.GlobError != "" {
		return d
	}
	var jobs [][]string
	for job := range s.Jobs() {
		var words []string
		for _, o := range job.Overrides {
			words = append(words, o.Text)
		}
		jobs = append(jobs, words)
	}
	if !slices.EqualFunc(jobs, *c.GlobJobs, slices.Equal[[]string]) {
		return fmt.Sprintf("%q makes\n%q, not\n%q", c.Overrides, jobs, *c.GlobJobs)
	}
	return ""
}
