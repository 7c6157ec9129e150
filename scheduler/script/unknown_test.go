package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mlxp/mlxp/internal/fault"
)

// work evaluates a script's text in a directory and returns its launches, one a
// line, or the error with its hints.
func work(t *testing.T, dir, text string, change func(*Options)) (launches, failure string) {
	t.Helper()
	o := Options{
		Dir: dir, Environ: []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "USER=ann"},
		Known:   map[string]string{"SLURM_SUBMIT_DIR": dir},
		JobOnly: func(name string) bool { return strings.HasPrefix(name, "SLURM_") || name == "TMPDIR" },
	}
	if change != nil {
		change(&o)
	}
	s, err := Parse("job.sh", []byte(text))
	if err == nil {
		var list []Launch
		if list, err = s.Evaluate(context.Background(), o); err == nil {
			for _, l := range list {
				launches += strings.Join(l.Args, " ") + "\n"
			}
			return launches, ""
		}
	}
	if status := fault.Status(err); status != fault.Usage {
		t.Errorf("exit status %d for %v", status, err)
	}
	return "", err.Error() + "\n" + strings.Join(fault.Hints(err), "\n")
}

// What a launch hangs on must be known; what it does not hang on may be anything.
func TestUnknown(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         string   // the launches, with ; between them
		fails        []string // or what the error and its hint hold
	}{
		{"a command's output in the words", "x=$(python gen.py)\nmlxp -- p x=$x", "", []string{"job.sh:2: the words of this launch hang on `python gen.py`", "(line 1)", "--allow python"}},
		{"through functions and other variables", "f() { nproc; }\na=1$(f)\nb=$a\nmlxp -- p $b", "", []string{"job.sh:4:", "`nproc`", "(line 1)"}},
		{"a length of it", "x=$(nproc)\ny=${#x}\nmlxp -- p $y", "", []string{"nproc"}},
		{"a number made of it", "x=$(( $(nproc) / 2 ))\nmlxp -- p $x", "", []string{"nproc"}},
		{"divided by it", "x=$((8 / SLURM_NTASKS))\nmlxp -- p $x", "", []string{"$SLURM_NTASKS"}},
		{"a part of it", "x=$(hostname)\nmlxp -- p ${x%%.*} ${x:0:1}", "", []string{"hostname"}},
		{"an element chosen by it", "a=(x y z)\nmlxp -- p ${a[$SLURM_ARRAY_TASK_ID]}", "", []string{"$SLURM_ARRAY_TASK_ID, which only the job has", "'key=${oc.env:SLURM_ARRAY_TASK_ID}'"}},
		{"an element beside an unknown one", "a=(x $TMPDIR)\nmlxp -- p ${a[0]}", "-- p x", nil},
		{"a default for it", "mlxp -- p ${SLURM_NTASKS:-1}", "", []string{"job.sh:1:", "$SLURM_NTASKS"}},
		{"a default that is not taken", "y=2\nmlxp -- p ${y:-$SLURM_NTASKS} ${y-$(nproc)} ${z:+$(nproc)}", "-- p 2 2", nil},
		{"an alternative that is", "y=2\nmlxp -- p ${y:+$(nproc)}", "", []string{"nproc"}},
		{"a job's variable where it does not matter", "cp data $TMPDIR\nexport OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK\nif [ -n \"$SLURM_JOB_ID\" ]; then module load x; fi\nmlxp -- p", "-- p", nil},
		{"a known job variable", "cd \"$SLURM_SUBMIT_DIR\"\nmlxp -- p", "-- p", nil},
		{"interpolated on the node", "mlxp -- p 'n=${oc.env:SLURM_NTASKS}'", "-- p n=${oc.env:SLURM_NTASKS}", nil},
		{"the directory", "cd $TMPDIR\nmlxp -- p", "", []string{"job.sh:2: the directory of this launch hangs on $TMPDIR"}},
		{"there and back", "cd $TMPDIR\ncp x y\ncd - >/dev/null\nmlxp -- p", "-- p", nil},
		{"a directory that is not there", "cd nowhere\nmlxp -- p", "", []string{"nowhere, is not there", "mkdir -p"}},
		{"an unknown prefix", "OMP=$SLURM_NTASKS mlxp -- p", "-- p", nil},
		{"an unknown setting", "MLXP_SETTINGS__LOGGER__PARENT_LOG_DIR=$TMPDIR mlxp -- p", "", []string{"MLXP_SETTINGS__LOGGER__PARENT_LOG_DIR", "$TMPDIR"}},
		{"if", "if [ -n \"$SLURM_JOB_ID\" ]; then\n  mlxp -- p\nfi", "", []string{"job.sh:2: whether this launch is reached hangs on $SLURM_JOB_ID"}},
		{"if on a command", "if nvidia-smi; then\n  mlxp -- p\nfi", "", []string{"job.sh:2:", "`nvidia-smi`"}},
		{"else", "if grep -q x $TMPDIR/y; then :; else mlxp -- p; fi", "", []string{"$TMPDIR"}},
		{"and after a command", "mkdir out && mlxp -- p", "-- p", nil},
		{"a chain", "make && BIN=./a.out && mlxp -- $BIN", "-- ./a.out", nil},
		{"and beside", "D=cpu\nnvidia-smi && D=cuda\nmlxp -- p $D", "", []string{"`nvidia-smi`", "(line 2)"}},
		{"or beside", "D=cuda\nnvidia-smi || D=cpu\nmlxp -- p $D", "", []string{"`nvidia-smi`"}},
		{"or", "nvidia-smi || mlxp -- p", "", []string{"job.sh:1:", "`nvidia-smi`"}},
		{"or exit", "nvidia-smi || exit 1\nmlxp -- p", "-- p", nil},
		{"not", "if ! nvidia-smi; then exit 1; fi\nmlxp -- p", "-- p", nil},
		{"a test beside", "if [ $(nproc) -gt 4 ]; then B=64; else B=32; fi\nmlxp -- p b=$B", "", []string{"`nproc`"}},
		{"a double test", "if [[ $SLURM_NNODES == 1 || a == a ]]; then mlxp -- p; fi", "-- p", nil},
		{"a double test that matters", "if [[ $SLURM_NNODES == 1 && a == a ]]; then mlxp -- p; fi", "", []string{"$SLURM_NNODES"}},
		{"case", "case $(hostname) in gpu*) mlxp -- p;; esac", "", []string{"`hostname`"}},
		{"case beside", "case $(hostname) in gpu*) P=a;; *) P=b;; esac\nmlxp -- p $P", "", []string{"`hostname`"}},
		{"while read", "python list.py | while read s; do mlxp -- p $s; done", "", []string{"job.sh:1:", "`python list.py`"}},
		{"for", "for s in $(python list.py); do mlxp -- p $s; done", "", []string{"`python list.py`"}},
		{"for around something else", "for f in $(ls $TMPDIR); do rm $f; done\nmlxp -- p", "-- p", nil},
		{"arithmetic", "if (( SLURM_NTASKS > 1 )); then mlxp -- p; fi", "", []string{"$SLURM_NTASKS"}},
		{"a function under a condition", "r() { mlxp -- p; }\nif [ $SLURM_NTASKS = 1 ]; then r; fi", "", []string{"$SLURM_NTASKS"}},
		{"continue under a condition", "for s in 1 2; do\n  if [ -e $TMPDIR/$s ]; then continue; fi\n  mlxp -- p $s\ndone", "", []string{"job.sh:3:", "$TMPDIR"}},
		{"return under a condition", "f() { [ -n \"$SLURM_JOB_ID\" ] && return; mlxp -- p; }\nf", "", []string{"$SLURM_JOB_ID"}},
		{"guarded by exit 1", "if [ -z \"$SLURM_JOB_ID\" ]; then echo use sbatch; exit 1; fi\nmlxp -- p", "-- p", nil},
		{"guarded by exit 0", "if [ -z \"$SLURM_JOB_ID\" ]; then exit 0; fi\nmlxp -- p", "", []string{"$SLURM_JOB_ID"}},
		{"eval of something unknown", "eval \"$(conda shell.bash hook)\"\nconda activate x\nmlxp -- p", "-- p", nil},
		{"a file that a command makes", "python gen.py > list\nwhile read s; do mlxp -- p $s; done < list", "", []string{"`python gen.py`"}},
		{"a file that the script makes", "printf '%s\\n' a b > list\necho c >> list\nwhile read s; do mlxp -- p $s; done < list", "-- p a;-- p b;-- p c", nil},
		{"a file that is not there yet", "python gen.py\nwhile read s; do mlxp -- p $s; done < list", "", []string{"the content of list, which is not there"}},
		{"whether a file is made", "touch a\nif [ -f a ]; then mlxp -- p; fi", "", []string{"`touch a`"}},
		{"read from an unknown command", "read x < <(nproc)\nmlxp -- p $x", "", []string{"`nproc`"}},
		{"the status of a command", "python x.py\nif [ $? -eq 0 ]; then mlxp -- p; fi", "", []string{"`python x.py`"}},
		{"the outcome of another launch", "mlxp -- a && mlxp -- b", "", []string{"the outcome of another launch"}},
		{"a failed launch", "mlxp -- a || echo failed >&2", "-- a", nil},
		{"until a launch succeeds", "until mlxp -- a; do sleep 1; done", "", []string{"the outcome of another launch"}},
		{"two in one pipeline", "mlxp -- a | mlxp -- b", "", []string{"two launches in one pipeline"}},
		{"$$", "mlxp -- p /tmp/$$", "", []string{"$$"}},
		{"the host's name", "mlxp -- p $HOSTNAME", "", []string{"$HOSTNAME"}},
		{"whether a command is there", "command -v conda >/dev/null && conda activate x\nmlxp -- p", "-- p", nil},
		{"whether a command is there, and it matters", "if command -v conda; then E=1; fi\nmlxp -- p $E", "", []string{"whether the job finds conda"}},
		{"a monitor in the background", "while true; do nvidia-smi >> log; sleep 60; done &\nmlxp -- p", "-- p", nil},
		{"waiting for a file", "while [ ! -f ready ]; do sleep 1; done\nmlxp -- p", "-- p", nil},
		{"endless launches", "while true; do mlxp -- p; done", "", []string{"more than 20000 launches"}},
		{"endless recursion", "f() { f; }\nf", "", []string{"nested deeper"}},
		{"a harmless command", "mlxp -- p $(basename /a/b.c .c) $(seq -s, 3) $(echo 1.5*2 | bc)", "-- p b 1,2,3 3.0", nil},
		{"harmful options", "for x in $(sort -o out in) $(date -s 0); do mlxp -- p $x; done", "", []string{"`sort -o out in`"}},
		{"set by a module", "module load cuda\nmlxp -- p $CUDA_HOME", "", []string{"$CUDA_HOME, which `module load cuda` may set", "(line 1)"}},
		{"a default after a module", "module load cuda\nn=$((n + 1))\nmlxp -- p ${SEED:-1} $n", "-- p 1 1", nil},
		{"an element set in arithmetic", "((a[1] = 2))\nmlxp -- p ${a[1]}", "", []string{"a[1] = 2, which is not read here"}},
		{"an expression as a key", "declare -A m=([a-b]=1)\nmlxp -- p ${m[a-b]}", "", []string{"${m[a-b]}, which is not read here"}},
		{"a skipped round", "for s in 1 2; do\n  python check.py $s || continue\n  mlxp -- p $s\ndone", "-- p 1;-- p 2", nil},
		{"a loop that a success ends", "for s in 1 2; do\n  mlxp -- p $s && break\ndone", "", []string{"the outcome of another launch"}},
		{"files that a command makes", "python split.py\nfor f in parts/*.csv; do mlxp -- p $f; done", "", []string{"the files that match parts/*.csv, of which there is none now"}},
		{"files in an unknown directory", "cd $TMPDIR\nfs=(*.csv)\ncd -\nmlxp -- p ${fs[0]}", "", []string{"$TMPDIR"}},
		{"brackets", "module load x\nmlxp -- p a=[1,2] b=*", "-- p a=[1,2] b=*", nil},
		{"a command of another name in the way", "seq() { echo 7; }\nmlxp -- p $(seq 3)", "-- p 7", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			launches, failure := work(t, dir, test.script, nil)
			if got := strings.ReplaceAll(strings.TrimSuffix(launches, "\n"), "\n", ";"); got != test.want {
				t.Errorf("launches %q, want %q; error %s", got, test.want, failure)
			}
			for _, part := range test.fails {
				if !strings.Contains(failure, part) {
					t.Errorf("the error lacks %q: %s", part, failure)
				}
			}
			if entries, _ := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("%s was made", entries[0].Name())
			}
		})
	}
}

func TestAllow(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gen.sh"), []byte("#!/bin/sh\necho \"$1\" \"$X\"; cat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "export X=2\nmlxp -- p $(echo in | ./gen.sh 1) || exit 1\nif ./gen.sh; then mlxp -- q; fi"
	got, failure := work(t, dir, text, func(o *Options) { o.Allow = []string{"gen.sh"} })
	if got != "-- p 1 2 in\n-- q\n" {
		t.Errorf("launches %q, %s", got, failure)
	}
	if _, failure := work(t, dir, text, nil); !strings.Contains(failure, "--allow ./gen.sh") {
		t.Errorf("not allowed: %s", failure)
	}
}

// What cannot be submitted is refused, with the line and the mend.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         []string
	}{
		{"empty", " \n", []string{"job.sh is empty"}},
		{"python", "#!/usr/bin/env python3\nprint(1)", []string{"job.sh:1: sub reads scripts for sh and bash, not for python3", "mlxp -- python3"}},
		{"zsh", "#!/bin/zsh\nmlxp -- p", []string{"not for zsh"}},
		{"CR LF", "#!/bin/bash\r\nmlxp -- p\r\n", []string{"job.sh:1:", "CR LF", "sed -i 's/\\r$//' job.sh"}},
		{"syntax", "#!/bin/bash\nif true; then\nmlxp -- p\n", []string{"job.sh:2:", "if"}},
		{"bash under sh", "#!/bin/sh\na=(1 2)\nmlxp -- p ${a[0]}", []string{"job.sh:2:", "begin the script with #!/bin/bash"}},
		{"double brackets under sh", "#!/bin/sh\nif [[ a = a ]]; then mlxp -- p; fi", []string{"job.sh:2: [[ is bash", "#!/bin/bash"}},
		{"no launch", "python train.py lr=0.1,1", []string{"launches nothing", "job.sh:1: write mlxp -- before the program:  mlxp -- python train.py lr=0.1,1"}},
		{"no launch, after others", "module load x\nmkdir a=b\n./bin/train seed=1", []string{"job.sh:3:", "mlxp -- ./bin/train seed=1"}},
		{"no launch, another script", "for i in 1 2; do bash one.sh $i; done", []string{"job.sh:1: launches in one.sh are not seen"}},
		{"no launch, sbatch", "sbatch --wrap 'x'", []string{"the script calls sbatch itself"}},
		{"behind srun", "echo\nsrun -n 4 mlxp -- p", []string{"job.sh:2: mlxp stands behind srun", "mlxp … -- srun -n 4 …"}},
		{"behind mpirun behind time", "time mpirun -np 2 mlxp -- p", []string{"mpirun", "mlxp … -- mpirun -np 2 …"}},
		{"behind xargs", "seq 3 | xargs -I{} mlxp -- p x={}", []string{"behind xargs", "for x in"}},
		{"behind ssh", "ssh host mlxp -- p", []string{"behind ssh"}},
		{"in a text", "bash -c 'mlxp -- p'", []string{"inside a text for bash"}},
		{"resume", "mlxp resume 3", []string{"mlxp resume would be executed in every job"}},
		{"sub", "mlxp sub x.sh", []string{"mlxp sub would be"}},
		{"dashes missing", "mlxp python train.py lr=1", []string{"job.sh:1:", "the -- before the program is missing", "mlxp -- python train.py lr=1"}},
		{"exit", "mlxp -- p\nexit 3", []string{"job.sh:2: the script ends here with status 3"}},
		{"set -e", "set -e\nmlxp -- p\n\ngrep -q x /dev/null", []string{"job.sh:4:", "status 1", "set -e"}},
		{"unset with -u", "set -u\nmlxp -- p $NOTHING", []string{"job.sh:2:", "NOTHING: unbound variable"}},
		{"required", "mlxp -- p ${LR:?give a rate}", []string{"job.sh:1:", "give a rate"}},
		{"a trap", "trap 'mlxp -- p' EXIT", []string{"inside a trap"}},
		{"eval of nonsense", "eval 'if'\nmlxp -- p", []string{"job.sh:1:", "does not parse"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			launches, failure := work(t, t.TempDir(), test.script, nil)
			if launches != "" {
				t.Fatalf("launches %s", launches)
			}
			for _, part := range test.want {
				if !strings.Contains(failure, part) {
					t.Errorf("the error lacks %q: %s", part, failure)
				}
			}
		})
	}
}

func TestSourcedLaunch(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lib.sh"), []byte("run() { mlxp -- p; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"\n. ./lib.sh; run", "\nsource lib.sh\nrun"} {
		if _, failure := work(t, dir, text, nil); !strings.Contains(failure, "a launch inside "+filepath.Join(dir, "lib.sh")) {
			t.Errorf("%s: %s", text, failure)
		}
	}
}

func TestHeader(t *testing.T) {
	s, err := Parse("x", []byte("#!/bin/bash -l\n#SBATCH --time=1\n #SBATCH no\n##SBATCH no\n#SBATCHED no\n#$ -N a\n#$-l b\n#$HOME no\ncat <<A\n#SBATCH no\nA\n#SLURM\t-p x # kept\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []HeaderLine{
		{2, "#SBATCH", " --time=1", true}, {6, "#$", " -N a", true}, {7, "#$", "-l b", true}, {12, "#SLURM", "\t-p x # kept", false},
	}
	if len(s.Header) != len(want) {
		t.Fatalf("header lines %v", s.Header)
	}
	for i, h := range s.Header {
		if h != want[i] {
			t.Errorf("header line %d: %+v, want %+v", i, h, want[i])
		}
	}
	if len(s.Shell) != 2 || s.Shell[0] != "/bin/bash" || s.Shell[1] != "-l" {
		t.Errorf("shell %q", s.Shell)
	}
}
