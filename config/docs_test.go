package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/sweep"
)

// Every example of docs/config.md is executed: a block of YAML whose first line
// is "# conf/NAME.yaml" is that file from there on, a block whose first line is
// a command shows what the command prints.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "config.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	executed := 0
	for i, block := range strings.Split(string(text), "```") {
		if i%2 == 0 {
			continue
		}
		head, body, _ := strings.Cut(strings.TrimLeft(strings.TrimPrefix(block, "yaml"), "\n"), "\n")
		if name, ok := strings.CutPrefix(head, "# conf/"); ok {
			write(t, filepath.Join(dir, name), body)
			continue
		}
		command, ok := strings.CutPrefix(head, "$ mlxp --cfg job ")
		if !ok {
			t.Errorf("this block is neither a file nor a command:\n%s", block)
			continue
		}
		executed++
		if got := printConfig(dir, command); got != body {
			t.Errorf("%s prints\n%s, not\n%s", head, got, body)
		}
	}
	if executed < 8 {
		t.Errorf("%d examples were executed", executed)
	}
}

// printConfig is what --cfg job prints of the tree in dir.
func printConfig(dir, command string) string {
	flags, words, _ := strings.Cut(command, "-- python train.py ")
	s, err := sweep.Parse(strings.Fields(strings.ReplaceAll(words, "'", "")), sweep.Options{})
	if err != nil {
		return err.Error()
	}
	composed, err := config.Open(dir, config.Resolver{}).Compose("config", s.Overrides())
	if err == nil && strings.Contains(flags, "--resolve") {
		composed.Config, err = config.Resolve(composed.Config, config.Resolver{})
	}
	if err == nil {
		return string(composed.Config.AppendYAML(nil))
	}
	out := fmt.Sprintf("mlxp: %v\n", err)
	for _, hint := range fault.Hints(err) {
		out += fmt.Sprintf("mlxp: hint: %s\n", hint)
	}
	return out
}
