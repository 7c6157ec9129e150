package reader

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever happens to runs between queries, the index never changes an answer.
func TestIndexChangesNoAnswer(t *testing.T) {
	root := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	statuses := []string{"COMPLETE", "FAILED", "INTERRUPTED", "CREATED", "COMPLETE"}
	next := 0
	put := func(id int) {
		dir := filepath.Join(root, fmt.Sprint(id))
		status := statuses[r.IntN(len(statuses))]
		write(t, filepath.Join(dir, "metadata/info.yaml.new"), record(id, status, fmt.Sprintf("seconds: %d", r.IntN(100))))
		write(t, filepath.Join(dir, "metadata/config.yaml"), "lr: 1\n")
		if status != "CREATED" {
			write(t, filepath.Join(dir, "metadata/config.json"), fmt.Sprintf(`{"lr":%d}`, id))
		}
		if err := os.Rename(filepath.Join(dir, "metadata/info.yaml.new"), filepath.Join(dir, "metadata/info.yaml")); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Duration(r.IntN(5)) * time.Second)
		if err := os.Chtimes(filepath.Join(dir, "metadata/info.yaml"), old, old); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 40 {
		for range r.IntN(60) {
			switch k := r.IntN(10); {
			case next == 0 || k < 6:
				next++
				put(next)
			case k < 8:
				put(1 + r.IntN(next))
			case k == 8:
				os.RemoveAll(filepath.Join(root, fmt.Sprint(1+r.IntN(next))))
			default:
				write(t, filepath.Join(root, ".mlxp", "index"), "nonsense")
			}
		}
		os.MkdirAll(filepath.Join(root, ".mlxp"), 0o777)
		ask := func() string {
			out, notes, err := mlxp(t, root, "query", "--json", "--fields", "info.status,info.seconds,config.lr", "info.seconds < 60")
			if err != nil {
				t.Fatal(err)
			}
			return out + notes
		}
		with := []string{ask(), ask()}
		aside := filepath.Join(t.TempDir(), "own")
		if err := os.Rename(filepath.Join(root, ".mlxp"), aside); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, ".mlxp"), "") // a file: there can be no index
		without := ask()
		os.Remove(filepath.Join(root, ".mlxp"))
		if err := os.Rename(aside, filepath.Join(root, ".mlxp")); err != nil {
			t.Fatal(err)
		}
		if with[0] != without || with[1] != without {
			t.Fatalf("round %d: with the index %s, again %s, without %s", round, with[0], with[1], without)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".mlxp", "index")); err != nil {
		t.Error("there never was an index")
	}
}
