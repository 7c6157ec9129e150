package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A terminal feels as without mlxp: docs/terminal.md, line by line, on a real one.
func TestTerminal(t *testing.T) {
	t.Run("a question is answered", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program ask name? draw 'a\nb\n'\n")
			c.want("name?")
			c.press("bob\n")
			c.want("you said bob")
			c.want("a\r\nb\r\n")
			c.ends(1, "COMPLETE")
		})
		// What was typed is not the program's output.
		c.file("name?you said bob\na\nb\n", "logs", "1", "log.stdout")
	})

	t.Run("a password is not shown", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program password\n")
			c.want("password: ")
			c.press("sesame\n")
			c.want("SESAME")
		})
		if strings.Contains(string(c.text), "sesame") {
			t.Errorf("it is shown: %q", c.text)
		}
	})

	t.Run("a password with stdin from elsewhere", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program password </dev/null\n")
		c.want("password: ")
		c.press("sesame\n")
		c.want("SESAME")
		c.ends(1, "COMPLETE")
	})

	t.Run("keys one by one, from stdin as curses", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program keys\n")
			c.want("press\n|") // no "\r": the program has set the mode so
			c.press("x")
			c.want("<x>")
			c.press("\x03")
			c.want("<interrupt>")
			c.press("\x03\x03y") // three of them do not end a program that lives by keys
			c.want("<y>")
			c.press("q")
			c.want("<q>")
		})
	})

	t.Run("keys one by one, from stderr as less", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program page\n")
			c.want("press\n|")
			c.press("x")
			c.want("<x>")
			c.press("\x03")
			c.want("<interrupt>")
			c.press("\x03y")
			c.want("<y>")
			c.press("q")
			c.want("<q>")
		})
		// The same when it has read from stdin before, and after.
		c.press("mlxp -- program ask first? page ask last?\n")
		c.want("first?")
		c.press("1\n")
		c.want("press\n|")
		c.press("q")
		c.want("last?")
		c.press("2\n")
		c.want("you said 2")
		c.ends(2, "COMPLETE")
	})

	t.Run("a pager behind a pipe", func(t *testing.T) {
		c := newConsole(t)
		c.press("echo text | mlxp -- program page ask ?\n")
		c.want("press\n|")
		c.press("xq")
		c.want("<x><q>")
		c.want("you said text")
		c.ends(1, "COMPLETE")
	})

	t.Run("a program that is killed in another mode", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program raw die\n")
			c.want("raw\r\n")
			c.want("SIGKILL")
		})
		c.leavesAsFound(func() {
			c.press("mlxp -- program ask ? raw die\n")
			c.want("?")
			c.press("\n")
			c.want("SIGKILL")
		})
	})

	t.Run("Ctrl-C", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program draw ready sleep 1h\n")
		c.want("ready")
		c.want("ready")
		c.press("\x03")
		c.want("interrupted by SIGINT")
		c.press("echo sta''tus $?\n")
		c.want("status 130")
		c.ends(1, "INTERRUPTED")
	})

	t.Run("a second Ctrl-C", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program deaf\n")
		c.want("ready")
		c.press("\x03\x03") // as from a wrapper that passes on what we have got, too
		c.want("caught")
		time.Sleep(200 * time.Millisecond)
		if c.shows([]string{"SIGKILL"}) {
			t.Error("one Ctrl-C counts twice")
		}
		c.press("\x03")
		c.want("SIGKILL")
		c.press("echo sta''tus $?\n")
		c.want("status 137")
	})

	t.Run("Ctrl-C ends a loop of the shell", func(t *testing.T) {
		c := newConsole(t)
		c.press("for i in 1 2 3; do mlxp -- program draw ready sleep 1h; done\n")
		c.want("ready")
		c.want("ready")
		c.press("\x03")
		c.ends(1, "INTERRUPTED")
		c.press(mark(1))
		c.want("mark 1")
		if _, err := os.Stat(filepath.Join(c.dir, "logs", "2")); err == nil {
			t.Error("it goes on")
		}
	})

	t.Run("Ctrl-C ends a sweep whose program has the terminal", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program ask name? draw go sleep 1h a=1,2\n")
		c.want("name?")
		c.want("name?")
		c.press("bob\n")
		c.want("go")
		c.press("\x03")
		c.want("not started: 2")
		c.ends(1, "INTERRUPTED")
	})

	t.Run("Ctrl-Z, bg and fg", func(t *testing.T) {
		c := newConsole(t)
		for _, program := range []string{"draw ready sleep 1h", "ask name? draw ready sleep 1h", "page", "keys"} {
			c.press("mlxp -- program " + program + "\n")
			c.want("mlxp: run") // after what was typed
			if strings.HasPrefix(program, "ask") {
				c.want("name?")
				c.press("bob\n")
				c.want("you said bob")
			}
			c.wantAny("ready", "press\n|")
			c.press("\x1a")
			c.stopped()
			c.press(mark(1))
			c.want("mark 1")
			if strings.Contains(program, "ready") {
				c.press("bg\n" + mark(2))
				c.want("mark 2")
			}
			c.press("fg\n")
			c.want("mlxp -- program")
			if strings.Contains(program, "ready") {
				c.press("\x03")
			} else {
				c.takesKeys()
				c.press("q")
				c.want("<q>")
			}
			c.press(mark(3))
			c.want("mark 3")
		}
	})

	t.Run("a program that stops itself", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program pause draw on''ward\n")
		c.want("pause?")
		c.press("\n")
		c.stopped()
		c.press(mark(1))
		c.want("mark 1")
		c.press("fg\n")
		c.want("onward")
		c.ends(1, "COMPLETE")
	})

	t.Run("Ctrl-Z where nobody could continue", func(t *testing.T) {
		c := newConsole(t, "mlxp", "--", "program", "ask", "name?", "ask", "again?")
		c.want("name?")
		c.press("\x1a")
		c.press("bob\n")
		c.want("again?")
		c.press("\x1a")
		c.press("bob\n")
		c.ends(1, "COMPLETE")
	})

	t.Run("a background job that asks", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program ask name? &\n")
		c.want("name?")
		c.want("name?")
		c.stopsBehind()
		c.press("fg\nbob\n")
		c.want("you said bob")
	})

	t.Run("a background job", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -- program sleep 100ms draw th''ere &\n" + mark(1))
			c.want("mark 1")
			c.want("there")
			c.ends(1, "COMPLETE")
		})
	})

	t.Run("nohup", func(t *testing.T) {
		c := newConsole(t)
		c.press("nohup mlxp -- program draw ready await go yes >out 2>&1 &\n")
		c.file("ready", "out")
		c.press("exit\n")
		c.cmd.Wait()
		c.pty.Close()
		if err := os.WriteFile(filepath.Join(c.dir, "go"), []byte("yes"), 0o666); err != nil {
			t.Fatal(err)
		}
		c.ends(1, "COMPLETE")
	})

	t.Run("the terminal goes away", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program draw ready sleep 1h\n")
		c.want("ready")
		c.want("ready")
		c.cmd.Process.Kill() // then the kernel sends SIGHUP to the foreground
		c.ends(1, "INTERRUPTED")
	})

	t.Run("pipelines", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -q -- program lines 100000 | head -n 2\n" + mark(1))
		c.want("line 0\r\nline 1\r\n$ ")
		c.want("mark 1")
		c.press("echo y | mlxp -- program ask 'sure? ' streams\n")
		c.want("you said y")
		c.want("stdin false\r\nstdout true\r\nstderr true")
		c.press("mlxp -- program ask 'sure? ' streams | tee copy\n")
		c.want("sure? ")
		c.want("sure? ")
		c.press("yes\n")
		c.want("stdin true\r\nstdout false\r\nstderr true")
		if copied := c.file("stderr", "copy"); copied != "sure? you said yes\nstdin true\nstdout false\nstderr true\n" {
			t.Errorf("copied: %q", copied)
		}
		c.ends(3, "COMPLETE")
	})

	t.Run("what is typed ahead is the shell's", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program draw read''y sleep 300ms\n")
		c.want("ready")
		c.press(mark(1))
		c.want("mark 1\r\n")
		c.ends(1, "COMPLETE")
	})

	t.Run("the window", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program size awaitsize\n")
		c.want("size 24 80")
		c.want("ready")
		resize(t, c, 30)
		c.want("size 30 90")
		// The same for a program to which the terminal was handed.
		c.press("mlxp -- program ask name? awaitsize\n")
		c.want("name?")
		c.want("name?")
		c.press("bob\n")
		c.want("ready")
		resize(t, c, 40)
		c.want("size 40 90")
	})

	t.Run("a line that is drawn anew", func(t *testing.T) {
		c := newConsole(t)
		c.press("mlxp -- program redraw\n")
		c.want("\r 50% \x1b[31m|==  |\x1b[0m\r100% \x1b[32m|====|\x1b[0m\r\n")
		c.press("mlxp logs --stderr 1 >shown; echo don''e\n")
		c.want("done")
		if shown := c.file("%", "shown"); shown != "100% |====|\n" {
			t.Errorf("logs shows %q", shown)
		}
	})

	t.Run("several at a time", func(t *testing.T) {
		c := newConsole(t)
		c.leavesAsFound(func() {
			c.press("mlxp -j 2 -- program password a=1,2\n") // there is no terminal to wait for
			c.want("2 running")
			c.want("not complete: 1-2")
		})
		c.press("mlxp -j 2 -- program await go yes a=1,2\n")
		c.want("2 running")
		c.press("\x1a")
		c.stopped()
		c.press("fg\n")
		c.want("2 running")
		c.press("\x03")
		c.want("not complete: 3-4")
	})
}

// resize changes the window.
func resize(t *testing.T, c *console, rows uint16) {
	t.Helper()
	if err := pty.Setsize(c.pty, &pty.Winsize{Rows: rows, Cols: 90}); err != nil {
		t.Fatal(err)
	}
}
