package script

import "strings"

// Quote returns word as one word of shell text that stands for exactly these
// bytes in every sh and bash, whatever the locale: line breaks, quotes and bytes
// that are not UTF-8 included. A NUL cannot be part of a word; it is left out.
func Quote(word string) string {
	word = strings.ReplaceAll(word, "\x00", "")
	if plain(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// QuoteAll returns words as shell text, with blanks between them.
func QuoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// plain tells whether a word needs no quotes wherever a word may stand. One with
// a = does: at the beginning of a command it would be an assignment.
func plain(word string) bool {
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '/' || c == '.' || c == '_' || c == ',' || c == ':' || c == '+' || c == '@' || c == '-':
		default:
			return false
		}
	}
	return word != "" && !keywords[word]
}

// keywords are the words that a shell takes for syntax where a command begins.
var keywords = map[string]bool{
	"case": true, "coproc": true, "do": true, "done": true, "elif": true, "else": true, "esac": true, "fi": true, "for": true,
	"function": true, "if": true, "in": true, "select": true, "then": true, "time": true, "until": true, "while": true,
}
