#!/bin/sh
# Installs the build into a fresh prefix and uses it from there: by find_package, by pkg-config, and
# every public header alone from C and from C++. Usage: test_install.sh BUILD SOURCE LIBDIR CC CXX
set -eu
build=$1 source=$2 libdir=$3 cc=$4 cxx=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/log"

cmake -S "$source/tests/examples/consumer" -B "$scratch/consumer" -DCMAKE_C_COMPILER="$cc" \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/log"
cmake --build "$scratch/consumer" >"$scratch/log" || { cat "$scratch/log"; exit 1; }
"$scratch/consumer/with_shared"
"$scratch/consumer/with_static"

export PKG_CONFIG_PATH="$scratch/prefix/$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
# shellcheck disable=SC2046
"$cc" -o "$scratch/by_pc" "$source/tests/examples/consumer/consumer.c" \
  $(pkg-config --cflags --libs fibquant) -lm
LD_LIBRARY_PATH="$scratch/prefix/$libdir" "$scratch/by_pc"

headers=0
for header in "$scratch/prefix/include/fibquant"/*.h; do
  printf '#include <%s>\n#include <%s>\n' "${header##*/}" "${header##*/}" >"$scratch/alone.c"
  cp "$scratch/alone.c" "$scratch/alone.cc"
  # shellcheck disable=SC2046
  "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags fibquant) -c "$scratch/alone.c" -o "$scratch/alone.o"
  # shellcheck disable=SC2046
  "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags fibquant) -c "$scratch/alone.cc" -o "$scratch/alone.o"
  headers=$((headers + 1))
done
[ "$headers" -ge 10 ]
echo "$headers public headers compile alone as C11 and as C++17"
