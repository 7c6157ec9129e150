package reader

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/expr"
	"github.com/mlxp/mlxp/internal/expr/nodes"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/nearest"
	"github.com/mlxp/mlxp/internal/screen"
	masking "github.com/mlxp/mlxp/internal/secret"
	"github.com/mlxp/mlxp/logdir"
)

// AppendJSON appends all that is known of the run as one JSON object: id, dir,
// info, config, a summary of each series, and the artifacts.
func (r *Record) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendJSON(dst, int64(r.ID()))
	dst = append(dst, `,"dir":`...)
	dst = appendText(dst, r.Run.Dir)
	dst = append(dst, `,"info":`...)
	dst = r.meta().appendJSON(dst)
	dst = append(dst, `,"config":`...)
	if c := r.Config(); c != nil {
		dst = c.AppendJSON(dst)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"metrics":`...)
	dst = append(dst, '{')
	for i, s := range r.Metrics() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, s.Name)
		dst = append(dst, ':')
		dst = appendJSON(dst, summaryObject{s.Summary()})
	}
	dst = append(dst, `},"artifacts":[`...)
	for i, a := range r.Artifacts() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"path":`...)
		dst = appendText(dst, a.Path)
		dst = append(dst, `,"bytes":`...)
		dst = appendJSON(dst, a.Bytes)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// summaryObject is the summary of a series as show writes it.
type summaryObject struct{ s *expr.Summary }

func (o summaryObject) Names() []string { return []string{"n", "first", "last", "min", "max"} }

func (o summaryObject) Field(name string) (any, bool) {
	if name == "n" {
		name = "len"
	}
	v, ok, err := o.s.Call(name)
	return v, ok && err == nil
}

// tail is how many lines of a failed run's log are shown.
const tail = 10

// Write writes all a person wants to know of the run.
func (r *Record) Write(w io.Writer, style Style) error {
	in := r.meta()
	var b strings.Builder
	status := string(r.Status())
	if status == "" {
		status = "no record"
	}
	if style.Color {
		status = colour(status)
	}
	fmt.Fprintf(&b, "run %d  %s", r.ID(), status)
	why := []string{in.text("reason"), in.text("signal")}
	if text := strings.TrimSpace(strings.Join(why, " ")); text != "" {
		fmt.Fprintf(&b, " (%s)", printable(text))
	}
	if code, ok := r.Info("exit_code").(int64); ok && code != 0 {
		fmt.Fprintf(&b, ", exit status %d", code)
	}
	if d := r.duration(); d != nil {
		fmt.Fprintf(&b, " after %s", short(d))
	}
	b.WriteByte('\n')
	if r.Status() == logdir.Lost {
		fmt.Fprintf(&b, "its process is gone and recorded no end: it was killed, or the machine went down; mlxp resume %d starts it again\n", r.ID())
	}
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, text)
		}
	}
	line("directory", printable(r.Run.Dir))
	line("command", words(r.Info("command")))
	line("launched", words(r.Info("words")))
	line("overrides", words(r.Info("overrides")))
	for _, moment := range []string{"created", "started", "ended"} {
		if at, err := time.Parse(time.RFC3339, in.text(moment)); err == nil {
			line(moment, at.Local().Format("2006-01-02 15:04:05 MST"))
		}
	}
	line("host", printable(in.text("hostname")))
	line("user", printable(in.text("user")))
	line("work dir", printable(in.text("work_dir")))
	line("code", code(r))
	line("resources", resources(r))
	if sweep, ok := r.Info("sweep").(nodes.Map); ok {
		id, _ := sweep.Field("id")
		index, _ := sweep.Field("index")
		if size, _ := sweep.Field("size"); size != int64(1) {
			if i, ok := index.(int64); ok {
				index = i + 1
			}
			line("sweep", fmt.Sprintf("%s, run %s of %s", short(id), short(index), short(size)))
		}
	}
	if job, ok := r.Info("scheduler").(nodes.Map); ok {
		id, _ := job.Field("scheduler_job_id")
		name, _ := job.Field("name")
		if name == nil {
			name = "scheduler"
		}
		line("job", short(id)+" ("+short(name)+")")
	} else if job, err := r.Run.ReadJob(); err == nil && job != nil {
		if job.JobID != "" {
			line("job", short(job.JobID)+" ("+short(job.Scheduler)+")")
		}
		line("it said", printable(string(job.Message)))
	}
	if attempts, ok := r.Info("attempts").(nodes.List); ok && attempts.Len() > 1 {
		for i := range attempts.Len() {
			line(fmt.Sprintf("attempt %d", i+1), attempt(attempts.At(i)))
		}
	}
	if of, ok := r.Info("rerun_of").(int64); ok {
		line("rerun of", fmt.Sprintf("run %d", of))
	}
	if problems, ok := r.Info("problems").(nodes.List); ok {
		for i := range problems.Len() {
			text, _ := problems.At(i).(string)
			line("problem", printable(text))
		}
	}
	line("mlxp", printable(in.text("mlxp")))
	if c := r.Config(); c != nil && len(c.Keys) > 0 {
		b.WriteString("\nconfig\n")
		yaml := string(masked(c, []string{expr.Config}).AppendYAML(nil))
		for _, text := range strings.Split(strings.TrimRight(yaml, "\n"), "\n") {
			b.WriteString("  " + text + "\n")
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if err := r.writeMetrics(w, style); err != nil {
		return err
	}
	if err := r.writeArtifacts(w, style); err != nil {
		return err
	}
	switch r.Status() {
	case logdir.Failed, logdir.Interrupted, logdir.Lost:
		return r.writeTail(w)
	}
	return nil
}

func words(v any) string {
	list, ok := v.(nodes.List)
	if !ok {
		return ""
	}
	var out []string
	for i := range list.Len() {
		word, _ := list.At(i).(string)
		out = append(out, shellWord(word))
	}
	return strings.Join(out, " ")
}

// shellWord quotes a word so that a shell reads it back.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%") == "" {
		return s
	}
	if p := printable(s); p != s {
		return "$'" + strings.ReplaceAll(p, "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func code(r *Record) string {
	vm, ok := r.Info("version_manager").(nodes.Map)
	if !ok {
		return ""
	}
	text := func(name string) string {
		v, _ := vm.Field(name)
		s, _ := v.(string)
		return printable(s)
	}
	commit := text("commit_hash")
	if commit == "" {
		return ""
	}
	out := commit[:min(12, len(commit))]
	if branch := text("branch"); branch != "" {
		out += " on " + branch
	}
	if mode := text("mode"); mode != "" && mode != "off" {
		out += ", " + mode
	}
	if dirty, _ := vm.Field("dirty"); dirty == true {
		out += ", with uncommitted changes"
	}
	return out
}

// resources says what a run had and used: 8 CPUs (EPYC), 2 GPUs (A100); used …
func resources(r *Record) string {
	m, ok := r.Info("resources").(nodes.Map)
	if !ok {
		return ""
	}
	var parts []string
	add := func(format string, name string, show func(any) string) {
		if v, ok := m.Field(name); ok {
			parts = append(parts, fmt.Sprintf(format, show(v)))
		}
	}
	add("%s CPUs", "cpus", short)
	add("%s", "cpu", short)
	add("%s of memory", "memory", shortBytes)
	if gpus, _ := m.Field("gpus"); gpus != nil {
		if list, ok := gpus.(nodes.List); ok {
			for i := range list.Len() {
				parts = append(parts, "GPU "+short(lookup(list.At(i), []string{"name"})))
			}
		}
	}
	add("%s of CPU time", "cpu_seconds", func(v any) string { s, _ := asFloat(v); return shortDuration(s) })
	add("%s of memory at most", "peak_memory", shortBytes)
	return strings.Join(parts, ", ")
}

// shortBytes writes a number of bytes in binary units.
func shortBytes(v any) string {
	x, ok := asFloat(v)
	if !ok {
		return short(v)
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; x >= 1024 && i < len(units)-1; i++ {
		x /= 1024
	}
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") + " " + units[i]
}

// attempt says where and when an attempt ran, and how it ended.
func attempt(v any) string {
	var parts []string
	for _, name := range []string{"status", "exit_code", "hostname", "started"} {
		if v := lookup(v, []string{name}); v != nil {
			text := short(v)
			if at, err := time.Parse(time.RFC3339, text); err == nil {
				text = short(at)
			}
			if name == "exit_code" {
				text = "exit status " + text
			}
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

// masked returns a copy of a config in which texts that look like secrets are
// hidden.
func masked(n *config.Node, path []string) *config.Node {
	if n.Kind != config.Map {
		if n.Kind == config.String && secret(path) {
			return &config.Node{Kind: config.String, Text: masking.Mask}
		}
		return n
	}
	out := *n
	out.Items = make([]*config.Node, len(n.Items))
	for i, item := range n.Items {
		out.Items[i] = masked(item, append(slices.Clip(path), n.Keys[i].Text))
	}
	return &out
}

func (r *Record) writeMetrics(w io.Writer, style Style) error {
	series := r.Metrics()
	if len(series) == 0 {
		return nil
	}
	t := &Table{Columns: []Column{{Name: "  name"}, {Name: "n"}, {Name: "first"}, {Name: "last"}, {Name: "min"}, {Name: "max"}}}
	for _, s := range series {
		o := summaryObject{s.Summary()}
		values := []any{"  " + s.Name}
		for _, f := range o.Names() {
			v, _ := o.Field(f)
			values = append(values, v)
		}
		t.Rows = append(t.Rows, Row{Values: values})
	}
	if _, err := io.WriteString(w, "\nmetrics\n"); err != nil {
		return err
	}
	return t.writeText(w, style)
}

func (r *Record) writeArtifacts(w io.Writer, style Style) error {
	files := r.Artifacts()
	if len(files) == 0 {
		return nil
	}
	t := &Table{Columns: []Column{{Name: "  path"}, {Name: "bytes"}, {Name: "written"}}}
	for _, a := range files {
		t.Rows = append(t.Rows, Row{Values: []any{"  " + a.Path, a.Bytes, a.Time}})
	}
	if _, err := io.WriteString(w, "\nartifacts\n"); err != nil {
		return err
	}
	return t.writeText(w, style)
}

// writeTail writes the last lines of the run's error output, or else of its
// output.
func (r *Record) writeTail(w io.Writer) error {
	for _, name := range []string{logdir.LogStderr, logdir.LogStdout, logdir.JobLog} {
		lines := r.lastLines(name, tail)
		if len(lines) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "\nthe end of %s\n", name); err != nil {
			return err
		}
		for _, text := range lines {
			if _, err := fmt.Fprintln(w, "  "+printable(text)); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// lastLines returns the last n lines of a file that are not blank, nil if it
// cannot be read.
func (r *Record) lastLines(name string, n int) []string {
	f, err := r.open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	return screen.Last(f, n)
}

// Path returns the absolute path of the run's directory, or of the artifact of
// that name. Where no artifact has the whole name, the one file whose last part
// or parts it is will do, or else a file in the run's directory.
func (r *Record) Path(name string) (string, error) {
	if name == "" {
		return r.Run.Dir, nil
	}
	var found, paths []string
	for _, a := range r.Artifacts() {
		paths = append(paths, a.Path)
		if a.Path == name {
			found = []string{name}
			break
		}
		if strings.HasSuffix(a.Path, "/"+name) {
			found = append(found, a.Path)
		}
	}
	switch len(found) {
	case 1:
		return filepath.Join(r.Run.Path(logdir.ArtifactsDir), filepath.FromSlash(found[0])), nil
	case 0:
		if filepath.IsLocal(name) {
			if _, err := os.Stat(r.Run.Path(name)); err == nil {
				return r.Run.Path(name), nil
			}
		}
		err := fmt.Errorf("run %d has no artifact %s", r.ID(), name)
		if near, ok := nearest.Of(name, paths); ok {
			return "", fault.Hint(err, "did you mean %s?", near)
		}
		return "", fault.Hint(err, "mlxp show %d lists its artifacts", r.ID())
	}
	return "", fault.Hint(fmt.Errorf("run %d has several artifacts %s", r.ID(), name), "they are %s", strings.Join(found, ", "))
}
