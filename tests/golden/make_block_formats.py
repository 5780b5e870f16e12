#!/usr/bin/env python3
"""Writes block_formats.golden: vectors and their blocks by the `gguf` package's own quantisers.

Needs `pip install gguf` (written with 0.19.0). Layout, little-endian: u32 vectors, u32 d, the vectors as float32; then
for q4_0, q4_1, q5_0, q5_1, q8_0, in this order, their blocks; then the expansion of q4_0's blocks read as iq4_nl's.
"""
import struct
import numpy
from gguf.constants import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

VECTORS, D = 24, 64
random = numpy.random.default_rng(20260512)
x = random.standard_normal((VECTORS, D)).astype("<f4")
x[0] = 0
x[1] = 1
x[2, :32] = -3
x[3] *= numpy.float32(1e-6)
x[4] *= numpy.float32(1e3)
x[5] = numpy.round(x[5] * 4) # ties
x[6, 40] = 50
with open("block_formats.golden", "wb") as out:
    out.write(struct.pack("<II", VECTORS, D) + x.tobytes())
    for kind in (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0):
        out.write(quantize(x, kind).tobytes())
    out.write(dequantize(quantize(x, Type.Q4_0), Type.IQ4_NL).astype("<f4").tobytes())
