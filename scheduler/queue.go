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
// with ids that it does not list any more as far as it keeps them. The error is an
// [*Error] if it did not answer; then nothing is known.
func (c *Client) Look(ctx context.Context, users, ids []string) ([]Entry, error) {
	var all []Entry
	for _, q := range c.Queries {
		missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
			return slices.ContainsFunc(all, func(e Entry) bool { return e.ID == id })
		})
		if needsIDs(q) && len(missing) == 0 {
			continue
		}
		for _, args := range q.commands(users, missing) {
			stdout, err := c.ask(ctx, nil, args...)
			var failure *Error
			if errors.As(err, &failure) && !failure.Silent() && q.None != nil && q.None.MatchString(failure.Said) {
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
				e.State = c.state(e.Word)
				all = append(all, e)
			}
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

func needsIDs(q Query) bool {
	return slices.ContainsFunc(q.Command, func(word string) bool { return strings.Contains(word, "{id") })
}

// many is how many ids one command is given: a command line has its limits, and so
// has the patience of a scheduler.
const many = 500

// commands are those of the query: one for all ids, or for some hundred of them, or
// one for each if it takes only {id}.
func (q Query) commands(users, ids []string) [][]string {
	fill := func(ids []string) []string {
		args := slices.Clone(q.Command)
		for i, word := range args {
			args[i] = strings.NewReplacer("{users}", strings.Join(users, ","), "{ids}", strings.Join(ids, ","), "{id}", strings.Join(ids, ",")).Replace(word)
		}
		return args
	}
	if !needsIDs(q) {
		return [][]string{fill(nil)}
	}
	size := many
	if slices.ContainsFunc(q.Command, func(word string) bool { return strings.Contains(word, "{id}") }) {
		size = 1
	}
	var commands [][]string
	for part := range slices.Chunk(ids, size) {
		commands = append(commands, fill(part))
	}
	return commands
}

// CancelJobs cancels jobs. That one has ended already is no error.
func (c *Client) CancelJobs(ctx context.Context, ids []string) error {
	var errs []error
	for part := range slices.Chunk(ids, many) {
		_, err := c.ask(ctx, nil, slices.Concat(c.Cancel, part)...)
		var failure *Error
		if errors.As(err, &failure) && c.Gone != nil && !failure.Silent() && c.Gone.MatchString(failure.Stdout+failure.Said) {
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
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
