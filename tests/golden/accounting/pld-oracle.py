# SPDX-License-Identifier: MIT
"""delta(epsilon) of composed steps without any discretisation of losses: writes pld-oracle.csv.

delta is a contour integral of the moment generating function of the privacy loss (P against Q, the larger direction). For any t > 0, with K(z) = sum of count * log E[e^(z loss)],

    delta(epsilon) = 1/(2 pi) * integral over real y of e^(K(z) - z epsilon) / (z (1 + z)),   z = t + i y,

and the trapezoidal rule converges quickly. Gaussian rows are in closed form. All in 30 digits. Each row is computed with
two lengths and densities of nodes, and dropped (with an error) where they differ by more than 1e-8.

    python3 pld-oracle.py > pld-oracle.csv
"""
import sys

import mpmath as mp

mp.mp.dps = 30
CASES = [  # epsilon, then events: rate, noise multiplier, count
    (1.0, [(0.01, 2.0, 10000)]),
    (0.2, [(0.001, 3.0, 20000)]),
    (4.0, [(0.02, 1.0, 3000)]),
    (0.01, [(0.001, 10.0, 1000)]),
    (0.01, [(0.5, 200.0, 100)]),
    (20.0, [(0.5, 3.0, 1000)]),
    (60.0, [(0.5, 3.0, 1000)]),
    (300.0, [(0.01, 0.8, 1000000)]),
    (2.0, [(0.01, 1.0, 1000), (0.02, 2.0, 3000), (1.0, 7.0, 50)]),
    (2.0, [(0.3, 5.0, 20), (0.1, 3.0, 50), (0.01, 2.0, 700)]),
    (0.5, [(0.0001, 1.0, 10000000)]),
]


def gaussian_delta(mu, epsilon):
    a = mu / 2 - epsilon / mu
    return mp.ncdf(a) - mp.e**epsilon * mp.ncdf(a - mu)


class Moments:
    """log E[e^(z loss)] of a step, by the trapezoidal rule over outcomes."""

    def __init__(self, rate, noise, t):
        self.q, self.s = mp.mpf(rate), mp.mpf(noise)
        if self.q == 1:
            return
        step, top = min(mp.mpf(1) / 6, self.s / 6), (1 + t) / self.s + 13
        n0, n1 = int(mp.floor(-13 / step)), int(mp.ceil(top / step))
        self.nodes = []
        for i in range(n0, n1 + 1):
            x = i * step * self.s
            loss = mp.log1p(self.q * mp.expm1((x - mp.mpf(1) / 2) / self.s**2))
            weight = mp.e**(-(i * step)**2 / 2 + (1 + t) * loss) * step / mp.sqrt(2 * mp.pi)
            self.nodes.append((loss, weight))
        largest = max(w for _, w in self.nodes)
        self.nodes = [(l, w) for l, w in self.nodes if w > largest * mp.mpf(10)**-24]

    def at(self, t, y):
        if self.q == 1:
            z = mp.mpc(t, y)
            return z * (z + 1) / (2 * self.s**2)
        return mp.log(mp.fsum(w * mp.expj(y * l) for l, w in self.nodes))


def saddle(events, epsilon):
    """Where e^(K(t) - t epsilon) / (t (1 + t)) is about least; the integral does not depend on it."""

    def slope(t):
        d = t * mp.mpf(10)**-6
        total = -epsilon - 1 / t - 1 / (1 + t)
        for q, s, n in events:
            if q == 1:
                total += n * (2 * t + 1) / (2 * s * s)
            else:
                total += n * (real_moment(q, s, t + d) - real_moment(q, s, t - d)) / (2 * d)
        return total

    low, high = mp.mpf("1e-3"), mp.mpf(1)
    while slope(high) < 0:
        high *= 2
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return mp.mpf(mp.nstr(high, 6))


def real_moment(q, s, t):
    return mp.log(mp.fsum(w for _, w in Moments(q, s, t).nodes))


def integral(events, t, epsilon, length, nodes):
    steps = [(Moments(q, s, t), n) for q, s, n in events]
    d = mp.mpf(10)**-5 * t
    curvature = sum(n * (2 * (m.at(t, 0) - mp.re(m.at(t, d))) / d**2) for m, n in steps)
    spacing = length / mp.sqrt(mp.re(curvature)) / nodes
    total = mp.mpf(0)
    for i in range(nodes + 1):
        y = i * spacing
        exponent = sum(n * m.at(t, y) for m, n in steps) - mp.mpc(t, y) * epsilon
        z = mp.mpc(t, y)
        total += (mp.mpf(1) / 2 if i == 0 else 1) * mp.re(mp.exp(exponent) / (z * (1 + z)))
    return total * spacing / mp.pi


def main():
    print(f"# pld-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("# events: rate noise_multiplier count, separated by ;")
    print("epsilon,delta,events")
    for mu, epsilon in [(1, 0.01), (1, 3), (1, 8), (0.1, 0.01), (0.1, 0.8), (5, 30), (5, 55), (0.01, 0.05), (20, 400),
                        (30, 700), (0.5, 0.01)]:
        delta = gaussian_delta(mp.mpf(mu), mp.mpf(repr(epsilon)))
        print(f"{epsilon!r},{mp.nstr(delta, 16)},1 {4 / mu!r} 16", flush=True)
    mixed = mp.sqrt(mp.mpf(10) / 25 + mp.mpf(1000) / 10000 + mp.mpf(3) / 4)
    print(f"3.5,{mp.nstr(gaussian_delta(mixed, mp.mpf('3.5')), 16)},1 5 10;1 100 1000;1 2 3", flush=True)
    for epsilon, events in CASES:
        t = saddle(events, epsilon)
        rough = integral(events, t, mp.mpf(epsilon), 12, 120)
        fine = integral(events, t, mp.mpf(epsilon), 15, 210)
        if abs(fine / rough - 1) > 1e-8:
            print(f"not settled: {epsilon} {events}: {rough} {fine}", file=sys.stderr)
            continue
        print(f"{epsilon!r},{mp.nstr(fine, 12)},{';'.join(f'{q!r} {s!r} {n}' for q, s, n in events)}", flush=True)


if __name__ == "__main__":
    main()
