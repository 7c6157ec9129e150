package script

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// echo prints its words. That of sh reads escapes, that of bash with -e.
func echo(e *evaluator, args []string) {
	words, newline, escapes := args[1:], "\n", e.script.posix
	for !e.script.posix && len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' && strings.Trim(words[0][1:], "neE") == "" {
		for _, c := range words[0][1:] {
			switch c {
			case 'n':
				newline = ""
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		words = words[1:]
	}
	if e.script.posix && len(words) > 0 && words[0] == "-n" {
		newline, words = "", words[1:]
	}
	text := strings.Join(words, " ")
	if escapes {
		var ended bool
		if text, ended = unescape(text, true); ended {
			newline = ""
		}
	}
	e.status = status{}
	e.stdout.write(e, text+newline)
}

// printf prints a format, again and again until all words are used.
func printf(e *evaluator, args []string) {
	args = args[1:]
	into := ""
	if len(args) > 1 && args[0] == "-v" {
		into, args = args[1], args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		e.status = status{code: 2}
		return
	}
	p := &printer{format: args[0], words: args[1:]}
	for {
		left := len(p.words)
		if err := p.once(); err != nil {
			e.fail(fault.Hint(e.script.errorf(e.line, "printf: %v", err), "write the value down"))
			return
		}
		if len(p.words) == 0 || len(p.words) == left || p.ended || p.out.Len() > maxValue {
			break
		}
	}
	text := p.out.String()
	e.status = status{code: boolStatus(!p.bad)}
	if c := e.causeInAll(args); c != nil && e.causeIn(text) == nil {
		text, e.status = e.unknown(c), status{}
	}
	if into != "" && syntax.ValidName(into) {
		e.assign(into, text)
		return
	}
	e.stdout.write(e, text)
}

// A printer is a printf under way.
type printer struct {
	format string
	words  []string
	out    strings.Builder
	ended  bool // by \c
	bad    bool // a word that should be a number is none
}

// once prints the format once.
func (p *printer) once() error {
	format := p.format
	for format != "" && !p.ended {
		percent := strings.IndexByte(format, '%')
		if percent < 0 {
			text, _ := unescape(format, false)
			p.out.WriteString(text)
			return nil
		}
		text, _ := unescape(format[:percent], false)
		p.out.WriteString(text)
		format = format[percent+1:]
		if strings.HasPrefix(format, "%") {
			p.out.WriteByte('%')
			format = format[1:]
			continue
		}
		n := strings.IndexFunc(format, func(c rune) bool { return !strings.ContainsRune("-+ 0#123456789.*lhjzt", c) })
		if n < 0 {
			return fmt.Errorf("%%%s is not a conversion", format)
		}
		spec, err := p.spec(format[:n])
		if err != nil {
			return err
		}
		if err := p.convert(spec, format[n]); err != nil {
			return err
		}
		format = format[n+1:]
	}
	return nil
}

// spec returns flags, width and precision for Go's fmt, each * filled in.
func (p *printer) spec(spec string) (string, error) {
	spec = strings.Map(func(c rune) rune {
		if strings.ContainsRune("lhjzt", c) {
			return -1
		}
		return c
	}, spec)
	for strings.Contains(spec, "*") {
		spec = strings.Replace(spec, "*", strconv.FormatInt(p.number(), 10), 1)
	}
	for _, number := range strings.FieldsFunc(spec, func(c rune) bool { return c < '0' || c > '9' }) {
		if len(number) > 4 {
			return "", fmt.Errorf("a field of %s characters", number)
		}
	}
	return spec, nil
}

func (p *printer) convert(spec string, conversion byte) error {
	switch conversion {
	case 's':
		fmt.Fprintf(&p.out, "%"+bytesWide(spec, p.peek())+"s", p.word())
	case 'b':
		text, ended := unescape(p.word(), true)
		p.ended = ended
		fmt.Fprintf(&p.out, "%"+spec+"s", text)
	case 'q':
		fmt.Fprintf(&p.out, "%"+spec+"s", bashQuote(p.word()))
	case 'c':
		word := p.word()
		fmt.Fprintf(&p.out, "%"+spec+"s", word[:min(1, len(word))])
	case 'd', 'i':
		fmt.Fprintf(&p.out, "%"+integerSpec(spec)+"d", p.number())
	case 'u':
		fmt.Fprintf(&p.out, "%"+integerSpec(spec)+"d", uint64(p.number()))
	case 'o', 'x', 'X':
		fmt.Fprintf(&p.out, "%"+integerSpec(spec)+string(conversion), uint64(p.number()))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		word := strings.TrimSpace(p.word())
		x, err := strconv.ParseFloat(word, 64)
		p.bad = p.bad || err != nil && word != ""
		if (conversion == 'g' || conversion == 'G') && !strings.Contains(spec, ".") {
			spec += ".6" // Go's default is the shortest that is exact
		}
		fmt.Fprintf(&p.out, "%"+spec+string(conversion), x)
	default:
		return fmt.Errorf("%%%c is not read here", conversion)
	}
	return nil
}

// integerSpec drops the 0 flag where there is a precision, as C does.
func integerSpec(spec string) string {
	if strings.Contains(spec, ".") {
		return strings.TrimLeft(spec, "0")
	}
	return spec
}

// bytesWide returns the spec for a text: shells count bytes or characters as the
// locale says, Go counts characters; a text that is not UTF-8 gets no width.
func bytesWide(spec, word string) string {
	if !utf8.ValidString(word) {
		return ""
	}
	return strings.TrimLeft(spec, "0")
}

func (p *printer) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *printer) word() string {
	word := p.peek()
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	return word
}

// number returns the next word as an integer: 'x is the code of x.
func (p *printer) number() int64 {
	word := strings.TrimSpace(p.word())
	if word == "" {
		return 0
	}
	if word[0] == '\'' || word[0] == '"' {
		r, _ := utf8.DecodeRuneInString(word[1:])
		return int64(r)
	}
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil {
		p.bad = true
		digits := strings.IndexFunc(word[1:], func(c rune) bool { return c < '0' || c > '9' })
		if digits >= 0 {
			n, _ = strconv.ParseInt(word[:digits+1], 10, 64)
		}
	}
	return n
}

// bashQuote quotes as bash's %q does for the plain cases.
func bashQuote(word string) string {
	if word == "" {
		return "''"
	}
	var b strings.Builder
	for _, c := range word {
		if strings.ContainsRune(" \t!\"#$&'()*,;<>?[\\]^`{|}~", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// unescape replaces \n, \t, \0NNN, \xHH and their like. With echo, octal numbers
// need a 0, and \c ends the text.
func unescape(text string, echo bool) (out string, ended bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'a', 'b', 'f', 'n', 'r', 't', 'v':
			b.WriteByte("\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)])
		case 'e', 'E':
			b.WriteByte(0x1b)
		case '\\':
			b.WriteByte('\\')
		case 'c':
			return b.String(), true
		case '"', '\'':
			if echo {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case '0', '1', '2', '3', '4', '5', '6', '7':
			start, most := i, 3
			if echo && c == '0' {
				start, most = i+1, 3
			} else if echo {
				b.WriteString(text[i-1 : i+1])
				continue
			}
			end := digits(text, start, most, 8)
			n, _ := strconv.ParseUint("0"+text[start:end], 8, 16)
			b.WriteByte(byte(n))
			i = end - 1
		case 'x', 'u', 'U':
			most := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			end := digits(text, i+1, most, 16)
			if end == i+1 {
				b.WriteString(text[i-1 : i+1])
				continue
			}
			n, _ := strconv.ParseUint(text[i+1:end], 16, 32)
			if c == 'x' {
				b.WriteByte(byte(n))
			} else {
				b.WriteRune(rune(n))
			}
			i = end - 1
		default:
			b.WriteString(text[i-1 : i+1])
		}
	}
	return b.String(), false
}

// digits returns where the digits of a number that begins at start end.
func digits(text string, start, most, base int) int {
	end := start
	for end < len(text) && end < start+most {
		if _, err := strconv.ParseUint(text[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	return end
}
