package main

import "golang.org/x/sys/unix"

const (
	termGet = unix.TIOCGETA
	termSet = unix.TIOCSETA
)

type lflag = uint64
