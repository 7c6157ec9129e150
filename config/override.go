package config

// Op tells what an [Override] does.
type Op uint8

// What an override does to the config.
const (
	Change   Op = iota // key=value: change what exists
	Add                // +key=value: add what does not
	ForceAdd           // ++key=value: change or add
	Delete             // ~key, ~key=value
)

// An Override is one edit of a composed config, or one choice in its defaults
// list: lr=0.1, +trainer.seed=3, ~model.dropout, db@backup=mysql. It holds no
// sweep: package sweep expands those.
type Override struct {
	Op      Op
	Key     string  // a dotted path, or a config group with slashes
	Package *string // what follows @; nil without an @
	Value   *Node   // nil for a Delete without a value
	Text    string  // the canonical text, as Hydra passes it to a job: lr=0.1
}
