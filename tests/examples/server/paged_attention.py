"""Attention over a compressed, paged cache from Python: libfibquant.so through ctypes, arrays of NumPy.

    python3 paged_attention.py /usr/local/lib/libfibquant.so
"""
import ctypes
import sys

import numpy

D, TOKENS, WINDOW, PAGE = 64, 1000, 16, 16
library = ctypes.CDLL(sys.argv[1])
library.fq_error_last.restype = ctypes.c_void_p
pointer, size, real = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_double


class Cost(ctypes.Structure):  # fq_codec_cost of codec.h
    _fields_ = [("dim", size), ("code_bytes", size), ("index_bits", size), ("norm_bits", size), ("rate", real)]


class Head(ctypes.Structure):  # fq_paged_head of attention_pages.h
    _fields_ = [("key_pages", pointer), ("value_pages", pointer), ("page_count", size), ("tokens", size),
                ("recent_keys", pointer), ("recent_values", pointer), ("window", size), ("recent", size), ("oldest", size)]


def call(name, *arguments):
    if getattr(library, name)(*arguments) != 0:
        text = ctypes.create_string_buffer(2048)
        library.fq_error_text(text, size(len(text)), pointer(library.fq_error_last()))
        raise RuntimeError(f"{name}: {text.value.decode()}")


library.fq_codec_get_cost.restype = Cost
library.fq_paged_head_needs_page.restype = ctypes.c_bool
spec, codec, attention, scratch = ctypes.create_string_buffer(4096), pointer(), pointer(), pointer()
call("fq_codec_spec_parse", spec, b"trellis:b=2")
call("fq_codec_create", ctypes.byref(codec), spec, size(D), None)
call("fq_attention_create", ctypes.byref(attention), codec, codec)
call("fq_attention_scratch_create", ctypes.byref(scratch), attention, size(1), size(TOKENS))
code_bytes = library.fq_codec_get_cost(codec).code_bytes

random = numpy.random.default_rng(1)
keys, values = random.standard_normal((2, TOKENS, D)).astype("f4")
query, out = random.standard_normal(D).astype("f4"), numpy.empty(D, "f4")

# All memory is NumPy's: pages of codes, tables of their addresses, the window's halves.
count = TOKENS // PAGE + 1
pages = numpy.zeros((2, count, PAGE * code_bytes), "u1")
tables = (pages.ctypes.data + numpy.arange(2 * count, dtype="u8") * PAGE * code_bytes).reshape(2, count)
recent = numpy.zeros((2, WINDOW + PAGE, D), "f2")
head = Head(tables[0].ctypes.data, tables[1].ctypes.data, count, 0, recent[0].ctypes.data, recent[1].ctypes.data, WINDOW, 0, 0)
for key, value in zip(keys, values):
    call("fq_paged_head_append", ctypes.byref(head), attention, scratch, pointer(key.ctypes.data), pointer(value.ctypes.data))
call("fq_attention_run_pages", attention, scratch, pointer(out.ctypes.data), size(D), pointer(query.ctypes.data), size(1),
     ctypes.byref(head), real(D**-0.5))

score = keys.astype("f8") @ query * D**-0.5
weight = numpy.exp(score - score.max())
exact = weight @ values.astype("f8") / weight.sum()
cosine = exact @ out / numpy.linalg.norm(exact) / numpy.linalg.norm(out)
print(f"{TOKENS} tokens, {head.tokens} of them coded in {code_bytes} bytes a vector: cosine {cosine:.4f}")
sys.exit(not cosine > 0.85)
