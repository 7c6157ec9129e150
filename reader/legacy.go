package reader

import (
	"strconv"
	"time"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/logdir"
)

// Log dirs of MLXP for Python, as its version 1.0 writes them
// (mlxp/logger.py and mlxp/launcher.py): metadata/*.yaml in block style,
// metrics/NAME.json with one object a line, artifacts/TYPE/NAME, and lists of
// keys in folders named .keys.

// unresolvedYAML is the config of a run that its scheduler has not started.
const unresolvedYAML = "metadata/config_unresolved.yaml"

const keysDir = ".keys"

// readLegacyInfo reads a record of MLXP for Python. It returns nil if there is
// none.
func (r *Record) readLegacyInfo() *info {
	file, err := r.readFile(logdir.InfoYAML)
	if err != nil {
		return nil
	}
	n, err := config.ParseYAML(file.Text, logdir.InfoYAML)
	if err != nil || n == nil || n.Kind != config.Map {
		return nil
	}
	old := map[string]*config.Node{}
	for i, key := range n.Keys {
		old[key.Text] = n.Items[i]
	}
	status, ok := old["status"]
	if _, ours := old["schema"]; ours || !ok || status.Kind != config.String {
		return nil
	}
	in := &info{status: logdir.Status(status.Text), legacy: true}
	set := func(name string, v *config.Node) { in.set(name, v.AppendJSON(nil)) }
	set("id", &config.Node{Kind: config.Int, Text: strconv.Itoa(r.Run.ID)})
	set("status", status)
	program, script := old["executable"], old["current_file_path"]
	if isText(program) && isText(script) {
		set("command", &config.Node{Kind: config.List, Items: []*config.Node{program, script}})
	}
	started, ended := legacyTime(old, "start"), legacyTime(old, "end")
	for _, moment := range []struct {
		name string
		at   time.Time
	}{{"started", started}, {"ended", ended}} {
		if !moment.at.IsZero() {
			set(moment.name, &config.Node{Kind: config.String, Text: moment.at.UTC().Format("2006-01-02T15:04:05.000Z")})
		}
	}
	if !started.IsZero() && !ended.IsZero() {
		set("seconds", &config.Node{Kind: config.Float, Float: ended.Sub(started).Seconds()})
	}
	if pid := old["process_id"]; pid != nil && pid.Kind == config.Int {
		set("process", dictOf("pid", pid))
	}
	if vm := old["version_manager"]; vm != nil && vm.Kind == config.Map {
		commit := dictOf("mode", &config.Node{Kind: config.String, Text: "commit"})
		commit.Keys = append(commit.Keys, vm.Keys...)
		commit.Items = append(commit.Items, vm.Items...)
		set("version_manager", commit)
	}
	// What has no other name with us keeps its own.
	mapped := map[string]bool{"status": true, "start_date": true, "start_time": true, "end_date": true, "end_time": true, "process_id": true, "version_manager": true}
	for i, key := range n.Keys {
		v := n.Items[i]
		if !mapped[key.Text] && v.Kind != config.Null && !(v.Kind == config.String && v.Text == "") {
			set(key.Text, v)
		}
	}
	return in
}

func isText(n *config.Node) bool { return n != nil && n.Kind == config.String && n.Text != "" }

func dictOf(name string, v *config.Node) *config.Node {
	return &config.Node{Kind: config.Map, Keys: []config.Key{{Kind: config.String, Text: name}}, Items: []*config.Node{v}}
}

// legacyTime reads a moment that is written as two local texts, 31/12/2024 and
// 23:59:59. That they are of this machine's time zone is a guess: nothing says.
func legacyTime(old map[string]*config.Node, which string) time.Time {
	date, clock := old[which+"_date"], old[which+"_time"]
	if !isText(date) || !isText(clock) {
		return time.Time{}
	}
	t, err := time.ParseInLocation("02/01/2006 15:04:05", date.Text+" "+clock.Text, time.Local)
	if err != nil {
		return time.Time{}
	}
	return t
}
