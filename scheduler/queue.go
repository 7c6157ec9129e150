package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Look asks the scheduler for jobs: those of users that it knows of, and of those
// with ids that it does not list any more as far as it keeps them. An empty id stands
// for a job of the users' whose id is not known. The error is an [*Error] if it did
// not answer; then nothing is known.
func (c *Client) Look(ctx context.Context, users, ids []string) ([]Entry, error) {
	var all []Entry
	search := slices.Contains(ids, "")
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" })
	for range 1 + mostRenewals {
		for _, q := range c.Queries {
			missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
				return slices.ContainsFunc(all, func(e Entry) bool { return e.ID == id })
			})
			if q.needsIDs() && len(missing) == 0 || q.Search && !search {
				continue
			}
			entries, err := c.query(ctx, q, users, missing)
			if err != nil {
				return nil, err
			}
			all = append(all, entries...)
		}
		// A job that was submitted again goes on under another id.
		ids = nil
		for _, e := range all {
			if e.Next != "" && !slices.ContainsFunc(all, func(other Entry) bool { return other.ID == e.Next }) {
				ids = append(ids, e.Next)
			}
		}
		if len(ids) == 0 {
			break
		}
	}
	return all, nil
}

// Detail asks for one job by its id alone, of which a scheduler may tell more than of
// many. It is not ok if the scheduler does not know it.
func (c *Client) Detail(ctx context.Context, id string) (Entry, bool, error) {
	for _, q := range c.Queries {
		if !q.needsIDs() {
			continue
		}
		entries, err := c.query(ctx, q, nil, []string{id})
		if err != nil {
			return Entry{}, false, err
		}
		for _, e := range entries {
			if e.ID == id {
				return e, true, nil
			}
		}
	}
	return Entry{}, false, nil
}

// mostRenewals is how often one call follows jobs to their next ids: what is left is
// for the next call.
const mostRenewals = 3

// Latest returns what became of the job with id, which may have others by now. It is
// not ok if entries do not have it.
func Latest(entries func(id string) (Entry, bool), id string) (e Entry, ok bool) {
	for range 1000 { // no circle holds us
		next, found := entries(id)
		if !found {
			return e, ok
		}
		e, ok = next, true
		if e.Next == "" {
			break
		}
		id = e.Next
	}
	return e, ok
}

// query asks one query.
func (c *Client) query(ctx context.Context, q Query, users, ids []string) ([]Entry, error) {
	var all []Entry
	for _, args := range q.commands(users, ids) {
		stdout, err := c.ask(ctx, nil, args...)
		var failure *Error
		if errors.As(err, &failure) && !failure.Silent() && q.None != nil && q.None().MatchString(failure.Stderr+failure.Stdout) {
			err = nil
		}
		if err != nil {
			if q.Maybe {
				continue
			}
			return nil, err
		}
		entries, err := q.Read(stdout)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", args[0], err)
		}
		for _, e := range entries {
			if e.State == "" {
				e.State = c.state(e.Word)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

func (s *Scheduler) state(word string) State {
	if state, ok := s.States[word]; ok {
		return state
	}
	return Unknown
}

func (q Query) needsIDs() bool {
	return slices.ContainsFunc(q.Command, func(word string) bool { return strings.Contains(word, "{id") })
}

const (
	// many is how many ids one command is given: a command line has its limits, and so
	// has the patience of a scheduler.
	many = 500
	// few is how many commands are executed where one takes one id.
	few = 20
)

// commands are those of the query.
func (q Query) commands(users, ids []string) [][]string {
	has := func(mark string) bool {
		return slices.ContainsFunc(q.Command, func(word string) bool { return strings.Contains(word, mark) })
	}
	if q.Of != nil {
		var of []string
		for _, id := range ids {
			if id = q.Of(id); !slices.Contains(of, id) {
				of = append(of, id)
			}
		}
		ids = of
	}
	switch {
	case has("{user}"):
		var commands [][]string
		for _, user := range users {
			commands = append(commands, q.filled([]string{user}, nil))
		}
		return commands
	case !q.needsIDs():
		return [][]string{q.filled(users, nil)}
	}
	size := many
	if has("{id}") {
		size = 1
		ids = ids[:min(len(ids), few)]
	}
	var commands [][]string
	for part := range slices.Chunk(ids, size) {
		commands = append(commands, q.filled(users, part))
	}
	return commands
}

// filled is the command for some users and ids.
func (q Query) filled(users, ids []string) []string {
	user, id := strings.Join(users, ","), strings.Join(ids, ",")
	replace := strings.NewReplacer("{users}", user, "{user}", user, "{ids}", id, "{id}", id).Replace
	var args []string
	for _, word := range q.Command {
		if word != "{ids...}" {
			args = append(args, replace(word))
			continue
		}
		for _, id := range ids {
			args = append(append(args, q.Each...), id)
		}
	}
	return args
}

// CancelJobs cancels jobs. That one has ended already is no error.
func (c *Client) CancelJobs(ctx context.Context, ids []string) error {
	var errs []error
	for part := range slices.Chunk(ids, many) {
		_, err := c.ask(ctx, nil, slices.Concat(c.Cancel, part)...)
		errs = append(errs, c.butGone(err))
	}
	return errors.Join(errs...)
}

// AskJobs lets running jobs get SIGTERM, where Cancel kills them at once. That one has
// ended already is no error.
func (c *Client) AskJobs(ctx context.Context, ids []string) error {
	var errs []error
	for _, id := range ids {
		_, err := c.ask(ctx, nil, append(slices.Clone(c.Scheduler.Ask), id)...)
		errs = append(errs, c.butGone(err))
	}
	return errors.Join(errs...)
}

// butGone returns err unless all that it says is that jobs have ended already.
func (c *Client) butGone(err error) error {
	var failure *Error
	if c.Gone == nil || !errors.As(err, &failure) || failure.Silent() {
		return err
	}
	gone := c.Gone().MatchString(failure.Stdout)
	for line := range strings.Lines(failure.Stderr) {
		switch {
		case c.Gone().MatchString(line):
			gone = true
		case strings.TrimSpace(line) != "":
			return err
		}
	}
	if !gone {
		return err
	}
	return nil
}

// RequeueJob lets a job start again as itself when it has ended.
func (c *Client) RequeueJob(ctx context.Context, id string) error {
	_, err := c.ask(ctx, nil, append(slices.Clone(c.Requeue), id)...)
	return err
}

// readLines reads lines of n fields with "|" between them; the last field takes the
// rest.
func readLines(text string, n int, entry func(fields []string) Entry) ([]Entry, error) {
	var entries []Entry
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(line, "|", n)
		if len(fields) < n {
			continue // the rest of a name with a newline in it: not ours
		}
		entries = append(entries, entry(fields))
	}
	return entries, nil
}

// localTime reads a time without a zone, which is that of this host. It is zero if
// the text is none.
func localTime(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02T15:04:05", text, time.Local)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
