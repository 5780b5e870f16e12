#!/bin/sh
# Makes the codes of codes.list that are not there (all of them after rm *.code). Some minutes of both cores for the
# largest; the same bytes on every machine. Usage: make_codes.sh FIBQUANT [FOLDER]
set -eu
program=$(realpath "$1")
list=$(dirname "$(realpath "$0")")
cd "${2:-$list}"
grep -v '^#' "$list/codes.list" | while read -r d k n recipe; do
    if [ "$d" = trellis ]; then # b, window, bits of a label: the library's map, measured
        file=trellis-b$k-L$n-m$recipe.code
        set -- --family trellis --shipped -b "$k" --window "$n" --labels "$recipe" --samples 100000
    else
        file=d$d-k$k-N$n.code
        set -- -d "$d" -k "$k" -N "$n" --recipe "$recipe" --samples 4000000
        case $k-$n in # D enclosed where that takes seconds
        2-* | [34]-? | [34]-?? | [34]-256) set -- "$@" --certify ;;
        esac
    fi
    [ -e "$file" ] || FIBQUANT_CODES=/nowhere "$program" codebook "$@" --form code -o "$file" -q >/dev/null
done
