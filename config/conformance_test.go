package config_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
)

// deviations are the recorded cases where mlxp answers differently on purpose,
// with the reason.
var deviations = map[string]string{
	"co-46fd69fc047c": "hydra.job.chdir=maybe: the types of Hydra's own settings are not checked, since none but Hydra uses them",
}

func conformanceDir() string {
	if dir := os.Getenv("MLXP_CONFORMANCE_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "conformance")
}

// A recorded case is one line of a corpus.
type recorded struct {
	ID           string
	OK           bool
	Via          string
	YAML         string
	YAMLBase64   string `json:"yaml_b64"`
	Value        json.RawMessage
	Env          map[string]string
	Resolved     json.RawMessage
	ResolveError string `json:"resolve_error_type"`
	Dir          string
	ConfigName   *string `json:"config_name"`
	Overrides    []string
	Config       json.RawMessage
	GlobJobs     *[][]string `json:"glob_jobs"`
	GlobError    string      `json:"glob_jobs_error"`
	Error        string
}

// replay compares each case of a corpus with its record: check returns what
// differs, or "".
func replay(t *testing.T, corpus string, check func(c recorded) string) {
	t.Helper()
	f, err := os.Open(filepath.Join(conformanceDir(), corpus+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	total := 0
	differ := map[string]string{}
	ids := map[string]bool{}
	for lines.Scan() {
		var c recorded
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s, line %d: %v", corpus, total+1, err)
		}
		total++
		ids[c.ID] = true
		if difference := check(c); difference != "" {
			differ[c.ID] = difference
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if total == 0 {
		t.Fatalf("%s: no cases", corpus)
	}
	fmt.Printf("%s: %d of %d\n", corpus, total-len(differ), total)
	for _, id := range slices.Sorted(maps.Keys(differ)) {
		fmt.Println(id)
		if deviations[id] == "" {
			t.Errorf("%s: %s", id, differ[id])
		}
	}
	for id := range deviations {
		if ids[id] && differ[id] == "" {
			t.Errorf("%s is listed as a deviation but no longer differs", id)
		}
	}
}

// typed writes n in the form of the corpora.
func typed(n *config.Node) string {
	var b strings.Builder
	writeTyped(&b, n)
	return b.String()
}

func writeTyped(b *strings.Builder, n *config.Node) {
	text := func(name, s string) { fmt.Fprintf(b, "{%q:%s}", name, config.NewText(s).AppendJSON(nil)) }
	switch n.Kind {
	case config.Null:
		b.WriteString(`{"null":true}`)
	case config.Bool:
		fmt.Fprintf(b, `{"bool":%v}`, n.Bool)
	case config.Int:
		text("int", n.Text)
	case config.Float:
		text("float", config.FormatFloat(n.Float))
	case config.String:
		text("str", n.Text)
	case config.Path:
		text("path", n.Text)
	case config.Bytes:
		text("bytes", base64.StdEncoding.EncodeToString([]byte(n.Text)))
	case config.List:
		b.WriteString(`{"list":[`)
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeTyped(b, item)
		}
		b.WriteString("]}")
	case config.Map:
		b.WriteString(`{"map":[`)
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('[')
			writeTyped(b, config.KeyNode(n.Keys[i]))
			b.WriteByte(',')
			writeTyped(b, item)
			b.WriteByte(']')
		}
		b.WriteString("]}")
	}
}

// sameValue compares n with a recorded value and describes the difference.
func sameValue(what string, n *config.Node, want json.RawMessage) string {
	w, err := config.ParseJSON(want)
	if err != nil {
		return err.Error()
	}
	got := typed(n)
	if g := string(w.AppendJSON(nil)); got != g {
		return fmt.Sprintf("%s is\n%s, not\n%s", what, got, g)
	}
	return ""
}

// sameOutcome compares an error with a record of whether there was one.
func sameOutcome(what string, err error, ok bool) string {
	if (err == nil) == ok {
		return ""
	}
	return what + ": ok is " + strconv.FormatBool(ok) + ", but the error is " + fmt.Sprint(err)
}

func TestConformanceYAML(t *testing.T) {
	replay(t, "yaml_scalars", func(c recorded) string {
		text := []byte(c.YAML)
		if c.YAMLBase64 != "" {
			var err error
			if text, err = base64.StdEncoding.DecodeString(c.YAMLBase64); err != nil {
				return err.Error()
			}
		}
		parse := config.ParseYAML
		if c.Via == "create" {
			parse = config.CreateYAML
		}
		n, err := parse(text, "case.yaml")
		if d := sameOutcome(fmt.Sprintf("%q", text), err, c.OK); d != "" || !c.OK {
			return d
		}
		return sameValue(fmt.Sprintf("%q", text), n, c.Value)
	})
}

func TestConformanceInterpolation(t *testing.T) {
	replay(t, "interpolation", func(c recorded) string {
		n, err := config.CreateYAML([]byte(c.YAML), "case.yaml")
		if err == nil {
			n, err = config.Resolve(n, config.Resolver{Strict: true, Env: func(name string) (string, bool) {
				v, ok := c.Env[name]
				return v, ok
			}})
		}
		if d := sameOutcome(c.YAML, err, c.OK); d != "" || !c.OK {
			return d
		}
		return sameValue(c.YAML, n, c.Resolved)
	})
}
