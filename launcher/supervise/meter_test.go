package supervise

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// eatVariable makes the test binary have so many MB of memory, and a child with as many.
const eatVariable = "TEST_EAT"

func eat(mb int) {
	memory := make([]byte, mb<<20)
	for i := 0; i < len(memory); i += 1 << 10 {
		memory[i] = 1
	}
	if os.Getenv("TEST_CHILD") == "" {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "TEST_CHILD=1")
		_ = child.Run()
	} else {
		time.Sleep(700 * time.Millisecond)
	}
	runtime.KeepAlive(memory)
}

// The memory on record is what all processes of the run had at a time, not the largest
// one's, nor that of mlxp.
func TestPeakMemory(t *testing.T) {
	const mb = 64
	if runtime.GOOS != "linux" {
		t.Skip("what children use is seen on Linux only")
	}
	run := created(t, "{}", os.Args[0])
	opts, _ := quietly()
	opts.Environ = append(opts.Environ, eatVariable+"="+strconv.Itoa(mb))
	info, err := Run(run, opts)
	if err != nil {
		t.Fatal(err)
	}
	if peak := info.Resources.PeakMemory >> 20; peak < 2*mb || peak > 3*mb {
		t.Errorf("%d MB, of two processes of %d MB", peak, mb)
	}
	run = created(t, "{}", "true")
	if info, err = Run(run, opts); err != nil {
		t.Fatal(err)
	}
	if peak := info.Resources.PeakMemory; peak > 8<<20 {
		t.Errorf("true had %d bytes", peak)
	}
}

// What a process that the program has left behind has used counts as well.
func TestCPUOfLeftProcesses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what is left behind is seen on Linux only")
	}
	run := created(t, "{}", "sh", "-c", `
		(setsid sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; touch burnt; exec sleep 600' &)
		while [ ! -e burnt ]; do sleep 0.01; done`)
	opts, _ := quietly()
	info, err := Run(run, opts)
	if err != nil {
		t.Fatal(err)
	}
	if used := info.Resources.CPUSeconds; used < 0.04 {
		t.Errorf("%v s of CPU time", used)
	}
}
