// Package pattern has regular expressions that are compiled when they are first
// used. A table of what six schedulers say is a part of the program, but most
// starts of it, one for each job among them, ask for none of that.
package pattern

import (
	"regexp"
	"sync"
)

// A Pattern returns a compiled regular expression, the same each time. Any number of
// goroutines may call it.
type Pattern func() *regexp.Regexp

// New returns the pattern of an expression, in the syntax of package regexp. The
// first use of one that is wrong panics.
func New(expr string) Pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
