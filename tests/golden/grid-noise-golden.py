#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes grid-noise-golden.h: exact probabilities of the grid noise (mpmath with 50 digits), and what the sampler of
docs/randomness.md makes of some streams, computed apart from the C code: every deviate is a fraction whose digits come from
a list of words. Of dpcxr only the table core/privacy/grid-strips.h is read, whose law the test compares with the
probabilities. Run with Python 3.11, mpmath 1.3.0:

    tests/golden/grid-noise-golden.py > tests/golden/grid-noise-golden.h
"""
import importlib.util
import os
import re
import sys
from fractions import Fraction
from mpmath import mp, mpf, exp, erfc, sqrt

mp.dps = 50
here = os.path.dirname(os.path.abspath(__file__))
table = open(os.path.join(here, '../../core/privacy/grid-strips.h')).read().split('strip_rests')
heads = [int(x, 16) for x in re.findall(r'0x([0-9a-f]{7}),', table[0])]
rests = [int(x, 16) for x in re.findall(r'0x([0-9a-f]{16})', table[1])]
strips = [(Fraction((heads[j] >> 10 << 192) + (rests[3 * j] << 128) + (rests[3 * j + 1] << 64) + rests[3 * j + 2], 2**207),
           heads[j] & 1023) for j in range(1024)]

sys.stdout, stdout = open(os.devnull, 'w'), sys.stdout    # the other script prints as it is read
spec = importlib.util.spec_from_file_location('noise', os.path.join(here, 'noise-golden.py'))
noise = importlib.util.module_from_spec(spec)
spec.loader.exec_module(noise)
sys.stdout = stdout


class Deviate:
    """A uniform deviate, known to lie in [value, value + 2^-bits)."""

    def __init__(self, words, value=Fraction(0), bits=0):
        self.words, self.value, self.bits = words, value, bits

    def more(self, bits=64, word=None):
        word = self.words.pop(0) if word is None else word
        self.bits += bits
        self.value += Fraction(word, 2**self.bits)

    def below(self, other):
        """Digits are drawn from the left deviate first, as many of both as decide."""
        while True:
            n = max(self.bits, other.bits, 64) if self.bits != other.bits or self.bits == 0 else self.bits
            for x in (self, other):
                while x.bits < n:
                    x.more()
            if self.value != other.value:
                return self.value < other.value
            self.more()


def decide(word, words):
    own = True                                    # the element's own word may decide alone; later ones are never asked
    while True:
        column, place, trial = word & 1023, word >> 10 & 2**25 - 1, word >> 35 & 2**13 - 1
        negative, head = word >> 48 & 1, word >> 49
        threshold, alias = strips[column]
        u = Deviate(words, Fraction(head, 2**15), 15)
        while u.value <= threshold < u.value + Fraction(1, 2**u.bits) and u.bits < 207:
            u.more()
        strip = column if u.value < threshold else alias
        if own and trial > 2 * strip and u.bits == 15:
            return strip, place, negative
        own = False
        x = Deviate(words, Fraction(place, 2**25), 25)
        spare = words.pop(0)
        x.more(39, spare >> 25)
        n, last = 0, x
        while True:
            if trial > 2 * strip or trial == 2 * strip and not Deviate(words).below(x):
                break
            z = Deviate(words)
            if not z.below(last):
                break
            n, last, trial = n + 1, z, words.pop(0) >> 51
        if n % 2 == 0:
            return strip, place, negative
        word = words.pop(0)


def element(word, words):
    strip, place, negative = decide(word, words)
    deviate = Fraction(strip, 64) + Fraction(place, 2**31)
    value = int(deviate * 2**30 + Fraction(1, 2))     # digits beyond the 25th do not round otherwise
    return -value if negative else value


def sample(first, spare):
    words = list(spare)
    values = [element(w, words) for w in first]
    return values, len(spare) - len(words)


def numbers(name, kind, values, per_line):
    print('static const %s %s[%d] = {' % (kind, name, len(values)))
    for i in range(0, len(values), per_line):
        print('    ' + ' '.join(v + ',' for v in values[i:i + per_line]))
    print('};')


print('/* SPDX-License-Identifier: MIT\n * Written by grid-noise-golden.py; do not edit. */\n#pragma once\n#include <glib.h>\n')

total = sum(exp(-mpf(j)**2 / 8192) for j in range(4096))
print('/* strip j / 64 .. (j + 1) / 64 as it is proposed */')
numbers('golden_strips', 'double', [float(exp(-mpf(j)**2 / 8192) / total).hex() for j in range(1024)], 4)

print('\n/* |value| in half-strips of 2^23 grid points, from 0; the last number is for all that is beyond 4 deviations. Edges lie\n'
      ' * between grid points. */')
edges = [mpf(0)] + [(mpf(k) * 2**23 - mpf(1) / 2) / 2**30 for k in range(1, 513)]
upper = [erfc(e / sqrt(2)) for e in edges]
numbers('golden_halves', 'double', [float(a - b).hex() for a, b in zip(upper, upper[1:])] + [float(upper[-1]).hex()], 4)

seed, rank, tensor, sequence, block, hard = 7, 1, 12, 345, 3, 200
stream = (seed, noise.NOISE, rank, tensor, sequence)
first = noise.words(*stream, block * 1024, 1024)
spare = noise.words(*stream, 2**34 + block * 1024, 1024)
values, used = sample(first, spare)
print('\n/* block %d of seed %d, NOISE, rank %d, tensor %d, sequence %d */' % (block, seed, rank, tensor, sequence))
numbers('golden_block', 'gint64', ['%d' % v for v in values], 8)
print('#define GOLDEN_BLOCK_USED %d' % used)
words = [w & ~(2**13 - 1 << 35) for w in first[:hard]]
values, used = sample(words, spare)
print('\n/* the same with trials of 0, so that no word decides */')
numbers('golden_hard', 'gint64', ['%d' % v for v in values], 8)
print('#define GOLDEN_HARD_USED %d' % used)
words = [w & ~(2**13 - 1 << 35) & ~(2**15 - 1 << 49) | heads[w & 1023] >> 10 << 49 if heads[w & 1023] >> 10 < 2**15
         else w for w in first[hard:hard + hard]]
values, used = sample(words, spare)
print('\n/* other words, whose heads are those of their thresholds, too */')
numbers('golden_ties', 'gint64', ['%d' % v for v in values], 8)
print('#define GOLDEN_TIES_USED %d' % used)
