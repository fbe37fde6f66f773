#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes grid-strips.h, the table from which grid-noise.c draws the strip of a normal deviate: strip j = 0 .. 1023 begins
at j / 64 standard deviations and has the probability exp(-(j / 64)^2 / 2) / sum of these. Walker's alias method, in
Vose's form, on integers: probabilities are multiples of 2^-217 that add up to 1, so the table itself is exact, and its law
is within 2^-185 of the one meant, in total variation, the strips beyond 16 standard deviations included (the script
proves it before it writes). Python 3.11, mpmath 1.3.0:

    core/privacy/grid-strips.py > core/privacy/grid-strips.h
"""
import sys
from mpmath import mp, mpf, exp, floor, ldexp

mp.dps = 120
STRIPS, WIDTH = 1024, mpf(1) / 64
HEAD, REST = 15, 192                      # bits of a threshold that come with the element, and more
COLUMN = 1 << (HEAD + REST)               # what a column holds
TOTAL = STRIPS * COLUMN

density = [exp(-(j * WIDTH) ** 2 / 2) for j in range(2 * STRIPS)]    # what is beyond 32 is below 2^-730
total = sum(density)
weights = [int(floor(TOTAL * d / total + mpf(1) / 2)) for d in density[:STRIPS]]
weights[0] += TOTAL - sum(weights)
distance = sum(abs(mpf(w) / TOTAL - d / total) for w, d in zip(weights, density)) + sum(density[STRIPS:]) / total
assert distance / 2 < ldexp(1, -185), distance

threshold, alias, left = [COLUMN] * STRIPS, list(range(STRIPS)), list(weights)
small = [j for j in range(STRIPS) if left[j] < COLUMN]
large = [j for j in range(STRIPS) if left[j] >= COLUMN]
while small:
    s, l = small.pop(), large[-1]
    threshold[s], alias[s] = left[s], l
    left[l] -= COLUMN - left[s]
    if left[l] < COLUMN:
        small.append(large.pop())
assert all(left[j] == COLUMN for j in large)

got = [0] * STRIPS
for j in range(STRIPS):
    got[j] += threshold[j]
    got[alias[j]] += COLUMN - threshold[j]
assert got == weights

out = sys.stdout.write
out("""/* SPDX-License-Identifier: MIT
 * Made by grid-strips.py, which says what it is; only grid-noise-run.c and grid-noise.c include it. A column's threshold
 * is head / 2^15 and its rest, 192 bits, the highest word first. head << 10 | alias: */
static const guint32 strip_heads[1024] = {
""")
for j in range(0, STRIPS, 8):
    out("    " + " ".join("0x%07x," % (threshold[k] >> REST << 10 | alias[k]) for k in range(j, j + 8)) + "\n")
out("};\n#ifdef DPCXR_GRID_STRIP_RESTS\nstatic const guint64 strip_rests[1024][3] = {\n")
for t in threshold:
    words = [t >> shift & (1 << 64) - 1 for shift in (128, 64, 0)]
    out("    {" + ", ".join("0x%016x" % w for w in words) + "},\n")
out("};\n#endif\n")
