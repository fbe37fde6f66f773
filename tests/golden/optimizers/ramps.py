#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ramps.csv: factors of ramps (core/optim/ramp.h) in 30 digits, by mpmath, stairs counted out step by step in fractions.
A row: type, initial, final, at, steps, levels, step, factor, stair factor, end of the stair."""
import os
from fractions import Fraction

import mpmath

mpmath.mp.dps = 30
HERE = os.path.dirname(os.path.abspath(__file__))
F = Fraction


def real(x):
    return mpmath.mpf(x.numerator) / x.denominator


def way(kind, a, b, done):
    """The factor after the share `done` (a fraction) of the way from a to b."""
    done, a, b = real(done), real(a), real(b)
    if kind == "linear":
        return (1 - done) * a + done * b
    if kind == "cosine":
        return b + (a - b) * mpmath.cos(mpmath.pi * done / 2) ** 2
    return a ** (1 - done) * b ** done


def stair_of(step, steps, n):
    """Stairs as equal parts of the training: stair s holds the steps with s/n <= step/steps < (s+1)/n."""
    return next(s for s in range(n) if F(s, n) <= F(step, steps) < F(s + 1, n))


def rows(kind, a, b, at, steps, levels):
    if kind == "step":
        first = int(F(at) * steps + F(1, 2))
        for step in range(steps):
            yield step, real(a if step < first else b), real(a if step < first else b), first if step < first else steps
        return
    n = min(levels, steps)
    stairs = [stair_of(step, steps, n) for step in range(steps)]
    for step in range(steps):
        done = F(step, steps - 1) if steps > 1 else F(0)
        stair = F(stairs[step], n - 1) if n > 1 else F(0)
        end = step
        while end < steps and stairs[end] == stairs[step]:
            end += 1
        yield step, way(kind, a, b, done), way(kind, a, b, stair), end


CASES = [(F(1), F(1, 2)), (F(3, 2), F(7, 10)), (F(1, 4), F(4)), (F(100), F(1, 100))]
SIZES = [(1, 16), (2, 16), (7, 2), (40, 6), (17, 16), (64, 64), (85, 16)]

with open(os.path.join(HERE, "ramps.csv"), "w") as out:
    for kind in ("linear", "cosine", "exponential", "step"):
        for a, b in CASES:
            for steps, levels in SIZES:
                for at in ("0", "0.5", "0.9", "1") if kind == "step" else ("0.5",):
                    for step, factor, stair, end in rows(kind, a, b, at, steps, levels):
                        if steps > 10 and step % 5 and steps - step > 2:
                            continue
                        print(kind, float(a), float(b), at, steps, levels, step, mpmath.nstr(factor, 20),
                              mpmath.nstr(stair, 20), end, sep=",", file=out)
