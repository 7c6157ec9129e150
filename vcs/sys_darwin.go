package vcs

import "golang.org/x/sys/unix"

// bootID names the kernel's boot, and so the host.
func bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}

// zombie is not known on macOS, whose launchd reaps whatever ends.
func zombie(int) bool { return false }
