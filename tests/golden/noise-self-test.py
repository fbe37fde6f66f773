#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The limits of the start-up test (core/privacy/noise-test.c): for each check a proven bound on the probability that a
good generator fails it, and what a standard deviation that is 5 % off does to it. Run with Python 3.11, mpmath 1.3.0."""
from mpmath import mp, mpf, erfc, exp, log, log1p, loggamma, ncdf, nstr, npdf, sqrt

mp.dps = 30
N = 2**20
total = mpf(0)


def q(x):
    return erfc(x / sqrt(mpf(2))) / 2


def row(check, limit, probability, effect):
    global total
    total += probability
    print('%-22s %-20s %-10s %s' % (check, limit, nstr(probability, 3), effect))


print('%-22s %-20s %-10s %s' % ('check', 'limit', 'P(fails)', 'what a standard deviation of 0.95 or 1.05 gives'))

# sum / sqrt(N) is standard normal
row('mean', '0.00665', 2 * q(mpf('0.00665') * sqrt(N)), 'not its business')

# Laurent and Massart 2000: P(X - N >= 2 sqrt(N x) + 2x) <= e^-x, P(N - X >= 2 sqrt(N x)) <= e^-x for chi-square X
x = mpf('25.5')
assert (2 * sqrt(N * x) + 2 * x) / N < 0.01
row('variance', '0.01', 2 * exp(-x), 'off by %.4f and %.4f' % (1 - 0.95**2, 1.05**2 - 1))

# Bernstein for z^4 - 3 of variance 96, where |z| <= 9 for all samples, else counted as a failure
limit, most = mpf('0.15'), mpf(9)**4
bound = 2 * exp(-N * limit**2 / (2 * (96 + most * limit / 3))) + N * 2 * q(9)
row('fourth moment', '0.15', bound, 'off by %.3f and %.3f' % (3 - 3 * 0.95**4, 3 * 1.05**4 - 3))

# sum of m products of independent normals: E exp(t z z') = (1 - t^2)^(-1/2)
limit, m = mpf('0.0105'), N // 2
t = (sqrt(1 + 4 * limit**2) - 1) / (2 * limit)  # the best t: limit = t / (1 - t^2)
row('correlation of halves', '0.0105', 2 * exp(-m * (t * limit + log1p(-t * t) / 2)), 'not its business')

# Dvoretzky, Kiefer, Wolfowitz with Massart's constant: P(D > d) <= 2 exp(-2 N d^2)
d = mpf('0.0036')
row('distance of the CDF', '0.0036', 2 * exp(-2 * N * d * d),
    'at least %.4f and %.4f' % (ncdf(1 / 0.95) - ncdf(1), ncdf(1) - ncdf(1 / 1.05)))


def pmf(j, p):
    return exp(loggamma(N + 1) - loggamma(j + 1) - loggamma(N - j + 1) + j * log(p) + (N - j) * log1p(-p))


for k, least, most in ((3, 2465, 3213), (4, 18, 131), (5, 0, 12), (6, 0, 3)):
    p = 2 * q(k)
    under = sum((pmf(j, p) for j in range(max(0, least - 800), least)), mpf(0))
    over = sum((pmf(j, p) for j in range(most + 1, most + 800)), mpf(0))
    row('beyond %d' % k, '%d to %d' % (least, most), under + over,
        '%s expected, %s and %s' % tuple(nstr(N * 2 * q(k / mpf(s)), 4) for s in (1, '0.95', '1.05')))

print('\na good generator fails with probability below %s' % nstr(total, 3))
assert total < mpf('1e-10')
