package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
	"github.com/mlxp/mlxp/launcher"
)

// arrange turns the words that the user typed into those that the cli library
// parses as the design says. The library takes a word after -- for a subcommand
// and stops looking for flags at the first other word; so the launch, which has
// no name of its own, gets one, and flags are put in front of words.
func arrange(app *cli.App, args []string) ([]string, error) {
	head, tail := args, []string(nil)
	dashes := slices.Index(args, "--")
	if dashes >= 0 {
		head, tail = args[:dashes], args[dashes+1:]
	}
	if command, at := findCommand(app, head); command != nil {
		scriptOwn := command.Name == "sub"
		global, own, words, err := sortFlags(app, command, slices.Delete(slices.Clone(head), at, at+1), scriptOwn)
		if err != nil {
			return nil, err
		}
		return slices.Concat(global, []string{command.Name}, own, []string{"--"}, words, tail), nil
	}
	launch := app.Command(launcher.LaunchName)
	global, own, words, err := sortFlags(app, launch, head, false)
	if err != nil {
		return nil, err
	}
	if slices.Contains(global, "--help") || slices.Contains(global, "-h") {
		return []string{"--help"}, nil
	}
	if dashes < 0 {
		if len(words) > 0 {
			return nil, notLaunched(app, words)
		}
		return append(global, own...), nil
	}
	if len(tail) == 0 {
		return nil, fault.Hint(fmt.Errorf("no program after --"), "mlxp [FLAGS] -- PROGRAM [WORD…]")
	}
	return slices.Concat(global, []string{launcher.LaunchName}, own, []string{"--"}, words, []string{"--"}, tail), nil
}

// findCommand returns the subcommand that head begins with, after flags, and its
// place; nil if there is none.
func findCommand(app *cli.App, head []string) (command *cli.Command, at int) {
	launch := app.Command(launcher.LaunchName)
	flags := flagTable(slices.Concat(app.Flags, launch.Flags))
	for i := 0; i < len(head); i++ {
		word := head[i]
		if !isFlag(word) {
			if c := app.Command(word); c != nil && word != launcher.LaunchName {
				return c, i
			}
			return nil, 0
		}
		if name, _, attached := strings.Cut(strings.TrimLeft(word, "-"), "="); !attached && flags[name] {
			i++
		}
	}
	return nil, 0
}

// sortFlags sorts args into the app's flags, the command's, and other words.
// With scriptOwn, all that follows the first word is a word.
func sortFlags(app *cli.App, command *cli.Command, args []string, scriptOwn bool) (global, own, words []string, err error) {
	globals, owns := flagTable(app.Flags), flagTable(command.Flags)
	for i := 0; i < len(args); i++ {
		word := args[i]
		if !isFlag(word) {
			words = append(words, word)
			if scriptOwn {
				return global, own, append(words, args[i+1:]...), nil
			}
			continue
		}
		name, _, attached := strings.Cut(strings.TrimLeft(word, "-"), "=")
		takes, isGlobal := globals[name]
		if !isGlobal {
			var isOwn bool
			takes, isOwn = owns[name]
			switch {
			case isOwn:
			case !strings.HasPrefix(word, "--") && len(name) > 1 && owns[name[:1]]:
				own = append(own, "-"+name[:1], word[2:]) // -j4
				continue
			default:
				return nil, nil, nil, unknownFlag(app, command, word)
			}
		}
		flag := []string{word}
		if takes && !attached {
			i++
			if i == len(args) {
				return nil, nil, nil, fmt.Errorf("flag %s needs a value", word)
			}
			flag = append(flag, args[i])
		}
		if isGlobal {
			global = append(global, flag...)
		} else {
			own = append(own, flag...)
		}
	}
	return global, own, words, nil
}

// unknownFlag is the error for a flag that neither the command nor all commands
// have.
func unknownFlag(app *cli.App, command *cli.Command, word string) error {
	flag, value, hasValue := strings.Cut(word, "=")
	err := fmt.Errorf("unknown flag %s", flag)
	isLaunch := command.Name == launcher.LaunchName
	var names []string
	for _, f := range slices.Concat(app.Flags, command.Flags) {
		names = append(names, f.Names()...)
	}
	if near, ok := nearest.Of(strings.TrimLeft(flag, "-"), names); ok && len(near) > 1 {
		return fault.Hint(err, "did you mean --%s?", near)
	}
	if command.Name == "query" && (flag == "--where" || flag == "--filter") {
		return fault.Hint(err, "the condition of query stands alone: mlxp query 'info.status == \"FAILED\"'")
	}
	if isLaunch && hasValue {
		return fault.Hint(err, "an override has no dashes: %s=%s", strings.TrimLeft(flag, "-"), value)
	}
	if isLaunch {
		return fault.Hint(err, "mlxp --help lists the flags; those of your program stand after --")
	}
	return fault.Hint(err, "mlxp %s --help lists the flags", command.Name)
}

// isFlag tells whether a word is a flag; a lone "-" and negative numbers are
// not.
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9' || word[1] == '.')
}

// flagTable maps the names of flags to whether they take a value.
func flagTable(flags []cli.Flag) map[string]bool {
	table := map[string]bool{"help": false, "h": false}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			table[name] = !isBool
		}
	}
	return table
}

// notLaunched is the error for words without a --.
func notLaunched(app *cli.App, words []string) error {
	var names []string
	for _, c := range app.Commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	err := fmt.Errorf("there is no command %s", words[0])
	if near, ok := nearest.Of(words[0], names); ok {
		return fault.Hint(err, "did you mean mlxp %s?", near)
	}
	return fault.Hint(err, "to launch a program, write mlxp -- %s", strings.Join(words, " "))
}
