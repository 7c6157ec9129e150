package fakesched

import (
	"strings"
	"testing"
	"time"
)

const oarRules = "[ADMISSION RULE] Set default walltime to 7200.\n[ADMISSION RULE] Modify resource description with type constraints\n"

func TestOARAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "oar", Hold: true})
	w.write("s.sh", "#!/bin/sh\n#OAR -n my name\n#OAR --stdout=x\n#OAR -l core=1,walltime=1\ntrue\n")
	w.write("d3.sh", "#!/bin/sh\n#OAR --bogus\n")
	const failed = "[ERROR] Oarsub failed, please verify your request syntax.\n"
	w.answers([]answer{
		{"oarsub -O out ./ok.sh", 0, oarRules + "OAR_JOB_ID=1\n", ""},
		{"oarsub -S ./s.sh -O x", 0, "[ADMISSION RULE] Modify resource description with type constraints\nOAR_JOB_ID=2\n", "/!\\ Ignore script value for stdout parameter : =x; another value was given on the command line.\n"},
		{"oarsub --array 3 ./ok.sh", 0, oarRules + "OAR_JOB_ID=3\nOAR_JOB_ID=4\nOAR_JOB_ID=5\nOAR_ARRAY_ID=3\n", "Simple array job submission is used\n"},
		{"oarsub --array 0 ./ok.sh", 6, "Usage: …", "…"},
		{"oarsub --bogus ./ok.sh", 1, "", "Unknown option: bogus\n"},
		{"oarsub -S ./d3.sh", 12, "", "/!\\ Not able to scan file line: #OAR --bogus. at …"},
		{"oarsub ./ok.sh a b", 5, "Usage: …", ""},
		{"oarsub -q nosuchq ./ok.sh", 248, "", "ERROR : The queue nosuchq does not exist\n"},
		{"oarsub -l nosuch=1 ./ok.sh", 8, "OAR_JOB_ID=-5\n", "Bad resource request (ERROR:  column \"nosuch\" does not exist\n" + failed},
		{"oarsub -l /core=99 ./ok.sh", 8, "OAR_JOB_ID=-5\n", "There are not enough resources for your request\n" + failed},
		{"oarsub -l core=banana ./ok.sh", 255, "", "/!\\ Cannot recognize the resource description : core=banana\n"},
		{"oarsub -t nosuchtype ./ok.sh", 254, "", "[ADMISSION RULE] Error: unknown job type: nosuchtype\n"},
		{"oarsub -p \"syntax error'\" ./ok.sh", 8, "OAR_JOB_ID=-5\n", "Bad resource request (ERROR:  syntax error at or near \"error\"\n" + failed},
		{"oarsub -n \"a'b\" ./ok.sh", 8, "OAR_JOB_ID=\n", failed},
		{"oarsub -O 'o@x' ./ok.sh", 244, "", "/!\\ Invalid stdout file name (bad character)\n"},
		{"oarsub -E 'o:x' ./ok.sh", 243, "", "/!\\ Invalid stderr file name (bad character)\n"},
		{"oarsub -S ./nofile.sh", 12, "", "cat: ./nofile.sh: No such file or directory\n[ERROR] Cannot open the file ./nofile.sh.\n"},
		{"oardel 99999", 1, "Deleting the job = 99999 ...ERROR.\n", "Cannot frag 99999 ; You are not the right user.\n"},
		{"oardel abc", 4, "", "[ERROR] \"abc\" is not a valid job identifier\n"},
		{"oarstat -j 99999; oarstat -s -j 99999; oarstat -f -j 99999", 0, "", ""},
		{"oarstat -s -j 4", 0, "4: Waiting\n", ""},
		{"oarhold 4; oarstat -s -j 4; oarresume 4", 0, "[4] Hold request was sent to the OAR server.\n4: Hold\n[4] Resume request was sent to the OAR server.\n", ""},
		{"oardel 4", 0, "Deleting the job = 4 ...REGISTERED.\nThe job(s) [ 4 ] will be deleted in the near future.\n", ""},
		{"oardel 4", 6, "Deleting the job = 4 ...ERROR.\n", "Cannot frag 4 ; This job was already killed.\n"},
		{"oarstat -s -j 4", 0, "4: Error\n", ""},
		{"fakesched new Down=true; oarsub ./ok.sh", 9, oarRules + "OAR_JOB_ID=6\n", "[ERROR] Cannot connect to executor localhost:6666. Job is killed.\n"},
	})
	out := w.ok("oarstat")
	if !strings.HasPrefix(out, "Job id    S User     Duration   System message\n--------- - -------- ---------- ------------------------------------------------\n1         W root        0:00:00 R=1,W=2:0:0,J=B (Karma=0.000,quota_ok)\n2         W root        0:00:00 R=1,W=1:0:0,J=B,N=my name (Karma") {
		t.Error(out)
	}
}

// The script is run in place, with almost no environment.
func TestOARLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "oar"})
	w.write("s.sh", "#!/bin/sh\necho \"$1|$2|${MINE-none}|$OAR_JOB_ID|$OAR_ARRAY_ID|$OAR_ARRAY_INDEX|$OAR_JOB_NAME|$PWD\"\nexit 3\n")
	w.ok("echo before >out.1; oarsub -n 'a name' -O out.%jobid% './s.sh a \"b c\"'", "MINE=yes")
	w.wait()
	w.equal("output", w.read("out.1"), "before\na|b c|none|1|1|1|a name|"+w.dir+"\n")
	w.equal("state", w.ok("oarstat -s -j 1; oarstat -fj 1 | grep exit_code; oarstat -J -fj 1 | grep '\"exit_code\"'"), "1: Terminated\n    exit_code = 768 (3,0,0)\n      \"exit_code\": 768,\n")
	w.equal("none live", w.ok("oarstat"), "")

	w.ok("chmod -x s.sh; oarsub ./s.sh; oarsub ./nofile.sh; oarsub -O no/such/file true; oarsub -d /nosuch true; oarsub 'kill -9 $$'; fakesched wait")
	w.equal("ends", w.ok("for i in 2 3 4 5 6; do oarstat -s -j $i; oarstat -fj $i | grep exit_code; done; true"),
		"2: Terminated\n    exit_code = 32256 (126,0,0)\n3: Terminated\n    exit_code = 32512 (127,0,0)\n4: Error\n5: Error\n6: Terminated\n    exit_code = 9 (0,9,0)\n")

	w.ok("fakesched new Hold=true; echo 'echo first' >p.sh; chmod +x p.sh; oarsub -O p ./p.sh; echo 'echo second' >p.sh; fakesched new Hold=false; fakesched wait")
	w.equal("in place", w.read("p"), "second\n")
	w.equal("array", w.ok("oarsub --array 3 -O 'arr.%jobid%' 'echo $OAR_ARRAY_ID $OAR_ARRAY_INDEX' | tail -1; fakesched wait; sort arr.*"), "OAR_ARRAY_ID=8\n8 1\n8 2\n8 3\n")
}

// A preempted job has a new id; a checkpoint signal goes to the first process.
func TestOARAgain(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "oar", Second: 10 * time.Millisecond})
	w.write("s.sh", `#!/bin/bash
trap 'echo usr2 >>log; exit 99' USR2
echo "$OAR_JOB_ID $OAR_ARRAY_ID" >>log
[ $OAR_JOB_ID = $1 ] && exit 0
sleep 20 & wait
`)
	w.ok("oarsub -t besteffort -t idempotent -O out -E err './s.sh 2'; until test -s log; do sleep 0.01; done; fakesched preempt 1; fakesched wait")
	w.equal("runs", w.read("log"), "1 1\n2 1\n")
	w.equal("states", w.ok("oarstat -s -j 1; oarstat -s -j 2; oarstat -fj 2 | grep resubmit; oarstat -fj 1 | grep -o 'new id.*'"), "1: Error\n2: Terminated\n    resubmit_job_id = 1\nnew id = 2)\n")

	w.ok("rm log; oarsub --checkpoint 60 -l core=1,walltime=0:2:0 -t idempotent -O out -E err './s.sh 4'; fakesched wait")
	w.equal("checkpoint", w.read("log"), "3 3\nusr2\n4 3\n") // it ran for more than a minute
	if errs := w.read("err"); !strings.Contains(errs, "] Job 3 CHECKPOINTED with signal 12 ##\n") || !strings.Contains(errs, "] Job 1 KILLED ##\n") {
		t.Error(errs)
	}
	w.ok("rm log; oarsub -l core=1,walltime=0:1:0 './s.sh x'; fakesched wait")
	w.equal("walltime", w.ok("oarstat -fj 5 | grep -o '> WALLTIME'; oarstat -s -j 5"), "> WALLTIME\n5: Error\n")
}
