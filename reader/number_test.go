package reader

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// checkNumber compares what is read with what strconv reads.
func checkNumber(t *testing.T, text string) {
	t.Helper()
	_, x, end, ok := shortNumber([]byte(text+","), 0)
	if !ok {
		_, x, ok = parseNumber([]byte(text))
		end = len(text)
	}
	want, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || end != len(text) || math.Float64bits(x) != math.Float64bits(want) && !(x == 0 && want == 0) {
		t.Errorf("%s: got %v, %v; want %v, %v", text, x, ok, want, err)
	}
}

func TestNumber(t *testing.T) {
	for _, text := range []string{"0", "-0", "0.0", "-0.0", "1", "0.1", "123456789012345", "1234567890123456", "9007199254740993", "9007199254740993.0",
		"0.0000000000000000001", "1844674407370955161.5", "9999999999999999999", "0.9999999999999999999", "4.35", "0.000001", "2.2250738585072014e-308", "1.7976931348623157e308", "5e-324", "1E5", "1e+5"} {
		checkNumber(t, text)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		x := random.Float64()
		switch random.IntN(4) {
		case 0:
			x = math.Float64frombits(random.Uint64())
			if math.IsNaN(x) || math.IsInf(x, 0) {
				continue
			}
		case 1:
			x *= math.Pow(10, float64(random.IntN(30)-15))
		case 2:
			x = -x
		}
		checkNumber(t, strconv.FormatFloat(x, 'f', random.IntN(30), 64))
		checkNumber(t, strconv.FormatFloat(x, 'g', -1, 64))
	}
	// Half-way between two floats: the even one is nearest.
	for range 50_000 {
		x := math.Ldexp(float64(1<<52+random.Uint64N(1<<52)), -random.IntN(8)-1)
		half := (x + math.Nextafter(x, math.Inf(1))) / 2 // rounds to one of them
		checkNumber(t, strconv.FormatFloat(half, 'f', -1, 64))
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "01", "-01", "00.5", "1.2.3", "+1", "1e", "1e+", "0x1", "1_0", "Inf", "nan", "-NaN", "--1", "1-1"} {
		_, _, _, short := shortNumber([]byte(text+","), 0)
		_, _, long := parseNumber([]byte(text))
		if short || long {
			t.Errorf("%q is read as a number", text)
		}
	}
}
