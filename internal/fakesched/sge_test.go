package fakesched

import (
	"strings"
	"testing"
	"time"
)

func TestSGEAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "sge", Hold: true})
	w.write("s.sh", "#!/bin/bash\ntrue\n")
	w.write("1hi.sh", "true\n")
	w.write("bad.sh", "#$ -bogus\n")
	w.write("empty.sh", "")
	refused := func(message string) string { return "Unable to run job: " + message + ".\nExiting.\n" }
	w.answers([]answer{
		{"qsub -o out -e err -N name s.sh", 0, "Your job 1 (\"name\") has been submitted\n", ""},
		{"qsub -terse s.sh", 0, "2\n", ""},
		{"qsub -t 1-4 -N arr s.sh", 0, "Your job-array 3.1-4:1 (\"arr\") has been submitted\n", ""},
		{"qsub -terse -t 1-10:3 s.sh", 0, "4.1-10:3\n", ""},
		{"qsub -terse -N a -N b s.sh", 0, "warning: \"-N\" option has already been set, overriding previous setting\n5\n", ""},
		{"qsub -bogus s.sh", 2, "", "qsub: invalid option argument \"-bogus\"\n"},
		{"qsub bad.sh", 2, "", "Unable to read script file because of error: invalid option argument \"-bogus\"\n"},
		{"qsub -q nosuch.q s.sh", 1, "", refused(`Job was rejected because job requests unknown queue "nosuch.q"`)},
		{"qsub -l nosuch=1 s.sh", 1, "", refused(`unknown resource "nosuch"`)},
		{"qsub -l h_rt=banana s.sh", 1, "", refused(`attribute "h_rt" is not a time value`)},
		{"qsub -pe nope 2 s.sh", 1, "", refused(`job rejected: the requested parallel environment "nope" does not exist`)},
		{"qsub -P noproj s.sh", 1, "", refused(`job rejected: the requested project "noproj" does not exist`)},
		{"qsub -p 2000 s.sh", 7, "", "qsub: invalid priority \"2000\".  Must be an integer from -1023 to 1024\n"},
		{"qsub nofile.sh", 14, "", "Unable to read script file because of error: error opening nofile.sh: No such file or directory\n"},
		{"qsub .", 4, "", "error: fread(\".\") failed: Is a directory\n"},
		{"qsub empty.sh", 1, "", refused("job rejected: no script in your request")},
		{"qsub -t 0-3 s.sh", 1, "", refused("job rejected: 0 is an invalid task id")},
		{"qsub -t 1-75001 s.sh", 1, "", refused("job rejected: you tried to submit a job with more than 75000 tasks")},
		{"qsub -terse -h -t 3-1 s.sh; qdel 13; qsub -terse -h -t 1,3 s.sh; qdel 14", 0, "13.1-3:1\nroot has deleted job 13\n14.1-3:2\nroot has deleted job 14\n", ""},
		{"qsub 1hi.sh", 1, "", refused(`denied: "1hi.sh" is not a valid object name (cannot start with a digit)`)},
		{"qsub -N a/b s.sh", 2, "", "qsub: argument to -N option must not contain /\n"},
		{"qsub -N a:b s.sh", 1, "", refused("Colon (':') not allowed in objectname")},
		{"qsub -N 'a b' s.sh", 1, "", refused("Error reading answer list from qmaster")},
		{"qsub -N all s.sh", 1, "", refused(`denied: "all" is not a valid object name`)},
		{"qsub -o c:d/out s.sh", 1, "", "…"},
		{"qsub -terse -o :c:d/out s.sh", 0, "20\n", ""},
		{"qdel 9999", 1, "denied: job \"9999\" does not exist\n", ""},
		{"qdel abc", 1, "The job abc of user(s) root does not exist\n", ""},
		{"qstat -j 4711", 1, "", "Following jobs do not exist: \n4711\n"},
		{"qacct -j 424242", 1, "", "error: job id 424242 not found\n"},
		{"qdel 1 2 4 5 20 3.2", 0, "root has deleted job 1\nroot has deleted job 2\nroot has deleted job 4\nroot has deleted job 5\nroot has deleted job 20\nroot has deleted job-array task 3.2\n", ""},
		{"qacct -j 1", 1, "", "error: job id 1 not found\n"},
	})
	rows := w.ok("qstat")
	if !strings.Contains(rows, "      3 0.50000 arr        root         qw    ") || !strings.Contains(rows, " 1,3-4") && !strings.Contains(rows, " 1,3,4") {
		t.Error(rows)
	}
	w.ok("qdel 3")
	w.equal("nothing", w.ok("qstat"), "")
	w.answers([]answer{{"fakesched new Down=true; qsub s.sh", 1, "", "Unable to initialize environment because of error: unable to send message to qmaster using port 6444 on host \"vm\": got send error\n"}})
}

// #! does not count, the home directory does, output is appended.
func TestSGELife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "sge"})
	w.write("s.sh", "#!/bin/cat\n#$ -N nam\necho \"$1|${MINE-none}|$JOB_ID|$SGE_TASK_ID|$RESTARTED|$JOB_NAME|$PWD\"\nexit 3\n")
	w.ok("echo before >out; qsub -cwd -o out -j y s.sh 'a  b'", "MINE=yes")
	w.wait()
	w.equal("output", w.read("out"), "before\na  b|none|1|undefined|0|nam|"+w.dir+"\n")
	w.equal("qacct", w.ok("qacct -j 1 | grep -E '^(exit_status|failed|taskid)'"), "taskid       undefined\nfailed       0\nexit_status  3\n")
	w.ok("qsub s.sh x; qsub -V -cwd -o v -e /dev/null s.sh", "MINE=yes")
	w.wait()
	w.equal("home", w.ok("sed 's/.*|//' $HOME/nam.o2"), w.ok("echo $HOME"))
	if out := w.read("v"); !strings.Contains(out, "|yes|") {
		t.Error(out)
	}
	w.equal("array", w.ok("qsub -cwd -o arr -e arr -t 1-5:2 -N n -b y 'echo $SGE_TASK_ID $SGE_TASK_FIRST $SGE_TASK_LAST $SGE_TASK_STEPSIZE'; fakesched wait; sort arr"),
		"Your job-array 4.1-5:2 (\"n\") has been submitted\n1 1 5 2\n3 1 5 2\n5 1 5 2\n")
}

func TestSGEErrorState(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "sge"})
	w.write("s.sh", "exit 100\n")
	w.ok("qsub -cwd -o no/such/file s.sh; qsub -cwd s.sh; qsub -wd /nosuch s.sh; qsub -S /nosuch -cwd s.sh; fakesched wait")
	w.equal("states", w.ok("qstat | tail -n +3 | cut -c41-44"), strings.Repeat("Eqw \n", 4))
	w.equal("reason", w.ok("qstat -j 2 | grep error"), "error reason    1:          application error returned\n")
	w.equal("failed", w.ok("for i in 1 2 3 4; do qacct -j $i | grep ^failed; done"),
		"failed       26  : opening input/output file\nfailed       30  : application error returned\nfailed       28  : changing into working directory\nfailed       27  : searching requested shell\n")
	w.answers([]answer{{"qmod -cj 2", 0, "root@vm cleared error state of job 2\n", ""}, {"qdel 1 3 4", 0, "…", ""}})
}

func TestSGERerun(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "sge", KillWait: 100 * time.Millisecond})
	w.write("s.sh", `trap 'echo usr2 >>log' USR2
echo "run $RESTARTED" >>log
[ "$RESTARTED" = 1 ] && exit 0
[ "$1" = 99 ] && exit 99
sleep 20
`)
	w.ok("qsub -cwd -o out -j y s.sh 99; fakesched wait")
	w.equal("99", w.ok("cat log; qacct -j 1 | grep ^failed"), "run 0\nrun 1\nfailed       25  : rescheduling\nfailed       0\n")
	w.ok("rm log; qsub -cwd -o out -j y s.sh; until test -s log; do sleep 0.01; done")
	w.answers([]answer{{"qmod -rj 2", 0, "Pushed rescheduling of job 2 on host vm\n", ""}})
	w.wait()
	w.equal("-rj", w.read("log"), "run 0\nrun 1\n")
	w.ok("rm log; qsub -r n -cwd -o out -j y s.sh; until test -s log; do sleep 0.01; done")
	w.answers([]answer{
		{"qmod -rj 3", 0, "The job 3 is not restartable\n", ""},
		{"qdel 3", 0, "root has registered the job 3 for deletion\n", ""},
	})
	w.wait()
	w.equal("deleted", w.ok("qacct -j 3 | grep -E '^(failed|exit_status)'"), "failed       100 : assumedly after job\nexit_status  137                  (Killed)\n")
	w.ok("rm log; qsub -notify -terse -cwd -o out -j y s.sh; until test -s log; do sleep 0.01; done; qdel 4; fakesched wait")
	w.equal("notified", w.read("log"), "run 0\nusr2\n")
	w.ok("qsub -l h_rt=1 -cwd -o out -j y -b y sleep 20; fakesched new Second=10ms; fakesched wait")
	w.equal("limit", w.ok("qacct -j 5 | grep ^failed"), "failed       37  : qmaster enforced h_rt, h_cpu, or h_vmem limit\n")
}
