# List the recipes.
default:
    @just --list

# Build bin/mlxp, static.
build:
    CGO_ENABLED=0 go build -trimpath -o bin/mlxp .

# Run the tests.
test:
    go test ./...

# What CI runs.
check:
    bash .ci/run

# Rewrite the expected output of stories.
golden:
    go test . -golden

# Compare with recorded answers of Hydra and OmegaConf, case by case.
conformance:
    go test -run Conformance -v ./sweep ./config

# Measure whole processes; the figures are in docs/performance.md.
bench *NAMES:
    go run ./bench {{NAMES}}

# Measure functions.
benchmarks:
    go test -run '^$' -bench . ./...

# Fuzz each target for a time: just fuzz 10m
fuzz TIME="1m":
    bash .ci/fuzz {{TIME}}

# Kill, fill the disk, take rights away, and see that the log dir tells the truth.
stress *FLAGS:
    go run ./stress {{FLAGS}}

# Compare answers and exports with DuckDB and pandas.
differential:
    bash .ci/differential
