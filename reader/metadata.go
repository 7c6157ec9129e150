package reader

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/columns"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/logdir"
)

// The metadata of a run is read here and nowhere else: the record, and the
// config.

// info is a run's record: its keys in order, each with its value as JSON.
type info struct {
	keys   []string
	values [][]byte
	kept   columns.Text  // instead of these, where the record is from the index
	status logdir.Status // as shown
	legacy bool          // written by MLXP for Python

	missing bool // there is no such file
}

// Field returns a value of the record.
func (in *info) Field(name string) (any, bool) {
	if name == "status" {
		return string(in.status), in.status != ""
	}
	if m, ok := in.keptMap(); ok {
		return m.Field(name)
	}
	text := in.json(name)
	if text == nil {
		return nil, false
	}
	n, err := config.ParseJSON(text)
	return nodes.Value(n), err == nil
}

func (in *info) keptMap() (m keptMap, ok bool) {
	if in.kept == (columns.Text{}) {
		return m, false
	}
	return keptMap{in.kept, in.kept.Root()}, true
}

// json returns a value as the record has it, nil if there is none.
func (in *info) json(name string) []byte {
	if m, ok := in.keptMap(); ok {
		if n := m.at.Child(name); n != nil {
			return m.text.JSON(n)
		}
		return nil
	}
	if i := slices.Index(in.keys, name); i >= 0 {
		return in.values[i]
	}
	return nil
}

// Names returns the keys.
func (in *info) Names() []string {
	if m, ok := in.keptMap(); ok {
		return m.Names()
	}
	return in.keys
}

// each visits the keys with their values as JSON.
func (in *info) each(visit func(key string, value []byte)) {
	if m, ok := in.keptMap(); ok {
		for _, key := range m.Names() {
			visit(key, in.kept.Append(nil, m.at.Child(key)))
		}
		return
	}
	for i, key := range in.keys {
		visit(key, in.values[i])
	}
}

func (in *info) text(name string) string {
	v, _ := in.Field(name)
	s, _ := v.(string)
	return s
}

func (in *info) set(name string, value []byte) {
	in.keys = append(in.keys, name)
	in.values = append(in.values, value)
}

// replace is set for a key that may be there.
func (in *info) replace(name string, value []byte) {
	if i := slices.Index(in.keys, name); i >= 0 {
		in.values[i] = value
		return
	}
	in.set(name, value)
}

// appendJSON writes the record as one object, the status as shown.
func (in *info) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	before := len(dst)
	in.each(func(key string, value []byte) {
		if len(dst) > before {
			dst = append(dst, ',')
		}
		dst = appendText(dst, key)
		dst = append(dst, ':')
		if key == "status" {
			dst = appendText(dst, string(in.status))
		} else {
			dst = append(dst, value...)
		}
	})
	return append(dst, '}')
}

// readInfo reads the run's record. Of a broken one it keeps the lines that are
// whole.
func (r *Record) readInfo() *info {
	if in, ok := r.keptInfo(); ok {
		return in
	}
	in := new(info)
	file, err := r.readFile(logdir.InfoYAML)
	if errors.Is(err, fs.ErrNotExist) {
		in.missing = true
		r.warn("it has no record, %s", logdir.InfoYAML)
		return in
	}
	if err != nil {
		r.warn("%v", err)
		return in
	}
	r.files.info = file
	bad, text := 0, file.Text
	for n := 1; len(text) > 0; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		key, value, ok := bytes.Cut(line, []byte(": "))
		if !ok || !whole || !json.Valid(value) || bytes.ContainsAny(key, "\"\\ \t") {
			if bad == 0 {
				bad = n
			}
			continue
		}
		in.set(string(key), value)
	}
	recorded := in.recorded()
	if recorded == "" || bad > 0 {
		if old := r.readLegacyInfo(); old != nil {
			return old
		}
	}
	if bad > 0 {
		r.warn("%s: line %d is broken", logdir.InfoYAML, bad)
	} else if recorded == "" {
		r.warn("%s: it has no status", logdir.InfoYAML)
	}
	r.show(in, recorded)
	return in
}

// recorded returns the status in the file, "" if there is none.
func (in *info) recorded() logdir.Status {
	for i, key := range in.keys {
		if key == "status" {
			if n, err := config.ParseJSON(in.values[i]); err == nil && n.Kind == config.String {
				return logdir.Status(n.Text)
			}
		}
	}
	return ""
}

// show decides what is shown of a run that has not ended, for what is recorded: a
// process may be gone, a scheduler may have the run or may have refused it.
func (r *Record) show(in *info, recorded logdir.Status) {
	in.status = recorded
	switch recorded {
	case logdir.Starting, logdir.Running:
		if full, err := r.Run.ReadInfo(); err == nil {
			in.status = r.Run.ShownStatus(full)
		}
	case logdir.Created:
		job, err := r.Run.ReadJob()
		switch {
		case err != nil:
			r.warn("%v", err)
		case job.Queued():
			in.status = logdir.Submitted
		case job != nil && job.Reason != "":
			in.replace("reason", appendText(nil, string(job.Reason)))
		}
	}
}

// absent tells whether the directory holds no run, or not yet: it has neither a
// record nor a claim, or is one of a sweep that is not wholly made.
func (r *Record) absent() bool {
	in := r.meta()
	if in.missing {
		owner, err := r.Run.LastClaim()
		return owner == nil && err == nil
	}
	if in.status != logdir.Created || in.legacy {
		return false
	}
	sweep, _ := r.Info("sweep").(nodes.Map)
	if sweep.Node == nil {
		return false
	}
	first, _ := sweep.Field("id")
	id, ok := first.(int64)
	return ok && r.Run.Pending(int(id))
}

// readConfig reads the config: the resolved one if the run has started, else
// the composed one, with those interpolations resolved that the config itself
// can answer.
func (r *Record) readConfig() *config.Node {
	if m, ok := r.keptConfig(); ok {
		return m.node()
	}
	for _, name := range []string{logdir.ConfigJSON, logdir.ConfigYAML, unresolvedYAML} {
		file, err := r.readFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			r.warn("%v", err)
			continue
		}
		text := file.Text
		var n *config.Node
		if strings.HasSuffix(name, ".json") {
			r.files.config = file
			n, err = config.ParseJSON(text)
		} else {
			n, err = config.ParseYAML(text, name)
			if err == nil && bytes.Contains(text, []byte("${")) {
				// What the environment has to give is known on the node alone; the
				// config is shown as it was composed then.
				if resolved, err := config.Resolve(n, config.Resolver{}); err == nil {
					n = resolved
				}
			}
		}
		switch {
		case err != nil:
			r.warn("%s: %v", name, err)
		case n == nil || n.Kind == config.Null:
			return &config.Node{Kind: config.Map}
		case n.Kind != config.Map:
			r.warn("%s is not a map", name)
		default:
			return n
		}
	}
	return nil
}
