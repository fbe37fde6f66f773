#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes rotate.inc: small images turned by scipy.ndimage.rotate, for tests/unit/test-augmentations.c.
Made with Python 3.11, NumPy 1.24.2 and SciPy 1.10.1."""
import pathlib

import numpy as np
from scipy import ndimage

BACKGROUND = -0.25
lines = ["/* SPDX-License-Identifier: MIT", " * Written by rotate.py; do not edit. */"]
for name, height, width, channels, angle in (("ODD", 7, 9, 1, 30), ("EVEN", 6, 4, 3, -75)):
    y, x, c = np.mgrid[:height, :width, :channels]
    image = (3 * x + 5 * y * y + x * y + 7 * c) % 17 / 16
    turned = ndimage.rotate(image, angle, axes=(1, 0), reshape=False, order=1, mode="grid-constant", cval=BACKGROUND)
    values = [f"{v:.7f}f" for v in turned.ravel()]
    lines.append(f"static const float ROTATED_{name}[] = {{")
    lines += ["    " + ", ".join(values[i : i + 8]) + "," for i in range(0, len(values), 8)]
    lines.append("};")
pathlib.Path(__file__).with_suffix(".inc").write_text("\n".join(lines) + "\n")
