package supervise

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unstopped does what the kernel would stop us for with SIGTTOU, asked from the
// background (credentials of a terminal, tcsetpgrp(3)).
func unstopped(do func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.Sigset_t
	set.Val[0] = 1 << (unix.SIGTTOU - 1)
	if unix.PthreadSigmask(unix.SIG_BLOCK, &set, &before) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) }()
	}
	do()
}

// withDefault does what needs the default action of sig, which package signal does
// not restore when nobody is told of a signal any more: it goes on to swallow it.
// SIG_DFL and no flags are all zeros, so the layout of sigaction(2) does not matter.
func withDefault(sig unix.Signal, do func()) {
	const size = 8 // of the kernel's sigset_t
	var none, before [64]byte
	action := func(act, old *[64]byte) {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), size, 0, 0)
	}
	action(&none, &before)
	defer action(&before, nil)
	do()
}
