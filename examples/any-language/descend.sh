#!/bin/sh
# Gradient descent on f(x, y) = (x^2 + 10 y^2) / 2 from (1, 1).
#
#     mlxp -- sh descend.sh lr=0.01,0.1,0.25 steps=50
#
# LC_ALL=C: a decimal point in the numbers, also where the user's language has a comma.
set -eu

LC_ALL=C awk -v lr="$MLXP_CONFIG__LR" -v steps="$MLXP_CONFIG__STEPS" '
    BEGIN {
        x = y = 1
        for (step = 1; step <= steps; step++) {
            x -= lr * x
            y -= lr * 10 * y
            loss = (x * x + 10 * y * y) / 2
            printf "{\"step\": %d, \"loss\": %.17g}\n", step, loss
            if (loss > 1e9) {
                print "descend.sh: diverged with lr=" lr | "cat >&2"
                exit 1
            }
        }
    }
' >>"$MLXP_METRICS"
