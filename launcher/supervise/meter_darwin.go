package supervise

import "time"

// sample finds nothing: macOS has no /proc. What the kernel tells at the end of the
// program is recorded all the same.
func (m *meter) sample() time.Duration { return 0 }
