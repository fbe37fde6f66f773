# SPDX-License-Identifier: MIT
"""The largest P(E) over events E with Q(E) <= kappa, for composed steps: writes reconstruction-oracle.csv.

It is the least over tau of e^tau kappa + delta(tau), with delta the hockey-stick divergence of P from Q at e^tau (tau may
be negative), from pld-oracle.py's contour integral. Single steps and Gaussian compositions are in closed form: the best
test of one step is a threshold of the outcome. Rows whose integral has not settled to 1e-6 are dropped (with an error).

    python3 reconstruction-oracle.py > reconstruction-oracle.csv
"""
import importlib.util
import pathlib
import sys

import mpmath as mp

spec = importlib.util.spec_from_file_location("pld_oracle", pathlib.Path(__file__).parent / "pld-oracle.py")
pld = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pld)

KAPPAS = [0.001, 0.01, 0.1, 0.5]
CASES = [
    [(0.0625, 1.0, 100)],
    [(0.5, 3.0, 40)],
    [(0.2, 1.0, 20)],
    [(0.02, 2.0, 500), (0.1, 1.5, 50), (1.0, 5.0, 2)],
]


def quantile(p):
    return -mp.sqrt(2) * mp.erfinv(1 - 2 * mp.mpf(p))


def gaussian(mu, kappa):
    return mp.ncdf(quantile(kappa) + mu)


def one_step(q, sigma, kappa):
    threshold = -quantile(kappa) * sigma
    return (1 - q) * mp.mpf(kappa) + q * mp.ncdf((1 - threshold) / sigma)


def settled(events, tau):
    t = mp.mpf(1)
    for _ in range(2):
        t = mp.mpf(mp.nstr(t, 6))
        rough = pld.integral(events, t, tau, 12, 60)
        fine = pld.integral(events, t, tau, 16, 110)
        if abs(fine - rough) < mp.mpf(10)**-6:
            return fine
        t /= 3
    raise ArithmeticError(f"not settled: {tau} {events}: {rough} {fine}")


def composed(events, kappa):
    """Golden section; e^tau kappa + delta(tau) is convex in e^tau."""
    def value(tau):
        return mp.e**tau * mp.mpf(kappa) + settled(events, tau)

    a, b, ratio = mp.mpf(-3), mp.log(1 / mp.mpf(kappa)), (mp.sqrt(5) - 1) / 2
    x, y = b - ratio * (b - a), a + ratio * (b - a)
    fx, fy = value(x), value(y)
    while b - a > 2e-3:
        if fx < fy:
            b, y, fy = y, x, fx
            x = b - ratio * (b - a)
            fx = value(x)
        else:
            a, x, fx = x, y, fy
            y = a + ratio * (b - a)
            fy = value(y)
    return min(fx, fy)


def text(events):
    return ";".join(f"{q!r} {s!r} {n}" for q, s, n in events)


def main():
    mp.mp.dps = 20
    print(f"# reconstruction-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("# events: rate noise_multiplier count, separated by ;")
    print("kappa,success,events")
    for kappa in KAPPAS:
        for mu in (0.1, 1, 3):
            print(f"{kappa!r},{mp.nstr(gaussian(mu, kappa), 10)},1 {4 / mu!r} 16", flush=True)
        for q, sigma in ((0.1, 0.5), (0.5, 1.0), (0.9, 2.0)):
            print(f"{kappa!r},{mp.nstr(one_step(q, sigma, kappa), 10)},{q!r} {sigma!r} 1", flush=True)
    for events in CASES:
        for kappa in KAPPAS:
            try:
                print(f"{kappa!r},{mp.nstr(composed(events, kappa), 7)},{text(events)}", flush=True)
            except ArithmeticError as error:
                print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
