package reader

import (
	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/columns"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/logdir"
)

// What the index has of a run is not read as a whole: a condition asks for one
// value or two.

// metadataFiles are the files that a record has read, for the index.
type metadataFiles struct{ info, config *logdir.File }

// indexed is a record whose metadata come from an index where it has them.
func (l *Log) indexed(index *logdir.Index, series *seriesIndex, run logdir.Run, d *demand) *Record {
	r := newRecord(l, run, d)
	r.index, r.seriesIndex = index, series
	return r
}

// keptInfo returns the record from the index. ok is false if it is not there.
func (r *Record) keptInfo() (in *info, ok bool) {
	if r.index == nil {
		return nil, false
	}
	text, ok := r.index.Info(r.Run)
	if !ok || text.Root() == nil {
		return nil, false
	}
	in = &info{kept: text}
	status, _ := keptMap{text, text.Root()}.Field("status")
	recorded, _ := status.(string)
	in.status = logdir.Status(recorded)
	return in, in.status.Ended() // nothing else is kept
}

// keptConfig returns the config from the index, without its values.
func (r *Record) keptConfig() (m keptMap, ok bool) {
	if r.index == nil {
		return m, false
	}
	text, ok := r.index.Config(r.Run)
	if !ok || text.Root() == nil {
		return m, false
	}
	return keptMap{text, text.Root()}, true
}

// keep gives the index what was read of a run that has ended. One that anything
// is wrong with is read again each time, so that each time it is said.
func (r *Record) keep() {
	f := r.files
	if r.index == nil || f == (metadataFiles{}) || !r.meta().status.Ended() || r.meta().legacy || len(r.Warnings) > 0 {
		return
	}
	r.index.Put(r.Run, f.info, f.config)
}

// keptMap is a map in a text that the index has.
type keptMap struct {
	text columns.Text
	at   *columns.Node
}

// Field returns the value under name.
func (m keptMap) Field(name string) (any, bool) {
	n := m.at.Child(name)
	if n == nil {
		return nil, false
	}
	if n.IsValue() {
		return m.text.Value(n, parseValue), true
	}
	return keptMap{m.text, n}, true
}

// Names returns the names in their order.
func (m keptMap) Names() []string { return m.at.Names }

// node reads all of the map.
func (m keptMap) node() *config.Node {
	n, err := config.ParseJSON(m.text.Append(nil, m.at))
	if err != nil {
		return &config.Node{Kind: config.Map} // not of a text that was read before it was kept
	}
	return n
}

func parseValue(text []byte) any {
	n, err := config.ParseJSON(text)
	if err != nil {
		return nil
	}
	return nodes.Value(n)
}

// plain returns a value as it is without an index.
func plain(v any) any {
	if m, ok := v.(keptMap); ok {
		return nodes.Map{Node: m.node()}
	}
	return v
}
