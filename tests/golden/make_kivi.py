#!/usr/bin/env python3
"""Writes kivi.golden: keys and what KIVI's form (arXiv 2402.02750) makes of them, written from its formulas.

Layout, little-endian: u32 tokens, u32 d, u32 group; keys as float32; then for b = 2, 3, 4 what they decode to channel by
channel over groups of tokens, then for b = 2, 3, 4 token by token over groups of channels. Scale and least value are halves.
"""
import struct
import numpy

TOKENS, D, GROUP = 32, 16, 16
random = numpy.random.default_rng(20261128)
x = random.standard_normal((TOKENS, D)).astype("<f4")
x[:, 3] = x[:, 3] * 4 + 20  # channels that stick out
x[:, 5] = numpy.float32(0.1)  # no range
x[:, 6] = numpy.arange(TOKENS) % 7 / 2  # halves of a step at 2 bits: ties
x[7] *= numpy.float32(0.01)


def coded(rows, bits):
    """Each row, the group, through its own scale and least value."""
    low = rows.min(axis=-1, keepdims=True).astype("<f2").astype("<f4")
    top = numpy.float32(2**bits - 1)
    scale = (numpy.maximum(rows.max(axis=-1, keepdims=True) - low, 0) / top).astype("<f2").astype("<f4")
    ratio = numpy.divide(rows - low, scale, out=numpy.zeros_like(rows), where=scale > 0)
    return scale * numpy.clip(numpy.rint(ratio), 0, top).astype("<f4") + low


with open("kivi.golden", "wb") as out:
    out.write(struct.pack("<III", TOKENS, D, GROUP) + x.tobytes())
    for b in (2, 3, 4):
        out.write(b"".join(coded(x[g : g + GROUP].T.copy(), b).T.astype("<f4").tobytes() for g in range(0, TOKENS, GROUP)))
    for b in (2, 3, 4):
        out.write(coded(x.reshape(TOKENS, D // GROUP, GROUP), b).astype("<f4").tobytes())
