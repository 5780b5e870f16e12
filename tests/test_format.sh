#!/usr/bin/env bash
# test_format.sh CLANG_FORMAT SOURCE_DIR: refuses a C file that is not as .clang-format would have it, or a
# line longer than its column limit (a string that could not be broken).
set -euo pipefail
cd "$2"
limit=$(sed -n 's/^ColumnLimit: *//p' .clang-format)
mapfile -t files < <(find core theory data experiments plots tests -name '*.[ch]' | sort)
[ ${#files[@]} -gt 100 ] || { echo "only ${#files[@]} C files found below $2" >&2; exit 1; }
"$1" --dry-run -Werror "${files[@]}"
awk -v limit="$limit" 'length > limit { print FILENAME ":" FNR ": " length " columns, at most " limit; bad = 1 } END { exit bad }' \
    "${files[@]}"
echo "${#files[@]} files"
