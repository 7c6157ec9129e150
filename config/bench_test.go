package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/config"
)

// writeTree makes a tree in which config.yaml chooses an option of each of n-1
// groups. Each file is about 300 bytes.
func writeTree(tb testing.TB, n, keys int) string {
	tb.Helper()
	dir := tb.TempDir()
	var defaults strings.Builder
	defaults.WriteString("defaults:\n")
	for i := range n - 1 {
		group := fmt.Sprintf("group%02d", i)
		fmt.Fprintf(&defaults, "  - %s: option\n", group)
		var content strings.Builder
		for k := range keys {
			fmt.Fprintf(&content, "key_%d: %d.5\n", k, k)
		}
		for content.Len() < 300 {
			content.WriteString("# a comment that makes the file longer\n")
		}
		write(tb, filepath.Join(dir, group, "option.yaml"), content.String())
	}
	defaults.WriteString("  - _self_\nlr: 0.1\n")
	write(tb, filepath.Join(dir, "config.yaml"), defaults.String())
	return dir
}

func write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

func change(key string, value *config.Node) config.Override {
	return config.Override{Key: key, Value: value, Text: key + "=" + value.Text}
}

// BenchmarkTree reads and composes a tree of 100 files of 300 bytes.
func BenchmarkTree(b *testing.B) {
	dir := writeTree(b, 100, 8)
	for b.Loop() {
		if _, err := config.Open(dir, config.Resolver{}).Compose("config", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRun composes one more run of a sweep over a tree of 100 files and 50
// leaves.
func BenchmarkRun(b *testing.B) {
	dir := writeTree(b, 100, 0)
	var leaves strings.Builder
	for i := range 50 {
		fmt.Fprintf(&leaves, "leaf_%02d: %d\n", i, i)
	}
	write(b, filepath.Join(dir, "group00", "option.yaml"), leaves.String())
	tree := config.Open(dir, config.Resolver{})
	overrides := []config.Override{
		change("lr", &config.Node{Kind: config.Float, Float: 0.5}),
		change("group00.leaf_07", &config.Node{Kind: config.Int, Text: "3"}),
	}
	for b.Loop() {
		if _, err := tree.Compose("config", overrides); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResolve resolves a config of 50 leaves, half of them interpolations.
func BenchmarkResolve(b *testing.B) {
	var text strings.Builder
	for i := range 25 {
		fmt.Fprintf(&text, "leaf_%02d: %d\nref_%02d: run-${leaf_%02d}\n", i, i, i, i)
	}
	n, err := config.ParseYAML([]byte(text.String()), "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := config.Resolve(n, config.Resolver{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseYAML reads a file of 300 bytes.
func BenchmarkParseYAML(b *testing.B) {
	text := []byte("# @package _global_\nmodel:\n  name: resnet\n  layers: [64, 128, 256]\n  dropout: 0.1\n" +
		"optimizer:\n  _target_: torch.optim.Adam\n  lr: 1e-3\n  betas: [0.9, 0.999]\n  weight_decay: 0\n" +
		"trainer:\n  max_epochs: 100\n  devices: 1\n  precision: 16\n  log_dir: ${oc.env:LOGS,logs}/${model.name}\n")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := config.ParseYAML(text, "a.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
