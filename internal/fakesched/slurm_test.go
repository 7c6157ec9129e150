package fakesched

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSlurmAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Hold: true})
	w.write("s.sh", "#!/bin/sh\ntrue\n")
	w.write("bad.sh", "#!/bin/sh\n#SBATCH --bogus\n")
	w.write("plain.sh", "true\n")
	w.write("crlf.sh", "#!/bin/sh\r\ntrue\r\n")
	w.write("empty.sh", "")
	const failed = "sbatch: error: Batch job submission failed: "
	const help = "Try \"sbatch --help\" for more information\n"
	w.answers([]answer{
		{"sbatch -J name -o out -e err s.sh a 'b c'", 0, "Submitted batch job 1\n", ""},
		{"sbatch --parsable s.sh", 0, "2\n", ""},
		{"sbatch -a 1-4 s.sh", 0, "Submitted batch job 3\n", ""},
		{"sbatch --parsable --array=1-10:3%2 s.sh", 0, "4\n", ""},
		{"sbatch --bogus x.sh", 255, "", "sbatch: unrecognized option '--bogus'\n" + help},
		{"sbatch bad.sh", 255, "", "sbatch: unrecognized option '--bogus'\n" + help},
		{"sbatch -Z", 255, "", "sbatch: invalid option -- 'Z'\n" + help},
		{"sbatch -J", 255, "", "sbatch: option requires an argument -- 'J'\n" + help},
		{"sbatch --job-name", 255, "", "sbatch: option '--job-name' requires an argument\n" + help},
		{"sbatch --hold=3", 255, "", "sbatch: option '--hold' doesn't allow an argument\n" + help},
		{"sbatch -t banana s.sh", 255, "", "sbatch: error: Invalid --time specification\n"},
		{"sbatch --signal=foo s.sh", 255, "", "sbatch: error: Invalid --signal specification\n"},
		{"sbatch -n x s.sh", 1, "", "sbatch: error: Invalid numeric value \"x\" for --ntasks.\n"},
		{"sbatch -p nosuch s.sh", 1, "", "sbatch: error: invalid partition specified: nosuch\n" + failed + "Invalid partition name specified\n"},
		{"sbatch --gres=nosuch:1 s.sh", 1, "", failed + "Invalid generic resource (gres) specification\n"},
		{"sbatch --mem=999T s.sh", 1, "", "sbatch: error: Memory specification can not be satisfied\n" + failed + "Requested node configuration is not available\n"},
		{"sbatch -d afterok:banana s.sh", 1, "", failed + "Job dependency problem\n"},
		{"sbatch nofile.sh", 1, "", "sbatch: error: Unable to open file nofile.sh\n"},
		{"sbatch .", 1, "", "sbatch: error: Batch script is empty!\n"},
		{"sbatch empty.sh", 1, "", "sbatch: error: Batch script is empty!\n"},
		{"sbatch plain.sh", 1, "", "sbatch: error: This does not look like a batch script.  The first\nsbatch: error: line must start with #! …"},
		{"sbatch crlf.sh", 1, "", "sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n…"},
		{"sbatch -a 1-1001 s.sh", 1, "", failed + "Invalid job array specification\n"},
		{"sbatch -a 3-1 s.sh", 1, "", failed + "Invalid job array specification\n"},
		{"scancel 99999", 0, "", ""},
		{"scancel abc", 1, "", "scancel: error: Invalid job id abc\n"},
		{"squeue -j 99999", 1, "", "slurm_load_jobs error: Invalid job id specified\n"},
		{"scontrol show job 99999", 1, "", "slurm_load_jobs error: Invalid job id specified\n"},
		{"sacct", 1, "", "Slurm accounting storage is disabled\n"},
		{"sbatch -a 1000 s.sh", 0, "Submitted batch job 5\n", ""},
		{"squeue -h -o '%i|%j|%t|%T|%r|%F|%K|%A'", 0, "" +
			"5_[1000]|s.sh|PD|PENDING|Resources|5|1000|5\n4_[1,4,7,10%2]|s.sh|PD|PENDING|Resources|4|1,4,7,10%2|4\n" +
			"3_[1-4]|s.sh|PD|PENDING|Resources|3|1-4|3\n2|s.sh|PD|PENDING|Resources|2|N/A|2\n1|name|PD|PENDING|Resources|1|N/A|1\n", ""},
		{"scontrol show config | grep MaxArraySize", 0, "MaxArraySize            = 1001\n", ""},
		{"fakesched new Down=true; sbatch s.sh", 1, "", failed + "Unable to contact slurm controller (connect failure)\n"},
		{"fakesched new Down=false Accept=5; sbatch s.sh", 1, "", failed + "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)\n"},
		{"fakesched new Accept=0 Cluster=c1; sbatch s.sh; sbatch --parsable s.sh", 0, "Submitted batch job 6 on cluster c1\n7;c1\n", ""},
		{"fakesched count sbatch scancel sacct", 0, "sbatch 29\nscancel 2\nsacct 1\n", ""},
	})
}

func TestSlurmNoise(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Before: "Welcome\n", Errors: "quota 90%\n", Hold: true})
	w.write("s.sh", "#!/bin/sh\n")
	w.answers([]answer{{"sbatch s.sh", 0, "Welcome\nSubmitted batch job 1\n", "quota 90%\n"}})
}

// A job finds what Slurm gives it: arguments, directory, environment, names.
func TestSlurmLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm"})
	w.write("s.sh", "#!/bin/sh\n#SBATCH -J sb\n#SBATCH -o out.%x.%j # where\n\necho \"$0|$1|$2|$PWD|$MINE|$SLURM_JOB_NAME|$SLURM_RESTART_COUNT\" | sed 's,.*/,,'\necho 2>&1 oops >&2\nexit $3\n")
	w.ok("sbatch s.sh a 'b  c' 3", "MINE=yes")
	w.wait()
	w.equal("output", w.read("out.sb.1"), "work|yes|sb|\noops\n")
	record := w.ok("scontrol show job 1")
	for _, want := range []string{"JobState=FAILED Reason=NonZeroExitCode", "ExitCode=3:0"} {
		if !strings.Contains(record, want) {
			t.Errorf("no %s in\n%s", want, record)
		}
	}
	w.equal("queue", w.ok("squeue -h"), "")

	w.ok(`sbatch --wrap 'kill -9 $$' -o killed`)
	w.ok(`sbatch --wrap true -o no/such/file`)
	w.ok(`sbatch --wrap pwd -o /dev/null -D nodir`)
	w.wait()
	w.equal("signal", w.ok("scontrol -o show job 2 | grep -o 'JobState=.*Reason=[A-Za-z]*'; scontrol -o show job 2 | grep -o ExitCode=[0-9:]*"), "JobState=FAILED Reason=JobLaunchFailure\nExitCode=0:9\n")
	w.equal("bad output", w.ok("scontrol -o show job 3 | grep -o ExitCode=[0-9:]*"), "ExitCode=0:53\n")
	w.equal("bad directory", w.ok("scontrol -o show job 4 | grep -o JobState=[A-Z]*"), "JobState=COMPLETED\n")
}

func TestSlurmForeignDirectives(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Hold: true})
	w.write("s.sh", "#!/bin/sh\n#SBATCH -J \"qu oted\"   # comment\ntrue\n#SBATCH -J late\n")
	w.write("f.sh", "#!/bin/sh\n#SBATCH -J sb\n#PBS -N pbsname\ntrue\n#BSUB -J bsubname\n")
	w.ok("sbatch s.sh; sbatch f.sh; sbatch --ignore-pbs f.sh; SBATCH_JOB_NAME=env sbatch f.sh; SBATCH_JOB_NAME=env sbatch -J line f.sh")
	w.equal("names", w.ok("squeue -h -o %j"), "line\nenv\nsb\nbsubname\nqu oted\n")
}

// The ids of an array's tasks, its throttle and its files.
func TestSlurmArray(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Slots: 4})
	w.ok(`mkdir out; sbatch -a 1-3%1 -J arr -o 'out/%A_%a_%j' --wrap 'echo $SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID $SLURM_JOB_ID $SLURM_ARRAY_TASK_COUNT'`)
	w.wait()
	w.equal("files", w.ok("cd out; grep -H . *"), "1_1_2:1 1 2 3\n1_2_3:1 2 3 3\n1_3_1:1 3 1 3\n")

	w.ok(`sbatch -a 0-9 -J arr2 -o /dev/null --wrap 'sleep 30'; fakesched await running 4_0; scancel 4_[5-9] 4_1`)
	w.ok("fakesched await ended 4_1")
	w.ok("fakesched await running 4_4")
	w.equal("queue", w.ok("squeue -h -o '%i %t'"), "4_0 R\n4_2 R\n4_3 R\n4_4 R\n")
	w.ok("scancel 4")
	w.wait()
	w.equal("states", w.ok("squeue -h -j 4 -t CA -o %K | sort -n | tr '\\n' ' '"), "0 1 2 3 4 5 6 7 8 9 ")
}

// A requeued job keeps its id, is told, starts its output afresh, and knows it.
func TestSlurmRequeue(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm"})
	w.write("s.sh", `#!/bin/sh
trap 'echo term >>log; exit 0' TERM
echo "${SLURM_RESTART_COUNT-none}" >>log
echo output
[ "$SLURM_RESTART_COUNT" = 2 ] && exit 0
sleep 30 & wait
`)
	w.ok("sbatch -o out --open-mode=append s.sh; until test -s log; do sleep 0.01; done; scontrol requeue 1")
	w.ok("until test $(wc -l <log) = 3; do sleep 0.01; done; fakesched preempt 1")
	w.wait()
	w.equal("runs", w.read("log"), "none\nterm\n1\nterm\n2\n")
	out := w.read("out")
	for _, want := range []string{"*** JOB 1 ON vm CANCELLED AT ", " DUE TO JOB REQUEUE ***", " DUE TO PREEMPTION ***"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	w.ok("scontrol -o show job 1 | grep -q 'Restarts=2 '")

	w.answers([]answer{
		{"sbatch --no-requeue --wrap 'sleep 30' -o out; fakesched await running 2; scontrol requeue 2", 1, "Submitted batch job 2\n", "Requested operation is presently disabled for job 2\n"},
		{"fakesched nodefail 2; fakesched await ended 2; scontrol -o show job 2 | grep -o 'JobState=[A-Z_]*'", 0, "JobState=NODE_FAIL\n", ""},
		{"sbatch --wrap 'sleep 30' -o out; fakesched await running 3; scontrol requeuehold 3; fakesched await pending 3; squeue -h -o '%t %r'", 0, "Submitted batch job 3\nPD job requeued in held state\n", ""},
	})
}

// The time limit: the warning reaches the script with B: alone, then SIGTERM,
// then SIGKILL.
func TestSlurmTimeLimit(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Second: 10 * time.Millisecond, KillWait: 100 * time.Millisecond})
	script := `#!/bin/sh
trap 'echo usr1 >>log' USR1
trap 'echo term >>log' TERM
for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done
`
	w.write("s.sh", script)
	for _, test := range []struct{ signal, log string }{
		{"B:USR1@30", "usr1\nterm\n"},
		{"USR1@30", "term\n"},
	} {
		w.ok("rm -f log; sbatch -t 1 --signal=" + test.signal + " -o out s.sh")
		w.wait()
		log := w.read("log")
		// A shell runs its traps between commands: the last may be lost to SIGKILL.
		if !strings.HasPrefix(test.log, log) && log != test.log {
			t.Errorf("--signal=%s: %q", test.signal, log)
		}
	}
	w.equal("state", w.ok("squeue -h -t TO -o '%i %T %r' -j 1"), "1 TIMEOUT TimeLimit\n")
	if out := w.read("out"); !strings.Contains(out, "DUE TO TIME LIMIT ***") {
		t.Error(out)
	}
}

// Nothing that is waited for takes longer than the job itself.
func TestSlurmManyAtOnce(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Slots: 8})
	w.ok("for i in 1 2 3 4 5 6 7 8 9 10; do sbatch -o /dev/null --wrap 'echo $SLURM_JOB_ID >>all' & done; wait")
	w.wait()
	var want strings.Builder
	for i := range 10 {
		fmt.Fprintln(&want, i+1)
	}
	w.equal("jobs", w.ok("sort -n all"), want.String())
}

// Orders that follow each other closely are all seen.
func TestSlurmRequeueAll(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "slurm", Slots: 4})
	w.write("s.sh", "#!/bin/sh\n[ \"$SLURM_RESTART_COUNT\" ] && exit 0\ntouch on.$SLURM_ARRAY_TASK_ID\nsleep 60\n")
	w.ok("sbatch -a 1-4 -o /dev/null s.sh; for i in 1 2 3 4; do until test -e on.$i; do sleep 0.01; done; done; for i in 1 2 3 4; do scontrol requeue 1_$i; done")
	w.wait()
	w.equal("restarts", w.ok("scontrol -o show job 1 | grep -c 'Restarts=1 '"), "4\n")
}
