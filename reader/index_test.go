package reader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mlxp/mlxp/internal/process"
)

// A world is a log dir in which anything may happen.
type world struct {
	t    *testing.T
	root string
	*rand.Rand
	next   int            // the highest number that was given
	starts map[int][]int  // of each run that is there: how long metrics.jsonl was when its attempts began
	status map[int]string // and its status
}

func (w *world) path(id int, name string) string {
	return filepath.Join(w.root, fmt.Sprint(id), name)
}

// settle makes a file old, mostly: what is young is not kept.
func (w *world) settle(path string) {
	if w.IntN(8) == 0 {
		return
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Hour)
	if err := os.Chtimes(path, old, old); err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
}

// replace makes a file as mlxp does, as a whole.
func (w *world) replace(id int, name, text string) {
	path := w.path(id, name)
	write(w.t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
	w.settle(path)
}

func (w *world) record(id int) {
	more := []string{fmt.Sprintf("seconds: %d", w.IntN(100)), fmt.Sprintf(`version_manager: {"mode":"off","commit_hash":"c%d"}`, w.IntN(2))}
	if w.status[id] == "RUNNING" { // by this process
		self, err := json.Marshal(process.Self())
		if err != nil {
			w.t.Fatal(err)
		}
		more = append(more, "process: "+string(self))
	}
	if len(w.starts[id]) > 1 {
		more = append(more, attempts("metrics.jsonl", w.starts[id]...))
	}
	w.replace(id, "metadata/info.yaml", record(id, w.status[id], more...))
}

func (w *world) config(id int) string {
	return fmt.Sprintf(`{"lr":%d,"model":{"units":[%d],"name":"m%d"},"seed":%d}`, w.IntN(3), w.IntN(10), w.IntN(3), w.IntN(10))
}

// lines are some of those that programs write, and some that they should not.
func (w *world) lines() string {
	var b strings.Builder
	for range 1 + w.IntN(6) {
		switch w.IntN(40) {
		case 0:
			b.WriteString(`{"loss":1` + "\n")
		case 1:
			b.WriteString(`{"loss":[1,2],"test":{"acc":2}}` + "\n")
		case 2:
			b.WriteString(`{"loss":"high"}` + "\n")
		case 3:
			b.WriteString(`{"loss":01,"test.acc":3}` + "\n")
		case 4:
			b.WriteString(`{"step":1}{"loss":NaN}` + "\n")
		case 5:
			b.WriteString(`{"test":{"acc":true}}` + "\n")
		case 6:
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, `{"step":%d,"loss":%v,"test":{"acc":%d}}`+"\n", w.IntN(5), w.Float64(), w.IntN(9))
		}
	}
	if w.IntN(6) == 0 {
		b.WriteString(`{"loss":0.25,"test":{"acc":4}}`[:1+w.IntN(30)])
	}
	return b.String()
}

var metricNames = []string{"metrics.jsonl", "metrics/test.jsonl"}

func (w *world) metrics(id int, flag int) {
	name := metricNames[w.IntN(2)]
	path := w.path(id, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	if err != nil {
		w.t.Fatal(err)
	}
	text := w.lines()
	if name == "metrics/test.jsonl" {
		text = strings.ReplaceAll(text, "loss", "acc")
	}
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	f.Close()
	w.settle(path)
}

// edit changes a byte of a file in its place, and gives it the times back.
func (w *world) edit(path string) {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return
	}
	st, err := os.Stat(path)
	if err != nil {
		w.t.Fatal(err)
	}
	digits := []int{}
	for i, c := range text {
		if c >= '1' && c <= '9' {
			digits = append(digits, i)
		}
	}
	if len(digits) > 0 {
		text[digits[w.IntN(len(digits))]] = byte('1' + w.IntN(9))
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(path, st.ModTime(), st.ModTime()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create() {
	w.next++
	id := w.next
	w.status[id] = []string{"COMPLETE", "FAILED", "RUNNING", "CREATED", "COMPLETE"}[w.IntN(5)]
	w.starts[id] = []int{0}
	w.record(id)
	write(w.t, w.path(id, "metadata/config.yaml"), "lr: 1\n")
	if w.status[id] != "CREATED" {
		w.replace(id, "metadata/config.json", w.config(id))
		w.metrics(id, 0)
		w.metrics(id, os.O_APPEND)
	}
}

// happen lets one thing happen.
func (w *world) happen() {
	if w.next < 25 {
		w.create()
		return
	}
	id := 1 + w.IntN(w.next)
	if w.status[id] == "" {
		return
	}
	switch w.IntN(16) {
	case 0, 1:
		w.create()
	case 2, 3, 4, 5, 6: // nobody appends to a run that has ended, but for those who do
		w.metrics(id, os.O_APPEND)
	case 7:
		w.metrics(id, os.O_TRUNC)
	case 8:
		w.replace(id, metricNames[w.IntN(2)], w.lines())
	case 9:
		if w.status[id] != "RUNNING" {
			w.edit(w.path(id, metricNames[w.IntN(2)]))
		}
	case 10:
		w.edit(w.path(id, "metadata/config.json"))
	case 11:
		os.Remove(w.path(id, metricNames[w.IntN(2)]))
	case 12:
		w.status[id] = []string{"COMPLETE", "FAILED", "RUNNING"}[w.IntN(3)]
		w.record(id)
	case 13: // it is started again
		if st, err := os.Stat(w.path(id, "metrics.jsonl")); err == nil {
			w.starts[id] = append(w.starts[id], int(st.Size()))
		}
		w.status[id] = "RUNNING"
		w.record(id)
	case 14:
		os.RemoveAll(filepath.Join(w.root, fmt.Sprint(id)))
		delete(w.status, id)
	case 15:
		w.spoil()
	}
}

// spoil breaks a file of the index, or removes it.
func (w *world) spoil() {
	files, _ := filepath.Glob(filepath.Join(w.root, ".mlxp", "series", "*"))
	files = append(files, filepath.Join(w.root, ".mlxp", "index"))
	path := files[w.IntN(len(files))]
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return
	}
	switch w.IntN(4) {
	case 0:
		os.RemoveAll(filepath.Join(w.root, ".mlxp"))
	case 1:
		text = text[:w.IntN(len(text))]
	case 2:
		text = bytes.Clone(text)
		text[w.IntN(len(text))] ^= 0x55
	case 3:
		text = []byte("nonsense")
	}
	if w.IntN(4) > 0 {
		write(w.t, path, string(text))
	}
}

// ask asks all questions and returns all that is said.
func (w *world) ask() string {
	var b strings.Builder
	for _, args := range [][]string{
		{"--fields", "info.status,info.seconds,config.lr,config.model", "info.seconds < 60"},
		{"--fields", "metrics.loss.last(),metrics.test.acc.last()"},
		{"--fields", "metrics.loss,metrics.test.acc.len()"},
		{"--fields", "metrics.loss.sum(),metrics.test.acc", "config.model.units[0] < 7"},
		{"--group", "config.lr", "--agg", "mean(metrics.test.acc.len()),collect(metrics.loss.argmin())"},
		{"--fields", "has(metrics.test),has(metrics.test.acc)"},
	}[w.IntN(3):] {
		out, notes, err := mlxp(w.t, w.root, append([]string{"query", "--json"}, args...)...)
		fmt.Fprintln(&b, args, out, notes, err)
	}
	return b.String()
}

// Whatever happens to runs between questions, the index never changes an answer.
func TestIndexChangesNoAnswer(t *testing.T) {
	for seed := range uint64(4) {
		w := &world{t, t.TempDir(), rand.New(rand.NewPCG(seed, 7)), 0, map[int][]int{}, map[int]string{}}
		for range 30 {
			w.create()
		}
		used := 0
		for round := range 12 {
			for range w.IntN(20) {
				w.happen()
			}
			state := w.Rand
			twin := func() *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(round))) }
			said := func() string {
				w.Rand = twin()
				defer func() { w.Rand = state }()
				return w.ask()
			}
			with := []string{said(), said()}
			own, aside := filepath.Join(w.root, ".mlxp"), filepath.Join(t.TempDir(), "own")
			if os.Rename(own, aside) == nil {
				used++
			}
			write(t, own, "") // a file: there can be no index
			without := said()
			os.Remove(own)
			if err := os.Rename(aside, own); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			for _, text := range with {
				if text != without {
					t.Fatalf("seed %d, round %d: with the index\n%s\nwithout\n%s", seed, round, text, without)
				}
			}
		}
		if files, _ := filepath.Glob(filepath.Join(w.root, ".mlxp", "series", "*")); used == 0 || len(files) == 0 {
			t.Error("there never was an index")
		}
	}
}
