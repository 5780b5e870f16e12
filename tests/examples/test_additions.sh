#!/bin/sh
# Adds one codec, claim, experiment, verb, benchmark, figure and suite to a copy of the tree, each by one file (a
# figure: with its script) and one line of a table, builds the copy and runs each. Then wrong lines: each must stop
# the configuration with a sentence that names table and line.
# Usage: test_additions.sh SOURCE FOLDER CMAKE-COMMAND...   (FOLDER is kept, so that a second run is quick)
set -eu
source=$1 folder=$2
shift 2
tree=$folder/tree build=$folder/build
mkdir -p "$tree" "$folder/run"
# Files that are as they were keep their time, so that only what changed is built again.
(cd "$source" && find CMakeLists.txt .cmake core theory data plots experiments tests -type f \
  ! -name '*.png' ! -path 'tests/fuzz/corpus/*' ! -path 'tests/golden/*') >"$folder/files"
(cd "$tree" && find . -type f | sed 's|^\./||') | while read -r file; do
  [ -e "$source/$file" ] || rm -f "$tree/$file"
done
while read -r file; do
  if ! cmp -s "$source/$file" "$tree/$file"; then
    mkdir -p "$tree/$(dirname "$file")"
    cp -p "$source/$file" "$tree/$file"
  fi
done <"$folder/files"

add() { # FILE ROOM TABLE LINE
  cp -p "$source/tests/examples/$1" "$tree/$2/$1"
  case $1 in *.c) printf '%s\n' "$4" >>"$tree/$3" ;; esac
}
# The copy's other suites have been run where they come from: their lines go, to save their compilation.
: >"$tree/tests/suites.def"
add codec_uniform.c core/codec core/codec/codec_table.def 'FQ_CODEC_FAMILY(uni, codec_uniform)'
add claim_gaussian.c theory/claims theory/claims/claims.def 'FQ_CLAIM(gaussian)'
add experiment_radius.c experiments experiments/experiments.def 'FQ_EXPERIMENT(radius)'
add verb_compression.c experiments/program experiments/program/verbs.def 'FQ_VERB(compression)'
add bench_sum.c experiments/bench experiments/bench/benches.def 'FQ_BENCH(sum)'
add radius.gp plots '' ''
add figure_radius.c plots plots/figures.def 'FQ_FIGURE(radius, figure_radius)'
add test_uniform.c tests/core tests/suites.def 'FQ_SUITE(core, uniform)'

configure() {
  "$@" -S "$tree" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-O0 >"$folder/log" 2>&1
}
configure "$@" || { cat "$folder/log"; exit 1; }
"$1" --build "$build" --target fibquant_program fibquant_tests >"$folder/log" 2>&1 || {
  grep -E -A 4 'error|FAILED' "$folder/log" || cat "$folder/log"
  exit 1
}

cd "$folder/run"
rm -rf ./*
fibquant=$build/experiments/fibquant
expect() { # TEXT COMMAND...: the command succeeds and prints the text
  text=$1
  shift
  if ! "$@" >out 2>&1 || { [ -n "$text" ] && ! grep -qF -e "$text" out; }; then
    cat out
    echo "did not do what it should: $*"
    exit 1
  fi
}
expect '2 passed, 0 failed' "$build/tests/fibquant_tests" --filter uniform
expect '66 bytes a vector of dimension 128, 3.879 times' "$fibquant" compression uni:k=2,N=256
expect 'gaussian' "$fibquant" verify --list
expect '1 of 1 claims hold' "$fibquant" verify gaussian
cat >radius.yaml <<'YAML'
experiment: radius
grid: {dim: 64, block: [1, 2, 4, 8], samples: 4000}
YAML
expect '' "$fibquant" sweep radius.yaml -o r.h5 -q
expect 'exact' "$fibquant" results r.h5 --csv
expect '' "$fibquant" plot r.h5 -o figures
[ -s figures/radius.pdf ] && [ -s figures/radius.png ] || { ls -l figures; exit 1; }
expect 'sum right' "$fibquant" bench --only sum:right --rounds 2 --quiet

# The new codec in the experiments and figures that know codecs by the table alone.
cat >rates.yaml <<'YAML'
experiment: rate-distortion
grid: {codec: ["uni:k=2,N=16", "uni:k=2,N=256"], dim: 64, samples: 20000}
YAML
expect '' "$fibquant" sweep rates.yaml -o rates.h5 -q
expect 'uni:k=2,N=256' "$fibquant" results rates.h5 --csv

refuse() { # TABLE LINE TEXT: the line stops the configuration and the message has the text
  cp -p "$tree/$1" "$folder/table"
  printf '%s\n' "$2" >>"$tree/$1"
  if "$cmake" -S "$tree" -B "$build" >"$folder/log" 2>&1; then
    echo "a wrong line was taken: $2"
    exit 1
  fi
  cp -p "$folder/table" "$tree/$1"
  tr -s ' \n' '  ' <"$folder/log" >"$folder/message"
  if ! grep -qF -e "$3" "$folder/message" || ! grep -qF -e "$1" "$folder/message"; then
    cat "$folder/log"
    echo "the message does not say \"$3\" and \"$1\""
    exit 1
  fi
}
cmake=$1
refuse core/codec/codec_table.def 'FQ_CODEC_FAMILY(absent, codec_absent)' 'which is not there'
refuse core/codec/codec_table.def 'FQ_CODEC_FAMILY(uni, codec_fib)' 'two rows have the name "uni"'
refuse core/codec/codec_table.def 'FQ_CODEC_FAMILY(uni, codec_uniform)' 'is in the table already'
refuse core/codec/codec_table.def 'FQ_CODEC_FAMILY (uni2, codec_uniform)' 'is no row'
refuse theory/claims/claims.def 'FQ_CLAIM(absent)' 'claim_absent.c'
echo "a codec, a claim, an experiment, a verb, a benchmark, a figure and a suite: one file and one line each"
