#!/usr/bin/env bash
# Parallel efficiency of independent points: parallel_efficiency.sh PROGRAM [WORKERS [ROUNDS]]
# A sweep of equal points on 1 worker and on WORKERS (default 2), in turn, each with a store of its own. Printed:
#   elapsed        T(1) / (W T(W)), elapsed times: the efficiency, on a machine that does nothing else
#   busy           computing time of all points over W T(W): what the engine does not leave idle; holds under load, too
#   work           processor time of the points on 1 worker over that on W: what workers lose to each other
# The load average is printed because the first of them means nothing on a busy machine.
set -euo pipefail
program=$(realpath "$1") workers=${2:-2} rounds=${3:-3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export OMP_NUM_THREADS=1
cat >m.yaml <<'END'
experiment: rate-distortion
replicates: 20
grid: {codec: "tq:b=1.5", dim: 64, source: vector, samples: 200000}
END
sum() { "$program" results "$1" --csv --column "$2" | awk 'NR > 1 { s += $1 } END { print s }'; }
once() { # WORKERS: elapsed, computing and processor seconds
    rm -f r.h5*
    local start end
    start=$(date +%s%N)
    "$program" sweep m.yaml -o r.h5 -j "$1" -q
    end=$(date +%s%N)
    echo "$(((end - start) / 1000)) $(sum r.h5 wall_seconds) $(sum r.h5 cpu_seconds)"
}
once 1 >/dev/null # warm-up
for ((i = 0; i < rounds; i++)); do
    read -r t1 _ c1 < <(once 1)
    read -r tw ww cw < <(once "$workers")
    awk -v t1="$t1" -v tw="$tw" -v ww="$ww" -v c1="$c1" -v cw="$cw" -v w="$workers" -v load="$(cut -d' ' -f1 /proc/loadavg)" \
        'BEGIN { printf "T(1) %.2f s, T(%d) %.2f s: elapsed %.3f, busy %.3f, work %.3f (load average %s)\n",
                 t1 / 1e6, w, tw / 1e6, t1 / (w * tw), ww * 1e6 / (w * tw), c1 / cw, load }'
done
