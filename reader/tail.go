package reader

import (
	"bytes"
	"io"
	"os"
)

// tailBlock is how much of a file is read at a time, from its end.
const tailBlock = 64 << 10

// readLast reads a metrics file from its end until every wanted column has a
// value, its last one. It returns the size of the file if its last line is whole,
// else 0.
func (l *loader) readLast(f *os.File, w *wanted, file string) (whole uint64, err error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	size := end
	missing := 0
	for _, c := range w.columns {
		if l.columns[c].series == nil {
			missing++
		}
	}
	l.scanner.root = w
	var found []cell // in a line
	take := func() {
		for _, c := range l.scanner.cells {
			found = put(found, c)
		}
	}
	torn := true    // the line may lack its end: it is the last one
	var rest []byte // the start of a line that begins before what has been read
	for block := int64(tailBlock); end > 0 && missing > 0; block *= 2 {
		n := min(block, end)
		text := make([]byte, n, n+int64(len(rest)))
		if _, err := f.ReadAt(text, end-n); err != nil && err != io.EOF {
			return 0, err
		}
		l.bytes += uint64(n)
		if end == size && text[n-1] == '\n' {
			whole = uint64(size)
		}
		text = append(text, rest...)
		for end -= n; len(text) > 0 && missing > 0; {
			start := bytes.LastIndexByte(text, '\n') + 1
			if start == 0 && end > 0 {
				break
			}
			found = found[:0]
			switch err := l.scanner.scan(text[start:], take); {
			case err != nil && torn:
				l.record.warnTorn(file)
			case err != nil:
				l.record.warn("%s: a line near the end is not a JSON object", file)
				l.trouble = true
			}
			torn = false
			for _, c := range found {
				if col := &l.columns[c.column]; col.series == nil {
					l.add(col, c)
					col.series.partial = true
					missing--
				}
			}
			text = text[:max(start-1, 0)]
		}
		rest = text
	}
	return whole, nil
}
