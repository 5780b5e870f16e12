#!/usr/bin/env python3
"""Writes dequantize.golden: random blocks of every quantised type and their expansion by the `gguf` package.

Needs `pip install gguf` (written with 0.19.0). Layout, little-endian, repeated: u32 number of the type, u32
elements, the blocks, the elements as float32.
"""
import struct
import numpy
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize

# where a block's float16 numbers are
HALVES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82],
    Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208], Type.F16: [0], Type.BF16: [],
}
random = numpy.random.default_rng(20260511)
with open("dequantize.golden", "wb") as out:
    for kind, halves in HALVES.items():
        elements, size = GGML_QUANT_SIZES[kind]
        blocks = 4 if elements > 1 else 64
        data = random.integers(0, 256, (blocks, size), dtype=numpy.uint8)
        for place in halves:
            scales = (random.standard_normal(blocks) * 0.01).astype(numpy.float16)
            scales[0] = numpy.float16(3e-7) # subnormal
            data[:, place:place + 2] = scales[:, None].view(numpy.uint8)
        if kind == Type.BF16: # no infinities or NaNs
            data[:, 1] &= 0xbf
        values = dequantize(data.reshape(1, -1), kind).astype("<f4")
        assert numpy.isfinite(values).all() and values.size == blocks * elements
        out.write(struct.pack("<II", int(kind), values.size) + data.tobytes() + values.tobytes())
