package supervise

import "golang.org/x/sys/unix"

// changeModes makes to modes what changed between was and now, and nothing else.
func changeModes(modes, was, now *unix.Termios) {
	change(&modes.Iflag, was.Iflag, now.Iflag)
	change(&modes.Oflag, was.Oflag, now.Oflag)
	change(&modes.Lflag, was.Lflag, now.Lflag)
	modes.Lflag &^= unix.EXTPROC // the screen's alone
	for i := range modes.Cc {
		if was.Cc[i] != now.Cc[i] {
			modes.Cc[i] = now.Cc[i]
		}
	}
	// That a screen does not process output is not the program's choice. It is
	// when it goes over to raw mode, and until it leaves it (cfmakeraw(3)).
	switch {
	case isRaw(now):
		modes.Oflag &^= unix.OPOST
	case isRaw(was):
		modes.Oflag |= unix.OPOST
	}
}

// change makes to flags what changed between was and now.
func change[T uint32 | uint64](flags *T, was, now T) {
	changed := was ^ now
	*flags = *flags&^changed | now&changed
}

func isRaw(modes *unix.Termios) bool {
	return modes.Lflag&(unix.ICANON|unix.ISIG|unix.IEXTEN) == 0
}

// takesKeys tells whether modes are those of a program that reads key by key.
func takesKeys(modes *unix.Termios) bool { return modes.Lflag&unix.ICANON == 0 }
