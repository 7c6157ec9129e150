package main

import (
	"errors"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/internal/fault"
)

// passSignalOn ends this process by SIGINT if err says that SIGINT has ended what it
// did, and it is in the foreground of a terminal. Shells go by it: a loop in a script
// ends when its command was ended by Ctrl-C, and goes on when it exits with 130, as
// a command does that has caught it. (The exit status is 130 for them either way.)
func passSignalOn(err error) {
	var sig fault.Signal
	if !errors.As(err, &sig) || unix.Signal(sig) != unix.SIGINT || !inForeground() {
		return
	}
	signal.Reset(unix.SIGINT)
	unix.Kill(unix.Getpid(), unix.SIGINT)
	time.Sleep(time.Second) // until it takes effect
}

func inForeground() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	pgrp, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}
