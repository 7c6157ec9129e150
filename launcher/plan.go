package launcher

import (
	"errors"
	"fmt"
	"iter"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/sweep"
)

// A Plan is the runs that a command line stands for. Making it and going
// through it reads configs and writes nothing.
type Plan struct {
	Line     Line
	Settings Settings
	Size     int // of the sweep
	RerunOf  int // the run that this one repeats; 0: none

	sweep   *sweep.Sweep
	places  map[int]int  // the overrides among Line.Words by their places: which of the sweep's arguments; -1: a setting
	primary string       // name of the primary config
	tree    *config.Tree // nil: the overrides alone are the config
	name    string       // of the jobs
}

// A Job is one planned run.
type Job struct {
	Index     int               // in the sweep
	Overrides []config.Override // in Hydra's order
	Command   []string          // placeholders not yet replaced: see supervise.Fill
	Config    *config.Node      // composed, interpolations as written

	name     string // of the job, as Hydra has it
	composed *config.Composed
	hydra    *config.Node // in place of composed, for a job that was not composed
}

// Hydra is what ${hydra:…} can say of the job before it has a directory.
func (j Job) Hydra() *config.Node {
	if j.hydra != nil {
		return j.hydra
	}
	return j.composed.Hydra().WithValue("job.name", text(j.name)).WithValue("job.num", integer(j.Index))
}

// maxRuns is the number of runs above which a sweep has to be asked for with
// --limit.
const maxRuns = 1_000_000

// A Request is what a plan is made from.
type Request struct {
	Line     Line
	World    World
	Place    ConfigPlace
	Settings []config.Override // from flags: they come after those among the words
	Seed     uint64            // for shuffle
	Limit    int               // 0: none
	Notice   func(string)
}

// NewPlan reads the command line and the config dir.
func NewPlan(r Request) (*Plan, error) {
	p := &Plan{Line: r.Line, primary: r.Place.Name, places: map[int]int{}, name: jobName(r.Line.Words)}
	if r.Place.Dir != "" {
		dir := r.Place.Dir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(r.World.Cwd, dir)
		}
		p.tree = config.Open(dir, resolver(r.World, nil, false, r.Notice))
	}
	places, err := r.Line.findOverrides()
	if err != nil {
		return nil, err
	}
	var args []string
	var settings []config.Override
	add := func(word string) (int, error) {
		setting, err := settingOverride(word)
		switch {
		case err != nil:
			return 0, err
		case setting != nil:
			settings = append(settings, *setting)
			return -1, nil
		}
		args = append(args, word)
		return len(args) - 1, nil
	}
	for _, word := range r.Line.Overrides {
		if _, err := add(word); err != nil {
			return nil, err
		}
	}
	for _, i := range places {
		if p.places[i], err = add(r.Line.Words[i]); err != nil {
			return nil, err
		}
	}
	configDir := settingsDir(r.World.Cwd, r.Place)
	if configDir != "" && !filepath.IsAbs(configDir) {
		configDir = filepath.Join(r.World.Cwd, configDir)
	}
	if p.Settings, err = ReadSettings(configDir, r.World.Environ, slices.Concat(settings, r.Settings), r.Notice); err != nil {
		return nil, err
	}
	if err := p.expand(args, r); err != nil {
		return nil, err
	}
	for _, notice := range replacedWords(args) {
		r.Notice(notice)
	}
	return p, nil
}

// replacedWords tells of overrides that a later one of the same key replaces, as Hydra has
// it: bash makes of t={1,2} the words t=1 t=2.
func replacedWords(words []string) (notices []string) {
	last := map[string]string{}
	for _, word := range words {
		key, _, ok := strings.Cut(word, "=")
		if !ok || strings.HasPrefix(key, "~") {
			continue
		}
		if before, twice := last[key]; twice && before != word {
			notices = append(notices, fmt.Sprintf("%s replaces %s: the last one counts; a sweep is %s=1,2", visible.Text(word), visible.Text(before), key))
		}
		last[key] = word
	}
	return notices
}

// settingOverride reads a word that sets a setting of mlxp's own, nil if it is
// not one.
func settingOverride(word string) (*config.Override, error) {
	if !strings.HasPrefix(strings.TrimLeft(word, "+"), settingsKey) {
		return nil, nil
	}
	o, err := sweep.ParseOverride(word)
	if err != nil {
		return nil, err
	}
	return &o, nil
}

// expand makes the sweep of args and checks its size.
func (p *Plan) expand(args []string, r Request) error {
	opts := sweep.Options{Seed: r.Seed}
	if p.tree != nil {
		opts.Groups = p.tree.Options
	}
	var err error
	if p.sweep, err = sweep.Parse(args, opts); err != nil {
		return err
	}
	if opts.Params, err = p.params(); err != nil {
		return err
	}
	if len(opts.Params) > 0 {
		if p.sweep, err = sweep.Parse(args, opts); err != nil {
			return err
		}
	}
	n := p.sweep.Len()
	if n.Sign() == 0 {
		return fault.Hint(fmt.Errorf("the sweep has no runs: one of its axes is empty"), "look at its ranges and globs")
	}
	limit := maxRuns
	if r.Limit > 0 {
		limit = r.Limit
	}
	if !n.IsInt64() || n.Int64() > int64(limit) {
		if r.Limit == 0 {
			return fault.Hint(fmt.Errorf("the sweep has %s runs, more than %d", countText(n), maxRuns), "--limit N takes the first N")
		}
		p.Size = r.Limit
		return nil
	}
	p.Size = int(n.Int64())
	return nil
}

// countText writes a number of runs, which may have hundreds of digits.
func countText(n *big.Int) string {
	text := n.String()
	if len(text) > 15 {
		return fmt.Sprintf("about 10^%d", len(text)-1)
	}
	return text
}

// params returns hydra.sweeper.params of the config as KEY=VALUE words.
func (p *Plan) params() ([]string, error) {
	if p.tree == nil {
		return nil, nil
	}
	var plain []config.Override
	for job := range p.sweep.Jobs() {
		plain = job.Overrides
		break
	}
	composed, err := p.compose(plain)
	if err != nil {
		return nil, err
	}
	params, ok := composed.Hydra().At("sweeper.params")
	if !ok || params.Kind != config.Map {
		return nil, nil
	}
	var words []string
	for i, key := range params.Keys {
		words = append(words, key.Text+"="+params.Items[i].PlainText())
	}
	return words, nil
}

// Jobs yields the planned runs in order. After an error it yields no more.
func (p *Plan) Jobs() iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		for j := range p.sweep.Jobs() {
			if j.Index == p.Size {
				return
			}
			job, err := p.job(j)
			if !yield(job, err) || err != nil {
				return
			}
		}
	}
}

func (p *Plan) job(j sweep.Job) (Job, error) {
	job := Job{Index: j.Index, Overrides: j.Overrides, name: p.name}
	overrides := j.Overrides
	if plain := p.sweep.Overrides(); plain != nil {
		overrides = plain
	}
	var err error
	if job.composed, err = p.compose(overrides); err != nil {
		return job, err
	}
	job.Config = job.composed.Config
	for _, name := range p.sweep.Zips() {
		if _, ok := job.Config.At(name); ok {
			return job, fault.Hint(fmt.Errorf("%s is a key of the config: a zip needs a name of its own", name), "its members set the keys")
		}
	}
	if missing := job.Config.Missing(); len(missing) > 0 {
		return job, fault.Hint(fmt.Errorf("these keys of the config have no value (%s): %s", config.Missing, strings.Join(missing, ", ")),
			"give them: %s=…", missing[0])
	}
	job.Command = p.command(j, job.composed)
	if len(job.Command) == 0 {
		return job, fault.Hint(errors.New("there is no program among the words"), "mlxp -- PROGRAM {@args}")
	}
	return job, nil
}

func (p *Plan) compose(overrides []config.Override) (*config.Composed, error) {
	if p.tree == nil {
		return config.Free(overrides)
	}
	composed, err := p.tree.Compose(p.primary, overrides)
	if errors.Is(err, config.ErrNoKey) && len(p.places) > 0 {
		err = fault.Hint(err, "words that are the program's own: put the overrides in front of --, or use --no-config")
	}
	return composed, err
}

// command returns the words of the program for a job: as they were typed, each
// sweep replaced by this job's value. Where a word holds a placeholder, there
// are no override words.
func (p *Plan) command(j sweep.Job, composed *config.Composed) []string {
	conf := composed.Config
	filled := false
	for i, word := range p.Line.Words {
		if _, isOverride := p.places[i]; !isOverride && supervise.HasPlaceholder(word, conf) {
			filled = true
		}
	}
	var out []string
	for i, word := range p.Line.Words {
		arg, isOverride := p.places[i]
		switch {
		case !isOverride:
			out = append(out, p.spread(word, j.Overrides, composed)...)
		case arg >= 0 && !filled:
			for _, w := range j.Words(arg) {
				out = append(out, supervise.Escape(w, conf))
			}
		}
	}
	if len(p.Line.Overrides) == 0 && !filled {
		for _, w := range j.ParamWords() {
			out = append(out, supervise.Escape(w, conf))
		}
	}
	return out
}

// spread replaces {@args} and {@overrides} by a word for each override.
func (p *Plan) spread(word string, overrides []config.Override, composed *config.Composed) []string {
	dashes := ""
	switch word {
	case "{@args}":
		dashes = "--"
	case "{@overrides}":
	default:
		return []string{word}
	}
	var out []string
	for _, o := range overrides {
		if o.Op == config.Delete {
			continue
		}
		value := supervise.Escape(o.Value.PlainText(), composed.Config)
		_, inConfig := composed.Config.At(o.Key)
		_, isGroup := composed.Choices.Get(config.Key{Kind: config.String, Text: o.Key})
		if inConfig && !isGroup && !strings.ContainsAny(o.Key, "/$") {
			value = "{" + o.Key + "}" // interpolations are resolved when the run starts
		}
		out = append(out, dashes+o.Key+"="+value)
	}
	return out
}

// programWords are the words that are no overrides.
func (l Line) programWords() ([]string, error) {
	places, err := l.findOverrides()
	if err != nil {
		return nil, err
	}
	var out []string
	for i, word := range l.Words {
		if !slices.Contains(places, i) {
			out = append(out, word)
		}
	}
	return out, nil
}

// jobName is the name of the program, as Hydra names a job: the script's, if
// there is one.
func jobName(words []string) string {
	for _, word := range words {
		if strings.HasSuffix(word, ".py") {
			return strings.TrimSuffix(filepath.Base(word), ".py")
		}
	}
	return filepath.Base(words[programAt(words)])
}
