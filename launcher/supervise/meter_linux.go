package supervise

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what /proc/PID/stat tells of a process (proc(5)).
type usage struct {
	pid, parent, group int
	start              uint64
	cpu                time.Duration // its own and that of those it waited for
	memory             int64         // bytes, with what it shares
}

// sample looks at the run's processes, and returns the CPU time that they have.
func (m *meter) sample() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	members := m.members()
	clear(m.known)
	var cpu time.Duration
	var memory int64
	for _, u := range members {
		m.known[u.pid] = u.start
		cpu += u.cpu
		memory += u.memory
	}
	if len(members) > 1 && memory > m.peak {
		memory = withoutShared(members)
	}
	m.cpu, m.peak = max(m.cpu, cpu), max(m.peak, memory)
	return cpu
}

// members finds the run's processes: the program's group, those that were found before, whatever became of their parents, and the children of all these.
func (m *meter) members() []usage {
	children := map[int][]usage{}
	var members []usage
	seen := map[int]bool{}
	take := func(u usage) {
		if !seen[u.pid] {
			seen[u.pid] = true
			members = append(members, u)
		}
	}
	buffer := make([]byte, 1024)
	for _, pid := range processes() {
		u, ok := usageOf(pid, buffer)
		if !ok {
			continue
		}
		start, known := m.known[pid]
		if u.group == m.group || known && start == u.start {
			take(u)
		}
		children[u.parent] = append(children[u.parent], u)
	}
	for i := 0; i < len(members); i++ {
		for _, child := range children[members[i].pid] {
			take(child)
		}
	}
	return members
}

// usageOf reads what a process uses. It returns false if it has ended. It is called for
// each process of the machine, so it spares what package os would do for a file.
func usageOf(pid int, buffer []byte) (u usage, ok bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return u, false
	}
	n, err := unix.Read(fd, buffer)
	unix.Close(fd)
	if err != nil {
		return u, false
	}
	return parseUsage(pid, buffer[:max(n, 0)])
}

func parseUsage(pid int, text []byte) (u usage, ok bool) {
	const tick = time.Second / 100 // USER_HZ of all that Go runs on
	// The command's name stands in parentheses and may hold anything.
	rest := text[bytes.LastIndexByte(text, ')')+1:]
	u.pid = pid
	i := -1
	for field := range bytes.FieldsSeq(rest) {
		if i++; i == 0 {
			if field[0] == 'Z' || field[0] == 'X' {
				return u, false
			}
			continue
		}
		n, _ := strconv.ParseInt(string(field), 10, 64)
		switch i {
		case 1:
			u.parent = int(n)
		case 2:
			u.group = int(n)
		case 11, 12, 13, 14:
			u.cpu += time.Duration(n) * tick
		case 19:
			u.start = uint64(n)
		case 21:
			u.memory = n * int64(os.Getpagesize())
			return u, true
		}
	}
	return u, false
}

// withoutShared sums the memory of processes, of what several share its part of each
// (Pss). It costs the kernel a walk through their pages.
func withoutShared(members []usage) (sum int64) {
	for _, u := range members {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", u.pid))
		_, rest, found := bytes.Cut(text, []byte("\nPss:"))
		line, _, _ := bytes.Cut(rest, []byte(" kB"))
		kib, parseErr := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		if err != nil || !found || parseErr != nil {
			sum += u.memory // it does not tell: another user's, or an old kernel
			continue
		}
		sum += kib << 10
	}
	return sum
}
