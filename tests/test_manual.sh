#!/usr/bin/env bash
# Manual pages and bash completion as installed: every verb and every option of --help stands in the page,
# man can format it, and completion offers it. Usage: test_manual.sh BUILD MANDIR DATADIR
set -euo pipefail
build=$1 mandir=$2 datadir=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/log"
program=$scratch/prefix/bin/fibquant
page=$scratch/prefix/$mandir/man1/fibquant.1
[ -s "$scratch/prefix/$mandir/man1/fibquant-sweep.1" ]

# What a reader sees; without man, the source with its escapes undone.
if command -v man >/dev/null && MANWIDTH=200 man -l "$page" >"$scratch/page" 2>"$scratch/complaints"; then
    [ ! -s "$scratch/complaints" ] || { cat "$scratch/complaints"; exit 1; }
    col -b <"$scratch/page" >"$scratch/plain"
else
    sed -e 's/\\-/-/g' -e 's/\\e/\\/g' -e 's/\\&//g' "$page" >"$scratch/plain"
fi

# shellcheck source=/dev/null
. "$scratch/prefix/$datadir/bash-completion/completions/fibquant"
offers() { # WORD... : what completion offers for the last word
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _fibquant
    printf '%s\n' "${COMPREPLY[@]}"
}

verbs=$("$program" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
count=0
for verb in $verbs; do
    grep -q "FIBQUANT ${verb^^}" "$scratch/plain" || { echo "no section on $verb"; exit 1; }
    offers "${verb:0:2}" >"$scratch/offered"
    grep -qx -- "$verb" "$scratch/offered" || { echo "completion does not offer $verb"; exit 1; }
    for option in $("$program" "$verb" --help | sed -n '/^Options:/,/^$/s/^  \(-., \|    \)\(--[a-z][a-z-]*\).*/\2/p'); do
        awk -v start="FIBQUANT ${verb^^}" 'index($0, "FIBQUANT ") { on = ($0 ~ start "$") } on' "$scratch/plain" >"$scratch/section"
        grep -q -- "$option" "$scratch/section" || { echo "$verb $option is not in the manual"; exit 1; }
        offers "$verb" "${option:0:3}" >"$scratch/offered"
        grep -qx -- "$option" "$scratch/offered" || { echo "completion does not offer $verb $option"; exit 1; }
        count=$((count + 1))
    done
done
[ "$count" -ge 40 ]
echo "$(wc -w <<<"$verbs") verbs and $count options stand in the manual and are completed"
