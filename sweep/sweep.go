// Package sweep reads the overrides of a command line in Hydra 1.3's language
// and expands the sweeps among them into jobs: lr=0.1,1 seed=range(3) are six.
//
// It knows no config: whether a key exists is for package config to say when
// it applies a job's overrides. It reads no files either; what a glob can
// choose from is told by [Options].
package sweep

import (
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/mlxp/mlxp/config"
)

// Options are what [Parse] needs beside the words. The zero value is valid.
type Options struct {
	// Groups lists the options of a config group, in any order, for glob. A
	// group that does not exist has none. Without Groups a glob is an error.
	Groups func(group string) ([]string, error)
	// Params are the entries of hydra.sweeper.params as KEY=VALUE. They come
	// before the command line, which therefore replaces them key by key.
	Params []string
	// Seed chooses the order that shuffle gives. Equal words and seeds give
	// equal orders, on every machine and with every version.
	Seed uint64
}

// A Sweep is the set of jobs that overrides stand for: the product of its
// axes, the last one fastest. It does not change and may be used concurrently.
type Sweep struct {
	args   []*argument // Params, then the command line
	params int         // how many of args are Params
	axes   []axis      // one for each key, in the order of its first override
	axisOf []int       // for each of args: its axis, -1 if a later override of the key replaces it
	width  int         // how many overrides a job has
	swept  bool
}

// A Job is one element of a [Sweep].
type Job struct {
	Index     int               // from 0
	Overrides []config.Override // in Hydra's order: each key where it came first
	sweep     *Sweep
}

// Parse reads overrides. A word that is none, or whose values cannot be
// enumerated, is a [*ParseError] with a [fault.Caret] at its place and, where it
// can be told, a hint what to write instead.
func Parse(args []string, opts Options) (*Sweep, error) {
	s := &Sweep{params: len(opts.Params)}
	words := slices.Concat(opts.Params, args)
	last := map[string]int{} // of each key, its last argument so far
	for i := range words {
		a, x, err := expand(words, i, opts)
		if err != nil {
			if i < s.params {
				err = fmt.Errorf("hydra.sweeper.params: %w", err)
			}
			return nil, err
		}
		s.args = append(s.args, a)
		s.swept = s.swept || a.isSweep()
		if before, ok := last[a.element]; ok {
			s.axisOf = append(s.axisOf, s.axisOf[before])
			s.axisOf[before] = -1
			s.axes[s.axisOf[i]] = x
		} else {
			s.axisOf = append(s.axisOf, len(s.axes))
			s.axes = append(s.axes, x)
		}
		last[a.element] = i
	}
	for i := range s.axes {
		s.axes[i].first = s.width
		s.width += len(s.axes[i].columns)
	}
	if err := s.checkZips(); err != nil {
		return nil, err
	}
	return s, nil
}

func expand(words []string, i int, opts Options) (*argument, axis, error) {
	a, perr := parseArgument(words[i], opts.Seed)
	if perr != nil {
		return nil, axis{}, mend(perr, words, i)
	}
	x, err := a.axis(opts)
	return a, x, err
}

// Swept reports whether any of the words is a sweep, be it of a single value.
func (s *Sweep) Swept() bool { return s.swept }

// Overrides returns the overrides of words without a sweep as they stand: a
// repeated key is there repeatedly, and each is applied in turn, as Hydra does
// without --multirun. It returns nil if there is a sweep.
func (s *Sweep) Overrides() []config.Override {
	if s.swept {
		return nil
	}
	overrides := make([]config.Override, len(s.args))
	for i, a := range s.args {
		overrides[i] = a.override(a.value)
	}
	return overrides
}

// Len returns the number of jobs without making any: 0 if a sweep has no
// values, 1 if there is no sweep.
func (s *Sweep) Len() *big.Int {
	n := big.NewInt(1)
	for i := range s.axes {
		n.Mul(n, s.axes[i].n)
	}
	return n
}

// Zips returns the names of the zips, which must not be keys of the config.
func (s *Sweep) Zips() []string {
	var names []string
	for i := range s.args {
		if a := s.args[i]; s.axisOf[i] >= 0 && a.isZip() {
			names = append(names, a.key)
		}
	}
	return names
}

// Jobs yields the jobs in order, each made when it is asked for. A key that
// occurs more than once has the value of the last, at the place of the first.
func (s *Sweep) Jobs() iter.Seq[Job] {
	return func(yield func(Job) bool) {
		if s.Len().Sign() == 0 {
			return
		}
		columns := make([][]func(int) config.Override, len(s.axes))
		for i := range s.axes {
			columns[i] = s.axes[i].open()
		}
		at := make([]int, len(s.axes)) // the job's index on each axis
		overrides := make([]config.Override, s.width)
		changed := 0 // the first axis on which it differs from the job before
		for index := 0; changed >= 0; index++ {
			for i := changed; i < len(s.axes); i++ {
				for k, value := range columns[i] {
					overrides[s.axes[i].first+k] = value(at[i])
				}
			}
			if !yield(Job{index, slices.Clone(overrides), s}) {
				return
			}
			for changed = len(s.axes) - 1; changed >= 0; changed-- {
				if at[changed]++; s.axes[changed].has(at[changed]) {
					break
				}
				at[changed] = 0
			}
		}
	}
}

// Words returns what the i-th word of the command line is for this job: the
// word itself if it is no sweep, this job's KEY=VALUE for one, one word for each
// member of a zip. It is empty for a word that a later one replaces in a
// sweep.
func (j Job) Words(i int) []string {
	return j.words(j.sweep.params + i)
}

// ParamWords returns the words that [Options.Params] add to this job: those
// that no word of the command line replaces.
func (j Job) ParamWords() []string {
	var words []string
	for i := range j.sweep.params {
		words = append(words, j.words(i)...)
	}
	return words
}

func (j Job) words(i int) []string {
	s := j.sweep
	a := s.args[i]
	switch {
	case s.swept && s.axisOf[i] < 0:
		return nil
	case !a.isSweep():
		return []string{a.word}
	}
	x := s.axes[s.axisOf[i]]
	var words []string
	for _, o := range j.Overrides[x.first : x.first+len(x.columns)] {
		words = append(words, o.Text)
	}
	return words
}

// ParseOverride reads a single override. A sweep is an error, which says that
// there is one value only.
func ParseOverride(word string) (config.Override, error) {
	a, perr := parseArgument(word, 0)
	if perr != nil {
		return config.Override{}, mend(perr, []string{word}, 0)
	}
	if a.value != nil && a.value.hasSweep() {
		return config.Override{}, a.fail("a sweep is not possible here, only one value")
	}
	return a.override(a.value), nil
}
