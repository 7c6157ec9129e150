// Package fault gives errors what a user needs beside their text: the next
// step, the place in a word, and the exit status they lead to.
//
// Any layer may add any of these; [errors.Is] and [errors.As] see through all
// of them. Only main reads them, with [Hints], [Place] and [Status].
package fault

import (
	"errors"
	"fmt"
)

// The exit statuses of mlxp. A single run passes its program's own on instead;
// 126, 127 and 128+N are those that a shell gives.
const (
	Incomplete    = 1   // a sweep in which at least one run did not complete
	Usage         = 2   // wrong usage, override, config or query: nothing started, nothing written
	NotExecutable = 126 // the program exists but cannot be executed
	NotFound      = 127 // the program does not exist
	SignalBase    = 128 // plus N: ended by signal N
)

type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// Hint returns err with the next step to take. It returns nil if err is nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Hints returns the hints in err's tree, the innermost first, each once.
func Hints(err error) []string {
	var hints []string
	walk(err, func(e error) {
		if h, ok := e.(*hinted); ok {
			for _, known := range hints {
				if known == h.hint {
					return
				}
			}
			hints = append(hints, h.hint)
		}
	})
	for i, j := 0, len(hints)-1; i < j; i, j = i+1, j-1 {
		hints[i], hints[j] = hints[j], hints[i]
	}
	return hints
}

// A Caret is an error about one place in a text that the user typed.
type Caret struct {
	Err    error
	Text   string // the whole word or expression
	Offset int    // the place in Text, in bytes
}

func (e *Caret) Error() string { return e.Err.Error() }

// Unwrap returns the error without its place.
func (e *Caret) Unwrap() error { return e.Err }

// At returns err with its place in text: the byte at offset. An offset outside
// text is moved to its nearer end. It returns nil if err is nil.
func At(err error, text string, offset int) error {
	if err == nil {
		return nil
	}
	return &Caret{err, text, min(max(offset, 0), len(text))}
}

// Place returns the outermost [Caret] in err's tree, or nil.
func Place(err error) *Caret {
	var c *Caret
	if errors.As(err, &c) {
		return c
	}
	return nil
}

type coded struct {
	error
	status int
}

func (e *coded) Unwrap() error { return e.error }

// Exit returns err with the exit status it leads to. It returns nil if err is
// nil.
func Exit(err error, status int) error {
	if err == nil {
		return nil
	}
	return &coded{err, status}
}

// Status returns the outermost exit status in err's tree, 0 for nil, and
// [Usage] for an error that nobody gave one.
func Status(err error) int {
	if err == nil {
		return 0
	}
	var c *coded
	if errors.As(err, &c) {
		return c.status
	}
	return Usage
}

// Silent is an exit status without a message: what there was to say has been
// said. A program's own exit status is passed on this way.
type Silent int

func (s Silent) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// A Signal is the number of the signal that has ended everything, without a
// message. Its exit status is 128+N.
type Signal int

func (s Signal) Error() string { return fmt.Sprintf("ended by signal %d", int(s)) }

func walk(err error, visit func(error)) {
	for err != nil {
		visit(err)
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, sub := range e.Unwrap() {
				walk(sub, visit)
			}
			return
		default:
			return
		}
	}
}
