#!/bin/sh
# Installs the build into a fresh prefix and uses it from there: by find_package, by pkg-config, with codebooks
# from memory and from a file; every public header alone from C and from C++ beside the system's headers of the
# same names; and what the libraries show is what the headers declare.
# Usage: test_install.sh BUILD SOURCE LIBDIR CC CXX
set -eu
build=$1 source=$2 libdir=$3 cc=$4 cxx=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix
cmake --install "$build" --prefix "$prefix" >"$scratch/log"
cd "$scratch"

"$prefix/bin/fibquant" codebook --dim 64 --block 2 --codewords 16 --recipe initial -q -o fib.h5 >log
cmake -S "$source/tests/examples/consumer" -B consumer -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix" >log
cmake --build consumer >log || { cat log; exit 1; }
consumer/with_shared
consumer/with_static
consumer/with_training
consumer/with_training_static
consumer/with_hdf5 fib.h5

export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export LD_LIBRARY_PATH="$prefix/$libdir"
# shellcheck disable=SC2046
"$cc" -D_XOPEN_SOURCE=700 -o by_pc "$source/tests/examples/consumer/consumer.c" $(pkg-config --cflags --libs fibquant) -lm
./by_pc
# shellcheck disable=SC2046
"$cc" -D_XOPEN_SOURCE=700 -DWITH_TRAINING -o by_pc_training "$source/tests/examples/consumer/consumer.c" \
  $(pkg-config --cflags --libs fibquant-training) -lm
./by_pc_training
# shellcheck disable=SC2046
"$cc" -std=c11 -O2 -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror -o paged "$source/tests/examples/server/paged_attention.c" \
  $(pkg-config --cflags --libs fibquant) -lpthread -lm
./paged
if ! nm -D "$prefix/$libdir/libfibquant.so" | grep -qE '__(asan|ubsan|tsan)'; then
  /usr/bin/python3 "$source/tests/examples/server/paged_attention.py" "$prefix/$libdir/libfibquant.so"
fi
# shellcheck disable=SC2046
"$cc" -D_XOPEN_SOURCE=700 -DWITH_HDF5 -o by_pc_hdf5 "$source/tests/examples/consumer/consumer.c" \
  $(pkg-config --cflags --libs fibquant-hdf5) -lm
./by_pc_hdf5 fib.h5
cmp -s fib.h5 again.h5 || [ -s again.h5 ]

headers=0
: >all.c
for header in "$prefix/include/fibquant"/*.h; do
  name=fibquant/${header##*/}
  printf '#include <memory.h>\n#include <search.h>\n#include <%s>\n#include <%s>\n' "$name" "$name" >alone.c
  printf 'void *cleared(char *room);\nvoid *cleared(char *room) { return hcreate(4) ? memset(room, 0, 4) : room; }\n' >>alone.c
  cp alone.c alone.cc
  # shellcheck disable=SC2046
  "$cc" -std=c11 -D_XOPEN_SOURCE=700 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags fibquant) -c alone.c -o alone.o
  # shellcheck disable=SC2046
  "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags fibquant) -c alone.cc -o alone.o
  printf '#include <%s>\n' "$name" >>all.c
  headers=$((headers + 1))
done
[ "$headers" -ge 10 ]
if grep -L '^ \* Stability: ' "$prefix/include/fibquant"/*.h | grep .; then
  echo "a public header does not say how stable it is"
  exit 1
fi
echo "$headers public headers compile alone as C11 and as C++17, beside the system's <memory.h> and <search.h>"
if grep -nE 'fail_at|[Ff]or tests|_ref\(' "$prefix/include/fibquant"/*.h; then
  echo "a public header offers what only tests use"
  exit 1
fi

# What a server links: the system's C library and nothing else, less than a mebibyte.
if [ "$(uname)" = Linux ] && ! nm -D "$prefix/$libdir/libfibquant.so" | grep -qE '__(asan|ubsan|tsan)'; then
  if ldd "$prefix/$libdir/libfibquant.so" | grep -vE 'linux-vdso|ld-linux|libm\.so|libc\.so'; then
    echo "libfibquant.so needs more than libm and libc"
    exit 1
  fi
  strip -o stripped "$prefix/$libdir/libfibquant.so"
  bytes=$(wc -c <stripped)
  [ "$bytes" -lt 1048576 ] || { echo "libfibquant.so has $bytes bytes"; exit 1; }
  echo "libfibquant.so: $bytes bytes without symbols, needs libm and libc"
fi
for library in "$prefix/$libdir"/libfibquant*.so; do
  if ldd "$library" | grep -iE 'openblas|lapack|libmpi|flint'; then
    echo "$library needs what a codec does not"
    exit 1
  fi
done

# What GCC reads in the headers against what the libraries' dynamic symbol tables hold.
if command -v gcc >/dev/null && command -v nm >/dev/null && [ "$(uname)" = Linux ]; then
  gcc -std=c11 -fsyntax-only -aux-info declared -I"$prefix/include" all.c
  sed -n 's|^/\* .*/include/fibquant/.*:NC \*/ .*[ *]\(fq_[a-z0-9_]*\) (.*|\1|p' declared | sort -u >wanted
  for library in "$prefix/$libdir"/libfibquant*.so; do nm -D --defined-only "$library"; done |
    grep -v '@@[A-Z_]*[0-9]*_PRIVATE$' |
    sed -n 's/^[0-9a-f]* [A-Z] \([^@]*\)@.*/\1/p' | sort -u >shown
  [ "$(wc -l <wanted)" -ge 60 ]
  if ! diff wanted shown; then
    echo "declared in a public header (<) and shown by a library (>) differ"
    exit 1
  fi
  nm -g --defined-only "$prefix/$libdir/libfibquant.a" 2>/dev/null | sed -n 's/^[0-9a-f]* [A-Z] //p' |
    grep -vE '^(fq_|\.gomp_critical_user_fq_|\.gomp)' >foreign || true
  if [ -s foreign ]; then
    echo "the static library defines names that are not its own:" && cat foreign
    exit 1
  fi
  echo "$(wc -l <wanted) functions are declared, and the shared libraries show these and nothing else"
fi
