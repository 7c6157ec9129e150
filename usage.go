package main

// usage is the help of mlxp as a whole. main_test.go compares it with the flags
// and commands that there are.
const usage = `mlxp runs experiments: one run or a sweep of a command, each run in a numbered
directory with its config, output, metrics and artifacts.

  mlxp [FLAGS] -- PROGRAM [WORD…]              overrides among the words
  mlxp [FLAGS] OVERRIDE… -- PROGRAM [WORD…]    all words are the program's own

    mlxp -- python3 train.py optimizer.lr=0.1,1 seed=1,2
    mlxp lr=0.1,1 -- ./simulate --rate {lr}

Flags of a launch:
  -j, --jobs N         run N at a time
  --config-dir DIR     where the config is (default: ./configs, ./config or ./conf)
  --config-name NAME   the primary config (default: config)
  --no-config          the overrides alone are the config
  --where CEL          only the combinations for which this holds: 'config.lr < 1'
  --skip-done          not those that a complete run in the log dir has already
  --limit N            only the first N
  --seed-sweep N       another order for shuffle
  --gpus LIST          give each run one of these graphics processors (0-3, or all)
                       through CUDA_VISIBLE_DEVICES; --per-gpu K: K runs share one
  --fail-fast          start no more runs after one that fails
  --vcs MODE           execute a copy of the code: of its last commit (commit), or
                       of the files as they are now (snapshot); default: off
  --dry-run            list the runs; write nothing, start nothing
  --cfg job            print the composed config; --resolve: resolved;
                       --package KEY: only what is there
  --info defaults      list the files of the config, and what each sets
  --json               with --dry-run or --cfg: as JSON
  --strict             an unknown resolver in the config is an error

Commands, each with a --help of its own:
  sub                  submit every run that a script launches to a scheduler
  status               show where runs stand, and what their schedulers say
  cancel               cancel the jobs of runs
  query                list, sort, group, aggregate and export runs
  show                 print what is known of runs
  fields               list the fields of runs
  diff                 list what differs between runs
  logs                 print what runs printed
  resume               start runs again, or for the first time
  rerun                launch a run again, as it was or with overrides
  verify               launch a run again and compare what it measures and makes
  rm                   remove runs
  gc                   remove copies of the code that no run refers to
  completion           print the completion script for bash, zsh or fish

Flags of all commands:
  --log-dir DIR        the numbered run directories (default: ./logs)
  -q, --quiet          say nothing but errors
  -v, --verbose        say more
  --no-color           no colour
  --version            print the version
  -h, --help           print this

A single run passes its program's exit status on. A sweep ends with 0 if all
runs completed, 1 if any did not. 2: wrong usage, override, config or query;
nothing was started. 126, 127: the program cannot be executed, or is not there.
`
