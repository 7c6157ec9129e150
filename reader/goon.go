package reader

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"syscall"

	"github.com/mlxp/mlxp/logdir"
)

// What was kept of a series holds as it is while the stamps of all files that it
// may be in are what they were. A file of a run that goes on may have grown: if
// it is the same file and begins and ends as what was read of it, only the rest
// is read. Any other change, and any change of a run that has ended, to which
// nobody appends, is a reason to read all of it again.

// goOn lets the columns go on from what is kept, where that holds.
func (l *loader) goOn(index *seriesIndex) {
	stamps := map[string]logdir.Stamp{} // zero: missing
	for i := range l.columns {
		c := &l.columns[i]
		k := index.look(c.name, l.record.Run)
		if k == nil {
			continue
		}
		c.old = k
		length := k.series.summary.Len
		if len(k.files) != len(c.sources) || k.attempts != l.record.attemptsHash(c.sources) ||
			k.partial && !l.last || c.whole && length > 0 && k.values.size == 0 || !l.holds(c, k, stamps) {
			continue
		}
		if c.whole && !index.readValues(k, l.record.Run) {
			continue
		}
		c.files, c.holder, l.going = k.files, k.holder, true
		c.done = true
		for _, f := range k.files {
			c.done = c.done && (f.exact || f.state == unread)
		}
		if length > 0 {
			c.series = &k.series
			c.series.record = l.record
		}
	}
}

// holds tells whether what is kept of a column holds, and marks the files of which
// nothing has to be read.
func (l *loader) holds(c *column, k *keptSeries, stamps map[string]logdir.Stamp) bool {
	for i := range k.files {
		f := &k.files[i]
		if f.state == unread {
			if !l.last || i >= k.holder {
				return false
			}
			continue
		}
		name := c.sources[i]
		path := l.record.Run.Path(name)
		now, known := stamps[name]
		if !known {
			var err error
			if now, err = logdir.StampOf(path); err != nil && !isMissing(err) {
				return false // which has to be said
			}
			stamps[name] = now
		}
		there := now != logdir.Stamp{}
		switch {
		case f.state == missing:
			f.exact = !there
		case !there:
			return false
		case f.settled && f.hash == now.Hash():
			f.exact = f.offset == now.Size
		case !l.record.growing() || k.attempts != 0 || !f.appended(path, now):
			return false
		}
		if l.last && !f.exact {
			return false // its end is read in a moment
		}
	}
	return true
}

// isMissing tells whether there is no file of a name that was looked for.
func isMissing(err error) bool {
	for _, e := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// keep gives the index what was read and is whole.
func (l *loader) keep(index *seriesIndex) {
	if l.trouble {
		return
	}
	for i := range l.columns {
		c := &l.columns[i]
		if c.done || c.cut || l.last && c.old != nil && !c.old.partial {
			continue
		}
		k := &keptSeries{partial: l.last, attempts: l.record.attemptsHash(c.sources), files: c.files, holder: c.holder}
		k.series.Name = c.name
		switch {
		case c.before != nil:
			k.series = *c.before
		case c.series != nil:
			k.series = *c.series
		}
		k.series.record = nil
		index.put(c.name, l.record.Run, k)
	}
	index.worked(l.bytes)
}

// growing tells whether the run may append to its metrics.
func (r *Record) growing() bool {
	s := r.Status()
	return (s == logdir.Running || s == logdir.Starting) && !r.legacy()
}

// attemptsHash is a number for where attempts begin in files, 0 if the run was
// started once.
func (r *Record) attemptsHash(files []string) uint64 {
	if !r.restarted() {
		return 0
	}
	h := fnv.New64a()
	for _, file := range files {
		for _, n := range r.restarts(file) {
			for i := range 8 {
				h.Write([]byte{byte(n >> (8 * i))})
			}
		}
		h.Write([]byte{0xff}) // no number begins so
	}
	return max(1, h.Sum64())
}
