#!/usr/bin/env python3
"""Writes core/base/normal_strips.def: the strips that stream_normal.c cuts the normal density into.

Under exp(-x^2/2), x >= 0, lie 128 strips of equal area v: strip i < 127 is the rectangle of width x_(i+1) between
the heights of x_i and x_(i+1); the last is the rectangle of width R = x_127 below f(R) with the tail's envelope
f(R) exp(-R (x - R)) beside it, so v = f(R) (R + 1/R). R is where the strips close at height 1. Method: Marsaglia and
Tsang, J. Stat. Software 5(8), 2000; cut and envelope as J. Voss chose them for GSL, whose draws these tables repeat to
the bit: real numbers rounded to twelve digits, as there.
"""
from decimal import Decimal, getcontext

getcontext().prec = 50
STRIPS = 128


def density(x):
    return (-x * x / 2).exp()


def edges(right):
    area = density(right) * (right + 1 / right)
    x = [Decimal(0)] * STRIPS + [area / density(right)]
    x[STRIPS - 1] = right
    for i in range(STRIPS - 2, 0, -1):
        x[i] = (-2 * (density(x[i + 1]) + area / x[i + 1]).ln()).sqrt()
    return x, density(x[1]) + area / x[1]


low, high = Decimal("3.44"), Decimal("3.45")
while high - low > Decimal("1e-40"):
    middle = (low + high) / 2
    low, high = (middle, high) if edges(middle)[1] > 1 else (low, middle)
x = edges(low)[0]
print("/* FQ_NORMAL_STRIP(certain, width, height) from the top down, by tests/reference/make_normal_strips.py. A point")
print(" * of the strip is j width, j < 2^24; below certain it lies under the curve; height: of the strip's top. */")
for i in range(STRIPS):
    certain = int(x[i] / x[i + 1] * 2**24)
    print(f"FQ_NORMAL_STRIP({certain}, {x[i + 1] / 2**24:.12g}, {density(x[i]):.12g})")
