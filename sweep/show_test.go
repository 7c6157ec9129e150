package sweep

import (
	"fmt"
	"strings"

	"github.com/mlxp/mlxp/config"
)

// show writes a value so that its types can be told: 1, 1.0, "1", true, null,
// [1,"a"], {"k":1,2:3}.
func show(n *config.Node) string {
	if n == nil {
		return "nothing"
	}
	switch n.Kind {
	case config.Null:
		return "null"
	case config.Bool:
		return fmt.Sprint(n.Bool)
	case config.Int:
		return n.Text
	case config.Float:
		return config.FormatFloat(n.Float)
	case config.String:
		return fmt.Sprintf("%q", n.Text)
	}
	var items []string
	for i, item := range n.Items {
		s := show(item)
		if n.Kind == config.Map {
			k := n.Keys[i].Text
			switch n.Keys[i].Kind {
			case config.String:
				k = fmt.Sprintf("%q", k)
			case config.Null:
				k = "null"
			}
			s = k + ":" + s
		}
		items = append(items, s)
	}
	if n.Kind == config.Map {
		return "{" + strings.Join(items, ",") + "}"
	}
	return "[" + strings.Join(items, ",") + "]"
}

// showOverride writes everything that o says.
func showOverride(o config.Override) string {
	pkg := ""
	if o.Package != nil {
		pkg = "@" + *o.Package
	}
	return [...]string{"", "+", "++", "~"}[o.Op] + o.Key + pkg + " = " + show(o.Value) + " as " + o.Text
}
