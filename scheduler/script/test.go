package script

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// test evaluates what stands in [[ … ]]. With a cause the answer is not known.
func (e *evaluator) test(x syntax.TestExpr) (bool, *cause) {
	switch x := x.(type) {
	case *syntax.Word:
		return e.testUnary("-n", e.literal(x))
	case *syntax.ParenTest:
		return e.test(x.X)
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			holds, cause := e.test(x.X)
			return !holds, cause
		}
		word, ok := x.X.(*syntax.Word)
		if !ok {
			return false, e.left("")
		}
		return e.testUnary(x.Op.String(), e.literal(word))
	case *syntax.BinaryTest:
		return e.testBinary(x)
	}
	return false, e.left("")
}

func (e *evaluator) testBinary(x *syntax.BinaryTest) (bool, *cause) {
	switch x.Op {
	case syntax.AndTest, syntax.OrTest:
		stop := x.Op == syntax.OrTest
		left, cause := e.test(x.X)
		if cause == nil && left == stop {
			return stop, nil
		}
		right, rightCause := e.test(x.Y)
		if rightCause == nil && right == stop {
			return stop, nil
		}
		if cause == nil {
			cause = rightCause
		}
		return right, cause
	}
	left, okLeft := x.X.(*syntax.Word)
	right, okRight := x.Y.(*syntax.Word)
	if !okLeft || !okRight {
		return false, e.left("")
	}
	switch x.Op {
	case syntax.TsMatch, syntax.TsMatchShort, syntax.TsNoMatch:
		text, pat := e.literal(left), e.text(right, expand.Pattern)
		return e.matches(pat, text) == (x.Op != syntax.TsNoMatch), e.causeInAll([]string{text, pat})
	case syntax.TsReMatch:
		return e.testRegexp(e.literal(left), e.text(right, regexpText))
	case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
		a, causeA := e.arithm(left)
		b, causeB := e.arithm(right)
		if causeA == nil {
			causeA = causeB
		}
		return compare(x.Op.String(), a, b), causeA
	}
	return e.testWords(x.Op.String(), e.literal(left), e.literal(right))
}

// regexpText expands the right side of =~: its quoted parts stand for
// themselves.
func regexpText(c *expand.Config, word *syntax.Word) (string, error) {
	var b strings.Builder
	for _, part := range word.Parts {
		text, err := expand.Literal(c, &syntax.Word{Parts: []syntax.WordPart{part}})
		if err != nil {
			return "", err
		}
		switch part := part.(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			text = regexp.QuoteMeta(text)
		case *syntax.Lit:
			text = part.Value // a backslash is the pattern's
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (e *evaluator) testRegexp(text, expr string) (bool, *cause) {
	if cause := e.causeInAll([]string{text, expr}); cause != nil {
		return false, cause
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return false, nil
	}
	match := re.FindStringSubmatch(text)
	if match == nil {
		return false, nil
	}
	e.set("BASH_REMATCH", expand.Variable{Set: true, Kind: expand.Indexed, List: match})
	return true, nil
}

func compare(op string, a, b int) bool {
	switch op {
	case "-eq":
		return a == b
	case "-ne":
		return a != b
	case "-lt":
		return a < b
	case "-le":
		return a <= b
	case "-gt":
		return a > b
	}
	return a >= b
}

// testWords evaluates X OP Y.
func (e *evaluator) testWords(op, x, y string) (bool, *cause) {
	if cause := e.causeInAll([]string{x, y}); cause != nil {
		return false, cause
	}
	switch op {
	case "=", "==":
		return x == y, nil
	case "!=":
		return x != y, nil
	case "<":
		return x < y, nil
	case ">":
		return x > y, nil
	case "-eq", "-ne", "-lt", "-le", "-gt", "-ge":
		a, errA := strconv.Atoi(strings.TrimSpace(x))
		b, errB := strconv.Atoi(strings.TrimSpace(y))
		return errA == nil && errB == nil && compare(op, a, b), nil
	}
	if cause := e.unsure(x, y); cause != nil {
		return false, cause
	}
	a, errA := os.Stat(e.abs(x))
	b, errB := os.Stat(e.abs(y))
	switch op {
	case "-nt":
		return errA == nil && (errB != nil || a.ModTime().After(b.ModTime())), nil
	case "-ot":
		return errB == nil && (errA != nil || b.ModTime().After(a.ModTime())), nil
	case "-ef":
		return errA == nil && errB == nil && os.SameFile(a, b), nil
	}
	return false, e.left("")
}

// unsure returns why it is not known what paths lead to in the job: a command
// before may have made or removed them.
func (e *evaluator) unsure(paths ...string) *cause {
	for _, path := range paths {
		full := e.abs(path)
		if c := e.causeIn(full); c != nil {
			return c
		}
		if c := e.touched[full]; c != nil {
			return c
		}
		if e.files[full] != nil {
			return &cause{line: e.line, what: "whether the script makes " + path, mend: "make it before you submit"}
		}
	}
	return nil
}

// testUnary evaluates OP X.
func (e *evaluator) testUnary(op, x string) (bool, *cause) {
	if op == "-v" || op == "-R" {
		v := e.lookup(x)
		if c := e.causeInVar(v); c != nil {
			return v.IsSet(), c
		}
		return v.IsSet(), nil
	}
	if cause := e.causeIn(x); cause != nil {
		return true, cause
	}
	switch op {
	case "-n":
		return x != "", nil
	case "-z":
		return x == "", nil
	case "-o":
		flags := map[string]byte{"errexit": 'e', "nounset": 'u', "noglob": 'f', "allexport": 'a', "xtrace": 'x'}
		return e.sh.options[x] || e.sh.flags[flags[x]], nil
	case "-t":
		return false, nil // a job has no terminal
	}
	if cause := e.unsure(x); cause != nil {
		return false, cause
	}
	full := e.abs(x)
	if x == "" {
		return false, nil
	}
	switch op {
	case "-r":
		return unix.Access(full, unix.R_OK) == nil, nil
	case "-w":
		return unix.Access(full, unix.W_OK) == nil, nil
	case "-x":
		return unix.Access(full, unix.X_OK) == nil, nil
	case "-L", "-h":
		info, err := os.Lstat(full)
		return err == nil && info.Mode()&os.ModeSymlink != 0, nil
	}
	info, err := os.Stat(full)
	if err != nil {
		return false, nil
	}
	mode := info.Mode()
	switch op {
	case "-e", "-a":
		return true, nil
	case "-f":
		return mode.IsRegular(), nil
	case "-d":
		return mode.IsDir(), nil
	case "-s":
		return info.Size() > 0, nil
	case "-p":
		return mode&os.ModeNamedPipe != 0, nil
	case "-S":
		return mode&os.ModeSocket != 0, nil
	case "-b":
		return mode&os.ModeDevice != 0 && mode&os.ModeCharDevice == 0, nil
	case "-c":
		return mode&os.ModeCharDevice != 0, nil
	case "-u":
		return mode&os.ModeSetuid != 0, nil
	case "-g":
		return mode&os.ModeSetgid != 0, nil
	case "-k":
		return mode&os.ModeSticky != 0, nil
	}
	return true, e.left("") // -O, -G, -N
}

// A classic is the words of test or [ while they are read.
type classic struct {
	e     *evaluator
	words []string
	bad   bool
}

var binaryOps = map[string]bool{"=": true, "==": true, "!=": true, "<": true, ">": true, "-eq": true, "-ne": true, "-lt": true, "-le": true, "-gt": true, "-ge": true, "-nt": true, "-ot": true, "-ef": true}

// classicTest executes test and [.
func classicTest(e *evaluator, args []string) {
	words := args[1:]
	if args[0] == "[" {
		if len(words) == 0 || words[len(words)-1] != "]" {
			e.status = status{code: 2}
			return
		}
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		e.status = status{code: 1}
		return
	}
	t := &classic{e: e, words: words}
	holds, cause := t.or()
	if t.bad || len(t.words) > 0 {
		if cause == nil {
			cause = e.causeInAll(words)
		}
		e.status = status{code: 2, cause: cause}
		return
	}
	e.status = status{code: boolStatus(holds), cause: cause}
}

func (t *classic) or() (bool, *cause) {
	holds, cause := t.and()
	for len(t.words) > 0 && t.words[0] == "-o" {
		t.words = t.words[1:]
		right, rightCause := t.and()
		switch {
		case cause == nil && holds:
		case rightCause == nil && right:
			holds, cause = true, nil
		case cause == nil:
			holds, cause = right, rightCause
		}
	}
	return holds, cause
}

func (t *classic) and() (bool, *cause) {
	holds, cause := t.not()
	for len(t.words) > 0 && t.words[0] == "-a" {
		t.words = t.words[1:]
		right, rightCause := t.not()
		switch {
		case cause == nil && !holds:
		case rightCause == nil && !right:
			holds, cause = false, nil
		case cause == nil:
			holds, cause = right, rightCause
		}
	}
	return holds, cause
}

func (t *classic) not() (bool, *cause) {
	switch {
	case len(t.words) == 0:
		t.bad = true
		return false, nil
	case len(t.words) >= 3 && binaryOps[t.words[1]]:
		x, op, y := t.words[0], t.words[1], t.words[2]
		t.words = t.words[3:]
		return t.e.testWords(op, x, y)
	case t.words[0] == "!" && len(t.words) > 1:
		t.words = t.words[1:]
		holds, cause := t.not()
		return !holds, cause
	case t.words[0] == "(" && len(t.words) > 2:
		t.words = t.words[1:]
		holds, cause := t.or()
		if len(t.words) == 0 || t.words[0] != ")" {
			t.bad = true
			return false, cause
		}
		t.words = t.words[1:]
		return holds, cause
	case len(t.words) >= 2 && len(t.words[0]) == 2 && t.words[0][0] == '-' && t.words[1] != "-a" && t.words[1] != "-o":
		op, x := t.words[0], t.words[1]
		t.words = t.words[2:]
		return t.e.testUnary(op, x)
	}
	x := t.words[0]
	t.words = t.words[1:]
	return t.e.testUnary("-n", x)
}
