#!/bin/sh
# Makes the codes of codes.list that are not there (all of them after rm *.code). Some minutes of both cores for the
# largest; the same bytes on every machine. Usage: make_codes.sh FIBQUANT [FOLDER]
set -eu
program=$(realpath "$1")
list=$(dirname "$(realpath "$0")")
cd "${2:-$list}"
grep -v '^#' "$list/codes.list" | while read -r d k n recipe; do
    file=d$d-k$k-N$n.code
    [ -e "$file" ] || FIBQUANT_CODES=/nowhere "$program" codebook -d "$d" -k "$k" -N "$n" --recipe "$recipe" \
        --samples 4000000 --form code -o "$file" -q >/dev/null
done
