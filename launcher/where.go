package launcher

import (
	"fmt"

	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/internal/fault"
)

// where is the condition of --where: it holds for configs that have no run yet.
type where struct{ tally *expr.Tally }

func newWhere(text string) (*where, error) {
	e, err := expr.CompileFilter(text, expr.Config)
	if err != nil {
		return nil, err
	}
	tally, err := e.Tally()
	if err != nil {
		return nil, err
	}
	return &where{tally}, nil
}

// skip is a [filter].
func (w *where) skip(job Job) string {
	if w.tally.Match(candidate{nodes.Map{Node: job.Config}}) {
		return ""
	}
	return skipWhere
}

// err returns what is wrong with the condition, after the only n jobs.
func (w *where) err(n int) error {
	if err := w.tally.Err(); err != nil {
		return err
	}
	if w.tally.Matches > 0 {
		return nil
	}
	for _, field := range w.tally.Strangers() {
		return fault.Hint(fault.At(fmt.Errorf("no config of the sweep has %s", field), w.tally.Expr.Text, field.Offset), "mlxp --cfg job prints the config")
	}
	return fault.Hint(fmt.Errorf("--where keeps none of %d combinations", n), "mlxp --dry-run lists them")
}

// candidate is a job as an expression sees it: it has a config only.
type candidate struct{ config nodes.Map }

// Field returns the config, whatever name is asked for: no other compiles.
func (c candidate) Field(string) (any, bool) { return c.config, true }

// Names returns the one name there is.
func (c candidate) Names() []string { return []string{expr.Config} }
