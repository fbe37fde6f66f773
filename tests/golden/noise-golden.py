#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes noise-golden.h: what the secret streams and the Gaussian transform must give, computed apart from the C code
(hashlib's BLAKE2b, ChaCha20 in plain Python, mpmath with 50 digits). Run with Python 3.11, mpmath 1.3.0:

    tests/golden/noise-golden.py > tests/golden/noise-golden.h
"""
import hashlib
import random
import struct
from mpmath import mp, mpf, cos, sin, pi, log, sqrt

mp.dps = 50
NOISE = 4       # DPCXR_PURPOSE_NOISE
PAIRS = 64      # DPCXR_NOISE_PAIRS


def rotl(x, n):
    return (x << n | x >> (32 - n)) & 0xffffffff


def quarter(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xffffffff
        s[z] = rotl(s[z] ^ s[x], n)


def block(key, nonce, counter):
    start = list(struct.unpack('<16I', b'expand 32-byte k' + key + struct.pack('<I', counter) + nonce))
    s = list(start)
    for _ in range(10):
        for i in range(4):
            quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack('<16I', *((x + y) & 0xffffffff for x, y in zip(s, start)))


def words(seed, purpose, rank, tensor, sequence, offset, n):
    key = hashlib.blake2b(b'dpcxr seeded key 1\0' + struct.pack('<Q', seed), digest_size=32).digest()
    nonce = struct.pack('<BH', purpose, rank) + struct.pack('<I', tensor)[:3] + struct.pack('<Q', sequence)[:6]
    first, last = offset // 8, (offset + n - 1) // 8
    data = b''.join(block(key, nonce, i) for i in range(first, last + 1))
    return list(struct.unpack('<%dQ' % (len(data) // 8), data))[offset % 8:offset % 8 + n]


def angle(word):
    return 2 * pi * (mpf(word >> 10) + 0.5) / mpf(2)**54


def normals(radius, tail, word):
    if radius >> 32:
        u = (mpf(radius) + 0.5) / mpf(2)**64
    else:
        u = (mpf(radius) * 2**64 + tail + 0.5) / mpf(2)**128
    r = sqrt(-2 * log(u))
    return r * cos(angle(word)), r * sin(angle(word))


def number(x):
    return float(x).hex()


def table(name, kind, rows):
    print('static const struct {\n    %s;\n} %s[] = {' % (kind, name))
    for row in rows:
        print('    {%s},' % ', '.join(row))
    print('};\n')


rng = random.Random(2026)
print('/* SPDX-License-Identifier: MIT\n * Written by noise-golden.py; do not edit. */\n#pragma once\n#include <glib.h>\n')

print('/* words 7 .. 9 of seed 0x1122334455667788, NOISE, rank 3, tensor 0xfedcba, sequence 0x0123456789ab */')
print('static const guint64 golden_words[] = {%s};\n' % ', '.join(
    '0x%016x' % w for w in words(0x1122334455667788, NOISE, 3, 0xfedcba, 0x0123456789ab, 7, 3)))

xs = [(2.0**64, 64), (0.5, 64), (0.5, 128), (1.0, 64), (2.0**63, 64), (2.0**64 - 2048, 64), (2.0**64 * 0.5**0.5, 64),
      (2.0**64 * 0.75, 64), (2.0**32, 64), (2.0**96, 128)]
xs += [(2.0**64 - 2048 * 2.0**i, 64) for i in range(1, 50)]
xs += [(2.0**64 * rng.random(), 64) for _ in range(200)] + [(2.0**rng.uniform(32, 64), 64) for _ in range(100)]
xs += [(2.0**rng.uniform(-1, 96), 128) for _ in range(100)]
table('golden_log', 'double x;\n    int scale;\n    double ln',
      [(x.hex(), str(scale), number(log(mpf(x) / mpf(2)**scale))) for x, scale in xs])

ws = [0, 1, 1023, 1024, 2**64 - 1, 2**63, 2**63 - 1, 2**62, 2**61, 2**61 - 1, 2**62 + 2**61, 2**62 + 2**61 - 1]
ws += [(k * 2**61 + d) % 2**64 for k in range(8) for d in (-2048, -1024, 1024, 2048)]
ws += [rng.getrandbits(64) for _ in range(300)]
table('golden_angle', 'guint64 word;\n    double cosine, sine',
      [('0x%016x' % w, number(cos(angle(w))), number(sin(angle(w)))) for w in ws])

rows = [(0, 0, 2**61 * k) for k in range(3)] + [(0, 2**64 - 1, 5), (1, 0, 2**60), (2**32 - 1, 2**64 - 1, 3 << 60)]
rows += [(rng.getrandbits(rng.randint(1, 32)), rng.getrandbits(64), rng.getrandbits(64)) for _ in range(60)]
table('golden_tail', 'guint64 radius, tail, angle;\n    double z0, z1',
      [('0x%08x' % r, '0x%016x' % t, '0x%016x' % a) + tuple(number(z) for z in normals(r, t, a)) for r, t, a in rows])

seed, rank, tensor, sequence, group = 7, 1, 12, 345, 2
w = words(seed, NOISE, rank, tensor, sequence, group * 2 * PAIRS, 2 * PAIRS)
z = [normals(w[i], 0, w[PAIRS + i]) for i in range(PAIRS)]
assert all(r >> 32 for r in w[:PAIRS])
print('/* standard normals of seed %d, NOISE, rank %d, tensor %d, sequence %d, elements %d .. %d */'
      % (seed, rank, tensor, sequence, group * 2 * PAIRS, (group + 1) * 2 * PAIRS - 1))
print('static const double golden_normals[] = {')
for value in [a for a, _ in z] + [b for _, b in z]:
    print('    %s,' % number(value))
print('};')
