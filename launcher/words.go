package launcher

import (
	"fmt"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/pattern"
)

// overrideForm is the form of a word that is an override: [+|++]KEY[@PKG]=VALUE
// or ~KEY[@PKG][=VALUE]. A word of this form that does not parse is an error; it
// is never passed on silently.
var overrideForm = pattern.New(`(?s)^(` +
	`(\+{0,2}` + key + `(@[\w$.:/-]*)?=.*)` +
	`|(~` + key + `(@[\w$.:/-]*)?(=.*)?)` + `)$`)

const key = `[A-Za-z_$][\w$-]*([./][A-Za-z_$][\w$-]*)*`

var (
	assignment = pattern.New(`(?s)^[A-Za-z_]\w*=`)
	// takesName are options after which NAME=value is the option's own.
	takesName = map[string]bool{"-x": true, "-e": true, "-v": true, "--env": true, "--export": true}
)

// A Line is what the user typed around the --: the overrides before it, if any,
// and the words of the command.
type Line struct {
	Overrides []string // before --; then all words are the program's own
	Words     []string // the program and its words
}

// findOverrides returns the places of the overrides among the words of the
// line's command.
func (l Line) findOverrides() ([]int, error) {
	if len(l.Overrides) > 0 {
		return nil, nil
	}
	var found []int
	for i := programAt(l.Words) + 1; i < len(l.Words); i++ {
		word := l.Words[i]
		if strings.HasPrefix(word, "-") || !overrideForm().MatchString(word) || isCode(l.Words[i-1]) {
			continue
		}
		if before := l.Words[i-1]; i-1 > programAt(l.Words) && takesName[before] && assignment().MatchString(word) {
			return nil, fault.Hint(
				fault.At(fmt.Errorf("is %s an override, or the value of %s?", word, before), word, 0),
				"put the overrides in front: mlxp KEY=VALUE… -- %s", strings.Join(l.Words, " "))
		}
		found = append(found, i)
	}
	return found, nil
}

// isCode tells whether the word behind this one is a program's text, as with sh, bash
// and python, or a setting of git's.
func isCode(before string) bool { return before == "-c" || before == "-ec" || before == "-lc" }

// programAt returns the place of the program: the first word, or what a leading
// env starts.
func programAt(words []string) int {
	if words[0] != "env" && !strings.HasSuffix(words[0], "/env") {
		return 0
	}
	for i := 1; i < len(words); i++ {
		switch word := words[i]; {
		case word == "-u" || word == "-C" || word == "--unset" || word == "--chdir":
			i++
		case strings.HasPrefix(word, "-"), assignment().MatchString(word):
		default:
			return i
		}
	}
	return len(words) - 1
}

// looseEquals tells of words that look like an override with a space in it.
func (l Line) looseEquals() []string {
	var notices []string
	for i, word := range l.Words {
		before, after := "", ""
		if i > 0 {
			before = l.Words[i-1]
		}
		if i+1 < len(l.Words) {
			after = l.Words[i+1]
		}
		var parts []string
		switch {
		case word == "=":
			parts = []string{before, word, after}
		case strings.HasSuffix(word, "=") && overrideForm().MatchString(word) && after != "" && !strings.HasPrefix(after, "-") && !overrideForm().MatchString(after):
			parts = []string{word, after}
		default:
			continue
		}
		notices = append(notices, fmt.Sprintf("%s are words of their own: an override has no spaces, %s", strings.Join(parts, " "), strings.Join(parts, "")))
	}
	return notices
}

// hydraFlags tells which of the program's words are flags of Hydra's, and what
// mlxp has instead. They stay where they are.
func (l Line) hydraFlags() []string {
	var notices []string
	for i, word := range l.Words[1:] {
		name, _, _ := strings.Cut(word, "=")
		instead := ""
		switch name {
		case "-m", "--multirun":
			// "python -m module" is not meant.
			if next := l.Words[i+2:]; len(next) > 0 && !strings.HasPrefix(next[0], "-") && !overrideForm().MatchString(next[0]) {
				continue
			}
			instead = "mlxp sweeps by itself"
		case "-cn", "--config-name":
			instead = "mlxp reads its own --config-name, before --"
		case "-cd", "--config-dir", "-cp", "--config-path":
			instead = "mlxp reads its own --config-dir, before --"
		default:
			continue
		}
		notices = append(notices, fmt.Sprintf("%s is passed to the program; %s", name, instead))
	}
	return notices
}
