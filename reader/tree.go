package reader

import (
	"slices"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
)

// eachPath visits every node below n.
func eachPath(n *config.Node, path []string, visit func(path []string, n *config.Node)) {
	if n == nil || n.Kind != config.Map {
		return
	}
	for i, key := range n.Keys {
		below := append(slices.Clip(path), key.Text)
		visit(below, n.Items[i])
		eachPath(n.Items[i], below, visit)
	}
}

// eachLeaf visits what maps below n hold that is not a map with keys itself.
func eachLeaf(n *config.Node, path []string, visit func(path []string, v any)) {
	eachPath(n, path, func(path []string, n *config.Node) {
		if n.Kind != config.Map || len(n.Keys) == 0 {
			visit(path, nodes.Value(n))
		}
	})
}

func pathText(path []string) string { return expr.PathText(path) }

// bookkeeping are the keys of a record that are about mlxp and its processes
// rather than about the run.
var bookkeeping = []string{"schema", "process", "attempts", "mlxp"}

// node returns the record as a map, the status as shown, without bookkeeping.
func (in *info) node() *config.Node {
	n := &config.Node{Kind: config.Map}
	in.each(func(key string, value []byte) {
		if slices.Contains(bookkeeping, key) {
			return
		}
		v, err := config.ParseJSON(value)
		if err != nil {
			return
		}
		if key == "status" {
			v = &config.Node{Kind: config.String, Text: string(in.status)}
		}
		n.Keys = append(n.Keys, config.Key{Kind: config.String, Text: key})
		n.Items = append(n.Items, v)
	})
	return n
}
