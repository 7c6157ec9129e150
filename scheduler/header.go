package scheduler

import (
	"fmt"
	"strings"
	"time"
)

// Find returns the value that header lines give an option; of several the last
// counts. lines are without their directives.
func (s *Scheduler) Find(lines []string, o Option) (value string, ok bool) {
	values := s.Values(lines, o.Names...)
	return last(values), len(values) > 0
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Values returns all values that header lines give an option, in order.
func (s *Scheduler) Values(lines []string, names ...string) (values []string) {
	for _, line := range lines {
		words := s.words(line)
		for i, word := range words {
			for _, name := range names {
				switch {
				case word == name:
					value := ""
					if i+1 < len(words) {
						value = words[i+1]
					}
					values = append(values, value)
				case strings.HasPrefix(name, "--") && strings.HasPrefix(word, name+"="):
					values = append(values, word[len(name)+1:])
				case s.Options.Attached && len(name) == 2 && name[1] != '-' && strings.HasPrefix(word, name):
					values = append(values, word[2:])
				}
			}
		}
	}
	return values
}

// Warned reads from header lines which signal comes how long before the time limit;
// the signal is empty if none does.
func (s *Scheduler) Warned(lines []string) (signal string, early time.Duration) {
	if s.Options.Warning == nil {
		return "", 0
	}
	return s.Options.Warning(func(names ...string) []string { return s.Values(lines, names...) })
}

// words splits a header line into words.
func (s *Scheduler) words(line string) []string {
	line = strings.TrimSpace(line)
	if s.Options.Raw { // one option a line, its value being the rest
		name, value, _ := strings.Cut(line, " ")
		if value = strings.TrimSpace(value); value != "" {
			return []string{name, value}
		}
		return []string{name}
	}
	var words []string
	var word strings.Builder
	in := false // a word
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteByte(c)
			}
		case c == '"' || c == '\'':
			quote, in = c, true
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			in = true
		case c == ' ' || c == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		case c == '#' && !in:
			return words
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	return words
}

// Line is a header line that gives an option a value.
func (s *Scheduler) Line(o Option, value string) string {
	return s.Directives[0] + " " + fmt.Sprintf(o.Write, value)
}
