package reader

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"testing"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/logdir"
)

func cellOf(v any) cell {
	switch v := v.(type) {
	case int:
		return cell{kind: intCell, number: float64(v)}
	case float64:
		return cell{kind: floatCell, number: v}
	case string:
		return cell{kind: textCell, text: v}
	}
	if v == true {
		return cell{kind: trueCell}
	}
	return cell{kind: falseCell}
}

// seriesOf makes a whole series of values.
func seriesOf(name string, values ...any) *Series {
	s := &Series{Name: name, whole: true}
	for _, v := range values {
		s.add(cellOf(v))
	}
	return s
}

func answers(s *Series) string {
	out := ""
	for _, name := range expr.Reductions {
		v, ok, err := s.summary.Call(name)
		out += fmt.Sprintln(name, floatTextOf(v), ok, err)
	}
	for i := range s.summary.Len {
		out += fmt.Sprintf("%T %v\n", s.At(i), floatTextOf(s.At(i)))
	}
	return out
}

func floatTextOf(v any) any {
	if x, ok := v.(float64); ok {
		return fmt.Sprint(math.Float64bits(x))
	}
	return v
}

// What is kept of a series answers as the series does, also when values come
// after it.
func TestKeptSeriesGoesOn(t *testing.T) {
	for i, values := range [][]any{
		{}, {1, 2, 3}, {0.1, 0.2, 0.3}, {1, 2.5}, {math.NaN(), 1.0}, {1.0, math.Inf(1), math.NaN()}, {"x", 1, true}, {false},
		{1e300, 1e-300, -1e300}, {math.Copysign(0, -1), 0.0}, {9007199254740993, 1}, {"", "ü\x00"},
	} {
		s := seriesOf("a", values...)
		k := &keptSeries{holder: 0, attempts: 7, files: []readFile{{state: present, hash: 1, inode: 2, offset: 3, ends: 4, settled: true}, {}, {state: missing}}, series: *s}
		text := s.appendValues(nil)
		k.values = reference{9, uint64(len(text)), 5}
		back, err := readKept("a", k.appendTo(nil))
		if err != nil || !back.series.readValues(text) {
			t.Fatalf("%d: %v", i, err)
		}
		if back.holder != 0 || back.attempts != 7 || back.values != k.values || fmt.Sprint(back.files) != fmt.Sprint(k.files) {
			t.Errorf("%d: %+v, want %+v", i, back, k)
		}
		for _, more := range []any{nil, 5, 0.25, "y"} {
			if more != nil {
				for _, x := range []*Series{s, &back.series} {
					x.add(cellOf(more))
				}
			}
			if a, b := answers(s), answers(&back.series); a != b {
				t.Errorf("%d: %v: got\n%s\nwant\n%s", i, values, b, a)
			}
		}
	}
}

// FuzzSeriesIndex: whatever a file of the index holds, it is read or it is not.
func FuzzSeriesIndex(f *testing.F) {
	s := seriesOf("loss", 1, 0.5, "x")
	k := &keptSeries{files: []readFile{{state: present, offset: 3}}, series: *s}
	entry := k.appendTo(nil)
	head := append([]byte{4}, "loss"...)
	head = append(binary.AppendUvarint(append(head, 7), uint64(len(entry))), entry...)
	f.Add(head, s.appendValues(nil))
	f.Fuzz(func(t *testing.T, head, values []byte) {
		file := append([]byte(seriesMagic), make([]byte, 8)...)
		binary.LittleEndian.PutUint32(file[len(seriesMagic):], uint32(len(head)))
		binary.LittleEndian.PutUint32(file[len(seriesMagic)+4:], crc32.Checksum(head, castagnoli))
		_, entries := readHead(bytes.NewReader(append(file, head...)), "loss")
		for _, text := range entries {
			k, err := readKept("loss", text)
			if err != nil {
				continue
			}
			if k.series.summary.Len < 1<<20 && k.series.readValues(values) {
				_ = answers(&k.series)
			}
			(&loader{record: newRecord(new(Log), logdir.Run{Dir: t.Name(), ID: 1}, &demand{})}).holds(&column{sources: make([]string, len(k.files))}, k, map[string]logdir.Stamp{})
		}
	})
}
