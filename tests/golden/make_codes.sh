#!/bin/sh
# Writes codes.golden, codebooks.golden, claim_rows.txt and claim_values.txt anew from what the tests make now: after a change
# that is meant to change codes, codebooks or what claims compare, and after new rows (inputs alone) were added.
#   tests/golden/make_codes.sh build/ci
set -eu
here=$(cd "$(dirname "$0")" && pwd)
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
FQ_GOLDEN_WRITE=$new "$1/tests/fibquant_tests" --filter golden || [ -s "$new/codebooks.golden" ]
FQ_GOLDEN_WRITE=$new "$1/tests/fibquant_tests" --filter claims/every || [ -s "$new/claim_rows.txt" ]
cp "$new/codes.golden" "$new/codebooks.golden" "$new/claim_rows.txt" "$new/claim_values.txt" "$here"
