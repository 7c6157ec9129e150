package script

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/mlxp/mlxp/internal/fault"
)

// Options are what a script is evaluated with.
type Options struct {
	Environ []string               // "NAME=value"; the caller has left out what only a job should have
	Dir     string                 // where the script starts; absolute
	Args    []string               // $1, $2, …
	Allow   []string               // commands that may run here besides the harmless ones
	Known   map[string]string      // job variables whose value is known already, as SLURM_SUBMIT_DIR
	JobOnly func(name string) bool // whether a variable that is not set will be in the job; nil: none
	Self    string                 // absolute path of this mlxp, for $(mlxp query …); empty: it does not run
}

// A Launch is one `mlxp … -- PROGRAM …` that the script makes.
type Launch struct {
	Statement int      // index of the statement of the script that made it: all launches of one loop have the same
	Line      int      // where it stands
	Args      []string // the words after mlxp
	Dir       string   // the current directory there; it exists
	Environ   []string // "NAME=value" of the exported variables there and of those before the call; unknown ones are missing
	Follows   bool     // something is executed after the launch, so the shell must not be replaced by it

	index int         // among all launches
	path  []step      // from the script's statement to that of the launch
	call  *launchCall // which words of that statement it is
	eval  *evaluation
}

// An evaluation is what Job has to know of all launches together.
type evaluation struct {
	args    []string
	dir     string
	changes map[int]*change // what the statements that made launches changed besides, by index

	mu    sync.Mutex
	index int    // of the launch whose job scripts were asked for last
	text  string // what they have in common
}

// A step is a statement on the way to a launch.
type step struct {
	frame *frame
	stmt  *syntax.Stmt
}

// A frame is a list of statements while it is executed.
type frame struct {
	launched map[*syntax.Stmt]bool // those that made launches
	stmts    []*syntax.Stmt
	start    *change                  // in a loop: what is different from before the loop
	changes  map[*syntax.Stmt]*change // what statements change that are not in every job as they are
	function string                   // in the body of a function: its name
	args     []string
}

// bounds of an evaluation: a script that needs more does not end, or is no job
// script.
const (
	maxSteps    = 200_000 // statements executed
	maxRounds   = 20_000  // of one loop without launches
	maxDepth    = 400     // calls within calls
	maxLaunches = 20_000
)

// An evaluator executes a script as far as that is possible before the job runs.
type evaluator struct {
	script *Script
	o      Options
	ctx    context.Context

	sh      *shell
	status  status
	flow    flow
	err     error
	stdin   *input
	stdout  *output
	stderr  *output
	inputs  map[string]*input  // file descriptors above 2
	outputs map[string]*output // the same
	files   map[string]*output // what the script writes, by absolute path
	touched map[string]*cause  // paths that commands of the job are called with

	causes      []*cause
	mayBeUnset  map[string]bool   // variables that an expansion that is under way has a default for
	mapped      []expand.Variable // what stands for expansions that package expand lacks
	taint       *cause            // why an expansion that is under way read something unknown
	globbed     *cause            // why it is not known what a pattern matches
	substituted bool              // a $(…) gave the status
	doubts      []*cause

	line         int
	steps, depth int
	calls        []string                     // functions being called
	locals       []map[string]expand.Variable // what their local variables hide, for each call
	sources      []string                     // files being sourced
	foreign      int                          // in a text whose lines are not the script's
	noErrExit    int
	loops        int // being executed in this function
	assuming     int // behind a && that a launch hangs on
	leftCommands int

	path      []step
	launches  []Launch
	launching map[*syntax.Stmt]bool
	hints     noLaunch
}

// A status is that of the last command. With a cause it is not known; assumed
// then tells that it is that of a command left for the job, which is taken to
// succeed.
type status struct {
	code    int
	cause   *cause
	assumed bool
	exempt  bool // a failure that set -e does not heed: before a && or behind a !
}

// ok tells whether the status is success, as far as is known.
func (s status) ok() bool { return s.code == 0 }

type flow struct {
	kind flowKind
	n    int    // loops to break or continue, or the exit status
	line int    // of exit
	why  string // of an exit by the shell itself
}

type flowKind int

const (
	onward flowKind = iota
	breaking
	continuing
	returning
	exiting
)

// Evaluate goes through the script and returns the launches it makes, in order.
// An error says which line and what to do; then there are no launches.
func (s *Script) Evaluate(ctx context.Context, o Options) ([]Launch, error) {
	e := &evaluator{
		script: s, o: o, ctx: ctx, stdin: &input{},
		files: map[string]*output{}, touched: map[string]*cause{}, launching: map[*syntax.Stmt]bool{},
	}
	e.sh = e.newShell()
	eval := &evaluation{args: o.Args, dir: o.Dir, changes: map[int]*change{}}
	frame := &frame{stmts: s.file.Stmts, launched: map[*syntax.Stmt]bool{}}
	for i, stmt := range s.file.Stmts {
		known := len(e.launches)
		e.step(frame, stmt)
		for j := known; j < len(e.launches); j++ {
			e.launches[j].Statement, e.launches[j].index = i, j
			e.launches[j].eval = eval
		}
		if len(e.launches) > known {
			eval.changes[i] = frame.changes[stmt]
		}
		if e.stopped() {
			break
		}
	}
	if err := e.outcome(); err != nil {
		return nil, err
	}
	for i := range e.launches {
		e.launches[i].Follows = s.follows(e.launches[i])
	}
	return e.launches, nil
}

// outcome returns the error that the evaluation ended with.
func (e *evaluator) outcome() error {
	switch {
	case e.err != nil:
		return e.err
	case e.flow.kind == exiting && e.flow.n != 0:
		text := fmt.Sprintf("the script ends here with status %d", e.flow.n)
		if e.flow.why != "" {
			text += ": " + e.flow.why
		}
		return fault.Hint(e.script.errorf(e.flow.line, "%s", text), "nothing is submitted unless the script comes to its end")
	case len(e.launches) == 0:
		return e.noLaunch()
	}
	return nil
}

// fail ends the evaluation with an error; the first counts.
func (e *evaluator) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// stopped tells whether what comes next in a list is not executed.
func (e *evaluator) stopped() bool { return e.err != nil || e.flow.kind != onward }

// exit ends the current shell.
func (e *evaluator) exit(code int, why string) {
	e.flow = flow{kind: exiting, n: code, line: e.line, why: why}
	e.status = status{code: code}
}

// list executes statements, one after another.
func (e *evaluator) list(stmts []*syntax.Stmt, f *frame) {
	if f == nil {
		f = &frame{}
	}
	f.stmts, f.launched = stmts, map[*syntax.Stmt]bool{}
	for _, stmt := range stmts {
		if e.stopped() {
			return
		}
		e.step(f, stmt)
	}
}

// one executes a statement that stands by itself, as in a pipeline.
func (e *evaluator) one(stmt *syntax.Stmt, f *frame) { e.list([]*syntax.Stmt{stmt}, f) }

func (e *evaluator) step(f *frame, stmt *syntax.Stmt) {
	known := len(e.launches)
	var before *shell
	if f.start != nil && isRead(stmt) || e.canLaunch(stmt) {
		before = e.sh.clone()
	}
	e.path = append(e.path, step{f, stmt})
	e.stmt(stmt)
	e.path = e.path[:len(e.path)-1]
	if before != nil {
		if f.changes == nil {
			f.changes = map[*syntax.Stmt]*change{}
		}
		f.changes[stmt] = e.sh.changeFrom(before)
	}
	if len(e.launches) > known {
		f.launched[stmt] = true
	}
}

// canLaunch is launchIn for a statement that is executed many times.
func (e *evaluator) canLaunch(stmt *syntax.Stmt) bool {
	can, known := e.launching[stmt]
	if !known {
		can = e.launchIn(stmt) > 0
		e.launching[stmt] = can
	}
	return can
}

// isRead tells whether a statement reads what feeds the loop around it.
func isRead(stmt *syntax.Stmt) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && len(stmt.Redirs) == 0 && slices.Contains([]string{"read", "mapfile", "readarray"}, call.Args[0].Lit())
}

// stmt executes a statement.
func (e *evaluator) stmt(stmt *syntax.Stmt) {
	if e.foreign == 0 && stmt.Pos().IsValid() {
		e.line = int(stmt.Pos().Line())
	}
	if e.steps++; e.steps > maxSteps {
		e.fail(fault.Hint(e.script.errorf(e.line, "the script does not come to its end within %d commands", maxSteps),
			"a loop that waits for something belongs into the program, or into the job behind the launch"))
	}
	if err := e.ctx.Err(); err != nil {
		e.fail(err)
	}
	if e.depth++; e.depth > maxDepth {
		e.fail(e.script.errorf(e.line, "commands are nested deeper than %d: a function that calls itself?", maxDepth))
	}
	defer func() { e.depth-- }()
	if e.stopped() {
		return
	}
	if stmt.Background && e.launchIn(stmt) == 0 { // it changes nothing here
		if call, ok := stmt.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && e.sh.funcs[commandName(call)] == nil {
			e.subshell(func() { e.call(call) })
		}
		e.leave("")
		return
	}
	restore, ok := e.redirect(stmt.Redirs)
	if ok && stmt.Cmd != nil {
		e.command(stmt)
	} else if ok {
		e.status = status{}
	}
	if !e.keepRedirects(stmt) {
		restore()
	}
	if e.stopped() {
		return
	}
	if stmt.Negated {
		e.status.code = boolStatus(e.status.code != 0)
		e.status.exempt = true
		return
	}
	if e.sh.flags['e'] && e.noErrExit == 0 && e.status.code != 0 && e.status.cause == nil && !e.status.exempt {
		e.exit(e.status.code, "this command fails, and set -e is on")
	}
}

// keepRedirects tells whether the statement is `exec` with nothing but
// redirections, which then hold for what follows.
func (e *evaluator) keepRedirects(stmt *syntax.Stmt) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 1 && call.Args[0].Lit() == "exec" && len(call.Assigns) == 0
}

func boolStatus(success bool) int {
	if success {
		return 0
	}
	return 1
}

// subshell executes something in a copy of the shell. Only its status comes
// back.
func (e *evaluator) subshell(body func()) {
	outer, stdin, stdout, stderr, inputs, outputs, doubts := e.sh, e.stdin, e.stdout, e.stderr, e.inputs, e.outputs, e.doubts
	e.sh = outer.clone()
	if e.depth++; e.depth > maxDepth {
		e.fail(e.script.errorf(e.line, "commands are nested deeper than %d", maxDepth))
	}
	body()
	e.depth--
	e.status.exempt = false
	e.sh, e.stdin, e.stdout, e.stderr, e.inputs, e.outputs, e.doubts = outer, stdin, stdout, stderr, inputs, outputs, doubts
	if e.err == nil {
		e.flow = flow{}
	}
}

// record notes a launch.
func (e *evaluator) record(call *launchCall, args []string) {
	line := call.line
	if c := e.causeInAll(args); c != nil {
		e.fail(e.hangs(line, c, "the words of this launch hang"))
		return
	}
	if c := e.causeIn(e.sh.dir); c != nil {
		e.fail(e.hangs(line, c, "the directory of this launch hangs"))
		return
	}
	if len(e.doubts) > 0 {
		e.failReached(line, e.doubts[0])
		return
	}
	if info, err := os.Stat(e.sh.dir); err != nil || !info.IsDir() {
		e.fail(fault.Hint(e.script.errorf(line, "the directory of this launch, %s, is not there", e.sh.dir),
			"make it before you submit (mkdir -p), or launch from one that is there"))
		return
	}
	if len(e.launches) >= maxLaunches {
		e.fail(fault.Hint(e.script.errorf(line, "more than %d launches: a loop that does not end?", maxLaunches), "a sweep among the words of one launch may have as many runs as you like"))
		return
	}
	environ, err := e.environ(line)
	if err != nil {
		e.fail(err)
		return
	}
	e.launches = append(e.launches, Launch{
		Line: line, Args: args, Dir: e.sh.dir, Environ: environ,
		path: slices.Clone(e.path), call: call,
	})
}

// environ returns the exported variables. What mlxp itself reads must be known.
func (e *evaluator) environ(line int) ([]string, error) {
	var pairs []string
	for name, v := range e.sh.vars {
		if !v.Exported || !v.Set || v.Kind != expand.String {
			continue
		}
		if c := e.causeIn(v.Str); c != nil {
			if strings.HasPrefix(name, "MLXP_") {
				return nil, e.hangs(line, c, name+", which steers this launch, hangs")
			}
			continue
		}
		pairs = append(pairs, name+"="+v.Str)
	}
	slices.Sort(pairs)
	return pairs, nil
}
