#!/bin/sh
# Builds mlxp, runs six trainings of digits, two at a time, and shows which
# learning rate is best. Needs Go and Python 3.
set -eu
cd "$(dirname "$0")"
go build -o ../../bin/mlxp ../..
PATH=$PWD/../../bin:$PATH

mlxp -j 2 -- python3 train.py optimizer.lr=0.001,0.01,0.1 seed=1,2

mlxp query --fields 'config.optimizer.lr,config.seed,accuracy=metrics.test.accuracy.last()' --sort -accuracy
mlxp query --group config.optimizer.lr --agg 'accuracy=mean(metrics.test.accuracy.last())'
