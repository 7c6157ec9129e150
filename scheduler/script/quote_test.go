package script

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// randomWord returns bytes that have tripped quoting before, and any others.
func randomWord(r *rand.Rand, without string) string {
	pieces := []string{"'", `"`, `\`, "\n", "\r", "$x", "`", "$(a)", " ", "\t", "*", "~", "#", "!", "{a,b}", "=", "-", "é", "\xff", "\x80", "\u2028", "\x7f", "\x1b[0m", "%s", "&", "|", ";", "<<E", "\\\n", ""}
	var b strings.Builder
	for range r.IntN(6) {
		if r.IntN(3) == 0 {
			b.WriteByte(byte(1 + r.IntN(255)))
		} else {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
	}
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(without, c) {
			return 'x'
		}
		return c
	}, b.String())
}

// Whatever bytes the words, the directory and the arguments have, each shell
// executes the command of a job script with just these.
func TestAnyBytes(t *testing.T) {
	b := newBench(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, shell := range []string{"sh", "bash", "dash"} {
		if _, err := exec.LookPath(shell); err != nil && shell == "dash" {
			continue // not every system has it; sh and bash each test what it would
		}
		for range 25 {
			words := []string{filepath.Join(b.bin, "mlxp")}
			for range 1 + r.IntN(4) {
				words = append(words, randomWord(r, ""))
			}
			if words[1] == "query" {
				continue
			}
			override := "k=" + strings.ReplaceAll(randomWord(r, ""), "\r\n", "\r")
			dir := filepath.Join(b.dir, "d"+strings.ReplaceAll(randomWord(r, "/\xff\x80"), "\xff", ""))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			args := []string{randomWord(r, ""), "", randomWord(r, "")}
			name := shell
			if shell == "dash" {
				name = "sh"
			}
			path := filepath.Join(b.dir, "script.sh")
			b.write(path, "#!/bin/"+name+"\nx=unset\nmlxp -- p "+Quote(override)+` "$1" "$2" "$3"`+"\n")
			s, launches, err := b.evaluate(path, args...)
			if err != nil {
				t.Fatalf("%q %q: %v", override, args, err)
			}
			if want := append([]string{"--", "p", override}, args...); len(launches) != 1 || !slices.Equal(launches[0].Args, want) {
				t.Fatalf("launches %q, want %q", launches[0].Args, want)
			}
			text, err := s.Job(launches[0], JobText{Command: append(words, args...), Top: []string{"cd " + Quote(dir)}, Exec: r.IntN(2) == 0})
			if err != nil {
				t.Fatal(err)
			}
			b.write(path, text)
			want := append(append([]string{dir}, words[1:]...), args...)
			if calls := b.run(shell, path); len(calls) != 1 || !slices.Equal(calls[0], want) {
				t.Fatalf("%s called with %q, want %q; the script:\n%s", shell, calls, want, text)
			}
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, word := range []string{"", "a", "it's", "\\", "a\nb", "\xff", "-n", "if", "~", "a=b", "{1,2}", "!x"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		word = strings.ReplaceAll(word, "\x00", "")
		for _, shell := range []string{"sh", "bash"} {
			out, err := exec.Command(shell, "-c", "printf %s. "+Quote(word)).Output()
			if err != nil || string(out) != word+"." {
				t.Errorf("%s: %q became %q (%v)", shell, word, out, err)
			}
		}
	})
}
