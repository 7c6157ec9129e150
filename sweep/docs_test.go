package sweep

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every row of the tables in docs/overrides.md is executed. The head of the
// second column tells what it holds.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "overrides.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]*)`")
	executed := map[string]int{}
	var column string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 2 || !strings.HasPrefix(line, "| ") {
			continue
		}
		first, second := strings.TrimPrefix(cells[0], "| "), strings.TrimSuffix(cells[1], " |")
		if !strings.HasPrefix(first, "`") {
			if first == "you write" {
				column = second
			}
			continue
		}
		executed[column]++
		written := strings.Trim(first, "`")
		var spans []string
		for _, m := range code.FindAllStringSubmatch(second, -1) {
			spans = append(spans, m[1])
		}
		opts := Options{Groups: func(string) ([]string, error) { return []string{"vit", "mlp", "resnet"}, nil }}
		switch column {
		case "what it does":
			if _, err := ParseOverride(written); err != nil {
				t.Errorf("%s: %v", written, err)
			}
		case "value":
			o, err := ParseOverride(written)
			if err != nil {
				t.Errorf("%s: %v", written, err)
			} else if got := show(o.Value); got != spans[0] {
				t.Errorf("%s is %s, the page says %s", written, got, spans[0])
			}
		case "jobs":
			s, err := Parse(strings.Fields(written), opts)
			if err != nil {
				t.Errorf("%s: %v", written, err)
			} else if got := texts(s); !slices.Equal(got, spans) {
				t.Errorf("%s: jobs %q, the page says %q", written, got, spans)
			}
		case "error":
			if _, err := Parse([]string{written}, opts); err == nil || !strings.Contains(err.Error(), second) {
				t.Errorf("%s: %v, the page says %q", written, err, second)
			}
		default:
			t.Errorf("a table with the column %q", column)
		}
	}
	for _, column := range []string{"what it does", "value", "jobs", "error"} {
		if executed[column] < 5 {
			t.Errorf("%d rows in tables with the column %q", executed[column], column)
		}
	}
}
