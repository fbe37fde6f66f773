# SPDX-License-Identifier: MIT
"""Rényi divergence of one step of the Poisson-subsampled Gaussian, in 50 digits: writes rdp-oracle.csv.

Whole orders: the binomial sum (Mironov, Talwar & Zhang 2019, section 3.3). Fractional orders: Gauss-Legendre quadrature
in mpmath, twice with different panels, which must agree to 18 digits. Also checks for every row that the other direction,
D(Q || P), is not larger (their Theorem 5), by the same quadrature, where the order is below 20.

    python3 rdp-oracle.py > rdp-oracle.csv
"""
import sys

import mpmath as mp

mp.mp.dps = 50
RATES = ["1e-6", "1e-4", "0.01", "0.1", "0.5", "0.9"]
NOISES = ["0.2", "0.5", "1", "2.5", "20", "200"]
ORDERS = ["1.001", "1.1", "1.5", "2", "2.5", "5", "17.3", "64", "300.7"]

def legendre(n):
    """Nodes and weights of n-point Gauss-Legendre on [-1, 1]."""
    out = []
    for i in range(n):
        x = mp.cos(mp.pi * (i + mp.mpf(3) / 4) / (n + mp.mpf(1) / 2))
        for _ in range(8):  # Newton doubles the digits each time
            slope = n * (x * mp.legendre(n, x) - mp.legendre(n - 1, x)) / (x * x - 1)
            x -= mp.legendre(n, x) / slope
        out.append((x, 2 / ((1 - x * x) * slope * slope)))
    assert abs(sum(w for _, w in out) - 2) < mp.mpf(10)**-45
    return out


def integrate(f, low, high, width, rule):
    panels = int(mp.ceil((high - low) / width))
    half = (high - low) / panels / 2
    return sum(half * w * f(low + (2 * p + 1) * half + half * x) for p in range(panels) for x, w in rule)


def excess(q, sigma, alpha, direction, width, rule):
    """E_Q[(P/Q)^alpha] - 1 (direction 1), or E_P[(Q/P)^alpha] - 1 = E_Q[(P/Q)^(1-alpha)] - 1 (direction -1)."""
    power = alpha if direction > 0 else 1 - alpha

    def f(z):
        x = q * mp.expm1((2 * z - 1) / (2 * sigma**2))
        return mp.exp(-z * z / (2 * sigma**2)) * ((1 + x)**power - 1 - power * x)

    low, high = -16 * sigma, max(alpha, 1) + 16 * sigma
    return integrate(f, low, high, width * sigma, rule) / (sigma * mp.sqrt(2 * mp.pi))


def binomial(q, sigma, alpha):
    n = int(alpha)
    return sum(mp.binomial(n, k) * (1 - q)**(n - k) * q**k * mp.expm1(mp.mpf(k * k - k) / (2 * sigma**2))
               for k in range(2, n + 1))


def main():
    fine, finer = legendre(24), legendre(30)
    print(f"# rdp-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("rate,noise_multiplier,order,rdp")
    for q in RATES:
        for sigma in NOISES:
            for alpha in ORDERS:
                r, s, a = (mp.mpf(float(text)) for text in (q, sigma, alpha))  # the doubles the program sees
                if a == int(a):
                    value = binomial(r, s, a)
                else:
                    value = excess(r, s, a, 1, 1, fine)
                    again = excess(r, s, a, 1, mp.mpf("0.9"), finer)
                    assert abs(value - again) < mp.mpf(10)**-18 * value, (q, sigma, alpha, value, again)
                if a < 20:
                    other = excess(r, s, a, -1, 1, fine)
                    assert other <= value * (1 + mp.mpf(10)**-15), (q, sigma, alpha)
                print(f"{q},{sigma},{alpha},{mp.nstr(mp.log1p(value) / (a - 1), 25)}", flush=True)


if __name__ == "__main__":
    main()
