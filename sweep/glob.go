package sweep

import "strings"

// match reports whether the whole of name matches a pattern as Python's
// fnmatch understands it: * is any text, ? any character, [a-c] and [!a-c] one
// of some characters. A [ that nothing closes is itself.
func match(pattern, name string) bool {
	return matchRunes([]rune(pattern), []rune(name))
}

func matchRunes(pattern, name []rune) bool {
	p, n := 0, 0
	star, resume := -1, 0 // the last * and where in name it is to go on
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, resume = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if width, ok := matchOne(pattern[p:], name[n]); ok {
				p += width
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		resume++
		p, n = star+1, resume
	}
	return strings.Trim(string(pattern[p:]), "*") == ""
}

// matchOne matches c with the ?, the set or the character that pattern begins
// with, and returns its length.
func matchOne(pattern []rune, c rune) (width int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if end := setEnd(pattern); end > 0 {
			return end + 1, inSet(pattern[1:end], c)
		}
	}
	return 1, pattern[0] == c
}

// setEnd returns the index of the ] that closes the set at the start of
// pattern, 0 if none does. A ] that comes first is in the set.
func setEnd(pattern []rune) int {
	i := 1
	if i < len(pattern) && pattern[i] == '!' {
		i++
	}
	for i++; i < len(pattern); i++ {
		if pattern[i] == ']' {
			return i
		}
	}
	return 0
}

func inSet(set []rune, c rune) bool {
	negated := set[0] == '!'
	if negated {
		set = set[1:]
	}
	found := false
	for i := 0; i < len(set); i++ {
		low, high := set[i], set[i]
		if i+2 < len(set) && set[i+1] == '-' {
			high = set[i+2]
			i += 2
		}
		found = found || low <= c && c <= high
	}
	return found != negated
}
