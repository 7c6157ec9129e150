package process

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// StartOf returns when a process started, as [Process] has it. The error is
// [ErrZombie] if it has ended.
func StartOf(pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	state, start, err := parseStat(string(text))
	if err == nil && (state == 'Z' || state == 'X') {
		err = ErrZombie
	}
	return start, err
}

func bootID() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

func pidNS() uint64 {
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &st) != nil {
		return 0
	}
	return st.Ino
}
