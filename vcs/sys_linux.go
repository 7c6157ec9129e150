package vcs

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// bootID names the kernel's boot, and so the host.
func bootID() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// zombie tells whether a process has ended and nobody has asked for its status
// (proc(5), field 3 of stat).
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	return err == nil && ok && len(rest) > 0 && rest[0] == 'Z'
}
