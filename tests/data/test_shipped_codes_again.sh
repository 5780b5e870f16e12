#!/bin/sh
# Trains every shipped code again, in a folder and a cache of its own: the files must be the same to the byte. Usage:
# test_shipped_codes_again.sh FIBQUANT SOURCE
set -eu
program=$1 codes=$2/data/codes
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
FIBQUANT_CACHE=$scratch/cache "$codes/make_codes.sh" "$program" "$scratch"
made=0
for file in "$codes"/*.code; do
    cmp "$file" "$scratch/${file##*/}"
    made=$((made + 1))
done
echo "$made codes made again, the same to the byte"
