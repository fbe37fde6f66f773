# SPDX-License-Identifier: MIT
"""Makes pillow.h: images resized and turned gray by Pillow (8 bit) and by the same filter in f64 (16 bit).

    /usr/bin/python3 make.py > pillow.h        # Pillow 9.4.0, NumPy 1.24.2, Python 3.11

The inputs are not stored: sample i of an image is bits 16-23 (or 16-31) of the i-th number of a linear congruential
generator, which the test has, too.
"""
import numpy as np
import PIL
from PIL import Image


def numbers(n):
    state, out = 12345, []
    for _ in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 16)
    return np.array(out, dtype=np.uint32)


def samples(height, width, channels):
    values = (numbers(height * width * channels) & 255).astype(np.uint8)
    return values.reshape((height, width) if channels == 1 else (height, width, channels))


def weights(inputs, outputs):
    """Rows sum to one: triangle filter as wide as the reduction."""
    scale = inputs / outputs
    support = max(scale, 1.0)
    matrix = np.zeros((outputs, inputs))
    for o in range(outputs):
        centre = (o + 0.5) * scale
        for i in range(max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), inputs)):
            matrix[o, i] = max(0.0, 1 - abs((i - centre + 0.5) / support))
    return matrix / matrix.sum(axis=1, keepdims=True)


def array(name, values):
    values = [str(v) for v in np.asarray(values).reshape(-1)]
    lines = [", ".join(values[i:i + 24]) for i in range(0, len(values), 24)]
    print(f"static const guint8 {name}[] = {{" + ",\n".join(lines) + "};")


CASES = [  # height, width, channels -> height, width
    (53, 37, 1, 16, 16), (53, 37, 1, 53, 16), (53, 37, 1, 20, 37), (9, 7, 1, 23, 31), (1, 1, 1, 5, 3),
    (40, 30, 3, 17, 23), (200, 301, 1, 7, 5), (64, 64, 1, 64, 64), (3, 500, 3, 2, 3),
]

print("/* SPDX-License-Identifier: MIT")
print(f" * Made by make.py with Pillow {PIL.__version__}, NumPy {np.__version__}. Do not edit. */")
print("#include <glib.h>")
for k, (h, w, c, oh, ow) in enumerate(CASES):
    array(f"resized_{k}", np.asarray(Image.fromarray(samples(h, w, c)).resize((ow, oh), Image.Resampling.BILINEAR)))
array("gray", np.asarray(Image.fromarray(samples(24, 24, 3)).convert("L")))
deep = numbers(45 * 61).reshape(45, 61).astype(np.float64)
small = weights(45, 11) @ deep @ weights(61, 13).T
array("resized_16", np.floor(small / 257 + 0.5).astype(np.uint8))
print("static const struct {\n    int height, width, channels, out_height, out_width;\n    const guint8 *expected;\n"
      "} resize_cases[] = {")
for k, case in enumerate(CASES):
    print("    {" + ", ".join(map(str, case)) + f", resized_{k}}},")
print("};")
