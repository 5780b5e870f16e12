#!/bin/sh
# The page of findings: made from its template and stored rows, every number in it accounted for, and the rows those
# of a run of the program; and the page of claims, word for word the program's. usage: test_findings.sh FIBQUANT SOURCE_FOLDER quick|full
set -eu
program=$1 maker=$2/theory/findings/make_findings.py claims=$2/theory/findings/make_claims.py kind=$3
run=$(mktemp)
trap 'rm -f "$run"' EXIT
/usr/bin/python3 "$maker" --check
/usr/bin/python3 "$claims" --check
case $kind in
quick)
    "$program" verify --quick --quiet --json-file "$run" >/dev/null
    /usr/bin/python3 "$maker" --compare "$run"
    /usr/bin/python3 "$claims" --compare "$run"
    ;;
full)
    "$program" verify --quiet --json-file "$run" >/dev/null
    /usr/bin/python3 "$maker" --compare "$run" --everything
    ;;
esac
