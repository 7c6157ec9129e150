// Package script works a user's job script out, and writes job scripts.
//
// A job script is read with a real shell parser and evaluated statement by
// statement: variables, loops, conditions, functions and builtins act, a short
// list of harmless commands really runs, and every other command is left for the
// job. Each launch (mlxp … -- PROGRAM …) that is reached is a [Launch]; for each
// of them [Script.Job] writes the whole script again, reduced to that launch.
//
// Evaluating never writes a file and never starts a program of the user's that
// he has not allowed. What it cannot know (the output of a command that may not
// run, a variable that only a job has) flows along as an unknown value, and is
// an error only where a launch hangs on it.
package script

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/pattern"
	"github.com/mlxp/mlxp/internal/visible"
)

// maxText bounds a script: Slurm refuses what is above 4 MiB (max_script_size),
// and nobody writes a tenth of that by hand.
const maxText = 1 << 20

// A Script is a parsed job script. It is not changed by evaluating it.
type Script struct {
	Path   string       // as given to Parse
	Shell  []string     // the interpreter and its option, as in "#!": {"/bin/bash", "-l"}; without that line /bin/bash is assumed
	Header []HeaderLine // all header lines of schedulers, in order
	Traps  bool         // the script sets a trap: its shell has to outlive the run

	text  string
	file  *syntax.File
	waits bool // it reads $!
	posix bool // for sh: POSIX's language, without bash's additions
}

// A HeaderLine is a comment at the beginning of a line that a scheduler reads.
type HeaderLine struct {
	Line           int    // from 1
	Directive      string // as typed: "#SBATCH", "#$"
	Rest           string // what follows it, as typed, the blank before it included
	BeforeCommands bool   // stands above the first command; most schedulers heed no others
}

// Text returns the line as it stands in the script.
func (h HeaderLine) Text() string { return h.Directive + h.Rest }

// directives are those of the schedulers; #SLURM is what MLXP's paper writes for
// #SBATCH.
var directives = []string{"#SBATCH", "#SLURM", "#OAR", "#PBS", "#$", "#BSUB", "#MSUB"}

// Read reads the script in a file.
func Read(path string) (*Script, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse reads a script; path is only for messages and $0. Errors name file and
// line.
func Parse(path string, text []byte) (*Script, error) {
	s := &Script{Path: path, text: string(text)}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fault.Hint(fmt.Errorf("%s is empty", path), "a job script holds launches: mlxp -- python train.py lr=0.1,1")
	case len(text) > maxText:
		return nil, fmt.Errorf("%s has %d bytes, more than the %d of any job script", path, len(text), maxText)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, s.errorf(lineAt(s.text, bytes.IndexByte(text, 0)), "a NUL byte: this is not a text file")
	case bytes.Contains(text, []byte("\r\n")):
		return nil, fault.Hint(s.errorf(lineAt(s.text, bytes.Index(text, []byte("\r\n"))), "the line ends in CR LF, as in Windows; shells and schedulers refuse that"),
			"sed -i 's/\\r$//' %s", Quote(path))
	case strings.ContainsRune(s.text, mark) || strings.ContainsRune(s.text, markEnd):
		return nil, s.errorf(lineAt(s.text, strings.IndexFunc(s.text, func(r rune) bool { return r == mark || r == markEnd })),
			"the characters U+10FFFE and U+10FFFF are not for texts")
	}
	if err := s.readShell(); err != nil {
		return nil, err
	}
	if err := s.parse(); err != nil {
		return nil, err
	}
	s.readHeader()
	s.Traps, s.waits = setsTrap(s.file), readsBang(s.file)
	return s, nil
}

// readShell reads the "#!" line.
func (s *Script) readShell() error {
	first, _, _ := strings.Cut(s.text, "\n")
	interpreter, found := strings.CutPrefix(first, "#!")
	if !found {
		s.Shell = []string{"/bin/bash"}
		return nil
	}
	s.Shell = strings.Fields(interpreter)
	name, _ := s.shellName()
	switch name {
	case "bash":
		return nil
	case "sh", "dash":
		s.posix = true
		return nil
	case "":
		return fault.Hint(s.errorf(1, "#! names no interpreter"), "#!/bin/bash")
	}
	return fault.Hint(s.errorf(1, "sub reads scripts for sh and bash, not for %s", visible.Text(name)),
		"put the launch into a script of its own that begins with #!/bin/bash:  mlxp -- %s …", visible.Text(name))
}

// shellName returns the base name of the shell and its options, looking through
// env.
func (s *Script) shellName() (name string, options []string) {
	words := s.Shell
	if len(words) > 0 && filepath.Base(words[0]) == "env" {
		words = words[1:]
		for len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return "", nil
	}
	return filepath.Base(words[0]), words[1:]
}

// parse parses the text in the language of its shell.
func (s *Script) parse() error {
	language := syntax.LangBash
	if s.posix {
		language = syntax.LangPOSIX
	}
	var err error
	s.file, err = parseAs(s.Path, s.text, language)
	if err == nil {
		return nil
	}
	if s.posix {
		if _, asBash := parseAs(s.Path, s.text, syntax.LangBash); asBash == nil {
			return fault.Hint(s.syntaxError(err), "this is bash: begin the script with #!/bin/bash")
		}
	}
	return s.syntaxError(err)
}

func parseAs(path, text string, language syntax.LangVariant) (*syntax.File, error) {
	return syntax.NewParser(syntax.KeepComments(true), syntax.Variant(language)).Parse(strings.NewReader(text), path)
}

// syntaxError rewrites the parser's error, which names the file and the place by
// itself, in the form of the others.
func (s *Script) syntaxError(err error) error {
	switch e := err.(type) { //nolint:errorlint // the parser wraps nothing
	case syntax.ParseError:
		err := s.errorf(int(e.Pos.Line()), "%s", e.Text)
		line := strings.Split(s.text, "\n")[e.Pos.Line()-1]
		if strings.Contains(line, "mlxp") && strings.Contains(line, "(") {
			return fault.Hint(err, "quote words that hold a parenthesis, as for any shell: 'seed=range(5)'")
		}
		return err
	case syntax.LangError:
		text := strings.TrimPrefix(err.Error(), e.Filename+":"+e.Pos.String()+": ")
		return s.errorf(int(e.Pos.Line()), "%s", text)
	}
	return err
}

// nearHeader are lines that were meant for a scheduler, and that none reads. Two #
// are how a header line is put out of use.
var nearHeader = pattern.New(`^(?:\s+#|#\s+|\s*)(?i:SBATCH|PBS|OAR|BSUB|MSUB)\s+-\S|^#(?i:sbatch|pbs|oar|bsub|msub)\s+-\S`)

// Near returns the lines that look like header lines and are none, by their numbers
// from 1.
func (s *Script) Near() map[int]string {
	near := map[int]string{}
	for i, line := range strings.Split(s.text, "\n") {
		if nearHeader().MatchString(line) && !slices.ContainsFunc(s.Header, func(h HeaderLine) bool { return h.Line == i+1 }) {
			near[i+1] = line
		}
	}
	return near
}

// readHeader collects the header lines: comments that begin a line, so never
// text of a here-document.
func (s *Script) readHeader() {
	firstCommand := len(s.text)
	if len(s.file.Stmts) > 0 {
		firstCommand = int(s.file.Stmts[0].Pos().Offset())
	}
	for node := range syntax.Preorder(s.file) {
		comment, ok := node.(*syntax.Comment)
		if !ok || comment.Hash.Col() != 1 {
			continue
		}
		line := "#" + comment.Text
		for _, d := range directives {
			rest, found := strings.CutPrefix(line, d)
			if !found || rest != "" && !strings.ContainsAny(rest[:1], " \t-") {
				continue
			}
			s.Header = append(s.Header, HeaderLine{
				Line: int(comment.Hash.Line()), Directive: d, Rest: rest,
				BeforeCommands: int(comment.Hash.Offset()) < firstCommand,
			})
			break
		}
	}
	slices.SortStableFunc(s.Header, func(a, b HeaderLine) int { return a.Line - b.Line })
}

// errorf is an error about a line of the script.
func (s *Script) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", s.Path, line, fmt.Sprintf(format, args...))
}

func lineAt(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }
