#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the polynomial coefficients of gaussian.h and how good they are (written with mpmath 1.3).

Each function is interpolated at Chebyshev nodes in 60 digits, which is within a small factor of the best polynomial;
the errors printed include the rounding of the coefficients to f64."""
from mpmath import mp, mpf, cos, sin, pi, sqrt, atanh, matrix, lu_solve

mp.dps = 60


def fit(function, top, n):
    """n coefficients c with function(z) ~ sum c[i] z^i on [0, top], rounded to f64."""
    nodes = [top * (1 + cos(pi * (2 * i + 1) / (2 * n))) / 2 for i in range(n)]
    a = matrix(n, n)
    for i in range(n):
        for j in range(n):
            a[i, j] = nodes[i]**j
    return [mpf(float(c)) for c in lu_solve(a, matrix([function(z) for z in nodes]))]


def report(name, coefficients, truth, approximation, low, high):
    """Largest relative error over [low, high], as a power of two."""
    worst = mpf(0)
    for i in range(1, 4001):
        x = low + (high - low) * i / 4000
        if truth(x) != 0:
            worst = max(worst, abs(approximation(x) / truth(x) - 1))
    print('/* %s: relative error below 2^%.1f */' % (name, mp.log(worst, 2)))
    print('    ' + ', '.join(float(c).hex() for c in coefficients) + '\n')


def poly(c, z):
    return sum(x * z**i for i, x in enumerate(c))


# log m = 2s + s^3 P(s^2), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)]
top = ((sqrt(2) - 1) / (sqrt(2) + 1))**2
p = fit(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, top, 7)
report('log', p, lambda s: 2 * atanh(s), lambda s: 2 * s + s**3 * poly(p, s * s), mpf(0), sqrt(top))

# in turns: sin(2 pi y) = y S(y^2), cos(2 pi y) = 1 + y^2 C(y^2), |y| <= 1/8
top = mpf(1) / 64
p = fit(lambda z: sin(2 * pi * sqrt(z)) / sqrt(z), top, 7)
report('sin', p, lambda y: sin(2 * pi * y), lambda y: y * poly(p, y * y), mpf(0), mpf(1) / 8)
p = fit(lambda z: (cos(2 * pi * sqrt(z)) - 1) / z, top, 7)
report('cos', p, lambda y: cos(2 * pi * y), lambda y: 1 + y * y * poly(p, y * y), mpf(0), mpf(1) / 8)

high = mpf(float(mp.log(2)) // 2.0**-32 * 2.0**-32)  # 32 bits: times an exponent below 2^21 it is exact
print('/* ln 2 = high + low */\n    %s, %s' % (float(high).hex(), float(mp.log(2) - high).hex()))
