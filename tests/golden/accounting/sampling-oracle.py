# SPDX-License-Identifier: MIT
"""Truncated Poisson samples, exactly: writes sampling-oracle.csv.

Small N: the law of the sample by adding up every outcome (who comes in, and which `cap` of them are kept) in rational
arithmetic, without any formula; from it, given the sampled others, the probability of one unit. The formulas of
docs/accounting.md must give the same fractions. Larger N: those formulas in rational arithmetic (mpmath with 60 digits where
N is above 2000).

Also checks in 30 digits, where it prints rdp: that given the others no more is lost than the mixture says, in both
directions, by brute force over all outcomes for small N.

    python3 sampling-oracle.py > sampling-oracle.csv
    python3 sampling-oracle.py --caps    the caps that tests/unit/test-sampler.c expects
"""
import functools
import itertools
import sys
from fractions import Fraction
from math import comb

import mpmath as mp

mp.mp.dps = 60
BRUTE = [(5, "0.3", 2), (6, "0.5", 3), (6, "0.9", 2), (7, "0.125", 1), (7, "0.4", 6), (6, "0.25", 6)]
LARGER = [(50, "0.1", 5), (50, "0.1", 12), (200, "0.5", 90), (200, "0.5", 130), (1000, "0.01", 30), (1000, "1", 100),
          (2000, "0.25", 560), (60000, "0.004", 300), (60000, "0.004", 200), (1715, "0.0746", 190),
          (1000000, "0.001", 1200), (1000000, "0.3", 300100), (34359738368, "1e-7", 3900)]


def outcomes(n, q, cap):
    """Probability of every final sample, as {frozenset: Fraction}."""
    law = {}
    for size in range(n + 1):
        for drawn in itertools.combinations(range(n), size):
            p = q**size * (1 - q)**(n - size)
            kept = list(itertools.combinations(drawn, min(size, cap)))
            for sample in kept:
                key = frozenset(sample)
                law[key] = law.get(key, 0) + p / len(kept)
    assert sum(law.values()) == 1
    return law


def brute_zero_out(n, q, cap):
    """(w1, w2, q*) of unit 0, from the law of the whole sample."""
    law = outcomes(n, q, cap)
    given = {}
    for sample, p in law.items():
        total, inside = given.get(sample - {0}, (0, 0))
        given[sample - {0}] = (total + p, inside + (p if 0 in sample else 0))
    weights, rates = {}, {}
    for others, (total, inside) in given.items():
        weights[len(others)] = weights.get(len(others), 0) + total
        assert total == 0 or rates.setdefault(len(others), inside / total) == inside / total
    for size, rate in rates.items():
        assert size >= cap - 1 or rate == q
    assert rates.get(cap, 0) == 0
    return weights.get(cap - 1, 0), weights.get(cap, 0), rates[cap - 1]


def brute_add_remove(n, q, cap):
    """Probability that cap of the n others are in, and the largest probability of unit 0 then to come in."""
    full, largest = 0, 0
    for size in range(n + 1):
        p = comb(n, size) * q**size * (1 - q)**(n - size)
        if size >= cap:
            full += p
            largest = max(largest, q * Fraction(cap, size + 1))
    assert largest <= q
    return full


@functools.lru_cache(None)
def formulas(n, q, cap):
    """The same by docs/accounting.md: (w1, w2, q*, P(Bin(n, q) >= cap))."""
    if n <= 2000:
        mass = [comb(n, k) * q**k * (1 - q)**(n - k) for k in range(n + 1)]
        tail = sum(mass[cap:])
        before = mass[cap - 1] * (n - cap + 1)
        return ((tail * cap + before) / n, tail * (n - cap) / n, tail * cap / (tail * cap + before), tail)
    q = mp.mpf(q.numerator) / q.denominator
    tail = mp.betainc(cap, n - cap + 1, 0, q, regularized=True) if n < 10**5 else None
    mass = mp.binomial(n, cap) * q**cap * (1 - q)**(n - cap)
    term, total, k = mass, mp.mpf(0), cap
    while term > mp.mpf(10)**-45 * (total + mp.mpf(10)**-400) or k < n * q:
        total += term
        term *= (n - k) * q / ((k + 1) * (1 - q))
        k += 1
    assert tail is None or abs(tail - total) < mp.mpf(10)**-25 * total, (n, q, cap, tail, total)
    before = mass * cap * (1 - q) / q
    return ((total * cap + before) / n, total * (n - cap) / n, total * cap / (total * cap + before), total)


def decimal(value):
    return mp.nstr(mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value, 25)


def rare_cap(n, q):
    """The smallest cap that Bin(n, q) exceeds with a probability of at most 1e-10."""
    tail, k = Fraction(0), n
    while True:
        tail += comb(n, k) * q**k * (1 - q)**(n - k)
        if tail > Fraction(1, 10**10):
            return k
        k -= 1


def main():
    if "--caps" in sys.argv:
        for n, q in [(76, 12 / 76), (1715, 0.0746), (120, 0.5), (10, 0.9), (5, 1.0), (300, 0.001)]:
            print(n, q, rare_cap(n, Fraction(q)))
        return
    print(f"# sampling-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("population,rate,cap,w_cap_minus_1,w_cap,rate_at_cap_minus_1,tail")
    for n, text, cap in BRUTE + LARGER:
        q = Fraction(float(text))  # the double that the program sees
        values = formulas(n, q, cap)
        if (n, text, cap) in BRUTE:
            assert brute_zero_out(n, q, cap) == values[:3], (n, text, cap)
            assert brute_add_remove(n, q, cap) == values[3], (n, text, cap)
        print(f"{n},{text},{cap}," + ",".join(decimal(v) for v in values), flush=True)


if __name__ == "__main__":
    main()
