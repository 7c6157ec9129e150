package launcher

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/launcher/supervise"
)

// A gpus hands out the processors that --gpus names, to some runs at a time each.
// It keeps count within this process only.
type gpus struct {
	free chan string // as a program's CUDA_VISIBLE_DEVICES names one
}

// newGPUs makes slots for perGPU runs on each of the processors that list names:
// "all", or numbers such as "0-2,5" among those that are visible already, count
// being how many the host has. It returns nil if list is empty.
func newGPUs(w World, list string, perGPU int, count func() int) (*gpus, error) {
	if list == "" {
		return nil, nil
	}
	if perGPU < 1 {
		return nil, errors.New("--per-gpu needs a number from 1")
	}
	visible, err := visibleGPUs(w, count)
	if err != nil {
		return nil, err
	}
	chosen := visible
	if list != "all" {
		if chosen, err = pick(list, visible); err != nil {
			return nil, err
		}
	}
	g := &gpus{make(chan string, len(chosen)*perGPU)}
	for range perGPU {
		for _, name := range chosen {
			g.free <- name
		}
	}
	return g, nil
}

// visibleGPUs lists what programs could use here: what CUDA_VISIBLE_DEVICES or
// HIP_VISIBLE_DEVICES allows, be it by number or by UUID, else all of the host's.
func visibleGPUs(w World, count func() int) ([]string, error) {
	for _, name := range supervise.GPUVariables {
		if value, set := supervise.LookupEnv(w.Environ, name); set {
			var names []string
			for _, part := range strings.Split(value, ",") {
				if part = strings.TrimSpace(part); part == "" || part == "-1" || part == "NoDevFiles" {
					break // what follows is not visible either (CUDA C Programming Guide, environment variables)
				}
				names = append(names, part)
			}
			if len(names) == 0 {
				return nil, fmt.Errorf("--gpus: %s=%s leaves none to use", name, value)
			}
			return names, nil
		}
	}
	n := count()
	if n == 0 {
		return nil, fault.Hint(errors.New("--gpus: nvidia-smi tells of none here"), "CUDA_VISIBLE_DEVICES=0,1 names them")
	}
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names, nil
}

// pick returns those of visible that list names by their places: "0-2,5".
func pick(list string, visible []string) ([]string, error) {
	var chosen []string
	seen := map[int]bool{}
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || first < 0 || first > last {
			return nil, fault.Hint(fmt.Errorf("--gpus: %q is not a number or a range", part), "--gpus 0-3, --gpus 0,2 or --gpus all")
		}
		if last >= len(visible) {
			return nil, fmt.Errorf("--gpus %s: there are %d (0-%d)", list, len(visible), len(visible)-1)
		}
		for i := first; i <= last; i++ {
			if !seen[i] {
				seen[i] = true
				chosen = append(chosen, visible[i])
			}
		}
	}
	return chosen, nil
}

// size is how many runs have a slot at a time.
func (g *gpus) size() int { return cap(g.free) }

// take waits for a slot and returns the environment of a run that has it, and what
// gives it back.
func (g *gpus) take(environ []string) (env []string, name string, done func()) {
	if g == nil {
		return environ, "", func() {}
	}
	name = <-g.free
	for _, v := range environ {
		if key, _, _ := strings.Cut(v, "="); key != supervise.GPUVariables[0] && key != supervise.GPUVariables[1] {
			env = append(env, v)
		}
	}
	for _, key := range supervise.GPUVariables {
		env = append(env, key+"="+name)
	}
	return env, name, func() { g.free <- name }
}
