# SPDX-License-Identifier: MIT
"""delta(epsilon) of groups, of samples of a fixed size, and of the direction Q against P, in 34 digits.

As in pld-oracle.py, delta is a contour integral of the moment generating function of the privacy loss; here the law of a
step is any number of parts, integrated over outcomes by Gauss-Legendre rules of 16 nodes on panels that follow how fast
the integrand turns. Each row is computed with two densities of points on the contour. tests/unit/test-loss-accountants.c has the rows.

    python3 loss-oracle.py        (a quarter of an hour)
"""
import sys

import mpmath as mp

mp.mp.dps = 34


def gauss_legendre(n):
    """Nodes and weights on [0, 1]."""
    rule = []
    for k in range(1, n + 1):
        x = mp.cos(mp.pi * (k - mp.mpf(1) / 4) / (n + mp.mpf(1) / 2))
        for _ in range(60):
            p, q = mp.legendre(n, x), mp.legendre(n - 1, x)
            slope = n * (q - x * p) / (1 - x * x)
            x -= p / slope
            if abs(p / slope) < mp.mpf(10)**-32:
                break
        p, q = mp.legendre(n, x), mp.legendre(n - 1, x)
        slope = n * (q - x * p) / (1 - x * x)
        rule.append(((1 + x) / 2, 1 / ((1 - x * x) * slope**2)))
    return rule


RULE = gauss_legendre(16)


class Part:
    """P = sum of b_j N(j, sigma^2) against Q = N(0, sigma^2), or Q against P; outcomes from `start` on."""

    def __init__(self, b, sigma, reverse=False, start=None):
        self.b, self.sigma, self.reverse, self.start = b, mp.mpf(sigma), reverse, start

    def terms(self, x):
        return [c * mp.e**((j * x - mp.mpf(j * j) / 2) / self.sigma**2) for j, c in enumerate(self.b)]

    def width(self, x, t, y):
        """Of the panel that begins at x: neither density nor e^(s loss) changes much over it."""
        w = self.sigma / 3
        for _ in range(40):
            terms = self.terms(x + w)
            mean = sum(j * v for j, v in enumerate(terms)) / sum(terms)
            if w * (y + t + 1) * mean < 2 * self.sigma**2 and w * max(abs(x), abs(x + w)) < 2 * self.sigma**2:
                break
            w *= mp.mpf("0.7")
        return w

    def nodes(self, t, y):
        units, s = len(self.b) - 1, self.sigma
        x = self.start if self.start is not None else -13 * s - (t * units if self.reverse else 0)
        high, out = (13 * s if self.reverse else (1 + t) * units + 13 * s), []
        while x < high:
            w = self.width(x, t, y)
            for at, weight in RULE:
                z = x + at * w
                loss = mp.log(sum(self.terms(z)))
                mass = mp.e**(-(z / s)**2 / 2 + (0 if self.reverse else loss)) / (s * mp.sqrt(2 * mp.pi)) * w * weight
                loss = -loss if self.reverse else loss
                out.append((loss, mass * mp.e**(t * loss)))
            x += w
        most = max(v for _, v in out)
        return [(l, v) for l, v in out if v > most * mp.mpf(10)**-31]


class Law:
    def __init__(self, parts, count, atom=0):
        self.parts, self.count, self.atom = parts, count, mp.mpf(atom)

    def prepare(self, t, y):
        self.t, self.n = t, [node for part in self.parts for node in part.nodes(t, y)]

    def log_moment(self, y=0, t=None):
        shift = 0 if t is None else t - self.t
        total = mp.fsum(v * mp.e**(shift * l) * mp.expj(y * l) for l, v in self.n) + self.atom
        return self.count * mp.log(total)


def saddle(law, epsilon):
    """Where e^(K(t) - t epsilon) / (t (1 + t)) is about least; the integral does not depend on it."""
    u = mp.mpf(0)
    for turn in range(14):
        law.prepare(mp.e**u, 0)
        goal = lambda v: mp.re(law.log_moment(0, mp.e**v)) - mp.e**v * epsilon - mp.log(mp.e**v * (1 + mp.e**v))
        start, step, best = u, mp.mpf(1) / (2 if turn < 8 else 8), goal(u)
        while step > 0.01:
            for move in (step, -step):
                if abs(u + move - start) < 0.7 and goal(u + move) < best:
                    u, best = u + move, goal(u + move)
                    break
            else:
                step /= 2
    return mp.mpf(mp.nstr(mp.e**u, 5))


def delta(law, epsilon):
    epsilon = mp.mpf(epsilon)
    t = saddle(law, epsilon)
    law.prepare(t, 0)
    top, h = mp.re(law.log_moment()), t * mp.mpf(10)**-4
    curvature = (mp.re(law.log_moment(0, t + h)) - 2 * top + mp.re(law.log_moment(0, t - h))) / h**2
    results = []
    for digits, density in ((18, 1), (20, mp.mpf("1.4"))):
        step = 2 * mp.pi / ((20 * mp.sqrt(curvature) + 40 / t) * density)
        y, total, reach = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        while True:
            if y >= reach:
                reach = max(2 * reach, 16 * step)
                law.prepare(t, reach)
            value, z = mp.exp(law.log_moment(y) - top), mp.mpc(t, y)
            total += (mp.mpf(1) / 2 if y == 0 else 1) * mp.re(value * mp.expj(-y * epsilon) / (z * (1 + z)))
            if abs(value) < mp.mpf(10)**-digits:
                break
            y += step
        results.append(total * step / mp.pi * mp.e**(top - t * epsilon))
    return results


def poisson(q, sigma, count, units=1, reverse=False):
    q = mp.mpf(q)
    b = [mp.binomial(units, j) * q**j * (1 - q)**(units - j) for j in range(units + 1)]
    return Law([Part(b, sigma, reverse)], count)


def fixed(q, sigma, count):
    """The loss of P against Q above 0, its mirror image below; sigma over 2C."""
    q, s, half = mp.mpf(q), mp.mpf(sigma) / 2, mp.mpf(1) / 2
    above = mp.erfc(1 / (2 * s * mp.sqrt(2))) / 2
    return Law([Part([1 - q, q], s, False, half), Part([1 - q, q], s, True, half)], count, (1 - q) * (1 - 2 * above))


def main():
    print(f"# loss-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    for text in ("poisson('0.02048', '4', 10000, 2), '4.604654'", "poisson('0.0064', '1', 782, 3), '4'",
                 "poisson('0.0064', '1', 782, 8), '12'", "poisson('0.05', '6', 400, 30), '20'",
                 "poisson('0.02048', '4', 10000, 1, True), '2'", "fixed('0.1', '3', 100), '4'",
                 "fixed('0.5', '10', 40), '1.5'"):
        law, epsilon = eval(text)
        rough, fine = delta(law, epsilon)
        note = "" if abs(fine / rough - 1) < 1e-9 else "   NOT SETTLED"
        print(f"{text}: {mp.nstr(fine, 13)}{note}", flush=True)


if __name__ == "__main__":
    main()
