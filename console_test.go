package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A console is a terminal, what runs on it, and the person in front of it.
type console struct {
	t   *testing.T
	dir string // where the shell is
	pty *os.File
	cmd *exec.Cmd

	mu   sync.Mutex
	text []byte // all that was shown
	seen int    // up to where it was waited for
}

// newConsole starts a command on a terminal of its own; none: a shell with job control.
func newConsole(t *testing.T, command ...string) *console {
	t.Helper()
	t.Parallel()
	if len(command) == 0 {
		command = []string{"sh", "-i"}
	}
	c := &console{t: t, dir: t.TempDir(), cmd: exec.Command(command[0], command[1:]...)}
	c.cmd.Dir = c.dir
	c.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "TERM=vt100", "PS1=$ ", "LC_ALL=C"}
	var err error
	if c.pty, err = pty.StartWithSize(c.cmd, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := c.pty.Read(buffer)
			c.mu.Lock()
			c.text = append(c.text, buffer[:n]...)
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		c.cmd.Process.Signal(unix.SIGHUP)
		c.pty.Close()
		c.cmd.Process.Kill()
		c.cmd.Wait()
		c.allEnd()
	})
	return c
}

// press types keys.
func (c *console) press(keys string) {
	c.t.Helper()
	if _, err := c.pty.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

// want waits until text is shown after what was waited for before. A shell shows what
// is typed: a command that is to show a text must not hold it.
func (c *console) want(text string) {
	c.t.Helper()
	c.wantAny(text)
}

func (c *console) wantAny(texts ...string) {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !c.shows(texts); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("none of %q is shown, but:\n%q", texts, c.text[c.seen:])
		}
	}
}

func (c *console) shows(texts []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range texts {
		if i := bytes.Index(c.text[c.seen:], []byte(text)); i >= 0 {
			c.seen += i + len(text)
			return true
		}
	}
	return false
}

// mark is a command that shows mark N.
func mark(n int) string { return fmt.Sprintf("echo ma''rk %d\n", n) }

// stopped waits until the shell says that its job has stopped.
func (c *console) stopped() {
	c.t.Helper()
	c.wantAny("Stopped", "Suspended", "stopped", "suspended")
}

// stopsBehind waits until a job in the background has stopped: the shell tells when it
// is asked.
func (c *console) stopsBehind() {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		c.press("jobs\n")
		c.mu.Lock()
		shown := strings.ToLower(string(c.text[c.seen:]))
		c.mu.Unlock()
		if strings.Contains(shown, "stopped") || strings.Contains(shown, "suspended") {
			c.stopped()
			return
		}
	}
	c.t.Fatal("it does not stop")
}

// takesKeys waits until a program has the terminal, in modes in which each key reaches
// it at once: what is typed before goes to the line that is being edited.
func (c *console) takesKeys() {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		conn, err := c.pty.SyscallConn() // Fd would make reads block
		if err != nil {
			c.t.Fatal(err)
		}
		var modes *unix.Termios
		if closed := conn.Control(func(fd uintptr) { modes, err = unix.IoctlGetTermios(int(fd), termGet) }); closed != nil || err != nil {
			c.t.Fatal(closed, err)
		}
		if modes.Lflag&unix.ICANON == 0 {
			return
		}
	}
	c.t.Fatal("no program has the terminal")
}

// file waits for a file that holds text, and returns it.
func (c *console) file(text string, path ...string) string {
	c.t.Helper()
	name := filepath.Join(append([]string{c.dir}, path...)...)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		content, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(content), text) {
			return string(content)
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s never holds %q, but %q (%v)", name, text, content, err)
		}
	}
}

// ends waits until run n has ended with a status.
func (c *console) ends(n int, status string) {
	c.t.Helper()
	info := c.file("\nended:", "logs", fmt.Sprint(n), "metadata", "info.yaml")
	if !strings.Contains(info, fmt.Sprintf("\nstatus: %q\n", status)) {
		c.t.Errorf("run %d is not %s:\n%s", n, status, info)
	}
}

// allEnd waits until no run goes on.
func (c *console) allEnd() {
	records, _ := filepath.Glob(filepath.Join(c.dir, "logs", "*", "metadata", "info.yaml"))
	for _, record := range records {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			text, err := os.ReadFile(record)
			if err != nil || !strings.Contains(string(text), "\nstatus: \"RUNNING\"") && !strings.Contains(string(text), "\nstatus: \"STARTING\"") {
				break
			}
			if time.Now().After(deadline) {
				c.t.Errorf("it goes on:\n%s", text)
				return
			}
		}
	}
}

// leavesAsFound checks that the terminal is as it was before what is done on it.
func (c *console) leavesAsFound(what func()) {
	c.t.Helper()
	c.press("stty -g >before\n" + mark(1))
	c.want("mark 1")
	what()
	c.press("stty -g >after; cmp before after && echo as fou''nd || stty -a\n")
	c.want("as found")
}

// onTerminal does one thing that programs do on terminals, and returns how many of
// words it took besides the first.
//
//	ask TEXT     asks on stdout, and prints what is answered on stdin
//	password     reads a line from /dev/tty, unseen, and prints it in capitals
//	keys         as curses does, reads keys from stdin up to q, in modes set on stdout
//	page         as less does, the same on the terminal that stderr is
//	raw          the same modes, and no more
//	streams      prints which of its streams are terminals
//	size         prints the size that stdout has
//	awaitsize    prints it when it changes
//	deaf         prints "caught" for each SIGINT
//	die          kills itself
//	flood N      writes N bytes of all kinds, and their hash to the file hash
//	lines N      prints N lines
//	redraw       draws a line twice on stderr
//	draw TEXT    prints TEXT on stdout, without a line's end
//	pause        asks, and then stops all its group as nano does on Ctrl-Z
func onTerminal(words []string) int {
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, words[0], err)
			os.Exit(99)
		}
	}
	switch words[0] {
	case "ask":
		fmt.Print(words[1])
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		must(err)
		fmt.Printf("you said %s\n", strings.TrimSpace(line))
		return 1
	case "password":
		tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		must(err)
		restore, err := change(tty, unix.ECHO)
		must(err)
		fmt.Fprint(tty, "password: ")
		secret, err := bufio.NewReader(tty).ReadString('\n')
		restore()
		must(err)
		fmt.Println(strings.ToUpper(secret))
	case "keys":
		must(readKeys(os.Stdout, os.Stdin))
	case "page":
		tty, err := os.OpenFile("/dev/stderr", os.O_RDONLY, 0)
		must(err)
		must(readKeys(tty, tty))
	case "raw":
		_, err := term.MakeRaw(1)
		must(err)
		fmt.Print("raw\r\n")
	case "streams":
		for i, name := range []string{"stdin", "stdout", "stderr"} {
			fmt.Printf("%s %v\n", name, term.IsTerminal(i))
		}
	case "size":
		width, height, err := term.GetSize(1)
		must(err)
		fmt.Printf("size %d %d\n", height, width)
	case "awaitsize":
		changed := make(chan os.Signal, 1)
		signal.Notify(changed, unix.SIGWINCH)
		_, before, err := term.GetSize(1)
		must(err)
		fmt.Println("ready")
		for now := before; now == before; _, now, err = term.GetSize(1) {
			<-changed
		}
		must(err)
		return onTerminal([]string{"size"})
	case "deaf":
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, unix.SIGINT)
		fmt.Println("ready")
		for range caught {
			fmt.Println("caught")
		}
	case "die":
		unix.Kill(os.Getpid(), unix.SIGKILL)
	case "flood":
		var n int64
		fmt.Sscan(words[1], &n)
		hash := sha256.New()
		_, err := io.CopyN(io.MultiWriter(os.Stdout, hash), rand.NewChaCha8([32]byte{}), n)
		must(err)
		must(os.WriteFile("hash", fmt.Appendf(nil, "%x", hash.Sum(nil)), 0o666))
		return 1
	case "lines":
		var n int
		fmt.Sscan(words[1], &n)
		for i := range n {
			if _, err := fmt.Printf("line %d\n", i); err != nil {
				return 1
			}
		}
		return 1
	case "redraw":
		fmt.Fprint(os.Stderr, "\r 50% \x1b[31m|==  |\x1b[0m\r100% \x1b[32m|====|\x1b[0m\n")
	case "pause":
		onTerminal([]string{"ask", "pause?"})
		unix.Kill(0, unix.SIGSTOP)
		time.Sleep(200 * time.Millisecond) // another thread may be who stops us, when it gets round to it
	case "draw":
		fmt.Print(words[1])
		return 1
	}
	return 0
}

// readKeys shows each key that is typed, up to q, in a mode in which each comes at once,
// Ctrl-C and Ctrl-Z act, and "\n" goes down but not back to the left.
func readKeys(modes, keys *os.File) error {
	restore, err := change(modes, unix.ECHO|unix.ICANON)
	if err != nil {
		return err
	}
	defer restore()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, unix.SIGINT)
	go func() {
		for range interrupts {
			fmt.Print("<interrupt>")
		}
	}()
	fmt.Print("press\n|")
	key := make([]byte, 1)
	for {
		if n, err := keys.Read(key); n == 0 {
			return errors.Join(errors.New("no key"), err)
		}
		fmt.Printf("<%s>", key)
		if key[0] == 'q' {
			return nil
		}
	}
}

// change takes flags away from the modes of a terminal, and ONLCR, and returns what
// gives them back.
func change(tty *os.File, flags lflag) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(int(tty.Fd()), termGet)
	if err != nil {
		return nil, err
	}
	now := *before
	now.Lflag &^= flags
	now.Oflag &^= unix.ONLCR
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	return func() { _ = unix.IoctlSetTermios(int(tty.Fd()), termSet, before) }, unix.IoctlSetTermios(int(tty.Fd()), termSet, &now)
}
