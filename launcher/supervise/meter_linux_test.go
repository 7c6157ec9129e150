package supervise

import (
	"testing"
	"time"
)

func TestParseUsage(t *testing.T) {
	// As proc(5) has it; a name may hold anything.
	const line = "12 (a) R (b) S 10 11 9 0 -1 4194560 1 0 0 0 100 50 25 25 20 0 1 0 987654 1 256 3\n"
	u, ok := parseUsage(12, []byte(line))
	if !ok || u.parent != 10 || u.group != 11 || u.cpu != 2*time.Second || u.start != 987654 || u.memory < 256<<12 {
		t.Errorf("parseUsage = %+v, %v", u, ok)
	}
	for _, bad := range []string{"", "12 (a", "12 (a) Z 10 11 9 0 -1 4194560 1 0 0 0 100 50 25 25 20 0 1 0 987654 1 256 3"} {
		if _, ok := parseUsage(12, []byte(bad)); ok {
			t.Errorf("parseUsage takes %q", bad)
		}
	}
}
