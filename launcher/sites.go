package launcher

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/pattern"
	"github.com/mlxp/mlxp/scheduler"
)

// A SiteSettings says in what a site's scheduler differs from what mlxp knows of it.
// What is empty is as mlxp knows it.
type SiteSettings struct {
	Submit   []string `koanf:"submit" json:"submit,omitempty"`       // the command that takes the script
	JobID    string   `koanf:"job_id" json:"job_id,omitempty"`       // a regular expression: the id in its answer is the group
	Cancel   []string `koanf:"cancel" json:"cancel,omitempty"`       // the command that takes ids
	Queue    []string `koanf:"queue" json:"queue,omitempty"`         // what stands for the command that tells of jobs, such as squeue
	Requeue  []string `koanf:"requeue" json:"requeue,omitempty"`     // the command that lets a job start again
	MaxArray int      `koanf:"max_array" json:"max_array,omitempty"` // tasks in an array; 1: no arrays
	Grace    int      `koanf:"grace" json:"grace,omitempty"`         // seconds from the first signal to SIGKILL
}

// siteKeys are the names of a site's settings.
var siteKeys = []string{"submit", "job_id", "cancel", "queue", "requeue", "max_array", "grace"}

// Sites are what the settings say of sites, by the scheduler's name.
type Sites map[string]SiteSettings

// siteNames are the names of all settings of sites.
func siteNames() (names []string) {
	for _, s := range scheduler.All {
		for _, key := range siteKeys {
			names = append(names, "scheduler_sites."+s.Name+"."+key)
		}
	}
	return names
}

// of is the scheduler as it is at this site.
func (sites Sites) of(s *scheduler.Scheduler) *scheduler.Scheduler {
	here, ok := sites[s.Name]
	if !ok {
		return s
	}
	known := *s
	if len(here.Submit) > 0 {
		known.Submit = here.Submit
	}
	if here.JobID != "" {
		known.Answer = pattern.New(here.JobID) // see valid
	}
	if len(here.Cancel) > 0 {
		known.Cancel = here.Cancel
	}
	if len(here.Queue) > 0 {
		known.Queries = slices.Clone(known.Queries)
		for i, q := range known.Queries {
			if q.Command[0] == s.Queries[0].Command[0] {
				known.Queries[i].Command = slices.Concat(here.Queue, q.Command[1:])
			}
		}
	}
	if len(here.Requeue) > 0 {
		known.Requeue, known.RequeueExit = here.Requeue, 0
	}
	if here.MaxArray > 0 {
		known.Fixed.Array = here.MaxArray
	}
	if here.Grace > 0 {
		known.Fixed.Grace = time.Duration(here.Grace) * time.Second
	}
	return &known
}

// valid refuses what cannot be meant.
func (sites Sites) valid() error {
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		here := sites[name]
		if here.JobID != "" {
			re, err := regexp.Compile(here.JobID)
			if err != nil {
				return fmt.Errorf("scheduler_sites.%s.job_id: %w", name, err)
			}
			if re.NumSubexp() != 1 {
				return fault.Hint(fmt.Errorf("scheduler_sites.%s.job_id: %q has %d groups", name, here.JobID, re.NumSubexp()), `it needs one, which is the id: '^Job (\d+) accepted'`)
			}
		}
		if here.MaxArray < 0 || here.Grace < 0 {
			return fmt.Errorf("scheduler_sites.%s: max_array and grace are numbers from 1", name)
		}
	}
	return nil
}
