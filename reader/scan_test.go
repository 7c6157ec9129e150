package reader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// cellsOf reads a line with every name wanted, and says them as text.
func cellsOf(line string) (map[string]string, error) {
	var names []string
	s := lineScanner{root: &wanted{all: true}}
	s.found = func(name string) int {
		for i, n := range names {
			if n == name {
				return i
			}
		}
		names = append(names, name)
		return len(names) - 1
	}
	out := map[string]string{}
	err := s.scan([]byte(line), func() {
		for _, c := range s.cells {
			switch c.kind {
			case intCell, floatCell:
				out[names[c.column]] = fmt.Sprint(c.number)
			case textCell:
				out[names[c.column]] = "text " + c.text
			default:
				out[names[c.column]] = fmt.Sprint(c.kind == trueCell)
			}
		}
	})
	return out, err
}

func TestScanLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want map[string]string // nil: not whole
	}{
		{`{}`, map[string]string{}},
		{`{"loss":1}`, map[string]string{"loss": "1"}},
		{` { "loss" : 1.5e-3 , "acc":2 } `, map[string]string{"loss": "0.0015", "acc": "2"}},
		{`{"train":{"loss":1,"x":{"y":-2}}}`, map[string]string{"train.loss": "1", "train.x.y": "-2"}},
		{`{"train.loss":1}`, map[string]string{"train.loss": "1"}},
		{`{"a":NaN,"b":Infinity,"c":-Infinity,"d":"NaN"}`, map[string]string{"a": "NaN", "b": "+Inf", "c": "-Inf", "d": "NaN"}},
		{`{"a":true,"b":false,"c":null,"d":"x\"y\\"}`, map[string]string{"a": "true", "b": "false", "d": `text x"y\`}},
		{`{"a":1,"a":2}`, map[string]string{"a": "2"}},
		{`{"a":[1,[2,{"b":"]"}]],"c":3}`, map[string]string{"c": "3"}},
		{`{"\u0061":1}`, map[string]string{"a": "1"}},
		{`{"a":1e999,"b":123456789012345678901}`, map[string]string{"a": "+Inf", "b": "1.2345678901234568e+20"}},
		{`{"a":1`, nil}, {`{"a":1.`, nil}, {`{"a":`, nil}, {`{"a`, nil}, {`{`, nil},
		{``, map[string]string{}}, {`{"a":1,"b":3} {"b":2}{}`, map[string]string{"a": "1", "b": "2"}},
		{`{"a":1}}`, nil}, {`{"a":1},{"b":2}`, nil}, {`{"a":1,}`, nil}, {`[1]`, nil}, {`{"a":01}`, nil},
		{`{"a":+1}`, nil}, {`{"a":1-2}`, nil}, {`{"a":tru}`, nil}, {`{"a" 1}`, nil}, {`{a:1}`, nil}, {`{"a":Inf}`, nil},
		{"\x00\x00\x00", nil}, {strings.Repeat(`{"a":`, 5000), nil},
	} {
		got, err := cellsOf(c.line)
		if c.want == nil {
			if err == nil {
				t.Errorf("%.40q: got %v, want an error", c.line, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%.40q: got %v, %v; want %v", c.line, got, err, c.want)
		}
	}
}

// FuzzScanLine: of what encoding/json reads as an object, the scanner reads the same.
func FuzzScanLine(f *testing.F) {
	for _, line := range []string{
		`{"loss":1.5,"step":3}`, `{"train":{"loss":1e-5,"ok":true},"name":"a\u00e9\n"}`, `{"a":[1,2,{"b":3}],"c":null}`,
		`{"a":1,"a":{"b":2}}`, `{"":{"":0}}`, `{"a":"Infinity"}`, `{"a" : -0.0}`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := cellsOf(line)
		dec := json.NewDecoder(strings.NewReader(line))
		dec.UseNumber()
		if strings.ContainsAny(line, "\n") || !json.Valid([]byte(line)) || strings.Contains(strings.ToLower(line), `\ud`) {
			return // lone surrogates are bytes to us, replacement characters to encoding/json
		}
		if bytes.ContainsRune([]byte(line), '\uFFFD') {
			return
		}
		var object map[string]any
		if json.Unmarshal([]byte(line), &object) != nil || object == nil || depthOf(line) > maxDepth {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		want := map[string]string{}
		if !flatten(dec, "", want) {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	})
}

func depthOf(line string) int { return strings.Count(line, "{") + strings.Count(line, "[") }

// flatten reads an object token by token, so that of two values under one name
// the last counts also where one of them is an object.
func flatten(dec *json.Decoder, prefix string, out map[string]string) bool {
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return false
	}
	return flattenRest(dec, prefix, out)
}

func flattenRest(dec *json.Decoder, prefix string, out map[string]string) bool {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return false
		}
		name := prefix + key.(string)
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' {
				if !flattenRest(dec, name+".", out) {
					return false
				}
				continue
			}
			depth := 1
			for depth > 0 {
				tok, err := dec.Token()
				if err != nil {
					return false
				}
				if d, ok := tok.(json.Delim); ok {
					if d == '[' || d == '{' {
						depth++
					} else {
						depth--
					}
				}
			}
		case json.Number:
			x, err := v.Float64()
			if err != nil && !math.IsInf(x, 0) {
				return false
			}
			if x == 0 && !strings.ContainsAny(v.String(), ".eE") {
				x = 0 // an int has no negative zero
			}
			out[name] = fmt.Sprint(x)
		case string:
			switch v {
			case "NaN":
				out[name] = "NaN"
			case "Infinity":
				out[name] = "+Inf"
			case "-Infinity":
				out[name] = "-Inf"
			default:
				out[name] = "text " + v
			}
		case bool:
			out[name] = fmt.Sprint(v)
		}
	}
	_, err := dec.Token()
	return err == nil
}

func BenchmarkScan(b *testing.B) {
	var file bytes.Buffer
	for i := range 10000 {
		fmt.Fprintf(&file, `{"step": %d, "loss": %v, "accuracy": %v}`+"\n", i, 1/float64(i+1), 1-1/float64(i+1))
	}
	text := file.Bytes()
	b.SetBytes(int64(len(text)))
	s := lineScanner{root: &wanted{names: []string{"loss"}, columns: []int{0}}}
	var buf []byte
	sum := 0.0
	for b.Loop() {
		buf, _ = eachLine(bytes.NewReader(text), buf, func(line []byte, _ int64, _ bool) {
			_ = s.scan(line, func() { sum += s.cells[0].number })
		})
	}
}
