package script

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// flags takes the options of a builtin off its words. Those in withValue have a
// value, in the same word or the next.
func flags(words []string, withValue string) (options map[byte]string, rest []string) {
	options = map[byte]string{}
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
		word := words[0]
		words = words[1:]
		if word == "--" {
			break
		}
		for i := 1; i < len(word); i++ {
			if !strings.ContainsRune(withValue, rune(word[i])) {
				options[word[i]] = ""
				continue
			}
			value := word[i+1:]
			if value == "" && len(words) > 0 {
				value, words = words[0], words[1:]
			}
			options[word[i]] = value
			break
		}
	}
	return options, words
}

// from returns what a builtin reads: standard input, or what -u names.
func (e *evaluator) from(options map[byte]string) *input {
	if fd, ok := options['u']; ok && fd != "0" {
		if in := e.inputs[fd]; in != nil {
			return in
		}
		return &input{}
	}
	return e.stdin
}

// read reads a line into variables. Whether there is one is not known of what an
// unknown command prints.
func read(e *evaluator, args []string) {
	options, names := flags(args[1:], "adinNptu")
	in := e.from(options)
	_, raw := options['r']
	var line string
	var ended bool
	switch {
	case hasAny(options, 'n', 'N'):
		n, _ := strconv.Atoi(options['n'] + options['N'])
		n = min(max(n, 0), len(in.data))
		ended = n > 0
		line, in.data = in.data[:n], in.data[n:]
	case hasAny(options, 'd'):
		delimiter := "\x00"
		if d := options['d']; d != "" {
			delimiter = d[:1]
		}
		line, in.data, ended = strings.Cut(in.data, delimiter)
	default:
		line, ended = in.line()
		for !raw && ended && continues(line) {
			var next string
			next, ended = in.line()
			line = line[:len(line)-1] + next
		}
	}
	e.status = status{code: boolStatus(ended)}
	if c := e.causeIn(line); c != nil {
		e.status = status{cause: c}
	}
	if array, ok := options['a']; ok {
		e.set(array, expand.Variable{Set: true, Kind: expand.Indexed, List: expand.ReadFields(e.expansion(), line, -1, raw)})
		return
	}
	if len(names) == 0 {
		e.assign("REPLY", line)
		return
	}
	values := expand.ReadFields(e.expansion(), line, len(names), raw)
	saved := e.status
	for i, name := range names {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		if syntax.ValidName(name) {
			e.assign(name, value)
		}
	}
	if e.status.code == 0 {
		e.status = saved
	}
}

func hasAny(options map[byte]string, names ...byte) bool {
	return slices.ContainsFunc(names, func(n byte) bool { _, ok := options[n]; return ok })
}

// continues tells whether a line ends in a backslash that stands for itself.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// mapfile reads lines into an array.
func mapfile(e *evaluator, args []string) {
	options, names := flags(args[1:], "dnOsuCc")
	name := "MAPFILE"
	if len(names) > 0 {
		name = names[0]
	}
	if !syntax.ValidName(name) {
		e.status = status{code: 1}
		return
	}
	text := e.from(options).rest()
	delimiter := "\n"
	if d, ok := options['d']; ok {
		delimiter = "\x00"
		if d != "" {
			delimiter = d[:1]
		}
	}
	list := strings.SplitAfter(text, delimiter)
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	if _, ok := options['t']; ok {
		for i := range list {
			list[i] = strings.TrimSuffix(list[i], delimiter)
		}
	}
	if skip, err := strconv.Atoi(options['s']); err == nil {
		list = list[min(max(skip, 0), len(list)):]
	}
	if n, err := strconv.Atoi(options['n']); err == nil && n > 0 {
		list = list[:min(n, len(list))]
	}
	e.status = status{}
	if c := e.causeInAll(list); c != nil { // how many there are is not known either
		e.assign(name, e.unknown(c))
		return
	}
	e.set(name, expand.Variable{Set: true, Kind: expand.Indexed, List: list})
}

// getopts takes the next option off the positional parameters, as POSIX has it.
func getopts(e *evaluator, args []string) {
	if len(args) < 3 || !syntax.ValidName(args[2]) {
		e.status = status{code: 2}
		return
	}
	spec, name, words := args[1], args[2], args[3:]
	if len(words) == 0 {
		words = e.sh.params
	}
	silent := strings.HasPrefix(spec, ":")
	spec = strings.TrimPrefix(spec, ":")
	index, _ := strconv.Atoi(e.value("OPTIND"))
	if index < 1 {
		index = 1
	}
	if index != e.sh.optIndex {
		e.sh.optPlace, e.sh.optIndex = 0, index
	}
	finish := func(option, argument string, hasArgument bool, code int) {
		e.sh.optIndex = index
		e.assign("OPTIND", strconv.Itoa(index))
		e.assign(name, option)
		if hasArgument {
			e.assign("OPTARG", argument)
		} else {
			delete(e.sh.vars, "OPTARG")
		}
		e.status = status{code: code}
	}
	if index > len(words) {
		finish("?", "", false, 1)
		return
	}
	word := words[index-1]
	if e.sh.optPlace == 0 {
		if word == "--" {
			index++
		}
		if len(word) < 2 || word[0] != '-' || word == "--" {
			finish("?", "", false, 1)
			return
		}
		e.sh.optPlace = 1
	}
	if c := e.causeIn(word); c != nil {
		e.status = status{cause: c}
		return
	}
	option := word[e.sh.optPlace : e.sh.optPlace+1]
	e.sh.optPlace++
	atEnd := e.sh.optPlace >= len(word)
	at := strings.Index(spec, option)
	known := at >= 0 && option != ":"
	if !known || at+1 >= len(spec) || spec[at+1] != ':' {
		if atEnd {
			index, e.sh.optPlace = index+1, 0
		}
		switch {
		case known:
			finish(option, "", false, 0)
		default:
			finish("?", option, silent, 0)
		}
		return
	}
	argument := word[e.sh.optPlace:]
	index, e.sh.optPlace = index+1, 0
	if atEnd {
		if index > len(words) {
			if silent {
				finish(":", option, true, 0)
			} else {
				finish("?", "", false, 0)
			}
			return
		}
		argument = words[index-1]
		index++
	}
	finish(option, argument, true, 0)
}
