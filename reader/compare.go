package reader

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/logdir"
)

// A Comparison is what two runs have in common, and the first difference.
type Comparison struct {
	Series, Values, Artifacts int      // that agree
	Difference                string   // the first one; empty: there is none
	LeftOut                   []string // series that hold times
}

// Compare compares what two runs measured and made: every series value by value,
// every artifact by its content. Two numbers agree if they differ by at most
// tolerance times the larger one; NaN agrees with NaN.
func (l *Log) Compare(a, b int, tolerance float64) (Comparison, error) {
	c := Comparison{LeftOut: []string{}}
	first, err := l.Find(a)
	if err != nil {
		return c, err
	}
	second, err := l.Find(b)
	if err != nil {
		return c, err
	}
	c.compareSeries(first, second, tolerance)
	return c, c.compareArtifacts(first, second)
}

// differ notes the first difference.
func (c *Comparison) differ(format string, args ...any) {
	if c.Difference == "" {
		c.Difference = fmt.Sprintf(format, args...)
	}
}

func (c *Comparison) compareSeries(a, b *Record, tolerance float64) {
	names := map[string]bool{}
	for _, s := range b.Metrics() {
		names[s.Name] = true
	}
	for _, s := range a.Metrics() {
		there := names[s.Name]
		delete(names, s.Name)
		switch {
		case holdsTimes(s.Name):
			c.LeftOut = append(c.LeftOut, s.Name)
		case !there:
			c.differ("run %d has no metrics.%s", b.ID(), s.Name)
		case c.compareValues(s, b.Metric(s.Name), tolerance):
			c.Series++
			c.Values += s.Len()
		}
	}
	for _, s := range b.Metrics() {
		if names[s.Name] && !holdsTimes(s.Name) {
			c.differ("run %d has no metrics.%s", a.ID(), s.Name)
		}
	}
}

// compareValues tells whether two series agree.
func (c *Comparison) compareValues(a, b *Series, tolerance float64) bool {
	for i := range min(a.Len(), b.Len()) {
		if x, y := a.At(i), b.At(i); !agree(x, y, tolerance) {
			c.differ("metrics.%s, value %d: %s and %s", a.Name, i+1, valueText(x), valueText(y))
			return false
		}
	}
	if a.Len() != b.Len() {
		c.differ("metrics.%s has %d values and %d", a.Name, a.Len(), b.Len())
		return false
	}
	return true
}

// holdsTimes tells by its name whether a series holds times, which no repetition
// repeats.
func holdsTimes(name string) bool {
	last := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	for _, end := range []string{"time", "timestamp", "seconds", "duration", "elapsed"} {
		if strings.HasSuffix(last, end) {
			return true
		}
	}
	return strings.Contains(last, "per_second") || strings.Contains(last, "per_sec")
}

// valueText writes a value with all its digits.
func valueText(v any) string {
	if x, ok := v.(float64); ok {
		return config.FormatFloat(x)
	}
	return short(v)
}

func agree(x, y any, tolerance float64) bool {
	a, aIsNumber := asFloat(x)
	b, bIsNumber := asFloat(y)
	if !aIsNumber || !bIsNumber {
		return x == y
	}
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func (c *Comparison) compareArtifacts(a, b *Record) error {
	others := map[string]Artifact{}
	for _, file := range b.Artifacts() {
		others[file.Path] = file
	}
	for _, file := range a.Artifacts() {
		other, there := others[file.Path]
		delete(others, file.Path)
		name := visible.Text(file.Path)
		if !there {
			c.differ("run %d has no artifact %s", b.ID(), name)
			continue
		}
		if file.Bytes != other.Bytes {
			c.differ("the artifact %s has %d bytes and %d", name, file.Bytes, other.Bytes)
			continue
		}
		x, err := contentHash(a, file)
		if err != nil {
			return err
		}
		y, err := contentHash(b, file)
		if err != nil {
			return err
		}
		if x != y {
			c.differ("the artifact %s has another content (SHA-256 %.8x and %.8x)", name, x, y)
			continue
		}
		c.Artifacts++
	}
	for _, file := range b.Artifacts() {
		if _, left := others[file.Path]; left {
			c.differ("run %d has no artifact %s", a.ID(), visible.Text(file.Path))
		}
	}
	return nil
}

// contentHash is the SHA-256 of an artifact.
func contentHash(r *Record, file Artifact) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(filepath.Join(r.Run.Path(logdir.ArtifactsDir), file.Path))
	if err != nil {
		return sum, fmt.Errorf("run %d: %w", r.ID(), err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("run %d: %w", r.ID(), err)
	}
	h.Sum(sum[:0])
	return sum, nil
}
