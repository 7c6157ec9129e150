package supervise

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A cgroup is the control groups that mlxp is in with its programs (cgroups(7)).
// On a cluster they are what a job may use of its node.
type cgroup struct {
	root           string // of the file system: "/", but in tests
	unified        string // path of the one of version 2, empty if there is none
	memory, period string // paths of those of version 1, for memory and for CPU time
}

// currentCgroup reads which they are.
func currentCgroup(root string) cgroup {
	c := cgroup{root: root}
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(text)) {
		// hierarchy-ID:controllers:path; version 2 has ID 0 and no controllers.
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		controllers := "," + fields[1] + ","
		switch {
		case fields[0] == "0" && fields[1] == "":
			c.unified = fields[2]
		case strings.Contains(controllers, ",memory,"):
			c.memory = fields[2]
		case strings.Contains(controllers, ",cpu,"):
			c.period = fields[2]
		}
	}
	return c
}

// each calls visit with the directory of a group and those above it, each of which
// may set a limit. mount is where the hierarchy is mounted.
func (c cgroup) each(mount, path string, visit func(dir string)) {
	if path == "" {
		return
	}
	for {
		visit(filepath.Join(c.root, mount, path))
		if path == "/" || path == "." {
			return
		}
		path = filepath.Dir(path)
	}
}

// memoryLimit returns the bytes that may be used, 0 for no limit.
func (c cgroup) memoryLimit() int64 {
	limit := int64(math.MaxInt64)
	take := func(file string) {
		if n, err := strconv.ParseInt(readLine(file), 10, 64); err == nil && n > 0 {
			limit = min(limit, n)
		}
	}
	c.each("sys/fs/cgroup", c.unified, func(dir string) { take(filepath.Join(dir, "memory.max")) })
	c.each("sys/fs/cgroup/memory", c.memory, func(dir string) { take(filepath.Join(dir, "memory.limit_in_bytes")) })
	if limit >= 1<<62 { // version 1 writes its largest number for none
		return 0
	}
	return limit
}

// cpuLimit returns how many processors' time may be used, 0 for no limit.
func (c cgroup) cpuLimit() float64 {
	limit := math.Inf(1)
	take := func(quota, period string) {
		q, err := strconv.ParseFloat(quota, 64)
		p, err2 := strconv.ParseFloat(period, 64)
		if err == nil && err2 == nil && q > 0 && p > 0 {
			limit = min(limit, q/p)
		}
	}
	c.each("sys/fs/cgroup", c.unified, func(dir string) {
		quota, period, _ := strings.Cut(readLine(filepath.Join(dir, "cpu.max")), " ")
		take(quota, period)
	})
	for _, mount := range []string{"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"} {
		c.each(mount, c.period, func(dir string) {
			take(readLine(filepath.Join(dir, "cpu.cfs_quota_us")), readLine(filepath.Join(dir, "cpu.cfs_period_us")))
		})
	}
	if math.IsInf(limit, 1) {
		return 0
	}
	return limit
}

// oomKills returns how many processes the kernel has killed in the group, and in
// those below it, for want of memory; false if it does not tell.
func (c cgroup) oomKills() (int, bool) {
	for _, file := range []struct{ path, name string }{
		{c.unified, filepath.Join(c.root, "sys/fs/cgroup", c.unified, "memory.events")},
		{c.memory, filepath.Join(c.root, "sys/fs/cgroup/memory", c.memory, "memory.oom_control")},
	} {
		if file.path == "" {
			continue
		}
		text, err := os.ReadFile(file.name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" {
				n, err := strconv.Atoi(value)
				return n, err == nil
			}
		}
	}
	return 0, false
}

// readLine returns the first line of a file, "" if there is none.
func readLine(path string) string {
	text, _ := os.ReadFile(path)
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
