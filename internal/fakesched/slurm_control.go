package fakesched

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func scontrol(c *call) int {
	args := c.args
	oneLine := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-o", "--oneliner":
			oneLine = true
		case "-V", "--version":
			c.printf("slurm-wlm 22.05.8\n")
			return 0
		}
		args = args[1:]
	}
	if len(args) == 0 {
		c.printf("scontrol: ")
		return 0
	}
	verb, args := args[0], args[1:]
	switch verb {
	case "show":
		return scontrolShow(c, args, oneLine)
	case "ping":
		c.printf("Slurmctld(primary) at %s is UP\n", c.Host)
		return 0
	case "update":
		return scontrolUpdate(c, args)
	case "requeue", "requeuehold", "hold", "release", "suspend", "resume":
		if len(args) == 0 {
			return c.fail(1, "too few arguments for keyword:%s", verb)
		}
		return scontrolJobs(c, verb, args)
	}
	return c.fail(1, "invalid keyword: %s", verb)
}

// scontrolJobs does something with each job of a list.
func scontrolJobs(c *call, verb string, args []string) int {
	status := 0
	changed := c.change(func(st *state) int {
		for _, id := range splitIDs(strings.Join(args, ",")) {
			found := false
			for _, j := range st.Jobs {
				for _, t := range slurmTasks(j, id) {
					if !slurmKept(c, t) {
						continue
					}
					found = true
					if message := scontrolTask(j, t, verb); message != "" {
						status = c.fail(1, "%s for job %s", message, id)
						break
					}
				}
			}
			if !found {
				status = c.fail(1, "Invalid job id specified for job %s", id)
			}
		}
		return 0
	})
	return max(status, changed)
}

// scontrolTask does something with a task, or says why not.
func scontrolTask(j *job, t *task, verb string) string {
	switch verb {
	case "requeue", "requeuehold":
		switch {
		case !j.Rerun:
			return "Requested operation is presently disabled"
		case t.Phase == pending && verb == "requeue":
			return "Job is pending execution"
		case t.Phase == pending:
			t.Held, t.Reason = true, "job requeued in held state"
		case t.Phase == ended:
			t.Phase, t.Reason, t.Held = pending, "None", verb == "requeuehold"
		case verb == "requeuehold":
			t.Order = byRequeue + " hold"
		default:
			t.Order = byRequeue
		}
	case "hold":
		if t.Phase != pending {
			return "Job is no longer pending execution"
		}
		t.Held, t.Reason = true, "JobHeldUser"
	case "release":
		if t.Phase != pending {
			return "Job is no longer pending execution"
		}
		t.Held, t.Reason = false, ""
	case "suspend":
		t.Order = "signal:STOP"
	case "resume":
		t.Order = "signal:CONT"
	}
	return ""
}

// scontrolUpdate knows JobId with StartTime, TimeLimit and Partition.
func scontrolUpdate(c *call, args []string) int {
	fields := map[string]string{}
	for _, a := range args {
		name, v, _ := strings.Cut(a, "=")
		fields[strings.ToLower(name)] = v
	}
	id := fields["jobid"]
	return c.change(func(st *state) int {
		found := false
		for _, j := range st.Jobs {
			for _, t := range slurmTasks(j, id) {
				found = true
				if strings.HasPrefix(fields["starttime"], "now") {
					t.NotYet = time.Time{}
				}
				if v, ok := fields["timelimit"]; ok {
					seconds, ok := slurmTime(v)
					if !ok {
						return c.fail(1, "Invalid TimeLimit value")
					}
					j.Limit = seconds
				}
				if v, ok := fields["partition"]; ok {
					j.Queue = v
				}
			}
		}
		if !found {
			return c.fail(1, "Invalid job id specified for job %s\nslurm_update error: Invalid job id specified", id)
		}
		return 0
	})
}

func scontrolShow(c *call, args []string, oneLine bool) int {
	if len(args) == 0 {
		return c.fail(1, "too few arguments for keyword:show")
	}
	entity, id := args[0], ""
	if len(args) > 1 {
		id = args[1]
	}
	switch {
	case strings.HasPrefix("config", entity):
		for _, line := range [][2]string{
			{"AccountingStorageType", "accounting_storage/none"}, {"ClusterName", slurmCluster(c.Config)}, {"KillWait", "30 sec"},
			{"MaxArraySize", strconv.Itoa(c.Largest)}, {"MaxJobCount", "10000"}, {"MinJobAge", "600 sec"}, {"SLURM_VERSION", "22.05.8"},
		} {
			if c.out.Len() == 0 {
				c.printf("Configuration data as of %s\n", time.Now().Format(slurmStamp))
			}
			c.printf("%-23s = %s\n", line[0], line[1])
		}
		c.printf("\nSlurmctld(primary) at %s is UP\n", c.Host)
		return 0
	case strings.HasPrefix("job", entity), strings.HasPrefix("jobs", entity):
		return c.read(func(st *state) int { return scontrolShowJobs(c, st, id, oneLine) })
	case strings.HasPrefix("partitions", entity):
		for _, queue := range c.Queues {
			c.printf("PartitionName=%s\n   AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL\n   State=UP TotalCPUs=%d TotalNodes=1 MaxTime=UNLIMITED\n\n", queue, c.Slots)
		}
		return 0
	}
	return c.fail(1, "invalid entity:%s for keyword:show ", entity)
}

func scontrolShowJobs(c *call, st *state, id string, oneLine bool) int {
	shown := 0
	for _, j := range st.Jobs {
		for _, r := range slurmRows(j, false) {
			match := id == ""
			if id != "" {
				for _, t := range slurmTasks(j, id) {
					match = match || t == r.t || r.part != "" && t.ID == 0
				}
			}
			if !match || !slurmKept(c, r.t) {
				continue
			}
			shown++
			text := slurmRecord(c, st, r)
			if oneLine {
				text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", " ")), " ") + "\n"
			} else {
				text += "\n"
			}
			c.out.WriteString(text)
		}
	}
	switch {
	case shown > 0:
	case id != "":
		return c.fail(1, "slurm_load_jobs error: Invalid job id specified")
	default:
		c.printf("No jobs in the system\n")
	}
	return 0
}

// slurmRecord is a job as scontrol shows it.
func slurmRecord(c *call, st *state, r slurmRow) string {
	long, _ := slurmState(r.j, r.t)
	last := r.t.last()
	var b strings.Builder
	fmt.Fprintf(&b, "JobId=%d ", r.own())
	if r.j.Array {
		index := r.part
		if index == "" {
			index = strconv.Itoa(r.t.Index)
		}
		fmt.Fprintf(&b, "ArrayJobId=%d ArrayTaskId=%s ", r.j.ID, index)
	}
	host := "(null)"
	if len(r.t.Runs) > 0 && r.t.Phase != pending {
		host = c.Host
	}
	requeue := 0
	if r.j.Rerun {
		requeue = 1
	}
	fmt.Fprintf(&b, "JobName=%s\n", r.j.Name)
	fmt.Fprintf(&b, "   UserId=%s(0) GroupId=root(0) MCS_label=N/A\n", c.User)
	fmt.Fprintf(&b, "   Priority=1 Nice=0 Account=(null) QOS=normal\n")
	fmt.Fprintf(&b, "   JobState=%s Reason=%s Dependency=(null)\n", long, strings.ReplaceAll(slurmReason(c, st, r.j, r.t), " ", "_"))
	fmt.Fprintf(&b, "   Requeue=%d Restarts=%d BatchFlag=1 Reboot=0 ExitCode=%d:%d\n", requeue, max(0, len(r.t.Runs)-1), last.Code, last.Signal)
	fmt.Fprintf(&b, "   RunTime=00:00:00 TimeLimit=%s TimeMin=N/A\n", slurmLimit(r.j.Limit))
	fmt.Fprintf(&b, "   SubmitTime=%s EligibleTime=%s\n", r.j.Time.Format(slurmStamp), r.j.Time.Format(slurmStamp))
	fmt.Fprintf(&b, "   StartTime=%s EndTime=%s Deadline=N/A\n", strings.Replace(slurmTimeOf(last.Start), "N/A", "Unknown", 1), strings.Replace(slurmTimeOf(last.End), "N/A", "Unknown", 1))
	fmt.Fprintf(&b, "   Partition=%s AllocNode:Sid=%s:1\n", r.j.Queue, c.Host)
	fmt.Fprintf(&b, "   ReqNodeList=(null) ExcNodeList=(null)\n   NodeList=%s\n   BatchHost=%s\n", strings.Trim(host, "()"), host)
	fmt.Fprintf(&b, "   NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:*\n")
	fmt.Fprintf(&b, "   WorkDir=%s\n", r.j.Dir)
	return b.String()
}
