package script

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func itoa(n int) string { return strconv.Itoa(n) }

// An input is what a command reads.
type input struct {
	data string
}

func (in *input) rest() string {
	rest := in.data
	in.data = ""
	return rest
}

// line returns the next line without its end, and whether it had one.
func (in *input) line() (line string, ended bool) {
	line, in.data, ended = strings.Cut(in.data, "\n")
	return line, ended
}

// An output is what a command writes: kept to be read again, never written to
// the disk.
type output struct{ bytes.Buffer }

func (out *output) write(e *evaluator, text string) {
	if out == nil {
		return
	}
	if out.Len()+len(text) > maxValue {
		e.fail(e.script.errorf(e.line, "more than %d MiB are written", maxValue>>20))
		return
	}
	out.WriteString(text)
}

// abs returns a path of the script's as an absolute one.
func (e *evaluator) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(e.sh.dir, path)
}

// open returns the content of a file that the script reads; nil, with status 1,
// if there is none. What the script writes before is read again; what a command
// makes that is left for the job is unknown.
func (e *evaluator) open(path string) *input {
	if c := e.causeIn(path); c != nil {
		return &input{data: e.unknown(c)}
	}
	full := e.abs(path)
	switch {
	case path == "":
		e.status = status{code: 1}
		return nil
	case full == "/dev/stdin" || full == "/dev/fd/0":
		return e.stdin
	case full == "/dev/null":
		return &input{}
	case e.files[full] != nil:
		return &input{data: e.files[full].String()}
	case e.touched[full] != nil:
		return &input{data: e.unknown(e.touched[full])}
	case e.causeIn(full) != nil:
		return &input{data: e.unknown(e.causeIn(full))}
	}
	unread := func(why string) *input {
		return &input{data: e.unknown(&cause{
			line: e.line, what: "the content of " + path + ", " + why,
			mend: "make the file before, or write its content into the script",
		})}
	}
	info, err := os.Stat(full)
	switch {
	case err != nil && e.leftCommands > 0:
		return unread("which is not there now")
	case err != nil:
		e.status = status{code: 1}
		return nil
	case !info.Mode().IsRegular():
		return unread("which is not a file")
	case info.Size() > maxValue:
		return unread("which is too large")
	}
	text, err := os.ReadFile(full)
	if err != nil {
		e.status = status{code: 1}
		return nil
	}
	return &input{data: string(text)}
}

// create returns where output to a file goes. Nothing is written to the disk.
func (e *evaluator) create(path string, add bool) *output {
	full := e.abs(path)
	if path == "" || e.causeIn(full) != nil || strings.HasPrefix(full, "/dev/") {
		switch full {
		case "/dev/stdout", "/dev/fd/1":
			return e.stdout
		case "/dev/stderr", "/dev/fd/2":
			return e.stderr
		}
		return nil
	}
	out := &output{}
	if add {
		if e.files[full] != nil {
			return e.files[full]
		}
		saved := e.status
		if _, err := os.Stat(full); err == nil || e.touched[full] != nil {
			if in := e.open(full); in != nil {
				out.write(e, in.rest())
			}
		}
		e.status = saved
	}
	e.files[full] = out
	return out
}

// redirect applies the redirections of a statement, and returns what ends them.
// Its status is 1, and ok false, if a file that is to be read is not there.
func (e *evaluator) redirect(redirs []*syntax.Redirect) (restore func(), ok bool) {
	if len(redirs) == 0 {
		return func() {}, true
	}
	stdin, stdout, stderr, inputs, outputs := e.stdin, e.stdout, e.stderr, e.inputs, e.outputs
	restore = func() { e.stdin, e.stdout, e.stderr, e.inputs, e.outputs = stdin, stdout, stderr, inputs, outputs }
	for _, r := range redirs {
		if !e.redirectOne(r) || e.stopped() {
			return restore, false
		}
	}
	return restore, true
}

func (e *evaluator) redirectOne(r *syntax.Redirect) bool {
	fd := ""
	if r.N != nil {
		fd = r.N.Value
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		e.setInput(fd, &input{data: e.document(r)})
	case syntax.WordHdoc:
		e.setInput(fd, &input{data: e.literal(r.Word) + "\n"})
	case syntax.RdrIn:
		in := e.open(e.literal(r.Word))
		if in == nil {
			return false
		}
		e.setInput(fd, in)
	case syntax.DplIn:
		if in := e.inputs[e.literal(r.Word)]; in != nil {
			e.setInput(fd, in)
		}
	case syntax.DplOut:
		to := e.literal(r.Word)
		switch to {
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "-":
			e.setOutput(fd, e.outputOf(to))
		default: // >&FILE
			out := e.create(to, false)
			e.stdout, e.stderr = out, out
		}
	case syntax.RdrAll, syntax.AppAll:
		out := e.create(e.literal(r.Word), r.Op == syntax.AppAll)
		e.stdout, e.stderr = out, out
	default:
		e.setOutput(fd, e.create(e.literal(r.Word), r.Op == syntax.AppOut))
	}
	return true
}

func (e *evaluator) outputOf(fd string) *output {
	switch fd {
	case "", "1":
		return e.stdout
	case "2":
		return e.stderr
	}
	return e.outputs[fd]
}

func (e *evaluator) setOutput(fd string, out *output) {
	switch fd {
	case "", "1":
		e.stdout = out
	case "2":
		e.stderr = out
	default:
		outputs := map[string]*output{fd: out}
		for k, v := range e.outputs {
			if k != fd {
				outputs[k] = v
			}
		}
		e.outputs = outputs
	}
}

func (e *evaluator) setInput(fd string, in *input) {
	if fd == "" || fd == "0" {
		e.stdin = in
		return
	}
	inputs := map[string]*input{fd: in}
	for k, v := range e.inputs {
		if k != fd {
			inputs[k] = v
		}
	}
	e.inputs = inputs
}

// document expands a here-document.
func (e *evaluator) document(r *syntax.Redirect) string {
	if r.Hdoc == nil {
		return ""
	}
	text := ""
	if quoted(r.Word) {
		text = r.Hdoc.Lit()
	} else {
		text = e.text(r.Hdoc, expand.Document)
	}
	if r.Op == syntax.DashHdoc {
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = strings.TrimLeft(lines[i], "\t")
		}
		text = strings.Join(lines, "\n")
	}
	return text
}

// quoted tells whether the delimiter of a here-document has quotes, which make
// its text stand for itself.
func quoted(delimiter *syntax.Word) bool {
	for _, part := range delimiter.Parts {
		if lit, ok := part.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}
