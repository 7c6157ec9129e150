package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/launcher"
)

// completeWord is how a completion script asks mlxp itself: it is followed by the
// words before the cursor, the last one being completed.
const completeWord = "__complete"

// After -- the scripts complete file names, as the shell would without mlxp.
const (
	bashCompletion = `_mlxp() {
  local i word=${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -- ]] && return
  done
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$word"))
}
complete -o default -F _mlxp mlxp
`
	zshCompletion = `#compdef mlxp
_mlxp() {
  if (( ${words[(i)--]} < CURRENT )); then
    _files
    return
  fi
  local -a found
  found=("${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found || _files
}
compdef _mlxp mlxp
`
	fishCompletion = `function __mlxp_complete
    set -l words (commandline -opc)
    mlxp __complete $words[2..] (commandline -ct) 2>/dev/null
end
complete -c mlxp -n 'not contains -- -- (commandline -opc)' -f -a '(__mlxp_complete)'
`
)

// completions returns the words that may stand where the last of words does:
// flags after a dash, else the commands if there is none yet. The values of
// flags and the words of commands are for the shell to complete.
func completions(app *cli.App, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	launch := app.Command(launcher.LaunchName)
	command := launch
	if found, _ := findCommand(app, before); found != nil {
		command = found
	}
	var out []string
	switch {
	case len(before) > 0 && flagTable(slices.Concat(app.Flags, command.Flags))[strings.TrimLeft(before[len(before)-1], "-")] && isFlag(before[len(before)-1]):
		return nil // the value of a flag
	case strings.HasPrefix(word, "-"):
		for _, f := range slices.Concat(command.Flags, app.Flags) {
			out = append(out, "--"+f.Names()[0])
		}
		out = append(out, "--help")
		if command == launch {
			out = append(out, "--")
		}
	case command == launch:
		for _, c := range app.Commands {
			if !c.Hidden {
				out = append(out, c.Name)
			}
		}
	case command.Name == "completion":
		out = []string{"bash", "zsh", "fish"}
	}
	return slices.DeleteFunc(out, func(s string) bool { return !strings.HasPrefix(s, word) })
}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		Description: `For bash, add to ~/.bashrc:   source <(mlxp completion bash)
For zsh, add to ~/.zshrc:     source <(mlxp completion zsh)
For fish, once:               mlxp completion fish > ~/.config/fish/completions/mlxp.fish`,
		Action: func(c *cli.Context) error {
			var script string
			switch shell := c.Args().First(); shell {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = zshCompletion
			case "fish":
				script = fishCompletion
			default:
				return fault.Hint(fmt.Errorf("no completion for %q", shell), "mlxp completion bash, zsh or fish")
			}
			fmt.Fprint(c.App.Writer, script)
			return nil
		},
	}
}
