package scheduler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Site asks what the site allows.
func (c *Client) Site(ctx context.Context) Limits {
	limits := c.Limits
	if c.Scheduler.Site != nil && (c.Fixed.Array == 0 || c.Fixed.Grace == 0) {
		limits = c.Scheduler.Site(func(args ...string) (string, error) { return c.ask(ctx, nil, args...) }).or(limits)
	}
	return c.Fixed.or(limits)
}

// Speak finds out which dialect of the scheduler the site has and uses it from then
// on. One that does not say has the first.
func (c *Client) Speak(ctx context.Context) {
	if c.Variant != nil {
		c.Scheduler = ByName(c.Variant(func(args ...string) (string, error) { return c.ask(ctx, nil, args...) }))
	}
}

// A Receipt is the scheduler's answer to a script that it has accepted.
type Receipt struct {
	ID    string   // of the job, or of the array
	Tasks []string // the ids of an array's tasks, in order; of a job: its own
}

// SubmitScript hands a script over, tasks being the size of its array, 0 if it is
// none. The error is an [*Error] if the scheduler refused, or did not answer: see
// [Error.Silent].
func (c *Client) SubmitScript(ctx context.Context, script string, tasks int) (Receipt, error) {
	args, stdin := slices.Clone(c.Submit), []byte(nil)
	on := *c
	switch {
	case c.InPlace:
		on.Dir = filepath.Dir(script)
		args = append(args, "./"+filepath.Base(script))
	case !c.Stdin:
		args = append(args, script)
	default:
		text, err := os.ReadFile(script)
		if err != nil {
			return Receipt{}, err
		}
		stdin = text
	}
	stdout, err := on.ask(ctx, stdin, args...)
	ids := c.ids(stdout)
	var failure *Error
	if errors.As(err, &failure) && (len(ids) == 0 || c.Despite == nil || !c.Despite().MatchString(failure.Said)) {
		return Receipt{}, err
	}
	if len(ids) == 0 {
		return Receipt{}, &Error{Command: args[0], Stdout: stdout, Said: fmt.Sprintf("there is no job id in its answer: %s", said(stdout))}
	}
	return c.receipt(ids, tasks)
}

// ids are the ids in an answer to a submission.
func (c *Client) ids(stdout string) []string {
	var ids []string
	for _, m := range c.Answer().FindAllStringSubmatch(stdout, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// receipt gives each task of an array its id.
func (c *Client) receipt(ids []string, tasks int) (Receipt, error) {
	last := ids[len(ids)-1] // a site's wrapper may have said something before
	switch {
	case tasks == 0:
		return Receipt{ID: last, Tasks: []string{last}}, nil
	case c.TaskID == nil && len(ids) < tasks:
		return Receipt{}, &Error{Command: c.Submit[0], Said: fmt.Sprintf("%d ids in its answer for an array of %d", len(ids), tasks)}
	case c.TaskID == nil:
		ids = ids[len(ids)-tasks:]
		return Receipt{ID: ids[0], Tasks: ids}, nil
	}
	r := Receipt{ID: last}
	for i := range tasks {
		r.Tasks = append(r.Tasks, c.TaskID(last, strconv.Itoa(i+1)))
	}
	return r, nil
}
