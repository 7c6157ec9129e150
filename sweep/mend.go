package sweep

import (
	"fmt"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
)

// legible is the length of a word up to which a hint repeats it.
const legible = 200

// mend returns err, about words[i], with its place and what to write instead,
// where that can be told.
func mend(err *ParseError, words []string, i int) error {
	e := fault.At(err, err.Word, err.Offset)
	word := err.Word
	equal := strings.IndexByte(word, '=')
	switch bare := strings.TrimLeft(word, "-"); {
	case bare != word && reads(bare):
		return fault.Hint(e, "an override has no dashes before it: %s", bare)
	case equal < 0 && i > 0 && strings.HasSuffix(words[i-1], "="):
		return fault.Hint(e, "write %s in one word, without spaces around =", words[i-1]+word)
	case equal < 0 && i+1 < len(words) && strings.HasPrefix(words[i+1], "="):
		joined := word + words[i+1]
		if words[i+1] == "=" && i+2 < len(words) {
			joined += words[i+2]
		}
		return fault.Hint(e, "write %s in one word, without spaces around =", joined)
	case equal < 0:
		return e
	}
	key, value := word[:equal], word[equal+1:]
	if err.Offset <= equal {
		if tight := strings.TrimSpace(key) + "=" + strings.TrimSpace(value); tight != word && reads(tight) {
			return fault.Hint(e, "leave the spaces around = out: %s", tight)
		}
		return e
	}
	mended := key + "=" + quoted(value)
	if err.refused || len(word) > legible || !reads(mended) {
		return e
	}
	if strings.HasSuffix(strings.TrimRight(value, " \t"), ",") {
		return fault.Hint(e, "leave the last comma out, or quote the value if the comma is a part of it: %s", inShell(mended))
	}
	return fault.Hint(e, "to have it as one text, quote it: %s", inShell(mended))
}

// reads reports whether word is an override.
func reads(word string) bool {
	_, err := parseArgument(word, 0)
	return err == nil
}

// inShell returns the word, with how to write it in a shell, which takes the
// quotes away.
func inShell(word string) string {
	return fmt.Sprintf("%s (in a shell: %s)", word, shellQuoted(word))
}

func shellQuoted(word string) string {
	switch {
	case !strings.ContainsRune(word, '\''):
		return "'" + word + "'"
	case !strings.ContainsAny(word, "\"$`\\!"):
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
