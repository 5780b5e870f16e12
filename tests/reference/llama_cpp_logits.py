"""Logits of a GGUF model against llama.cpp's.

usage: llama_cpp_logits.py MODEL_LOGITS [MODEL.gguf TEXT [TOKENS]]
MODEL_LOGITS is the test program of that name; model and text are by default those that ./reproduce fetches. Exit status 1 if they differ by more than rounding, 77 if
llama.cpp cannot be had. It comes out of a wheel on PyPI (280 MB, kept in ~/.cache/fibquant/wheels), by its
own binding, so that no structure is guessed.

Twice: the file as it is, where llama.cpp multiplies quantised weights by activations rounded to eight bits,
and the same weights written out as float32, where all that differs is the order of float32 sums.
"""
import ctypes
import glob
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

from checkpoint_logits import read_gguf

WHEEL = "llama-cpp-cffi==0.4.42"  # llama.cpp of March 2025
UNAVAILABLE = 77
CACHE = os.path.expanduser("~/.cache/fibquant")
DEFAULT = [CACHE + "/models/SmolLM2-135M-Instruct.Q4_1.gguf", CACHE + "/texts/mansfield_park.txt"]


def unavailable(why):
    print(f"llama_cpp_logits: not compared: {why}")
    sys.exit(UNAVAILABLE)


def load_binding(folder):
    """The binding's module alone, without the package's own dependencies."""
    cache = CACHE + "/wheels"
    found = glob.glob(cache + "/llama_cpp_cffi-0.4.42-*.whl")
    if not found:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", cache, WHEEL]
        if subprocess.run(pip).returncode:
            unavailable(f"pip cannot fetch {WHEEL} for this Python")
        found = glob.glob(cache + "/llama_cpp_cffi-0.4.42-*.whl")
    with zipfile.ZipFile(found[0]) as wheel:
        name = next(n for n in wheel.namelist() if "_llama_cpp_cpu" in n)
        path = wheel.extract(name, folder)
    # The module wants a function of GCC 14's run-time library, for an exception that leaves a destructor.
    source, library = folder + "/terminate.c", folder + "/terminate.so"
    open(source, "w").write("#include <stdlib.h>\nvoid __cxa_call_terminate(void *e) { (void)e; abort(); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
    ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    try:
        spec = importlib.util.spec_from_file_location("_llama_cpp_cpu", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:
        unavailable(error)
    return module.lib, module.ffi


def write_float32(path, to):
    """The same model with every tensor as float32 numbers."""
    _, weight, head = read_gguf(path)
    index, parts, size = b"", [], 0
    for name, tensor in weight.items():
        shape = tensor.shape[::-1]
        name = name.encode()
        index += struct.pack("<Q", len(name)) + name + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, size)
        body = tensor.astype("<f4").tobytes()
        parts.append(body + bytes(-len(body) % 32))
        size += len(parts[-1])
    with open(to, "wb") as file:
        file.write(head + index)
        file.write(bytes(-file.tell() % 32))
        for part in parts:
            file.write(part)


def theirs(lib, ffi, path, ids):
    model_params = lib.llama_model_default_params()
    model = lib.llama_model_load_from_file(path.encode(), model_params)
    if model == ffi.NULL:
        sys.exit(f"llama_cpp_logits: llama.cpp cannot load {path}")
    params = lib.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = len(ids)
    params.n_threads = params.n_threads_batch = 2
    params.type_k = params.type_v = 0  # float32
    params.flash_attn = False
    context = lib.llama_init_from_model(model, params)
    words = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    batch = lib.llama_batch_init(len(ids), 0, 1)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = int(token), i, 1, 1
        batch.seq_id[i][0] = 0
    batch.n_tokens = len(ids)
    if lib.llama_decode(context, batch):
        sys.exit("llama_cpp_logits: llama_decode failed")
    raw = ffi.buffer(lib.llama_get_logits(context), 4 * len(ids) * words)
    logits = np.frombuffer(bytes(raw), "<f4").reshape(len(ids), words).astype(np.float64)
    lib.llama_batch_free(batch)
    lib.llama_free(context)
    lib.llama_model_free(model)
    return logits


def their_tokens(lib, ffi, path, text):
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    vocabulary, room = lib.llama_model_get_vocab(model), len(text) + 8
    ids = ffi.new("int32_t[]", room)
    count = lib.llama_tokenize(vocabulary, text, len(text), ids, room, False, False)
    lib.llama_model_free(model)
    return np.array([ids[i] for i in range(count)])


def log_probabilities(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def report(what, ours, others):
    error = np.abs(ours - others)
    p, q = log_probabilities(ours), log_probabilities(others)
    divergence = (np.exp(q) * (q - p)).sum(1)
    print(f"{what}: {len(ours)} tokens, logits differ by at most {error.max():.3g}, rms {np.sqrt((error**2).mean()):.3g}, "
          f"of rms {np.sqrt((others**2).mean()):.3g}; mean divergence {divergence.mean():.3g} nats; most likely token "
          f"the same in {100 * np.mean(ours.argmax(1) == others.argmax(1)):.2f} %")
    return error.max()


def compare(program, path, text, tokens, folder):
    lib, ffi = load_binding(folder)

    @ffi.callback("void(enum ggml_log_level, const char *, void *)")
    def silent(level, message, data):
        pass

    lib.llama_log_set(silent, ffi.NULL)
    lib.llama_backend_init()
    subprocess.run([program, path, "tokenise", text, folder + "/text"], check=True)
    all_ids = np.fromfile(folder + "/text", "<u4")
    expected = their_tokens(lib, ffi, path, open(text, "rb").read())
    same = len(expected) == len(all_ids) and bool((expected == all_ids).all())
    print(f"token ids: {len(all_ids)} here, {len(expected)} by llama.cpp, {'all the same' if same else 'NOT the same'}")
    ids = all_ids[:tokens]
    ids.tofile(folder + "/ids")
    subprocess.run([program, path, "run", folder + "/ids", folder + "/logits"], check=True)
    ours = np.fromfile(folder + "/logits", "<f4").astype(np.float64).reshape(len(ids), -1)
    report("the file as it is (eight-bit activations there)", ours, theirs(lib, ffi, path, ids))
    write_float32(path, folder + "/float32.gguf")
    worst = report("weights written out as float32", ours, theirs(lib, ffi, folder + "/float32.gguf", ids))
    # Two float32 programs, some two hundred products in a row each: 1e-5 of the logits' size apart.
    return same and worst <= 1e-4 * np.sqrt((ours**2).mean())


model, text = sys.argv[2:4] if len(sys.argv) > 3 else DEFAULT
if not os.path.exists(model) or not os.path.exists(text):
    unavailable(f"no {model} or no {text}; ./reproduce fetches both")
with tempfile.TemporaryDirectory() as scratch:
    fine = compare(sys.argv[1], model, text, int(sys.argv[4]) if len(sys.argv) > 4 else 256, scratch)
sys.exit(0 if fine else 1)
