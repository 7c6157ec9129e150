package supervise

import "golang.org/x/sys/unix"

// cpuModel returns the name of the processor.
func cpuModel() string {
	name, _ := unix.Sysctl("machdep.cpu.brand_string")
	return name
}

// memoryBytes returns the machine's memory.
func memoryBytes() int64 {
	n, _ := unix.SysctlUint64("hw.memsize")
	return int64(n)
}
