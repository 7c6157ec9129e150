package launcher

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math/big"
	"strings"
	"text/tabwriter"

	"github.com/mlxp/mlxp/config"
	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/internal/jsontext"
	"github.com/mlxp/mlxp/internal/pattern"
	"github.com/mlxp/mlxp/internal/secret"
	"github.com/mlxp/mlxp/internal/visible"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
)

// printConfigs prints the composed config of each job: --cfg job.
func printConfigs(w World, plan *Plan, f *filter, o Launch) error {
	if o.cfg != "job" {
		return fault.Hint(fmt.Errorf("--cfg %s: there is no such config", o.cfg), "--cfg job prints the program's config; the settings are in metadata/mlxp.yaml of each run")
	}
	out := bufio.NewWriter(w.Stdout)
	for job, err := range plan.Jobs() {
		if err != nil {
			return err
		}
		if why, _ := f.skip(job); why != "" {
			continue
		}
		conf := job.Config
		if o.resolve {
			if conf, err = config.Resolve(conf, resolver(w, withRun(job.Hydra, logdir.Run{}, w.Cwd), o.strict, func(string) {})); err != nil {
				return err
			}
		}
		if o.pkg != "" {
			var found bool
			if conf, found = conf.At(o.pkg); !found {
				return fmt.Errorf("--package %s: the config has no such key", o.pkg)
			}
		}
		switch {
		case o.json:
			out.Write(append(conf.AppendJSON(nil), '\n'))
		case plan.Size > 1:
			out.WriteString("---\n")
			fallthrough
		default:
			out.Write(conf.AppendYAML(nil))
		}
	}
	return out.Flush()
}

// printDefaults prints the files that each job's config is made of, in the order
// in which they are laid over each other, and what each sets: --info defaults.
func printDefaults(w World, plan *Plan, o Launch) error {
	if o.info != "defaults" {
		return fault.Hint(fmt.Errorf("--info %s: there is no such information", o.info), "--info defaults lists the files of the config")
	}
	out := tabwriter.NewWriter(w.Stdout, 0, 0, 2, ' ', 0)
	for job, err := range plan.Jobs() {
		if err != nil {
			return err
		}
		if plan.Size > 1 {
			fmt.Fprintln(out, jobLine(job, ""))
		}
		depth := map[string]int{}
		fmt.Fprintln(out, "FILE\tPACKAGE\tSETS")
		for _, source := range job.composed.Sources {
			if source.Parent != "" {
				depth[source.Config] = depth[source.Parent] + 1
			}
			var keys []string
			for path := range source.Content.Leaves() {
				keys = append(keys, config.Dotted(path))
			}
			fmt.Fprintf(out, "%s%s\t%s\t%s\n", strings.Repeat("  ", depth[source.Config]), source.File, cmp.Or(source.Package, "_global_"), strings.Join(keys, " "))
		}
	}
	return out.Flush()
}

// shown is how many of the first and of the last runs of a long list a person
// is shown.
const shown = 10

// printPlan prints the runs: --dry-run.
func printPlan(w World, plan *Plan, f *filter, o Launch) error {
	out := bufio.NewWriter(w.Stdout)
	left, count := map[string]int{}, 0
	var first, last []string
	for job, err := range plan.Jobs() {
		if err != nil {
			return err
		}
		why, _ := f.skip(job)
		if why == "" {
			count++
		} else {
			reason, _, _ := strings.Cut(why, ":")
			left[reason]++
		}
		if o.json {
			if err := printJob(out, w, job, why, o.strict); err != nil {
				return err
			}
			continue
		}
		if first == nil && why == "" {
			if first, err = filledCommand(w, job, o.strict); err != nil {
				return err
			}
		}
		line := jobLine(job, why)
		if job.Index < shown {
			fmt.Fprintln(out, line)
		} else if last = append(last, line); len(last) > shown {
			last = last[1:]
		}
	}
	if err := f.err(plan.Size); err != nil {
		return err
	}
	if !o.json {
		if hidden := plan.Size - shown - len(last); hidden > 0 {
			fmt.Fprintf(out, "… %d more (--json lists all) …\n", hidden)
		}
		for _, line := range last {
			fmt.Fprintln(out, line)
		}
		if first != nil {
			fmt.Fprintf(out, "the first: %s\n", shellWords(first))
		}
		fmt.Fprintf(out, "%d of %s runs would start", count, countText(plan.sweep.Len()))
		if n := new(big.Int).Sub(plan.sweep.Len(), big.NewInt(int64(plan.Size))); n.Sign() > 0 {
			fmt.Fprintf(out, "; --limit leaves out %s", countText(n))
		}
		if n := left[skipWhere]; n > 0 {
			fmt.Fprintf(out, "; --where leaves out %d", n)
		}
		if n := left[strings.TrimSuffix(skipDone, ":")]; n > 0 {
			fmt.Fprintf(out, "; --skip-done leaves out %d", n)
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// jobLine is a job on one line: its index, what it overrides, and why it is
// left out.
func jobLine(job Job, why string) string {
	line := fmt.Sprintf("%d", job.Index)
	for _, o := range job.Overrides {
		line += " " + visible.Text(secret.Word(o.Text))
	}
	if why != "" {
		line += "  (left out: " + why + ")"
	}
	return line
}

// printJob prints a job as one line of JSON.
func printJob(out io.Writer, w World, job Job, why string, strict bool) error {
	words, err := filledCommand(w, job, strict)
	if err != nil {
		return err
	}
	line := fmt.Appendf(nil, `{"index":%d,"overrides":[`, job.Index)
	for i, o := range job.Overrides {
		if i > 0 {
			line = append(line, ',')
		}
		line = jsontext.AppendQuote(line, o.Text)
	}
	line = append(line, `],"command":[`...)
	for i, word := range words {
		if i > 0 {
			line = append(line, ',')
		}
		line = jsontext.AppendQuote(line, word)
	}
	line = append(line, `],"config":`...)
	line = job.Config.AppendJSON(line)
	line = append(line, `,"skipped":`...)
	if why == "" {
		line = append(line, "null"...)
	} else {
		line = jsontext.AppendQuote(line, why)
	}
	_, err = out.Write(append(line, "}\n"...))
	return err
}

// filledCommand is the command of a job as far as it is known before the job
// has a directory.
func filledCommand(w World, job Job, strict bool) ([]string, error) {
	resolved, err := config.Resolve(job.Config, resolver(w, withRun(job.Hydra, logdir.Run{}, w.Cwd), strict, func(string) {}))
	if err != nil {
		return nil, err
	}
	return supervise.Fill(job.Command, resolved, nil)
}

// plainWord is a word that a shell leaves alone.
var plainWord = pattern.New(`^[\w@%+=:,./-]+$`)

// shellWords writes words as a person would type them in a shell.
func shellWords(words []string) string {
	out := make([]string, len(words))
	for i, word := range words {
		word = secret.Word(word)
		if !plainWord().MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		out[i] = word
	}
	return visible.Text(strings.Join(out, " "))
}
