package fakesched

import (
	"strings"
	"testing"
	"time"
)

func TestOpenPBSAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "openpbs", Host: "pbsvm", Hold: true})
	w.write("s.sh", "#!/bin/sh\n#PBS -N \"quoted\"\ntrue\n")
	w.write("h i.sh", "true\n")
	w.write("empty", "")
	w.answers([]answer{
		{"qsub -N name -o out -e err s.sh", 0, "1.pbsvm\n", ""},
		{"qsub -J 1-4 -N arr s.sh", 0, "2[].pbsvm\n", ""},
		{"qsub -bogus", 2, "", "qsub: invalid option -- 'b'\nusage: qsub …"},
		{"qsub -q nosuch s.sh", 170, "", "qsub: Unknown queue\n"},
		{"qsub -l nosuch=1 s.sh", 187, "", "qsub: Unknown resource Resource_List.nosuch\n"},
		{"qsub -l walltime=banana s.sh", 166, "", "qsub: Illegal attribute or resource value Resource_List.walltime\n"},
		{"qsub nofile.sh", 1, "", "qsub: script file:: No such file or directory\n"},
		{"qsub .", 1, "", "qsub: script not a file\n"},
		{"qsub 'h i.sh'", 2, "", "qsub: illegal -N value\nusage: …"},
		{"qsub -N a/b s.sh", 2, "", "qsub: illegal -N value\nusage: …"},
		{"qsub -o c:d/out s.sh", 2, "", "qsub: illegal -o value\nusage: …"},
		{"qsub -J 1-10001 s.sh", 3, "", "qsub: Array job exceeds server or queue size limit (max_array_size 10000)\n"},
		{"qsub -J 1-1 s.sh", 2, "", "qsub: illegal -J value\nusage: …"},
		{"qsub -J 5 s.sh", 2, "", "qsub: illegal -J value\nusage: …"},
		{"qsub -J 3-1 s.sh", 2, "", "qsub: illegal -J value\nusage: …"},
		{"qsub -J 1,3 s.sh", 2, "", "qsub: illegal -J value\nusage: …"},
		{"qsub -J 0-3 s.sh; qsub empty; qsub -W depend=afterok:99999 s.sh", 0, "3[].pbsvm\n4.pbsvm\n5.pbsvm\n", ""},
		{"qstat 99999", 153, "", "qstat: Unknown Job Id 99999.pbsvm\n"},
		{"qdel 99999", 153, "", "qdel: Unknown Job Id 99999.pbsvm\n"},
		{"qrerun 99999", 153, "", "qrerun: Unknown Job Id 99999.pbsvm\n"},
		{"qstat 5", 35, "", "qstat: 5.pbsvm Job has finished, use -x or -H to obtain historical job information\n"},
		{"qstat -xf 5 | grep -E 'substate|Exit'", 0, "    substate = 92\n", ""},
		{"qdel 4; qstat -xf 4 | grep -E 'substate|Exit|job_state'", 0, "    job_state = F\n    substate = 91\n", ""},
		{"qstat 2[]", 0, "Job id            Name             User              Time Use S Queue\n----------------  ---------------- ----------------  -------- - -----\n" +
			"2[].pbsvm         arr              root                     0 Q workq           \n", ""},
		{"qsub --version", 0, "pbs_version = 23.06.06\n", ""},
		{"fakesched new Down=true; qsub s.sh", 162, "", "qsub: cannot connect to server localhost (errno=15010)\n"},
	})
}

func TestTorqueAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "torque", Host: "server", Hold: true})
	w.write("s.sh", "#!/bin/sh\n")
	w.answers([]answer{
		{"qsub s.sh", 0, "1.server\n", ""},
		{"qsub -t 1-4%2 s.sh", 0, "2[].server\n", ""},
		{"qsub -q nosuch s.sh", 170, "", "qsub: submit error (Unknown queue MSG=requested queue not found)\n"},
		{"qsub -N 1abc s.sh", 2, "", "qsub: illegal -N value\n…"},
		{"qsub -N sixteen-letters- s.sh", 2, "", "qsub: illegal -N value\n…"},
		{"qstat 77", 153, "", "qstat: Unknown Job Id Error 77.server\n"},
		{"qsub --version", 0, "", "Version: 6.1.2\nCommit: …"},
		{"qdel 1; qstat -f 1 | grep job_state", 0, "    job_state = C\n", ""},
		{"qdel 1", 168, "", "qdel: Request invalid for state of job MSG=invalid state for job - COMPLETE 1.server\n"},
	})
	if out := w.ok("qstat -x"); !strings.HasPrefix(out, "<Data><Job><Job_Id>1.server</Job_Id><Job_Name>s.sh</Job_Name>") {
		t.Error(out)
	}
}

// Output arrives at the end, in one file for all runs, and nothing tells of a
// run before.
func TestPBSLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "openpbs", Slots: 1})
	w.write("s.sh", "#!/bin/sh\necho \"${MINE-none}|$PBS_JOBID|$PBS_JOBNAME|$PBS_O_WORKDIR\" >$PBS_O_WORKDIR/log\npwd >>$PBS_O_WORKDIR/log\necho run\nuntil test -e $PBS_O_WORKDIR/go; do sleep 0.01; done\nexit 3\n")
	w.ok("echo before >out; qsub -o out -j oe s.sh; until test -s log; do sleep 0.01; done", "MINE=yes")
	w.equal("not yet", w.read("out"), "before\n")
	w.equal("log", w.read("log"), "none|1.vm|s.sh|"+w.dir+"\n"+w.ok("echo $HOME"))
	w.ok("rm log; qrerun 1; until test -s log; do sleep 0.01; done; touch go; fakesched wait")
	w.equal("output", w.read("out"), "run\nrun\n")
	if mode := w.ok("ls -l out | cut -c1-10"); mode != "-rw-------\n" {
		t.Error(mode)
	}
	w.equal("record", w.ok("qstat -xf 1 | grep -E 'job_state|Exit_status|run_count'"), "    job_state = F\n    run_count = 2\n    Exit_status = 3\n")

	w.ok("echo '#!/nosuch' >bad.sh; qsub bad.sh; qsub -S /nosuch s.sh; fakesched wait")
	w.equal("shells", w.ok("qstat -xf 2 3 | grep Exit"), "    Exit_status = 127\n    Exit_status = 254\n")
	w.ok("echo 'kill -9 $$' >k.sh; qsub k.sh; fakesched wait")
	w.equal("killed", w.ok("qstat -xf 4 | grep Exit"), "    Exit_status = 137\n")
	w.ok("qsub -J 0-2 -N arr <<'E'\necho $PBS_JOBID $PBS_ARRAY_ID $PBS_ARRAY_INDEX\nE\nfakesched wait")
	w.equal("array", w.ok("cat arr.o5.*"), "5[0].vm 5[].vm 0\n5[1].vm 5[].vm 1\n5[2].vm 5[].vm 2\n")
	w.ok("rm go log; qsub -r n -o out s.sh; until test -s log; do sleep 0.01; done")
	w.answers([]answer{{"qrerun 6", 190, "", "qrerun: job is not rerunnable 6.vm\n"}, {"qdel 6; fakesched wait; qstat -xf 6 | grep -E 'Exit|substate'", 0, "    Exit_status = 0\n    substate = 91\n", ""}})
}

func TestPBSTimeLimit(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "openpbs", Second: 10 * time.Millisecond, KillWait: 100 * time.Millisecond})
	w.ok("qsub -l walltime=10 -N lim <<'E'\nsleep 20\nE\nfakesched wait")
	w.equal("status", w.ok("qstat -xf 1 | grep Exit"), "    Exit_status = -29\n")
	// A shell that hears of its child's end before it gets the signal itself says so.
	output := strings.TrimSuffix(w.read("lim.e1"), "Terminated\n")
	w.equal("output", output, "=>> PBS: job killed: walltime 11 exceeded limit 10\n")
}

func TestTorqueLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "torque"})
	w.ok("qsub -t 1-2 -N arr -d $PWD <<'E'\necho $PBS_JOBID $PBS_ARRAYID ${PBS_ARRAY_INDEX-none}\npwd\nE\nfakesched wait")
	w.equal("array", w.ok("cat arr.o1-1 arr.o1-2"), "1[1].vm 1 none\n"+w.dir+"\n1[2].vm 2 none\n"+w.dir+"\n")
	w.ok("echo exit 4 | qsub; fakesched wait")
	w.equal("status", w.ok("qstat -f 2 | grep -E 'job_state|exit_status'"), "    job_state = C\n    exit_status = 4\n")
}
