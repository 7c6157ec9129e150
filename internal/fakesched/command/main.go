// Command command is all the schedulers' commands: it does what the name says that
// it is called by. [fakesched.Build] makes it, under all the names.
package main

import (
	"os"
	"path/filepath"

	"github.com/mlxp/mlxp/internal/fakesched"
)

func main() { os.Exit(fakesched.Main(filepath.Base(os.Args[0]), os.Args[1:])) }
