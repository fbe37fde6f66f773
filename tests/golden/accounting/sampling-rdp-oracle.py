# SPDX-License-Identifier: MIT
"""Rényi divergences of one step of the samplers truncated_poisson and fixed, in 30 digits: writes sampling-rdp-oracle.csv.

truncated: the mixture of docs/accounting.md with exact weights (sampling-oracle.py), each component by the binomial sum at
whole orders and by quadrature at others. fixed: the right side of (1) there, by quadrature; it is checked that Wang, Balle &
Kasiviswanathan 2019, Theorem 9, is never below it at whole orders.

Before that, the real thing: for few units with contributions -1, 0 and 1 the output's density is written down from the law
of the sample, and its Rényi divergence, in both directions, must not exceed the bound.

    python3 sampling-rdp-oracle.py > sampling-rdp-oracle.csv
"""
import importlib
import itertools
import sys
from fractions import Fraction

import mpmath as mp

law = importlib.import_module("sampling-oracle")
rdp = importlib.import_module("rdp-oracle")
mp.mp.dps = 30
RULE = None
NOISES = ["0.6", "2.5", "20"]
ORDERS = ["1.1", "2", "4.5", "40"]
TRUNCATED = [(6, "0.5", 3), (50, "0.1", 12), (200, "0.5", 130), (1000, "0.01", 30), (1715, "0.0746", 190)]
FIXED = [(10, 1), (100, 1), (1000, 100), (100, 50), (10, 9), (100000, 64)]


def number(value):
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else mp.mpf(value)


def poisson_excess(q, sigma, a):
    if a == int(a):
        return rdp.binomial(q, sigma, a) if q < 1 else mp.expm1(a * (a - 1) / (2 * sigma**2))
    return rdp.excess(q, sigma, a, 1, mp.mpf("0.5"), RULE)


def mixture_excess(n, q, cap, sigma, a, adjacency):
    last, none, rate, tail = (number(v) for v in law.formulas(n, q, cap))
    q = number(q)
    if adjacency == "add_remove":
        return (1 - tail) * poisson_excess(q, sigma, a) + tail * poisson_excess(q, sigma / 2, a)
    return (1 - last - none) * poisson_excess(q, sigma, a) + last * poisson_excess(rate, sigma, a)


def fixed_excess(q, sigma, a):
    """(1): sigma over the distance 2C."""
    def f(z):
        x = 1 + q * mp.expm1((2 * z - 1) / (2 * sigma**2))
        return mp.exp(-z * z / (2 * sigma**2)) * (x**a - 1) * (1 - x**(1 - a))

    return rdp.integrate(f, mp.mpf("0.5"), a + 16 * sigma, sigma * min(mp.mpf("0.25"), sigma / 2), RULE) / (
        sigma * mp.sqrt(2 * mp.pi))


def wang_excess(q, sigma, a):
    e = lambda j: j / (2 * sigma**2)
    total = q**2 * mp.binomial(a, 2) * min(4 * mp.expm1(e(2)), 2 * mp.exp(e(2)))
    return total + sum(2 * q**j * mp.binomial(a, j) * mp.exp((j - 1) * e(j)) for j in range(3, int(a) + 1))


def real_excess(weights, others, sigma, a):
    """E_B[(A/B)^a] - 1 of two laws of sums, {sum: probability}."""
    def density(w, z):
        return sum(p * mp.exp(-(z - s)**2 / (2 * sigma**2)) for s, p in w.items())

    reach = max(abs(s) for s in [*weights, *others]) * (2 * a + 1) + 12 * sigma
    return rdp.integrate(lambda z: density(weights, z)**a * density(others, z)**(1 - a), -reach, reach,
                         sigma / 2, RULE) / (sigma * mp.sqrt(2 * mp.pi)) - 1


def sums(samples, values):
    out = {}
    for sample, p in samples.items():
        s = sum(values[i] for i in sample)
        out[s] = out.get(s, 0) + number(p)
    return out


def check_truncated():
    for n, text, cap in [(5, "0.3", 2), (4, "0.5", 1), (5, "0.75", 3)]:
        q = Fraction(float(text))
        whole, less = law.outcomes(n, q, cap), law.outcomes(n - 1, q, cap)
        for signs in itertools.product([-1, 0, 1], repeat=2):
            rest = [signs[0]] * (n // 2) + [signs[1]] * (n - 1 - n // 2)
            with_unit = sums(whole, [1] + rest)
            for sigma, a in itertools.product([mp.mpf("0.8"), mp.mpf(3)], [mp.mpf(2), mp.mpf("5.5")]):
                for adjacency, without in [("zero_out", sums(whole, [0] + rest)), ("add_remove", sums(less, rest))]:
                    # the larger data set has n = N + 1 units where units come and go
                    size = n if adjacency == "zero_out" else n - 1
                    bound = mixture_excess(size, q, cap, sigma, a, adjacency)
                    for pair in [(with_unit, without), (without, with_unit)]:
                        real = real_excess(*pair, sigma, a)
                        assert real <= bound * (1 + mp.mpf(10)**-8), (n, text, cap, rest, sigma, a, adjacency, real, bound)


def check_fixed():
    for n, cap in [(5, 2), (4, 1), (5, 4)]:
        samples = {frozenset(s): Fraction(1) for s in itertools.combinations(range(n), cap)}
        samples = {s: p / len(samples) for s, p in samples.items()}
        for signs in itertools.product([-1, 0, 1], repeat=2):
            rest = [signs[0]] * (n // 2) + [signs[1]] * (n - 1 - n // 2)
            for sigma, a in itertools.product([mp.mpf("0.8"), mp.mpf(3)], [mp.mpf(2), mp.mpf("5.5")]):
                bound = fixed_excess(mp.mpf(cap) / n, sigma / 2, a)
                for other in [0, -1]:
                    pair = sums(samples, [1] + rest), sums(samples, [other] + rest)
                    for x, y in [pair, pair[::-1]]:
                        real = real_excess(x, y, sigma, a)
                        assert real <= bound * (1 + mp.mpf(10)**-8), (n, cap, rest, other, sigma, a, real, bound)


def main():
    global RULE
    RULE = rdp.legendre(20)
    check_truncated()
    check_fixed()
    print(f"# sampling-rdp-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("sampler,adjacency,population,rate,cap,noise_multiplier,order,rdp")
    show = lambda row, excess, a: print(f"{row},{mp.nstr(mp.log1p(excess) / (a - 1), 20)}", flush=True)
    for (n, text, cap), noise, order in itertools.product(TRUNCATED, NOISES, ORDERS):
        sigma, a = mp.mpf(float(noise)), mp.mpf(float(order))
        for adjacency in ["zero_out", "add_remove"]:
            excess = mixture_excess(n, Fraction(float(text)), cap, sigma, a, adjacency)
            show(f"truncated_poisson,{adjacency},{n},{text},{cap},{noise},{order}", excess, a)
    for (n, cap), noise, order in itertools.product(FIXED, NOISES, ORDERS):
        sigma, a, q = mp.mpf(float(noise)) / 2, mp.mpf(float(order)), mp.mpf(cap) / n
        excess = fixed_excess(q, sigma, a)
        assert a != int(a) or wang_excess(q, sigma, a) >= excess, (n, cap, noise, order)
        poisson, rounding = poisson_excess(q, sigma, a), mp.mpf(10)**-12
        assert poisson * (1 - rounding) <= excess <= 2 * poisson * (1 + rounding), (n, cap, noise, order)
        show(f"fixed,replace_one,{n},{cap / n!r},{cap},{noise},{order}", excess, a)


if __name__ == "__main__":
    main()
