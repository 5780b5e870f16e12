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
    COMP_LINE="$program $*"
    COMP_POINT=${#COMP_LINE}
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

# Values: what must be among the offers. Bash takes what follows the last : or = for the current word.
COMP_WORDBREAKS=$' \t\n:='
expect() { # WANTED WORD...
    local wanted=$1
    shift
    offers "$@" >"$scratch/offered"
    grep -qx -- "$wanted" "$scratch/offered" || { echo "fibquant $*: $wanted is not offered:"; cat "$scratch/offered"; exit 1; }
}
expect fib: encode -c ""
expect fp16 encode -c f
expect k= encode -c fib:
expect 256,recipe= encode --codec fib:k=4,N=256,re
expect hadamard perplexity --value-codec tq:b=2,rot=h
expect paper encode -c fib:k=4,N=16,recipe=
expect paper codebook --recipe ""
expect density theory ""
expect gains verify g
expect codecs help co
expect rate-distortion results --table ra
expect failures results --table ""
expect frontier plot --figure fr
expect nearest bench --only n
(cd "$scratch" && touch some.h5 && expect some.h5 decode so && expect some.h5 encode --codebook so)
offers encode -c fib:k=4, >"$scratch/offered"
grep -qx '4,N=' "$scratch/offered"
if grep -qx '4,k=' "$scratch/offered"; then echo "a key is offered twice"; exit 1; fi
echo "$(wc -w <<<"$verbs") verbs and $count options stand in the manual and are completed"
