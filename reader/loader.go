package reader

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mlxp/mlxp/logdir"
)

// A loader reads the metric files of one run.
type loader struct {
	record  *Record
	last    bool // the last values will do
	scanner lineScanner
	columns []column

	going   bool   // a column goes on from what is kept
	trouble bool   // something was wrong: nothing can be kept
	bytes   uint64 // that were read
}

// A column gathers a series.
type column struct {
	name   string
	whole  bool
	series *Series
	file   []stepped // of the file that is read, where attempts overlap

	sources []string   // the files that it may be in; nil if nobody asks
	files   []readFile // what was read of each
	at      int        // the one that is read
	holder  int        // the last that holds a value; -1: none
	before  *Series    // as it was before a last line without an end, if that changed it
	cut     bool       // such a line is not in the last file
	old     *keptSeries
	done    bool // it is as it was kept
}

// stepped is a value of a run that was started again.
type stepped struct {
	cell    cell
	step    float64 // NaN: none
	attempt int
}

// load reads what the columns lack. It is false if they went on from what is kept
// and that does not fit to what is there.
func (l *loader) load() bool {
	var files []string
	for i := range l.columns {
		for _, file := range l.columns[i].sources {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	slices.SortFunc(files, compareSources)
	if l.last {
		slices.Reverse(files) // of a series in several files, the last counts
	}
	for _, file := range files {
		prefix := metricPrefix(file)
		// Columns that were kept at another time go on from another place.
		groups := map[uint64]*wanted{}
		for i := range l.columns {
			c := &l.columns[i]
			if c.at = slices.Index(c.sources, file); c.at < 0 || c.done || c.files[c.at].exact || l.last && c.series != nil {
				continue
			}
			w := groups[c.files[c.at].offset]
			if w == nil {
				w = &wanted{}
				groups[c.files[c.at].offset] = w
			}
			w.names, w.columns = append(w.names, c.name[len(prefix):]), append(w.columns, i)
		}
		for offset, w := range groups {
			l.read(file, offset, w, len(groups) == 1)
		}
	}
	return !l.going || !l.trouble
}

// compareSources puts metrics.jsonl first, and the others by name.
func compareSources(a, b string) int {
	if a == logdir.MetricsJSONL || b == logdir.MetricsJSONL {
		return strings.Compare(strings.TrimPrefix(a, logdir.MetricsJSONL), strings.TrimPrefix(b, logdir.MetricsJSONL))
	}
	return strings.Compare(a, b)
}

func (l *loader) add(c *column, v cell) {
	if c.series == nil {
		c.series = &Series{Name: c.name, record: l.record, whole: c.whole}
	}
	l.trouble = l.trouble || c.at < c.holder // it belongs before what is there
	c.holder = c.at
	c.series.add(v)
}

// endFile takes over what a file with several attempts held: a value whose step
// a later attempt has too was replaced by it.
func (l *loader) endFile(c *column) {
	newest := map[float64]int{}
	for _, v := range c.file {
		if v.step == v.step {
			newest[v.step] = max(newest[v.step], v.attempt)
		}
	}
	for _, v := range c.file {
		if v.step != v.step || v.attempt == newest[v.step] {
			l.add(c, v.cell)
		}
	}
	c.file = nil
}

// read reads one file, from an offset at which a line begins. What is not a whole
// object does not count, and neither does anything that cannot be read: the
// record gets a warning. alone tells that the columns in w are all that are read
// of the file.
func (l *loader) read(file string, offset uint64, w *wanted, alone bool) {
	read := time.Now()
	f, err := l.record.open(file)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.record.warn("%v", err)
			l.trouble = true
		}
		l.note(w, readFile{state: missing})
		return
	}
	defer f.Close()
	stamp, err := logdir.StampOfFile(f)
	for _, i := range w.columns {
		c := &l.columns[i]
		if offset > 0 && (err != nil || stamp.Inode != c.files[c.at].inode || stamp.Size < offset) {
			l.trouble = true // it was replaced this moment
			return
		}
		c.cut = c.cut || c.before != nil
	}
	now := readFile{state: present, hash: stamp.Hash(), inode: stamp.Inode, stamp: stamp, read: read}
	if l.last {
		now.offset, err = l.readLast(f, w, file)
		for _, i := range w.columns {
			l.columns[i].cut = l.columns[i].cut || now.offset != stamp.Size // it has no end yet
		}
	} else {
		now.offset, err = l.readLines(f, offset, w, file, alone)
	}
	if err != nil {
		l.record.warn("%v", relative(file, err))
		l.trouble = true
	}
	if l.record.seriesIndex != nil && !l.last && l.record.growing() {
		now.ends, _ = endsOf(f, now.offset)
	}
	l.note(w, now)
}

// note remembers how a file was read.
func (l *loader) note(w *wanted, f readFile) {
	for _, i := range w.columns {
		l.columns[i].files[l.columns[i].at] = f
	}
}

// readLines reads a file to its end, and returns where its last whole line ends.
func (l *loader) readLines(f *os.File, from uint64, w *wanted, file string, alone bool) (end uint64, err error) {
	if from > 0 {
		if _, err := f.Seek(int64(from), io.SeekStart); err != nil {
			return 0, err
		}
	}
	bounds := l.record.restarts(file)
	l.scanner.root, l.scanner.lists, l.scanner.steps = w, false, len(bounds) > 0
	bad, firstBad, lines := 0, 0, 0
	torn := false
	attempt := 0
	take := func() {
		for _, c := range l.scanner.cells {
			if len(bounds) == 0 {
				l.add(&l.columns[c.column], c)
			} else {
				col := &l.columns[c.column]
				col.file = append(col.file, stepped{c, l.scanner.step, attempt})
			}
		}
	}
	line := func(text []byte) {
		lines++
		if l.scanner.scan(text, take) != nil {
			if bad++; bad == 1 {
				firstBad = lines
			}
		}
	}
	buf, _ := l.record.log.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer l.record.log.buffers.Put(buf)
	end = from
	*buf, err = eachLine(f, *buf, func(text []byte, offset int64, whole bool) {
		begin := offset
		size := int64(len(text))
		for attempt < len(bounds) && bounds[attempt] < offset+int64(len(text)) {
			if cut := bounds[attempt] - offset; cut > 0 {
				// What the attempt before was writing when it was stopped: if it is
				// no whole line, nothing is wrong with that.
				before := bad
				line(text[:cut])
				bad = before
				text, offset = text[cut:], bounds[attempt]
			}
			attempt++
		}
		if whole {
			end = from + uint64(begin+size) + 1
			line(text)
			return
		}
		if len(bounds) > 0 {
			for _, i := range w.columns {
				l.columns[i].cut = true
			}
		}
		restore := l.remember(w)
		before := bad
		line(text)
		torn = bad > before
		restore()
	})
	l.bytes += end - from
	if torn {
		bad--
		l.record.warnTorn(file)
		l.trouble = l.trouble || !alone
	}
	switch {
	case bad == 1:
		l.record.warn("%s: line %d is not a JSON object", file, firstBad)
	case bad > 1:
		l.record.warn("%s: %d lines are not JSON objects, the first is line %d", file, bad, firstBad)
	}
	if l.scanner.lists {
		l.record.warn("%s: a metric is a list; only numbers, texts and bools are read", file)
	}
	l.trouble = l.trouble || bad > 0 || l.scanner.lists
	if len(bounds) > 0 {
		for i := range l.columns {
			l.endFile(&l.columns[i])
		}
	}
	return end, err
}

// remember looks at columns before a last line without an end is read: what it
// returns finds out, after that, which of them have changed.
func (l *loader) remember(w *wanted) (compare func()) {
	before := make([]Series, len(w.columns))
	for n, i := range w.columns {
		if s := l.columns[i].series; s != nil {
			before[n] = *s
		}
	}
	return func() {
		for n, i := range w.columns {
			c := &l.columns[i]
			if c.series != nil && c.series.summary.Len != before[n].summary.Len {
				c.before = &before[n]
			}
		}
	}
}

// warnTorn tells of a last line that is not whole, unless it may still be
// written.
func (r *Record) warnTorn(file string) {
	if r.Status().Ended() {
		r.warn("%s: the last line is cut off", file)
	}
}

// values returns the series that were read, nil for a column without a value.
func (l *loader) values() []*Series {
	out := make([]*Series, len(l.columns))
	for i := range l.columns {
		out[i] = l.columns[i].series
	}
	return out
}
