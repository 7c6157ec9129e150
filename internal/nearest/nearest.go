// Package nearest finds what somebody may have meant by a misspelt name.
package nearest

import "strings"

// Of returns the one of names that is most like name, and whether any is like
// it at all: at most a third of its letters differ, but at least one may.
// Upper and lower case count as alike. Of equals the first wins.
func Of(name string, names []string) (string, bool) {
	best, found := "", false
	least := max(1, len([]rune(name))/3) + 1
	for _, candidate := range names {
		if d := Distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least, found = candidate, d, true
		}
	}
	return best, found
}

// Distance is the number of letters to insert, leave out, replace, or swap with
// their neighbour to make b of a ("optimal string alignment").
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before := make([]int, len(t)+1) // the row before the last
	last := make([]int, len(t)+1)
	row := make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
