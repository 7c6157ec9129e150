package expr

import (
	"errors"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/mlxp/mlxp/internal/fault"
)

// foreign returns an error for the operators &, |, ~ and =, which pandas and
// MLXP's own query language have and CEL has not. It shows the same expression
// in CEL.
func foreign(env *cel.Env, text string) error {
	translated, place := translate(text)
	if place < 0 {
		return nil
	}
	err := fault.At(errors.New("CEL has no operator "+text[place:place+1]), text, place)
	if _, issues := env.Compile(translated); issues.Err() != nil {
		return fault.Hint(err, "and is &&, or is ||, not is !, equal is ==")
	}
	return fault.Hint(err, "the same in CEL: %s", translated)
}

// translate writes an expression of MLXP's query language in CEL. place is that
// of the first foreign operator, -1 if there is none. There ~ binds more
// loosely than comparison, unlike CEL's !, so its operand gets parentheses.
func translate(text string) (out string, place int) {
	var b strings.Builder
	place = -1
	done := 0      // text[:done] is in b
	var open []int // the depths of the parentheses that ~ needed
	closeTo := func(depth int) {
		for len(open) > 0 && open[len(open)-1] >= depth {
			trimmed := strings.TrimRight(b.String(), " ")
			space := b.String()[len(trimmed):]
			b.Reset()
			b.WriteString(trimmed + ")" + space)
			open = open[:len(open)-1]
		}
	}
	scan(text, func(i, depth int) {
		if i < done {
			return
		}
		b.WriteString(text[done:i])
		done = i
		c, twice := text[i], strings.HasPrefix(text[i+1:], text[i:i+1])
		put := func(s string, n int) {
			if n == 1 && s != text[i:i+1] && place < 0 {
				place = i
			}
			b.WriteString(s)
			done = i + n
		}
		switch {
		case c == '&' || c == '|':
			closeTo(depth)
			n := 1
			if twice {
				n = 2
			}
			put(string([]byte{c, c}), n)
		case c == '=' && twice:
			put("==", 2)
		case c == '=' && (i == 0 || !strings.Contains("!<>", text[i-1:i])):
			put("==", 1)
		case c == '~' && strings.HasPrefix(strings.TrimLeft(text[i+1:], " "), "("):
			put("!", 1)
		case c == '~':
			put("!(", 1)
			open = append(open, depth)
		case c == ')' || c == ']' || c == '}':
			closeTo(depth + 1)
		}
	})
	b.WriteString(text[done:])
	closeTo(0)
	return b.String(), place
}
