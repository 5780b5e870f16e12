#!/usr/bin/env bash
# Puts an English prose text into the cache (once) and prints its path, all else goes to standard error.
#   fetch_text.sh
# The text is Jane Austen's novel "Mansfield Park" (1814; public domain), 883 kB, 201518 tokens of
# SmolLM2, as the Debian package r-cran-janeaustenr (MIT) carries it from Project Gutenberg. Lines of a
# paragraph are joined, paragraphs are separated by an empty line. The package is downloaded, not installed.
# The cache is $FIBQUANT_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fibquant. Nothing unfinished or unchecked is
# ever at the final path. Exit status 0, 2 wrong usage, 3 not reachable or not what was expected.
set -euo pipefail

say() { printf 'fetch_text: %s\n' "$*" >&2; }
package=r-cran-janeaustenr
name=mansfield_park.txt
sha256=53abe640dc7461f04faca70c2eb5fa3e804a6742f5d165624dcd597ef0337a3e
cache=${FIBQUANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fibquant}
target=$cache/texts/$name

case ${1:-} in
'') ;;
-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) say "unknown argument \"$1\""; exit 2 ;;
esac
if [ -f "$target" ]; then
    printf '%s\n' "$target"
    exit 0
fi
mkdir -p "$cache/texts"
scratch=$(mktemp -d "$cache/texts/.fetch-XXXXXX") # in the cache: the last step is a rename
trap 'rm -rf "$scratch"' EXIT

download() {
    command -v apt-get >/dev/null && (cd "$scratch" && apt-get download -q "$package" >/dev/null 2>&1)
}
download_from_pool() { # no Debian system, or its package lists are empty
    python3 - "$scratch/$package.deb" >&2 <<'PYTHON'
import sys, urllib.request
url = "http://deb.debian.org/debian/pool/main/r/r-cran-janeaustenr/r-cran-janeaustenr_1.0.0-1_all.deb"
try:
    with urllib.request.urlopen(url, timeout=30) as source, open(sys.argv[1], "wb") as out:
        out.write(source.read())
except OSError as error:
    sys.exit(f"fetch_text: {url}: {error}")
PYTHON
}
say "downloading the Debian package $package (1.6 MB) ..."
if ! download && ! download_from_pool; then
    say "$package could not be downloaded; name a text of your own with --text"
    exit 3
fi
(cd "$scratch" && ar x ./*.deb && tar -xf data.tar.*)

# The package holds R's serialised character vectors, one element a line (XDR format, versions 2 and 3),
# each novel compressed by itself behind its four-byte length.
python3 - "$scratch/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb" "$scratch/$name" >&2 <<'PYTHON'
import struct, sys, zlib

data = open(sys.argv[1], "rb").read()
at = 0
while at < len(data):
    (size,) = struct.unpack_from(">I", data, at)
    stream = zlib.decompressobj()
    value = stream.decompress(data[at + 4:])
    at = len(data) - len(stream.unused_data)
    if len(value) != size or value[:2] != b"X\n":
        sys.exit("fetch_text: the package does not hold what was expected")
    (version,) = struct.unpack_from(">i", value, 2)
    start = 14
    if version == 3: # the name of the native encoding
        start += 4 + struct.unpack_from(">i", value, 14)[0]
    kind, count = struct.unpack_from(">ii", value, start)
    if kind & 0xff != 16:
        continue
    start += 8
    lines = []
    for _ in range(count):
        _, length = struct.unpack_from(">ii", value, start)
        lines.append(value[start + 8:start + 8 + max(length, 0)].decode().strip())
        start += 8 + max(length, 0)
    if lines[0] != "MANSFIELD PARK":
        continue
    paragraphs, words = [], []
    for line in lines + [""]:
        if line:
            words.append(line)
        elif words:
            paragraphs.append(" ".join(words))
            words = []
    with open(sys.argv[2], "w", encoding="utf-8", newline="\n") as out:
        out.write("\n\n".join(paragraphs) + "\n")
    break
else:
    sys.exit("fetch_text: the package does not hold the novel")
PYTHON
if ! printf '%s  %s\n' "$sha256" "$scratch/$name" | sha256sum --check --status; then
    say "$name has SHA-256 $(sha256sum <"$scratch/$name" | cut -c1-64); expected $sha256"
    exit 3
fi
mv "$scratch/$name" "$target"
printf '%s\n' "$target"
