package fakesched

import (
	"strings"
	"testing"
	"time"
)

func TestLSFAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "lsf", Hold: true})
	w.write("s.sh", "#!/bin/sh\n#BSUB -J name\n#BSUB -o out.%J\ntrue\n")
	refused := func(message string) string { return message + ". Job not submitted.\n" }
	w.answers([]answer{
		{"bsub <s.sh", 0, "Job <1> is submitted to default queue <normal>.\n", ""},
		{"bsub -q short <s.sh", 0, "Job <2> is submitted to queue <short>.\n", ""},
		{"bsub -J 'arr[1-4]%2' <s.sh", 0, "Job <3> is submitted to default queue <normal>.\n", ""},
		{"bsub sleep 10", 0, "Job <4> is submitted to default queue <normal>.\n", ""},
		{"bsub -q nosuch <s.sh", 255, "", refused("nosuch: No such queue")},
		{"bsub </dev/null", 255, "", refused("Empty job")},
		{"bsub -R 'rusage[mem=4' <s.sh", 255, "", refused("Bad resource requirement syntax")},
		{"bsub -bogus <s.sh", 255, "", refused("-bogus: Illegal option")},
		{"bsub -J 'arr[1-1001]' <s.sh", 255, "", refused("Job array index too large")},
		{"bsub -J 'arr[0-3]' <s.sh", 255, "", refused("Bad job array index list")},
		{"bsub -w 'done(99)' <s.sh", 255, "", refused("99: No matching job found")},
		{"bjobs 99", 255, "", "Job <99> is not found\n"},
		{"bkill 99", 255, "", "Job <99>: No matching job found\n"},
		{"bjobs -noheader -o 'jobid stat exit_code job_name delimiter=\"|\"'", 0, "1|PEND|-|name\n2|PEND|-|name\n3|PEND|-|arr[1]\n3|PEND|-|arr[2]\n3|PEND|-|arr[3]\n3|PEND|-|arr[4]\n4|PEND|-|sleep 10\n", ""},
		{"bjobs -noheader -o 'jobid stat exit_code' 1", 0, "1       PEND  -         \n", ""},
		{"bkill 1 3[2] 4", 0, "Job <1> is being terminated\nJob <3[2]> is being terminated\nJob <4> is being terminated\n", ""},
		{"bkill 1", 255, "", "Job <1>: Job has already finished\n"},
		{"bjobs -noheader -o 'jobid: stat: exit_code:' 1", 0, "1 EXIT -\n", ""},
		{"brequeue 2", 255, "", "…"},
		{"bkill 2 3; bjobs", 0, "Job <2> is being terminated\nJob <3> is being terminated\n", "No unfinished job found\n"},
		{"fakesched new Down=true; bsub <s.sh", 255, "", "LSF is down. Please wait ...\n"},
	})
	if out := w.ok("fakesched new Down=false; bjobs -json -o 'jobid stat' 1"); !strings.Contains(out, `"RECORDS": [`) || !strings.Contains(out, `"STAT": "EXIT"`) {
		t.Error(out)
	}
}

// The environment and directory of the submitter; output with a report at the
// end.
func TestLSFLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "lsf"})
	w.write("s.sh", "#!/bin/sh\n#BSUB -J 'a name'\n#BSUB -o out\n#BSUB -e err.%J\necho \"$MINE|$LSB_JOBID|$LSB_JOBINDEX|$LSB_JOBNAME|$LSB_BATCH_JID|${LSB_RESTART-none}|$PWD\"\necho oops >&2\nexit 3\n")
	w.ok("echo before >out; bsub <s.sh; echo changed >s.sh", "MINE=yes")
	w.wait()
	out := w.read("out")
	if !strings.HasPrefix(out, "before\nSender: LSF System") || !strings.Contains(out, "Exited with exit code 3.") ||
		!strings.Contains(out, "The output (if any) follows:\n\nyes|1|0|a name|1|none|"+w.dir+"\n") {
		t.Error(out)
	}
	w.equal("err", w.read("err.1"), "oops\n")
	w.equal("exit", w.ok("bjobs -noheader -o 'stat: exit_code:' 1; bhist -l 1 | grep -o 'Exited with exit code 3'"), "EXIT 3\nExited with exit code 3\n")
	w.ok("bsub -J 'arr[1-3]' -oo 'arr.%J.%I' 'echo $LSB_JOBINDEX $LSB_BATCH_JID $LSB_JOBNAME'; fakesched wait")
	w.equal("array", w.ok("grep -hE '^[0-9]' arr.2.*"), "1 2[1] arr[1]\n2 2[2] arr[2]\n3 2[3] arr[3]\n")
}

func TestLSFRequeue(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "lsf", KillWait: 300 * time.Millisecond, Second: time.Millisecond})
	w.write("s.sh", `#!/bin/sh
trap 'echo int >>log' INT
trap 'echo term >>log; exit 7' TERM
echo "run ${LSB_RESTART-none}" >>log
test "$(grep -c run log)" = 3 && exit 0
while :; do sleep 0.01; done
`)
	w.ok("bsub -r -o /dev/null <s.sh; until test -s log; do sleep 0.01; done")
	w.answers([]answer{{"brequeue 1", 0, "Job <1> is being requeued\n", ""}})
	w.ok("until test $(grep -c run log) = 2; do sleep 0.01; done; fakesched nodefail 1")
	w.wait()
	w.equal("log", w.read("log"), "run none\nint\nterm\nrun none\nrun Y\n")
	w.equal("done", w.ok("bjobs -noheader -o stat: 1"), "DONE\n")
	w.ok("bsub -W 1 -o lim sleep 20; fakesched wait")
	w.equal("limit", w.ok("bjobs -noheader -o 'stat: exit_code: exit_reason:' 2"), "EXIT 140 TERM_RUNLIMIT: job killed after reaching LSF run time limit\n")
}
