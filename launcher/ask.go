package launcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/mlxp/mlxp/internal/visible"
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

// list shows names, with numbers to pick them by if asked for.
func (q question) list(what string, names []string, numbered bool) {
	const most = 200 // what is more scrolls away anyway
	if len(names) > 0 {
		fmt.Fprintf(q.out, "mlxp: %s:\n", what)
	}
	for i, name := range names {
		switch {
		case i == most:
			fmt.Fprintf(q.out, "      … and %d more\n", len(names)-most)
			return
		case numbered:
			fmt.Fprintf(q.out, "%5d %s\n", i+1, visible.Text(name))
		default:
			fmt.Fprintf(q.out, "      %s\n", visible.Text(name))
		}
	}
}

// pick asks for some of names, by number, until the answer can be understood.
func (q question) pick(prompt string, names []string) ([]string, error) {
	for {
		answer, err := q.line(prompt)
		if err != nil {
			return nil, err
		}
		picked, err := choose(answer, names)
		if err == nil {
			return picked, nil
		}
		fmt.Fprintf(q.out, "mlxp: %v\n", err)
	}
}

// choose reads an answer such as "1 3-5", "all" or "none".
func choose(answer string, names []string) ([]string, error) {
	switch strings.ToLower(answer) {
	case "", "none", "n", "no":
		return nil, nil
	case "all", "a":
		return names, nil
	}
	picked := make([]bool, len(names))
	for _, part := range strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }) {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || first < 1 || last > len(names) || first > last {
			return nil, fmt.Errorf("%s is none of 1 to %d", visible.Text(part), len(names))
		}
		for i := first; i <= last; i++ {
			picked[i-1] = true
		}
	}
	var out []string
	for i, name := range names {
		if picked[i] {
			out = append(out, name)
		}
	}
	return out, nil
}
