package script

import "github.com/mlxp/mlxp/internal/fault"

func hintsOf(err error) []string { return fault.Hints(err) }
