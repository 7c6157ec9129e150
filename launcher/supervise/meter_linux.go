package supervise

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
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

// members finds the run's processes: the program, its group, those that were found
// before, whatever became of their parents, and the children of all these.
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
		if pid == m.pid || u.group == m.pid || known && start == u.start {
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

// usageOf reads what a process uses. It returns false if it has ended.
func usageOf(pid int, buffer []byte) (u usage, ok bool) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return u, false
	}
	defer f.Close()
	n, err := f.Read(buffer)
	if err != nil {
		return u, false
	}
	text := buffer[:n]
	// The command's name stands in parentheses and may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 22 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return u, false
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
		return n
	}
	const tick = time.Second / 100 // USER_HZ of all that Go runs on
	return usage{
		pid: pid, parent: int(number(1)), group: int(number(2)), start: uint64(number(19)),
		cpu:    time.Duration(number(11)+number(12)+number(13)+number(14)) * tick,
		memory: number(21) * int64(os.Getpagesize()),
	}, true
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
