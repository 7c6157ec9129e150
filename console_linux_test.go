package main

import "golang.org/x/sys/unix"

const (
	termGet = unix.TCGETS
	termSet = unix.TCSETS
)

type lflag = uint32
