package fakesched

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const slurmStamp = "2006-01-02T15:04:05"

// slurmState is Slurm's word for what a task is doing, long and short.
func slurmState(j *job, t *task) (long, short string) {
	switch t.Phase {
	case pending:
		return "PENDING", "PD"
	case running:
		return "RUNNING", "R"
	case ending:
		return "COMPLETING", "CG"
	}
	r := t.last()
	switch {
	case len(t.Runs) == 0 || r.Why == byUser:
		return "CANCELLED", "CA"
	case r.Why == byLimit:
		return "TIMEOUT", "TO"
	case r.Why == byNode:
		return "NODE_FAIL", "NF"
	case r.Why == byPreempt:
		return "PREEMPTED", "PR"
	case r.Why == byBadOutput || r.Why == byBadShell || r.Code != 0 || r.Signal != 0:
		return "FAILED", "F"
	}
	return "COMPLETED", "CD"
}

// slurmReason is why a task is pending, or how it ended.
func slurmReason(c *call, st *state, j *job, t *task) string {
	if t.Phase != pending {
		set(&t.Reason, "None")
		return t.Reason
	}
	ready, never := st.released(c.sys, j)
	switch {
	case t.Held && t.Reason != "":
		return t.Reason
	case t.Held:
		return "JobHeldUser"
	case never:
		return "DependencyNeverSatisfied"
	case !ready:
		return "Dependency"
	case time.Now().Before(t.NotYet):
		return "BeginTime"
	case number(j.Options["cpus-per-task"]) > c.Slots:
		return "PartitionConfig"
	}
	active := 0
	for _, other := range j.Tasks {
		if other.Phase == running || other.Phase == ending {
			active++
		}
	}
	if j.Max > 0 && active >= j.Max {
		return "JobArrayTaskLimit"
	}
	return "Resources"
}

// A slurmRow is a line of squeue: a task, or the pending part of an array.
type slurmRow struct {
	j    *job
	t    *task  // or the first of the pending ones
	part string // "1-4" or "1,4,7,10%2"
}

func (r slurmRow) id() string {
	switch {
	case r.part != "":
		return fmt.Sprintf("%d_[%s]", r.j.ID, r.part)
	case r.j.Array:
		return fmt.Sprintf("%d_%d", r.j.ID, r.t.Index)
	}
	return strconv.Itoa(r.j.ID)
}

// own is the job id of a row: that of the record that Slurm keeps for it.
func (r slurmRow) own() int {
	if r.t.ID != 0 && r.part == "" {
		return r.t.ID
	}
	return r.j.ID
}

// slurmRows are the rows of a job; pending tasks that never ran share one.
func slurmRows(j *job, each bool) []slurmRow {
	var rows []slurmRow
	var part []int
	var first *task
	for _, t := range j.Tasks {
		if j.Array && !each && t.Phase == pending && t.ID == 0 {
			if first == nil {
				first = t
			}
			part = append(part, t.Index)
			continue
		}
		rows = append(rows, slurmRow{j, t, ""})
	}
	if first != nil {
		text := slurmRange(part, j.Step)
		if j.Max > 0 {
			text += "%" + strconv.Itoa(j.Max)
		}
		rows = slices.Insert(rows, 0, slurmRow{j, first, text})
	}
	return rows
}

// slurmRange writes indices as Slurm does: runs of neighbours with a dash, all
// else one by one.
func slurmRange(indices []int, step int) string {
	var parts []string
	for i := 0; i < len(indices); {
		k := i
		for k+1 < len(indices) && indices[k+1] == indices[k]+1 {
			k++
		}
		if k > i {
			parts = append(parts, fmt.Sprintf("%d-%d", indices[i], indices[k]))
		} else {
			parts = append(parts, strconv.Itoa(indices[i]))
		}
		i = k + 1
	}
	return strings.Join(parts, ",")
}

// slurmNamed says whether an id means (a part of) a job.
func slurmNamed(j *job, id string) bool { return len(slurmTasks(j, id)) > 0 }

var slurmTaskID = regexp.MustCompile(`^(\d+)(?:_(?:(\d+|\*)|\[([^\]]*)\]))?$`)

// slurmTasks are the tasks of a job that an id means: 14, 14_2, 14_[1-3], 17.
func slurmTasks(j *job, id string) []*task {
	m := slurmTaskID.FindStringSubmatch(id)
	if m == nil {
		return nil
	}
	n := number(m[1])
	var tasks []*task
	for _, t := range j.Tasks {
		switch {
		case m[2] == "" && m[3] == "":
			if j.ID == n || t.ID == n {
				tasks = append(tasks, t)
			}
		case j.ID != n || !j.Array:
		case m[2] == "*":
			tasks = append(tasks, t)
		case m[2] != "":
			if t.Index == number(m[2]) {
				tasks = append(tasks, t)
			}
		default:
			indices, _, _, ok := arrayIndices(m[3])
			if ok && slices.Contains(indices, t.Index) {
				tasks = append(tasks, t)
			}
		}
	}
	return tasks
}

// slurmKept says whether the controller still knows a task.
func slurmKept(c *call, t *task) bool {
	return t.Phase != ended || time.Since(t.last().End) < c.Keep
}

var squeueOptions = parseOptions(`account=A all/a array/r array-unique clusters=M federation Format=O format=o help/h hide iterate=i
	job= jobs=j json local licenses=L long/l me name=n noconvert noheader/h nodelist=w nodes=w partition=p priority=P qos=q
	reservation=R sibling sort=S start state=t states=t step= steps=s usage user=u users=u verbose/v version/V yaml`)

func squeue(c *call) int {
	words, _, bad := squeueOptions.parse(c.args)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	format, header, each := "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R", true, false
	var ids, users, states, names []string
	for _, w := range words {
		list := strings.FieldsFunc(w.value, func(r rune) bool { return r == ',' })
		switch w.name {
		case "format":
			format = w.value
		case "noheader":
			header = false
		case "array":
			each = true
		case "job", "jobs":
			ids = splitIDs(w.value)
		case "user", "users":
			users = list
		case "me":
			users = []string{c.User}
		case "name":
			names = list
		case "state", "states":
			states = list
		case "version":
			c.printf("slurm-wlm 22.05.8\n")
			return 0
		case "json", "yaml", "Format":
			return c.fail(1, "squeue: error: fakesched knows no --%s", w.name)
		}
	}
	for _, id := range ids {
		if !slurmTaskID.MatchString(id) {
			return c.fail(1, "squeue: error: Invalid job id: %s", id)
		}
	}
	for i, s := range states {
		long, ok := slurmStates[strings.ToUpper(s)]
		if !ok && strings.ToUpper(s) != "ALL" {
			c.fail(1, "squeue: error: Invalid job state specified: %s", s)
			return c.fail(1, "squeue: error: Valid job states include: PENDING,RUNNING,SUSPENDED,COMPLETED,CANCELLED,FAILED,TIMEOUT,NODE_FAIL,PREEMPTED,BOOT_FAIL,DEADLINE,OUT_OF_MEMORY,COMPLETING,CONFIGURING,RESIZING,RESV_DEL_HOLD,REQUEUED,REQUEUE_FED,REQUEUE_HOLD,REVOKED,SIGNALING,SPECIAL_EXIT,STAGE_OUT,STOPPED\n")
		}
		states[i] = strings.ToUpper(s)
		if ok {
			states[i] = long
		}
	}
	return c.read(func(st *state) int {
		// One id that is not there is an error; of several, those that are
		// there are shown.
		if len(ids) == 1 && !slices.ContainsFunc(st.Jobs, func(j *job) bool {
			return slices.ContainsFunc(slurmTasks(j, ids[0]), func(t *task) bool { return slurmKept(c, t) })
		}) {
			return c.fail(1, "slurm_load_jobs error: Invalid job id specified")
		}
		if header {
			c.printf("%s\n", slurmFormat(format, slurmHeading))
		}
		for _, j := range slices.Backward(st.Jobs) {
			for _, r := range slurmRows(j, each) {
				long, _ := slurmState(j, r.t)
				match := len(ids) == 0
				for _, id := range ids {
					match = match || slices.Contains(slurmTasks(j, id), r.t) || r.part != "" && slurmNamed(j, id)
				}
				switch {
				case !match, !slurmKept(c, r.t),
					len(users) > 0 && !slices.Contains(users, c.User),
					len(names) > 0 && !slices.Contains(names, j.Name),
					len(states) == 0 && r.t.Phase == ended,
					len(states) > 0 && !slices.Contains(states, "ALL") && !slices.Contains(states, long):
					continue
				}
				c.printf("%s\n", slurmFormat(format, func(letter byte) string { return slurmCell(c, st, r, letter) }))
			}
		}
		return 0
	})
}

var slurmStates = map[string]string{"PD": "PENDING", "R": "RUNNING", "CG": "COMPLETING", "CD": "COMPLETED", "CA": "CANCELLED",
	"F": "FAILED", "TO": "TIMEOUT", "NF": "NODE_FAIL", "PR": "PREEMPTED", "S": "SUSPENDED", "OOM": "OUT_OF_MEMORY", "CF": "CONFIGURING", "RQ": "REQUEUED"}

func init() {
	for _, long := range []string{"PENDING", "RUNNING", "SUSPENDED", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
		"BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "COMPLETING", "CONFIGURING", "RESIZING", "RESV_DEL_HOLD", "REQUEUED", "REQUEUE_FED",
		"REQUEUE_HOLD", "REVOKED", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED"} {
		slurmStates[long] = long
	}
}

// splitIDs cuts a list at commas outside brackets.
func splitIDs(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == ',' && depth == 0
	})
}

var slurmSpec = regexp.MustCompile(`%(\.?)(\d*)([a-zA-Z])`)

// slurmFormat fills in a format: %.18i is 18 columns, right justified, cut.
func slurmFormat(format string, cell func(byte) string) string {
	return slurmSpec.ReplaceAllStringFunc(format, func(word string) string {
		m := slurmSpec.FindStringSubmatch(word)
		text := []rune(cell(m[3][0]))
		width := number(m[2])
		if width == 0 {
			return string(text)
		}
		if len(text) > width {
			text = text[:width]
		}
		fill := strings.Repeat(" ", width-len(text))
		if m[1] == "." {
			return fill + string(text)
		}
		return string(text) + fill
	})
}

func slurmHeading(letter byte) string {
	return map[byte]string{'i': "JOBID", 'P': "PARTITION", 'j': "NAME", 'u': "USER", 't': "ST", 'T': "STATE", 'M': "TIME", 'D': "NODES",
		'R': "NODELIST(REASON)", 'r': "REASON", 'F': "ARRAY_JOB_ID", 'K': "ARRAY_TASK_ID", 'A': "JOBID", 'N': "NODELIST", 'V': "SUBMIT_TIME",
		'S': "START_TIME", 'e': "END_TIME", 'l': "TIME_LIMIT", 'Q': "PRIORITY", 'a': "ACCOUNT", 'B': "EXEC_HOST", 'k': "COMMENT",
		'o': "COMMAND", 'Z': "WORK_DIR", 'C': "CPUS", 'q': "QOS", 'L': "TIME_LEFT", 'U': "UID"}[letter]
}

func slurmCell(c *call, st *state, r slurmRow, letter byte) string {
	long, short := slurmState(r.j, r.t)
	host := ""
	if r.t.Phase == running || r.t.Phase == ending || r.t.Phase == ended && len(r.t.Runs) > 0 {
		host = c.Host
	}
	switch letter {
	case 'i':
		return r.id()
	case 'P':
		return r.j.Queue
	case 'j':
		return r.j.Name
	case 'u':
		return c.User
	case 't':
		return short
	case 'T':
		return long
	case 'r':
		return slurmReason(c, st, r.j, r.t)
	case 'R':
		if r.t.Phase == pending || host == "" {
			return "(" + slurmReason(c, st, r.j, r.t) + ")"
		}
		return host
	case 'F':
		return strconv.Itoa(r.j.ID)
	case 'K':
		switch {
		case r.part != "":
			return r.part
		case r.j.Array:
			return strconv.Itoa(r.t.Index)
		}
		return "N/A"
	case 'A':
		return strconv.Itoa(r.own())
	case 'N', 'B':
		return host
	case 'D', 'C':
		return "1"
	case 'M':
		if len(r.t.Runs) == 0 || r.t.Phase == pending {
			return "0:00"
		}
		s := int(time.Since(r.t.last().Start).Seconds())
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	case 'V':
		return r.j.Time.Format(slurmStamp)
	case 'S':
		return slurmTimeOf(r.t.last().Start)
	case 'e':
		return slurmTimeOf(r.t.last().End)
	case 'l':
		return slurmLimit(r.j.Limit)
	case 'a':
		return "(null)"
	case 'q':
		return "normal"
	case 'k':
		if v := r.j.Options["comment"]; v != "" {
			return v
		}
		return "(null)"
	case 'Z':
		return r.j.Dir
	}
	return ""
}

func slurmTimeOf(t time.Time) string {
	if t.IsZero() {
		return "N/A"
	}
	return t.Format(slurmStamp)
}

func slurmLimit(seconds int) string {
	if seconds == 0 {
		return "UNLIMITED"
	}
	text := fmt.Sprintf("%02d:%02d:%02d", seconds/3600%24, seconds/60%60, seconds%60)
	if days := seconds / 86400; days > 0 {
		return fmt.Sprintf("%d-%s", days, text)
	}
	return text
}

var scancelOptions = parseOptions(`account=A batch/b ctld full/f help/h hurry/H interactive/i clusters=M me name=n jobname=n nodelist=w
	partition=p qos=q quiet/Q reservation=R sibling= signal=s state=t user=u verbose/v version/V wckey=`)

func scancel(c *call) int {
	words, rest, bad := scancelOptions.parse(c.args)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	order, name, all := byUser, "", false
	batch, word := false, ""
	var sig string
	for _, w := range words {
		switch w.name {
		case "name", "jobname":
			name, all = w.value, true
		case "user", "me", "partition":
			all = true
		case "state":
			word, all = slurmStates[strings.ToUpper(w.value)], true
		case "batch":
			batch = true
		case "full":
			batch = false
			order = "signal:"
		case "signal":
			sig = strings.TrimPrefix(strings.ToUpper(w.value), "SIG")
			if n, err := strconv.Atoi(sig); err == nil {
				sig = strings.TrimPrefix(unix.SignalName(unix.Signal(n)), "SIG")
			}
			if unix.SignalNum("SIG"+sig) == 0 {
				return c.fail(1, "scancel: error: Unknown job signal: %s", w.value)
			}
		}
	}
	if sig != "" && sig != "KILL" {
		switch {
		case batch:
			order = "signal-script:" + sig
		case order == "signal:":
			order += sig
		default:
			order = "" // only steps get it
		}
	} else if order == "signal:" {
		order = byUser
	}
	if len(rest) == 0 && !all {
		return c.fail(1, "scancel: error: No job identification provided")
	}
	var ids []string
	for _, arg := range rest {
		ids = append(ids, splitIDs(arg)...)
	}
	for _, id := range ids {
		if !slurmTaskID.MatchString(id) {
			return c.fail(1, "scancel: error: Invalid job id %s", id)
		}
	}
	return c.change(func(st *state) int {
		for _, j := range st.Jobs {
			tasks := j.Tasks
			if len(ids) > 0 {
				tasks = nil
				for _, id := range ids {
					tasks = append(tasks, slurmTasks(j, id)...)
				}
			}
			for _, t := range tasks {
				long, _ := slurmState(j, t)
				if name != "" && j.Name != name || word != "" && long != word {
					continue
				}
				st.order(t, order)
			}
		}
		return 0
	})
}

// order makes a task end, or do something else, as far as it has begun.
func (s *state) order(t *task, order string) {
	switch {
	case t.Phase == running || t.Phase == ending:
		t.Order = order
	case t.Phase == pending && order == byUser:
		t.Phase, t.Reason, t.Held = ended, "None", false
		// Its last run, if there was one, is not how it ended; one without
		// duration tells that it did not run.
		now := time.Now()
		t.Runs = append(t.Runs, run{Start: now, End: now, Why: byUser})
	}
}

var sacctOptions = parseOptions(`accounts=A allclusters/L allocations/X allusers/a associations= brief/b clusters=M cluster=M completion/c
	constraints=C delimiter= duplicates/D endtime=E federation file=f flags=F format=o fields=o gid=g group=g help/h helpformat/e
	json jobs=j local long/l name= ncpus=I nnodes=i noconvert nodelist=N noheader/n partition=r parsable/p parsable2/P
	qos=q reason=R starttime=S state=s timelimit-max= timelimit-min= truncate/T uid=u units= use-local-uid user=u verbose/v
	version/V wckeys=W whole-hetjob~ yaml`)

func sacct(c *call) int {
	if !c.Accounting {
		return c.fail(1, "Slurm accounting storage is disabled")
	}
	words, _, bad := sacctOptions.parse(c.args)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	fields := []string{"jobid", "jobname", "partition", "account", "alloccpus", "state", "exitcode"}
	header, parsable, trailing, delimiter, steps := true, false, false, "|", true
	var ids []string
	for _, w := range words {
		switch w.name {
		case "format", "fields":
			fields = strings.Split(strings.ToLower(w.value), ",")
		case "noheader":
			header = false
		case "parsable2":
			parsable = true
		case "parsable":
			parsable, trailing = true, true
		case "delimiter":
			delimiter = w.value
		case "allocations":
			steps = false
		case "jobs":
			ids = append(ids, splitIDs(w.value)...)
		case "json", "yaml":
			return c.fail(1, "sacct: error: fakesched knows no --%s", w.name)
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			switch {
			case !parsable:
				c.printf("%12.12s ", cell)
			case i+1 < len(cells) || trailing:
				c.printf("%s%s", cell, delimiter)
			default:
				c.printf("%s", cell)
			}
		}
		c.printf("\n")
	}
	titles := map[string]string{"jobid": "JobID", "jobidraw": "JobIDRaw", "jobname": "JobName", "partition": "Partition", "account": "Account",
		"alloccpus": "AllocCPUS", "state": "State", "exitcode": "ExitCode", "nodelist": "NodeList", "start": "Start", "end": "End",
		"submit": "Submit", "reason": "Reason", "restarts": "Restarts", "user": "User"}
	var heads []string
	for i, f := range fields {
		fields[i], _, _ = strings.Cut(f, "%")
		title := titles[fields[i]]
		if title == "" {
			return c.fail(1, "sacct: fatal: Invalid field requested: %q", f)
		}
		heads = append(heads, title)
	}
	return c.read(func(st *state) int {
		if header {
			line(heads)
			if !parsable {
				var rule []string
				for range heads {
					rule = append(rule, "------------")
				}
				line(rule)
			}
		}
		for _, j := range st.Jobs {
			for _, r := range slurmRows(j, false) {
				match := len(ids) == 0
				for _, id := range ids {
					match = match || slices.Contains(slurmTasks(j, id), r.t) || r.part != "" && slurmNamed(j, id)
				}
				if !match {
					continue
				}
				for _, step := range []string{"", ".batch"} {
					if step != "" && (!steps || len(r.t.Runs) == 0) {
						continue
					}
					var cells []string
					for _, f := range fields {
						cells = append(cells, sacctCell(c, st, r, f, step))
					}
					line(cells)
				}
			}
		}
		return 0
	})
}

func sacctCell(c *call, st *state, r slurmRow, field, step string) string {
	last := r.t.last()
	switch field {
	case "jobid":
		return r.id() + step
	case "jobidraw":
		return strconv.Itoa(r.own()) + step
	case "jobname":
		if step != "" {
			return "batch"
		}
		return r.j.Name
	case "partition":
		if step != "" {
			return ""
		}
		return r.j.Queue
	case "state":
		long, _ := slurmState(r.j, r.t)
		switch {
		case long == "CANCELLED" && step == "":
			return "CANCELLED by 0"
		case long == "TIMEOUT" && step != "":
			return "CANCELLED"
		case long == "COMPLETING":
			return "RUNNING"
		}
		return long
	case "exitcode":
		return fmt.Sprintf("%d:%d", last.Code, last.Signal)
	case "alloccpus":
		return "1"
	case "nodelist":
		if len(r.t.Runs) == 0 {
			return "None assigned"
		}
		return c.Host
	case "start":
		return strings.Replace(slurmTimeOf(last.Start), "N/A", "Unknown", 1)
	case "end":
		return strings.Replace(slurmTimeOf(last.End), "N/A", "Unknown", 1)
	case "submit":
		return r.j.Time.Format(slurmStamp)
	case "reason":
		return slurmReason(c, st, r.j, r.t)
	case "restarts":
		return strconv.Itoa(max(0, len(r.t.Runs)-1))
	case "user":
		return c.User
	}
	return ""
}

func sinfo(c *call) int {
	words, _, bad := parseOptions(`all/a dead/d exact/e federation Format=O format=o help/h hide iterate=i json local long/l clusters=M
		nodes=n noconvert noheader/h Node/N partition=p list-reasons/R responding/r summarize/s sort=S states=t reservation/T
		usage verbose/v version/V yaml`).parse(c.args)
	if bad != nil {
		return slurmBadOption(c, bad)
	}
	format, header, only := "%9P %.5a %.10l %.6D %.6t %N", true, ""
	for _, w := range words {
		switch w.name {
		case "format":
			format = w.value
		case "noheader":
			header = false
		case "partition":
			only = w.value
		case "version":
			c.printf("slurm-wlm 22.05.8\n")
			return 0
		}
	}
	return c.read(func(st *state) int {
		busy := 0
		for _, j := range st.Jobs {
			for _, t := range j.Tasks {
				if t.Phase == running || t.Phase == ending {
					busy++
				}
			}
		}
		word := "idle"
		if busy > 0 {
			word = "mix"
		}
		if busy >= c.Slots {
			word = "alloc"
		}
		if header {
			c.printf("%s\n", strings.TrimRight(slurmFormat(format, func(b byte) string {
				return map[byte]string{'P': "PARTITION", 'a': "AVAIL", 'l': "TIMELIMIT", 'D': "NODES", 't': "STATE", 'T': "STATE", 'N': "NODELIST", 'R': "PARTITION"}[b]
			}), " "))
		}
		for i, queue := range c.Queues {
			if only != "" && only != queue {
				continue
			}
			star := queue
			if i == 0 {
				star += "*"
			}
			c.printf("%s\n", slurmFormat(format, func(b byte) string {
				return map[byte]string{'P': star, 'R': queue, 'a': "up", 'l': "infinite", 'D': "1", 't': word, 'T': word, 'N': c.Host}[b]
			}))
		}
		return 0
	})
}
