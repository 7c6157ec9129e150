package supervise

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
	"github.com/mlxp/mlxp/logdir"
)

// Places are the values of the placeholders that are not config keys, such as
// {@run_dir}. One that has no value yet stays as it is.
type Places map[string]string

// placeNames are the names that may stand after @ in a placeholder. The
// launcher has replaced {@args} and {@overrides} before a run is made.
var placeNames = []string{"config", "run_dir", "run_id", "args", "overrides"}

func (a *attempt) places() Places {
	return Places{
		"config":  a.run.Path(logdir.ConfigJSON),
		"run_dir": a.run.Dir,
		"run_id":  strconv.Itoa(a.run.ID),
	}
}

// Fill replaces the placeholders in words: {key.path} by that value of conf,
// {@name} by a place. One pair of braces is taken off a placeholder that has
// several: {{key}} gives {key}. Braces around anything else, and those after
// "$", "@" or "\", stay. A name that is one letter from a key's, or begins like
// one, is an error with its place.
func Fill(words []string, conf *config.Node, places Places) ([]string, error) {
	out := make([]string, len(words))
	for i, word := range words {
		var filled strings.Builder
		for part := range splitBraces(word) {
			m, err := meaning(part.name, conf, places)
			pairs := min(part.open, part.shut)
			switch {
			case err != nil && pairs == 1:
				return nil, fault.At(err, word, part.offset)
			case err == nil && m == nil:
				part.write(&filled, 0)
			case pairs > 1:
				part.write(&filled, -1)
			default:
				filled.WriteString(strings.Repeat("{", part.open-1) + *m + strings.Repeat("}", part.shut-1))
			}
		}
		out[i] = filled.String()
	}
	return out, nil
}

// Escape adds a pair of braces to what [Fill] would take for a placeholder, so
// that Fill gives word back.
func Escape(word string, conf *config.Node) string {
	if strings.IndexByte(word, '{') < 0 {
		return word
	}
	var out strings.Builder
	for part := range splitBraces(word) {
		if m, err := meaning(part.name, conf, nil); m != nil || err != nil {
			part.write(&out, 1)
		} else {
			part.write(&out, 0)
		}
	}
	return out.String()
}

// HasPlaceholder tells whether there is anything in word that [Fill] would
// replace or refuse.
func HasPlaceholder(word string, conf *config.Node) bool {
	for part := range splitBraces(word) {
		m, err := meaning(part.name, conf, nil)
		if min(part.open, part.shut) == 1 && (m != nil || err != nil) {
			return true
		}
	}
	return false
}

// A part is a piece of a word: plain text, or a name between braces.
type part struct {
	text       string // plain text, if open is 0
	name       string
	open, shut int // how many braces stand on each side
	offset     int // of the name in the word
}

func (p part) write(out *strings.Builder, pairs int) {
	if p.open == 0 {
		out.WriteString(p.text)
		return
	}
	out.WriteString(strings.Repeat("{", p.open+pairs) + p.name + strings.Repeat("}", p.shut+pairs))
}

// splitBraces splits word into plain text and names between braces.
func splitBraces(word string) func(yield func(part) bool) {
	return func(yield func(part) bool) {
		plain := 0
		for i := 0; i < len(word); i++ {
			if word[i] != '{' {
				continue
			}
			name := i + run(word[i:], '{')
			if i > 0 && strings.IndexByte(`$@\`, word[i-1]) >= 0 {
				i = name - 1
				continue
			}
			end := strings.IndexAny(word[name:], "{}")
			if end < 0 {
				break
			}
			end += name
			shut := run(word[end:], '}')
			if shut == 0 || end == name {
				i = end - 1
				continue
			}
			if plain < i && !yield(part{text: word[plain:i]}) {
				return
			}
			if !yield(part{name: word[name:end], open: name - i, shut: shut, offset: name}) {
				return
			}
			plain = end + shut
			i = plain - 1
		}
		if plain < len(word) {
			yield(part{text: word[plain:]})
		}
	}
}

func run(s string, c byte) int {
	return len(s) - len(strings.TrimLeft(s, string(c)))
}

var keyPath = regexp.MustCompile(`^[A-Za-z_$][\w$-]*((\.[\w$-]+)|(\[\d+\]))*$`)

// meaning returns the text that a placeholder of this name stands for, nil if
// it is none, or an error if it looks like one that is misspelt.
func meaning(name string, conf *config.Node, places Places) (*string, error) {
	if place, ok := strings.CutPrefix(name, "@"); ok {
		for _, known := range placeNames {
			if place == known {
				text, ok := places[place]
				if !ok {
					text = "{" + name + "}"
				}
				return &text, nil
			}
		}
		if near, ok := nearest.Of(place, placeNames); ok {
			return nil, fault.Hint(fmt.Errorf("there is no placeholder {%s}", name), "did you mean {@%s}?", near)
		}
		return nil, nil
	}
	if !keyPath.MatchString(name) {
		return nil, nil
	}
	if node, ok := conf.At(name); ok {
		text := node.PlainText()
		return &text, nil
	}
	return nil, misspelt(name, conf)
}

// misspelt returns an error if name is nearly a key of conf: its first part is
// one, or it differs from one by a letter.
func misspelt(name string, conf *config.Node) error {
	err := fault.Hint(fmt.Errorf("the config has no key %s", name), "write {{%s}} for the text {%s}", name, name)
	var paths []string
	for path := range conf.Paths() {
		paths = append(paths, path)
	}
	near, isNear := nearest.Of(name, paths)
	if first, _, nested := strings.Cut(name, "."); nested {
		if _, ok := conf.At(first); ok {
			if isNear {
				err = fault.Hint(err, "did you mean {%s}?", near)
			}
			return err
		}
	}
	const short = 3 // of shorter names too many are one letter apart
	if isNear && (len(name) >= short && nearest.Distance(name, near) == 1 || strings.EqualFold(name, near)) {
		return fault.Hint(err, "did you mean {%s}?", near)
	}
	return nil
}
