# SPDX-License-Identifier: MIT
"""Full batches of Gaussian noise in 60 digits: writes gaussian-oracle.csv.

gaussian: the privacy curve of N(0, 1) against N(mu, 1), mu = sqrt(steps) / noise, by its definition (mpmath's erfc), and
its inverse by bisection. zcdp: the least bound over all Rényi orders (Canonne, Kamath & Steinke 2020, Corollary 13), by
golden section over log(alpha - 1), which makes no use of the equation our accountant solves.

    python3 gaussian-oracle.py > gaussian-oracle.csv
"""
import sys

import mpmath as mp

mp.mp.dps = 60
NOISES = ["0.25", "1", "2.5", "20", "200", "100000"]
STEPS = [1, 1000, 10000000]
DELTAS = ["1e-18", "1e-9", "1e-5", "0.01", "0.5"]
EPSILONS = ["0", "0.01", "1", "8", "1000"]


def upper_tail(x):
    return mp.erfc(x / mp.sqrt(2)) / 2


def curve(mu, epsilon):
    mp.mp.dps = 60 + int(min(mu / mp.mpf(1), 400)) + 20
    value = upper_tail(epsilon / mu - mu / 2) - mp.exp(epsilon) * upper_tail(epsilon / mu + mu / 2)
    mp.mp.dps = 60
    return +value


def curve_inverse(mu, delta):
    low, high = mp.mpf(0), mu * mu / 2 + mu * mp.sqrt(-2 * mp.log(delta))
    if curve(mu, low) <= delta:
        return low
    while high - low > high * mp.mpf(10)**-30:
        middle = (low + high) / 2
        low, high = (middle, high) if curve(mu, middle) > delta else (low, middle)
    return high


def least(f):
    """Golden section over log(alpha - 1)."""
    golden = (mp.sqrt(5) - 1) / 2
    a, b = mp.mpf(-60), mp.mpf(60)
    while b - a > mp.mpf(10)**-14:  # off by the square of that in the value
        c, d = b - golden * (b - a), a + golden * (b - a)
        a, b = (a, d) if f(mp.exp(c)) < f(mp.exp(d)) else (c, b)
    return f(mp.exp((a + b) / 2))


def zcdp_epsilon(rho, delta):
    return max(mp.mpf(0), least(lambda t: (1 + t) * rho + mp.log(t / (1 + t)) - (mp.log(delta) + mp.log(1 + t)) / t))


def zcdp_delta(rho, epsilon):
    return min(mp.mpf(1), mp.exp(least(lambda t: t * ((1 + t) * rho - epsilon + mp.log(t / (1 + t))) - mp.log(1 + t))))


def main():
    print(f"# gaussian-oracle.py, mpmath {mp.__version__}, Python {sys.version.split()[0]}")
    print("noise_multiplier,steps,given,value,gaussian,zcdp")
    show = lambda value: mp.nstr(value, 25)
    for noise in NOISES:
        for steps in STEPS:
            mu = mp.sqrt(steps) / mp.mpf(noise)
            rho = mu * mu / 2
            for text in DELTAS:
                delta = mp.mpf(float(text))
                print(f"{noise},{steps},delta,{text},{show(curve_inverse(mu, delta))},{show(zcdp_epsilon(rho, delta))}")
            for text in EPSILONS:
                epsilon = mp.mpf(float(text))
                exact = curve(mu, epsilon)
                print(f"{noise},{steps},epsilon,{text},{show(exact)},{show(zcdp_delta(rho, epsilon))}")


if __name__ == "__main__":
    main()
