#!/bin/sh
# Two builds of one tree (with and without OpenMP, say) give the same bytes: a trained codebook, codes, what they
# decode to, and the value columns of a sweep. Usage: test_same_bytes.sh BUILD BUILD
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
/usr/bin/python3 - "$scratch/vectors.h5" <<'PYTHON'
import sys
import h5py
import numpy
with h5py.File(sys.argv[1], "w") as file:
    file["vectors"] = numpy.random.default_rng(1).standard_normal((20000, 32)).astype("float32")
PYTHON
cat >"$scratch/sweep.yaml" <<'YAML'
experiment: rate-distortion
grid:
  - {codec: ["fib:k=2,N=16,recipe=paper", "tq:b=2"], dim: 32, samples: 20000}
  - {codec: ["tqprod:b=2", "tq:b=1.5", "fib:k=2,N=9,rot=hadamard"], dim: 32, samples: 5000, source: vector}
YAML
number=0
here=$PWD
for build in "$1" "$2"; do
  program=$(cd "$build" && pwd)/experiments/fibquant
  number=$((number + 1))
  folder=$scratch/$number
  mkdir "$folder"
  export FIBQUANT_CACHE="$folder/cache"
  cd "$folder"
  "$program" sweep ../sweep.yaml -o sweep.h5 -q
  "$program" codebook -d 32 -k 2 -N 16 --samples 10000 -q -o words.h5 >log
  for codec in fib:k=2,N=64,recipe=initial tq:b=2.5 tqprod:b=3 fp16; do
    "$program" encode --codec "$codec" -o codes.h5 ../vectors.h5 -q >log
    "$program" decode codes.h5 -q -o back.h5 >log
    /usr/bin/python3 -c 'import h5py, hashlib, sys
for name in sys.argv[1:]:
    with h5py.File(name) as file:
        for key in sorted(k for k in file if isinstance(file[k], h5py.Dataset)):
            print(name, key, file[key].shape, hashlib.sha256(file[key][()].tobytes()).hexdigest())' \
      words.h5 codes.h5 back.h5 >>numbers
  done
  cd "$here"
done
"$program" diff "$scratch/1/sweep.h5" "$scratch/2/sweep.h5"
[ "$(wc -l <"$scratch/1/numbers")" -ge 12 ]
diff "$scratch/1/numbers" "$scratch/2/numbers"
echo "the same bytes"
