#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the values that tests/unit/test-random.c holds: ChaCha20 from RFC 8439, section 2.3, written out here, and
SHA-256 from hashlib. Run with Python 3.11; any Python 3 gives the same."""
import hashlib
import struct


def quarter(s, a, b, c, d):
    for x, y, z, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] ^= s[x]
        s[z] = (s[z] << shift | s[z] >> (32 - shift)) & 0xFFFFFFFF


def block(key, nonce, counter):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key, counter, *nonce]
    s = list(start)
    for _ in range(10):
        for i in range(4):
            quarter(s, i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(s, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return [(x + y) & 0xFFFFFFFF for x, y in zip(s, start)]


def stream(seed, purpose, a, b, n):
    key = struct.unpack("<8I", hashlib.sha256(struct.pack("<Q", seed) + purpose.encode()).digest())
    words = []
    for counter in range((2 * n + 15) // 16):
        words += block(key, (a & 0xFFFFFFFF, a >> 32, b), counter)
    return [words[2 * i] | words[2 * i + 1] << 32 for i in range(n)]


for address in ((0, "", 0, 0), (1, "hflip", 7, 3), (2**64 - 1, "rotate", 2**40 + 5, 2**32 - 1)):
    values = stream(*address, 20)
    print(address, ", ".join(f"0x{values[i]:016x}" for i in (0, 1, 7, 8, 19)))
