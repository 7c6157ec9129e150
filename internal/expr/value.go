package expr

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// An Object is a map that an expression reads. Its values are nil, bool, int64,
// uint64, float64, string, []byte, time.Time, time.Duration, Objects and Lists.
//
// A value that is both an Object and a List is a list whose fields can be
// selected as well: the series metrics.train, where there is a series
// metrics.train.loss too.
type Object interface {
	// Field returns the value under name. Keys that are no texts in the
	// source, as a map of YAML may have them, are asked for by their text.
	Field(name string) (any, bool)
	// Names returns the names of the fields in their order.
	Names() []string
}

// A List is a list that an expression reads, or a series.
type List interface {
	Len() int
	At(i int) any // 0 <= i < Len()
}

// A Series is a list that knows its [Summary] without going through its values.
type Series interface {
	List
	Summary() *Summary
}

// slice and dictionary are lists and maps that an expression made, where they
// are read by another one.
type (
	slice      []any
	dictionary map[string]any
)

func (s slice) Len() int     { return len(s) }
func (s slice) At(i int) any { return s[i] }

func (d dictionary) Field(name string) (any, bool) { v, ok := d[name]; return v, ok }
func (d dictionary) Names() []string               { return slices.Sorted(maps.Keys(d)) }

// adapter turns the values of Objects and Lists into CEL's.
type adapter struct{}

func (adapter) NativeToValue(v any) ref.Val { return toCEL(v) }

func toCEL(v any) ref.Val {
	switch v := v.(type) {
	case ref.Val:
		return v
	case nil:
		return types.NullValue
	case bool:
		return types.Bool(v)
	case int64:
		return types.Int(v)
	case int:
		return types.Int(v)
	case uint64:
		return types.Uint(v)
	case float64:
		return types.Double(v)
	case string:
		return types.String(v)
	case []byte:
		return types.Bytes(v)
	case time.Time:
		return types.Timestamp{Time: v}
	case time.Duration:
		return types.Duration{Duration: v}
	case List:
		return listVal{v}
	case Object:
		return objectVal{v}
	case []any:
		return listVal{slice(v)}
	case map[string]any:
		return objectVal{dictionary(v)}
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// fromCEL is the inverse of toCEL; lists and maps that the expression itself
// made become []any and map[string]any.
func fromCEL(v ref.Val) any {
	switch v := v.(type) {
	case listVal:
		if l, ok := v.List.(slice); ok {
			return []any(l)
		}
		return v.List
	case objectVal:
		if o, ok := v.Object.(dictionary); ok {
			return map[string]any(o)
		}
		return v.Object
	case types.Null:
		return nil
	case types.Bool:
		return bool(v)
	case types.Int:
		return int64(v)
	case types.Uint:
		return uint64(v)
	case types.Double:
		return float64(v)
	case types.String:
		return string(v)
	case types.Bytes:
		return []byte(v)
	case types.Timestamp:
		return v.Time
	case types.Duration:
		return v.Duration
	case traits.Mapper:
		out := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			out[fmt.Sprint(key.Value())] = fromCEL(v.Get(key))
		}
		return out
	case traits.Lister:
		out := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			out = append(out, fromCEL(it.Next()))
		}
		return out
	}
	return fmt.Sprint(v.Value())
}

// kindOf names the kind of a value for an error message.
func kindOf(v ref.Val) string {
	if l, ok := v.(listVal); ok {
		if _, ok := l.List.(Series); ok {
			return "a series"
		}
	}
	if t, ok := v.Type().(*types.Type); ok {
		return kindName(t.Kind())
	}
	return "a " + v.Type().TypeName()
}

func kindName(k types.Kind) string {
	switch k {
	case types.IntKind, types.UintKind, types.DoubleKind:
		return "a number"
	case types.StringKind:
		return "a text"
	case types.BoolKind:
		return "a bool"
	case types.NullTypeKind:
		return "null"
	case types.ListKind:
		return "a list"
	case types.MapKind:
		return "a map"
	case types.TimestampKind:
		return "a time"
	case types.DurationKind:
		return "a duration"
	case types.BytesKind:
		return "bytes"
	}
	return "of another type"
}

// keyText returns the text under which an Object is asked for a key.
func keyText(key ref.Val) (string, bool) {
	switch key := key.(type) {
	case types.String:
		return string(key), true
	case types.Int:
		return strconv.FormatInt(int64(key), 10), true
	case types.Bool:
		return strconv.FormatBool(bool(key)), true
	}
	return "", false
}

func find(o Object, key ref.Val) (ref.Val, bool) {
	name, ok := keyText(key)
	if !ok {
		return nil, false
	}
	v, ok := o.Field(name)
	if !ok {
		return nil, false
	}
	return toCEL(v), true
}

// objectVal is an Object as CEL's map.
type objectVal struct{ Object }

func (o objectVal) Type() ref.Type                   { return types.MapType }
func (o objectVal) Value() any                       { return o.Object }
func (o objectVal) Find(key ref.Val) (ref.Val, bool) { return find(o.Object, key) }
func (o objectVal) Size() ref.Val                    { return types.Int(len(o.Names())) }
func (o objectVal) Iterator() traits.Iterator        { return &iterator{keys: o.Names()} }
func (o objectVal) ConvertToType(t ref.Type) ref.Val { return convert(o, t) }
func (o objectVal) Contains(key ref.Val) ref.Val     { _, ok := o.Find(key); return types.Bool(ok) }
func (o objectVal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a map cannot become a %s", t)
}

func (o objectVal) Get(key ref.Val) ref.Val {
	if v, ok := o.Find(key); ok {
		return v
	}
	return absent("no such key: %v", key.Value())
}

func (o objectVal) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	for _, name := range o.Names() {
		mine, _ := o.Field(name)
		theirs, found := m.Find(types.String(name))
		if !found || types.Equal(toCEL(mine), theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

// listVal is a List as CEL's list. If it is an Object too its fields can be
// selected: the interpreter asks a Mapper first.
type listVal struct{ List }

func (l listVal) Type() ref.Type                   { return types.ListType }
func (l listVal) Value() any                       { return l.List }
func (l listVal) Size() ref.Val                    { return types.Int(l.Len()) }
func (l listVal) Iterator() traits.Iterator        { return &iterator{list: l.List} }
func (l listVal) ConvertToType(t ref.Type) ref.Val { return convert(l, t) }
func (l listVal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a list cannot become a %s", t)
}

func (l listVal) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		if o, ok := l.List.(Object); ok {
			return find(o, name)
		}
		return nil, false
	}
	i, err := types.IndexOrError(key)
	if err != nil || i < 0 || i >= l.Len() {
		return nil, false
	}
	return toCEL(l.At(i)), true
}

func (l listVal) Get(key ref.Val) ref.Val {
	if v, ok := l.Find(key); ok {
		return v
	}
	return absent("index out of bounds: %v", key.Value())
}

func (l listVal) Contains(v ref.Val) ref.Val {
	for i := range l.Len() {
		if types.Equal(toCEL(l.At(i)), v) == types.True {
			return types.True
		}
	}
	return types.False
}

func (l listVal) Add(other ref.Val) ref.Val {
	tail, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	var all []ref.Val
	for _, it := range []traits.Iterator{l.Iterator(), tail.Iterator()} {
		for it.HasNext() == types.True {
			all = append(all, it.Next())
		}
	}
	return types.NewRefValList(adapter{}, all)
}

func (l listVal) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok || o.Size() != l.Size() {
		return types.False
	}
	for i := range l.Len() {
		if types.Equal(toCEL(l.At(i)), o.Get(types.Int(i))) != types.True {
			return types.False
		}
	}
	return types.True
}

func convert(v ref.Val, t ref.Type) ref.Val {
	switch t {
	case v.Type():
		return v
	case types.TypeType:
		return v.Type().(ref.Val)
	}
	return types.NewErr("%s cannot become a %s", kindOf(v), t.TypeName())
}

// iterator goes through keys, or through list.
type iterator struct {
	keys []string
	list List
	next int
}

func (it *iterator) HasNext() ref.Val {
	if it.list != nil {
		return types.Bool(it.next < it.list.Len())
	}
	return types.Bool(it.next < len(it.keys))
}

func (it *iterator) Next() ref.Val {
	it.next++
	if it.list != nil {
		return toCEL(it.list.At(it.next - 1))
	}
	return types.String(it.keys[it.next-1])
}

func (it *iterator) Type() ref.Type                 { return types.IteratorType }
func (it *iterator) Value() any                     { return nil }
func (it *iterator) Equal(ref.Val) ref.Val          { return types.False }
func (it *iterator) ConvertToType(ref.Type) ref.Val { return types.NewErr("no such conversion") }
func (it *iterator) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("no such conversion")
}
