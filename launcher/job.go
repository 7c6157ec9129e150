package launcher

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/mlxp/mlxp/internal/fault"
	"github.com/mlxp/mlxp/launcher/supervise"
	"github.com/mlxp/mlxp/logdir"
)

// jobCommand executes one run that is there already: what a batch job does.
func jobCommand(w World) *cli.Command {
	return &cli.Command{
		Name:      "job",
		Hidden:    true,
		Usage:     "execute the run whose directory is given",
		ArgsUsage: "RUN_DIR",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return errors.New("job needs one run directory")
			}
			run, err := logdir.OpenRun(c.Args().First())
			if err != nil {
				return err
			}
			received, done := catchSignals().subscribe()
			defer done()
			info, err := executeRun(w, run, "", true, received, newReporter(w, true, false))
			if errors.Is(err, supervise.ErrComplete) {
				return nil // a batch job that was requeued after its run's end
			}
			var claimed *logdir.ErrClaimed
			if errors.As(err, &claimed) {
				return fault.Hint(err, "a run is never executed twice at once")
			}
			if err != nil {
				return err
			}
			return exit(*info.ExitCode)
		},
	}
}
