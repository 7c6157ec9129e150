package fakesched

import (
	"slices"
	"strings"
)

// What an option takes.
const (
	none     = 0
	value    = 1
	optional = 2
)

// options are a command's options: by long name, and short ones by the long one
// that they mean.
type options struct {
	long  map[string]int
	short map[byte]string
}

// A badOption is a word that getopt does not take.
type badOption struct{ kind, name string }

// An option as it was given.
type given struct{ name, value string }

// list reads "name=,short …": "job-name=J" takes a value, "hold/H" none,
// "nice~" an optional one.
func parseOptions(list string) options {
	o := options{map[string]int{}, map[byte]string{}}
	for _, word := range strings.Fields(list) {
		i := strings.IndexAny(word, "=/~")
		name, kind := word, none
		if i >= 0 {
			name = word[:i]
			switch word[i] {
			case '=':
				kind = value
			case '~':
				kind = optional
			}
			if i+1 < len(word) {
				o.short[word[i+1]] = name
			}
		}
		o.long[name] = kind
	}
	return o
}

// parse is getopt_long, stopping at the first word that is no option.
func (o options) parse(args []string) (opts []given, rest []string, bad *badOption) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return opts, args[i+1:], nil
		case strings.HasPrefix(arg, "--"):
			name, val, has := strings.Cut(arg[2:], "=")
			full, found := o.complete(name)
			if !found {
				return opts, nil, &badOption{"unrecognized option", arg}
			}
			switch o.long[full] {
			case none:
				if has {
					return opts, nil, &badOption{"doesn't allow", full}
				}
			case value:
				if !has {
					if i++; i == len(args) {
						return opts, nil, &badOption{"requires", full}
					}
					val = args[i]
				}
			}
			opts = append(opts, given{full, val})
		case len(arg) > 1 && arg[0] == '-':
			for k := 1; k < len(arg); k++ {
				full, found := o.short[arg[k]]
				if !found {
					return opts, nil, &badOption{"invalid option", arg[k : k+1]}
				}
				if o.long[full] == none {
					opts = append(opts, given{full, ""})
					continue
				}
				val := arg[k+1:]
				if val == "" && o.long[full] == value {
					if i++; i == len(args) {
						return opts, nil, &badOption{"requires", arg[k : k+1]}
					}
					val = args[i]
				}
				opts = append(opts, given{full, val})
				break
			}
		default:
			return opts, args[i:], nil
		}
	}
	return opts, nil, nil
}

// complete finds a long option by its name or an unambiguous beginning of it.
func (o options) complete(name string) (string, bool) {
	if _, ok := o.long[name]; ok {
		return name, true
	}
	var found []string
	for long := range o.long {
		if strings.HasPrefix(long, name) {
			found = append(found, long)
		}
	}
	slices.Sort(found)
	if len(found) == 1 {
		return found[0], true
	}
	return "", false
}

// text is how GNU getopt words it.
func (b *badOption) text() string {
	switch b.kind {
	case "unrecognized option":
		return "unrecognized option '" + b.name + "'"
	case "invalid option":
		return "invalid option -- '" + b.name + "'"
	case "doesn't allow":
		return "option '--" + b.name + "' doesn't allow an argument"
	}
	if len(b.name) == 1 {
		return "option requires an argument -- '" + b.name + "'"
	}
	return "option '--" + b.name + "' requires an argument"
}
