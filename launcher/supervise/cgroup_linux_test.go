package supervise

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mlxp/mlxp/logdir"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// What a job may use is the least that its group and those above it allow.
func TestCgroupLimits(t *testing.T) {
	host := logdir.Resources{CPUs: 32, Memory: 64 << 30}
	for _, test := range []struct {
		name   string
		files  map[string]string
		cpus   int
		memory int64
	}{
		{"none", nil, 32, 64 << 30},
		{"version 2, no limit", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 32, 64 << 30},
		{"version 2, above", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "1073741824\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 2, 1 << 30},
		{"version 1", map[string]string{"proc/self/cgroup": "4:cpu,cpuacct:/job\n5:memory:/job\n", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "2147483648\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "400000\n", "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"}, 4, 2 << 30},
		{"version 1, no limit", map[string]string{"proc/self/cgroup": "5:memory:/job\n", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "9223372036854771712\n"}, 32, 64 << 30},
		{"more than the host has", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "999999999999999\n", "sys/fs/cgroup/a/cpu.max": "9900000 100000\n"}, 32, 64 << 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range test.files {
				writeFile(t, filepath.Join(root, name), text)
			}
			r := host
			limited(&r, currentCgroup(root))
			if r.CPUs != test.cpus || r.Memory != test.memory {
				t.Errorf("%d CPUs and %d bytes, want %d and %d", r.CPUs, r.Memory, test.cpus, test.memory)
			}
		})
	}
}

// The kernel's counters are read from either version of cgroups.
func TestOOMWitness(t *testing.T) {
	for _, test := range []struct{ name, cgroup, file, before, after string }{
		{"version 2", "0::/user.slice/job_7\n", "sys/fs/cgroup/user.slice/job_7/memory.events", "low 0\noom 0\noom_kill 2\n", "low 0\noom 1\noom_kill 3\n"},
		{"version 1", "5:cpuset,memory:/slurm/job_7\n1:name=systemd:/\n", "sys/fs/cgroup/memory/slurm/job_7/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "oom_kill_disable 0\nunder_oom 1\noom_kill 1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			write := func(name, text string) { writeFile(t, filepath.Join(root, name), text) }
			write("proc/self/cgroup", test.cgroup)
			write(test.file, test.before)
			a := &attempt{witness: newWitness(currentCgroup(root))}
			if got := a.reason(ending{}, unix.SIGKILL); got != logdir.BySignal {
				t.Errorf("before: %s", got)
			}
			write(test.file, test.after)
			if got := a.reason(ending{}, unix.SIGKILL); got != logdir.OutOfMem {
				t.Errorf("after a kill: %s", got)
			}
			if got := a.reason(ending{killed: true}, unix.SIGKILL); got != logdir.BySignal {
				t.Errorf("after a kill of ours: %s", got)
			}
			if got := a.reason(ending{}, unix.SIGTERM); got != logdir.BySignal {
				t.Errorf("after SIGTERM: %s", got)
			}
		})
	}
	if newWitness(currentCgroup(t.TempDir())).saw() {
		t.Error("a system without cgroups saw a kill")
	}
	if got := new(attempt).reason(ending{}, unix.SIGXCPU); got != logdir.TimeLimit {
		t.Errorf("SIGXCPU: %s", got)
	}
}
