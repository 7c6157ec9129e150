package expr

import (
	"encoding/binary"
	"errors"
	"math"
)

// A summary that is written and read again goes on as if it had never been
// away.

var errBroken = errors.New("broken summary")

// AppendBinary appends the summary in a form for [ReadSummary].
func (s *Summary) AppendBinary(dst []byte) []byte {
	flags := byte(0)
	if s.floats {
		flags |= 1
	}
	if s.odd != nil {
		flags |= 2
	}
	dst = append(dst, flags)
	for _, n := range []int{s.Len, s.numbers, s.argmin, s.argmax} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	for _, x := range []float64{s.min, s.max, s.sum, s.lost} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	if s.odd != nil {
		dst = AppendScalar(dst, s.odd)
	}
	for _, i := range []item{s.first, s.last} {
		dst = AppendScalar(dst, i.value())
	}
	return dst
}

// ReadSummary reads a summary and returns what follows it.
func ReadSummary(text []byte) (s Summary, rest []byte, err error) {
	if len(text) == 0 {
		return s, nil, errBroken
	}
	flags := text[0]
	text = text[1:]
	s.floats = flags&1 != 0
	for _, n := range []*int{&s.Len, &s.numbers, &s.argmin, &s.argmax} {
		u, width := binary.Uvarint(text)
		if width <= 0 || u > math.MaxInt {
			return s, nil, errBroken
		}
		*n, text = int(u), text[width:]
	}
	for _, x := range []*float64{&s.min, &s.max, &s.sum, &s.lost} {
		if len(text) < 8 {
			return s, nil, errBroken
		}
		*x, text = math.Float64frombits(binary.LittleEndian.Uint64(text)), text[8:]
	}
	if flags&2 != 0 {
		if s.odd, text, err = ReadScalar(text); err != nil {
			return s, nil, err
		}
	}
	for _, i := range []*item{&s.first, &s.last} {
		var v any
		if v, text, err = ReadScalar(text); err != nil {
			return s, nil, err
		}
		switch v := v.(type) {
		case int64:
			*i = item{float64(v), true, nil}
		case float64:
			*i = item{v, false, nil}
		default:
			*i = item{other: v}
		}
	}
	return s, text, nil
}

// The tags of scalars.
const (
	tagInt byte = iota
	tagFloat
	tagText
	tagTrue
	tagFalse
)

// AppendScalar appends an int64, float64, string or bool in a form for
// [ReadScalar].
func AppendScalar(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(append(dst, tagInt), uint64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(dst, tagText), uint64(len(v))), v...)
	case bool:
		if v {
			return append(dst, tagTrue)
		}
	}
	return append(dst, tagFalse)
}

// ReadScalar reads a scalar and returns what follows it.
func ReadScalar(text []byte) (v any, rest []byte, err error) {
	if len(text) == 0 {
		return nil, nil, errBroken
	}
	tag := text[0]
	text = text[1:]
	switch tag {
	case tagTrue, tagFalse:
		return tag == tagTrue, text, nil
	case tagInt, tagFloat:
		if len(text) < 8 {
			return nil, nil, errBroken
		}
		u := binary.LittleEndian.Uint64(text)
		if tag == tagInt {
			return int64(u), text[8:], nil
		}
		return math.Float64frombits(u), text[8:], nil
	case tagText:
		n, width := binary.Uvarint(text)
		if width <= 0 || n > uint64(len(text)-width) {
			return nil, nil, errBroken
		}
		text = text[width:]
		return string(text[:n]), text[n:], nil
	}
	return nil, nil, errBroken
}
