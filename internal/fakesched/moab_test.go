package fakesched

import "testing"

func TestMoabAnswers(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "moab", Hold: true})
	w.write("s.sh", "#!/bin/sh\n#MSUB -N name\n")
	w.answers([]answer{
		{"msub s.sh", 0, "\n1\n", ""},
		{"msub --xml s.sh", 0, "<Data><job JobID=\"2\"/></Data>\n", ""},
		{"fakesched new Cluster=Moab; msub s.sh", 0, "\nMoab.3\n", ""},
		{"msub -q nosuch s.sh", 1, "", "\nERROR:    cannot migrate job 'Moab.4' to PBS - qsub: submit error (Unknown queue MSG=requested queue not found)\n"},
		{"msub nofile.sh", 1, "", "ERROR:    cannot open job script 'nofile.sh'\n"},
		{"checkjob Moab.3 | grep State", 0, "State: Idle\n", ""},
		{"checkjob 99", 1, "", "ERROR:  invalid job specified: 99\n"},
		{"canceljob 1", 0, "\njob '1' cancelled\n\n", ""},
		{"mjobctl -c Moab.3", 0, "\njob 'Moab.3' cancelled\n\n", ""},
		{"mjobctl -c 3", 1, "", "ERROR:  invalid job specified (3)\n\n"},
		{"showq | grep Idle | cut -c1-50", 0, "Moab.2                  root       Idle     1    00\n"[:50] + "\n", ""},
		{"fakesched new Down=true; msub s.sh", 1, "", "ERROR:    communication error vm:42559 (no connection)\n"},
	})
}

func TestMoabLife(t *testing.T) {
	w := newWorld(t, Config{Scheduler: "moab"})
	w.write("s.sh", "#!/bin/sh\n#MSUB -j oe\n#MSUB -N name\necho \"$MOAB_JOBID|$MOAB_JOBNAME|${MOAB_JOBARRAYINDEX-none}|$PBS_JOBID\"\nexit 3\n")
	w.ok("msub -o out s.sh; msub -t 'arr.[1-2]' -o 'arr.$PBS_ARRAYID' s.sh; fakesched wait")
	w.equal("output", w.ok("cat out arr.1 arr.2"), "1|name|none|1.vm\n2[1]|arr|1|2[1].vm\n2[2]|arr|2|2[2].vm\n")
	w.equal("end", w.ok("checkjob 1 | grep -E 'State|Code' | sed 's/  Time.*//'"), "State: Completed\nCompletion Code: 3\n")
	w.write("r.sh", "echo run >>$PBS_O_WORKDIR/log\ntest $(wc -l <$PBS_O_WORKDIR/log) = 2 && exit\nsleep 20\n")
	w.ok("msub r.sh; until test -s log; do sleep 0.01; done; mjobctl -R 3; fakesched wait")
	w.equal("runs", w.read("log"), "run\nrun\n")
}
