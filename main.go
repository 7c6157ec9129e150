// Command mlxp runs experiments: put it in front of a command and it composes
// the command's config, expands its sweeps, and keeps each run in a numbered
// directory. See README.md, and docs/architecture.md for how it is built.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/reader"
)

// version is the version of mlxp, recorded with every run.
const version = "0.1.0"

func main() { os.Exit(run()) }

// run is the whole program. It returns the exit status.
func run() int {
	if len(os.Args) == 2 && os.Args[1] == supervise.GuardWord {
		supervise.RunGuard()
		return 0
	}
	cwd, err := os.Getwd()
	if err != nil {
		return report(os.Stderr, fmt.Errorf("current directory: %w", err))
	}
	w := launcher.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Cwd: cwd, Version: version,
		Guard: new(supervise.Guard), Self: ownPath(cwd),
	}
	app := newApp(w)
	if len(os.Args) > 1 && os.Args[1] == completeWord {
		for _, word := range completions(app, os.Args[2:]) {
			fmt.Fprintln(w.Stdout, word)
		}
		return 0
	}
	args, err := arrange(app, os.Args[1:])
	if err == nil {
		err = app.Run(append([]string{app.Name}, args...))
	}
	status := report(os.Stderr, err)
	passSignalOn(err)
	return status
}

func newApp(w launcher.World) *cli.App {
	logDir := func(c *cli.Context) (string, error) {
		return launcher.LogDir(w, c.String("log-dir"))
	}
	app := &cli.App{
		Name:            "mlxp",
		Usage:           "run experiments and keep what came out of them",
		Writer:          w.Stdout,
		ErrWriter:       w.Stderr,
		Reader:          w.Stdin,
		HideVersion:     true,
		HideHelpCommand: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "log-dir", Usage: "the `DIR` that holds the numbered run directories (default: ./logs, or the settings')"},
			&cli.BoolFlag{Name: "no-color", Usage: "no colour"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "say nothing but errors"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say more"},
			&cli.BoolFlag{Name: "version", Usage: "print the version"},
		},
		CustomAppHelpTemplate:     usage,
		DisableSliceFlagSeparator: true,
		OnUsageError:              usageError,
		ExitErrHandler:            func(*cli.Context, error) {}, // main alone exits
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				fmt.Fprintln(c.App.Writer, "mlxp", version)
				return nil
			}
			return fault.Hint(errors.New("no command"), "mlxp -- PROGRAM … launches a program; mlxp --help lists the commands")
		},
	}
	app.Commands = append(launcher.Commands(w, launcher.Runs{LogDir: logDir, Select: selectRuns, Compare: compareRuns, ParseLaunch: parseLaunch}), reader.Commands(logDir)...)
	app.Commands = append(app.Commands, completionCommand())
	for _, c := range app.Commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
	}
	return app
}

// parseLaunch reads the words of a launch in a script as if they were typed.
func parseLaunch(w launcher.World, args []string) (launcher.Launch, error) {
	var launch launcher.Launch
	app := newApp(w)
	for i, c := range app.Commands {
		if c.Name == launcher.LaunchName {
			app.Commands[i] = launcher.LaunchReader(w, func(l launcher.Launch) { launch = l })
			app.Commands[i].OnUsageError, app.Commands[i].HideHelpCommand = usageError, true
		}
	}
	args, err := arrange(app, args)
	if err == nil {
		err = app.Run(append([]string{app.Name}, args...))
	}
	return launch, err
}

// ownPath is the path by which jobs call this mlxp: the one that the user called it
// by, be it a link that stays when a new version is installed.
func ownPath(cwd string) string {
	own, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	called, err := exec.LookPath(os.Args[0])
	if err != nil {
		return own
	}
	if !filepath.IsAbs(called) {
		called = filepath.Join(cwd, called)
	}
	a, errA := os.Stat(called)
	b, errB := os.Stat(own)
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		return own
	}
	return called
}

// selectRuns returns the numbers of the runs for which a CEL expression holds.
func selectRuns(root, where string, notice func(string)) ([]int, error) {
	log, err := reader.Open(root)
	if err != nil {
		return nil, err
	}
	var ids []int
	for run, err := range log.Runs(context.Background(), where, notice) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, run.ID())
	}
	return ids, nil
}

// compareRuns compares what two runs measured and made.
func compareRuns(root string, a, b int, tolerance float64) (launcher.Comparison, error) {
	log, err := reader.Open(root)
	if err != nil {
		return launcher.Comparison{}, err
	}
	c, err := log.Compare(a, b, tolerance)
	return launcher.Comparison(c), err
}

// usageError returns err as it is: the library would print the whole help.
func usageError(c *cli.Context, err error, _ bool) error {
	name := ""
	if c.Command != nil && c.Command.Name != launcher.LaunchName && c.Command.Name != c.App.Name {
		name = c.Command.Name + " "
	}
	return fault.Hint(err, "mlxp %s--help lists the flags", name)
}

// report prints err for a person and returns the exit status it leads to.
func report(out io.Writer, err error) int {
	if err == nil {
		return 0
	}
	var silent fault.Silent
	if errors.As(err, &silent) {
		return int(silent)
	}
	var sig fault.Signal
	if errors.As(err, &sig) {
		return fault.SignalBase + int(sig)
	}
	fmt.Fprintf(out, "mlxp: %v\n", err)
	if place := fault.Place(err); place != nil {
		printCaret(out, place)
	}
	for _, hint := range fault.Hints(err) {
		fmt.Fprintf(out, "mlxp: hint: %s\n", hint)
	}
	return fault.Status(err)
}

// printCaret prints the line of text that the place is in, with a caret under
// the place. Control characters are shown as one character each, so that the
// caret stands right and the terminal is left alone.
func printCaret(out io.Writer, place *fault.Caret) {
	const around = 60 // columns shown on each side of the place in a long line
	text, offset := place.Text, place.Offset
	if start := strings.LastIndexByte(text[:offset], '\n') + 1; start > 0 {
		text, offset = text[start:], offset-start
	}
	if end := strings.IndexByte(text[offset:], '\n'); end >= 0 {
		text = text[:offset+end]
	}
	before, after := []rune(visible.Text(text[:offset])), []rune(visible.Text(text[offset:]))
	if len(before) > around {
		before = append([]rune("…"), before[len(before)-around:]...)
	}
	if len(after) > around {
		after = append(after[:around:around], '…')
	}
	fmt.Fprintf(out, "  %s%s\n  %s^\n", string(before), string(after), strings.Repeat(" ", runewidth.StringWidth(string(before))))
}
