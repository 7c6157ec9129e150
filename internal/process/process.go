// Package process names processes for all time and finds out whether they live.
package process

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A Process names one process for all time: a pid alone is soon given again.
type Process struct {
	Pid   int    `json:"pid"`
	Start uint64 `json:"start"`           // when it started: clock ticks since boot on Linux (proc(5), field 22 of stat), microseconds since 1970 on macOS
	Boot  string `json:"boot"`            // names the kernel's boot, so the machine too
	PidNS uint64 `json:"pidns,omitempty"` // inode of the pid namespace, Linux only
}

// Self is this process. What the system does not tell stays zero.
var Self = sync.OnceValue(func() Process {
	pid := os.Getpid()
	start, _ := StartOf(pid)
	return Process{Pid: pid, Start: start, Boot: bootID(), PidNS: pidNS()}
})

// Life is what is known of a process.
type Life uint8

// Nothing is concluded from silence: a process is Gone only by evidence.
const (
	Unknown Life = iota // another host or pid namespace, or the system will not say
	Alive
	Gone
)

// Life tells what this process can know of p.
func (p Process) Life() Life {
	self := Self()
	if p.Boot == "" || p.Start == 0 || p.Boot != self.Boot || p.PidNS != self.PidNS {
		return Unknown
	}
	switch err := unix.Kill(p.Pid, 0); {
	case errors.Is(err, unix.ESRCH):
		return Gone
	case err != nil && !errors.Is(err, unix.EPERM):
		return Unknown
	}
	start, err := StartOf(p.Pid)
	if errors.Is(err, ErrZombie) {
		return Gone
	}
	if err != nil {
		return Unknown
	}
	if start != p.Start {
		return Gone
	}
	return Alive
}

// ErrZombie is the error for a process that has ended and waits to be asked for its
// status.
var ErrZombie = errors.New("the process has ended and nobody has asked for its status")

// parseStat reads the state and the start time from the text of
// /proc/PID/stat. The command's name stands in parentheses and may hold any
// character, so fields are counted from the last one.
func parseStat(text string) (state byte, start uint64, err error) {
	_, rest, ok := strings.Cut(text[strings.LastIndexByte(text, ')')+1:], " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return 0, 0, errors.New("unknown form of /proc/PID/stat")
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return fields[0][0], start, err
}
