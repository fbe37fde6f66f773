#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes mixed.safetensors: every dtype that dpcxr reads, odd shapes and names, and what each float tensor is as
float32 ("NAME as f32"). Made with Python 3.11, numpy 1.24.2.   usage: make.py; with a file: prints what Python reads"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_io  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def make():
    half_bits = np.array([0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0x7C00, 0xFC00, 0x3555, 0x8001],
                         np.uint16)
    bf16_bits = np.array([0x0000, 0x8000, 0x3F80, 0xBF80, 0x7F7F, 0x7F80, 0xFF80, 0x0001, 0x3EAB], np.uint16)
    wide = np.array([0.1, -1 / 3, 1e-300, 1e300, np.pi, 16777217.0])
    tensors = {
        "odd": np.array([1, 2, 3], np.uint8),  # so that what follows is not aligned
        "half": half_bits.view(np.float16).reshape(3, 4),
        "brain": bf16_bits,
        "wide": wide.reshape(1, 2, 1, 3),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 7), np.float32),
        "steps": np.array([-1, 2**62], np.int64),
        "Größe \"q\"\\n": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
    }
    with np.errstate(over="ignore"):
        tensors["half as f32"] = tensors["half"].astype(np.float32)
        tensors["brain as f32"] = (bf16_bits.astype(np.uint32) << 16).view(np.float32)
        tensors["wide as f32"] = tensors["wide"].astype(np.float32)
    safetensors_io.write(os.path.join(HERE, "mixed.safetensors"), tensors,
                         {"format": "pt", "note": "line\nbreak, \"quotes\", ünïcode"}, bf16={"brain"})


if len(sys.argv) == 1:
    make()
else:
    found, meta = safetensors_io.read(sys.argv[1])
    print(meta)
    for key, value in found.items():
        print(key, value.dtype, value.shape, value.ravel()[:6])
