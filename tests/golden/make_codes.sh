#!/bin/sh
# Writes codes.golden and codebooks.golden anew from what the tests make now: after a change that is meant to
# change codes or codebooks, and after new rows (inputs alone) were added to the tables.
#   tests/golden/make_codes.sh build/ci
set -eu
here=$(cd "$(dirname "$0")" && pwd)
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
FQ_GOLDEN_WRITE=$new "$1/tests/fibquant_tests" --filter golden || [ -s "$new/codebooks.golden" ]
cp "$new/codes.golden" "$new/codebooks.golden" "$here"
