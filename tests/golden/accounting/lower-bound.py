# SPDX-License-Identifier: MIT
"""Lower bounds of epsilon that owe nothing to Rényi divergences: writes lower-bound.csv.

The privacy loss of a step (P = (1-q) N(0, s^2) + q N(1, s^2) against Q = N(0, s^2)) is rounded down onto a grid, the
distribution is composed with itself by FFT, and delta(epsilon) = E[(1 - e^(epsilon - loss))+] is read off. Rounding down
can only lower delta; so does mass that wraps around from the upper end. What could raise it (mass that wraps from below,
rounding of the FFT) is bounded and subtracted. Any epsilon at which what is left still exceeds delta is too small.

    python3 lower-bound.py > lower-bound.csv
"""
import math
import sys

import numpy as np
import scipy
from scipy.special import ndtr

POINTS = 1 << 21
CASES = [  # rate, noise multiplier, steps, delta
    (0.04, 1.5, 2250, 1e-5), (0.04, 1.416, 2250, 1e-5), (0.04, 1.3562, 2000, 1e-5), (0.01, 0.7, 120, 1e-5),
    (1, 0.35, 2, 1e-5), (0.01, 0.35, 120, 1e-5), (1, 1.0, 5, 1e-6), (0.0064, 1.0, 782, 1e-6),
    (0.0042666667, 1.1, 14063, 1e-5), (0.004, 1.1, 15000, 1e-5), (0.004, 0.7, 11250, 1e-5),
    (1, 4.530877117, 1, 1e-6), (0.02048, 4.0, 10000, 1e-5), (0.2, 3, 50, 2.0833333333333333e-05),
    (0.0042666667, 1.3, 4688, 1e-5), (0.0042666667, 0.7, 16406, 1e-5),
    (0.5, 0.8, 1, 1e-6), (0.01, 1.0, 1, 1e-8), (0.001, 0.5, 1000, 1e-7), (0.9, 5, 300, 1e-5), (0.1, 20, 10000, 1e-4),
    (1e-4, 0.6, 10000, 1e-7), (0.3, 0.5, 10, 1e-3), (1e-3, 2, 100000, 1e-6),
]


def tails(q, s, loss):
    """P(L < loss) and P(L >= loss) under P, each accurate where it is small."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (np.exp(loss) - (1 - q)) / q
        x = np.where(ratio > 0, s * s * np.log(ratio), -np.inf) + 0.5
    return (1 - q) * ndtr(x / s) + q * ndtr((x - 1) / s), (1 - q) * ndtr(-x / s) + q * ndtr((1 - x) / s)


def lower_bound(q, s, steps, delta):
    # the range of one step's loss, then a grid that holds the sum of all
    x_high = 1 + 12 * s
    low = max(math.log1p(-q) if q < 1 else -math.inf, (2 * (-12 * s) - 1) / (2 * s * s))
    high = np.logaddexp(math.log1p(-q) if q < 1 else -np.inf, math.log(q) + (2 * x_high - 1) / (2 * s * s))
    coarse = np.linspace(low, high, 1 << 16)
    mass = np.diff(tails(q, s, coarse)[0])
    mid = (coarse[1:] + coarse[:-1]) / 2
    mean = float((mass * mid).sum())
    deviation = math.sqrt(max(float((mass * (mid - mean)**2).sum()), 1e-300))
    span = min(steps * (high - low), 60 * deviation * math.sqrt(steps) + 2 * (high - low)) * 1.05
    step = span / POINTS
    first, last = math.floor(low / step), math.floor(high / step)
    edges = np.arange(first, last + 2) * step
    below, above = tails(q, s, edges)
    p = np.where(below[1:] < 0.5, np.diff(below), -np.diff(above)).clip(min=0)
    p[-1] += above[-1]  # everything beyond, rounded down to here

    ring = np.zeros(POINTS)
    np.add.at(ring, np.arange(first, last + 1) % POINTS, p)
    total = np.fft.irfft(np.fft.rfft(ring)**steps, POINTS)
    centre = round(steps * float((p * np.arange(first, last + 1)).sum()))
    window = np.arange(centre - POINTS // 2, centre + POINTS // 2)
    mass, loss = total[window % POINTS].clip(min=0), window * step
    wrapped = 1.0  # Chernoff: the sum lies below the window
    for t in np.geomspace(1e-3, 1e4, 60) / max(deviation * math.sqrt(steps), 1e-3):
        grid = np.arange(first, last + 1) * step
        log_mgf = np.log((p * np.exp(np.minimum(-t * (grid - mean), 700))).sum())
        wrapped = min(wrapped, math.exp(min(0, steps * log_mgf + t * (loss[0] - steps * mean))))
    margin = wrapped + steps * 2e-14 + 1e-12

    def at(epsilon):
        i = np.searchsorted(loss, epsilon, side="right")
        return float((mass[i:] * -np.expm1(epsilon - loss[i:])).sum()) - margin

    if at(0) <= delta:
        return 0.0
    a, b = 0.0, float(loss[-1])
    for _ in range(60):
        c = (a + b) / 2
        a, b = (c, b) if at(c) > delta else (a, c)
    return a


def main():
    print(f"# lower-bound.py, numpy {np.__version__}, scipy {scipy.__version__}, Python {sys.version.split()[0]}")
    print("rate,noise_multiplier,steps,delta,epsilon")
    for q, s, steps, delta in CASES:
        bound = lower_bound(q, s, steps, delta)
        print(f"{q!r},{s!r},{steps},{delta!r},{math.floor(bound * 1e5) / 1e5!r}", flush=True)


if __name__ == "__main__":
    main()
