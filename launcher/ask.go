package launcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// A question asks the user at a terminal.
type question struct {
	in  io.Reader
	out io.Writer
}

// errNoAnswer is the end of the input in place of an answer.
var errNoAnswer = errors.New("no answer")

// line prints prompt and reads a line. It reads no byte beyond it: what follows
// is the program's.
func (q question) line(prompt string) (string, error) {
	fmt.Fprint(q.out, "mlxp: ", prompt)
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := q.in.Read(b)
		if n == 1 && b[0] == '\n' {
			return strings.TrimSpace(string(line)), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			fmt.Fprintln(q.out)
			return "", errNoAnswer
		}
	}
}

// yes asks a question whose answer is no unless it begins with y.
func (q question) yes(prompt string) (bool, error) {
	answer, err := q.line(prompt)
	return strings.HasPrefix(strings.ToLower(answer), "y"), err
}
