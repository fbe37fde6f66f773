#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random cases, with ties, missing labels and single classes, and what others make of them: metrics.csv, delong.csv,
correlation.csv, adjustment.csv, distribution.csv. Undefined values are "nan".
Made with Debian 12: python3-sklearn 1.2.1, python3-scipy 1.10.1, python3-statsmodels 0.13.5, python3-numpy 1.24.2."""
import itertools
import os
import warnings

import numpy as np
from scipy import optimize, stats
from sklearn import calibration, metrics
from statsmodels.stats import multitest

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
NAN = float("nan")


def save(name, rows):
    with open(os.path.join(HERE, name), "w") as f:
        for row in rows:
            print(*[x if isinstance(x, str) else repr(float(x)) if isinstance(x, (float, np.floating)) else int(x)
                    for x in row], sep=",", file=f)


# --- thresholds ---

def best(y, p, value):
    """The threshold with the largest value(sensitivity, false-positive rate, precision), the highest of equal ones."""
    if y.min() == y.max():
        return NAN
    fpr, tpr, thresholds = metrics.roc_curve(y, p)
    return thresholds[1:][np.argmax(value(tpr, fpr)[1:])]  # without the point that calls nobody


def best_f1(y, p):
    candidates = np.unique(p)[::-1]
    return NAN if y.min() == y.max() else candidates[np.argmax([metrics.f1_score(y, p >= t) for t in candidates])]


def fixed_sensitivity(y, p, value):
    if y.min() == y.max():
        return NAN
    return max(t for t in np.unique(p) if metrics.recall_score(y, p >= t) >= value)


def fixed_specificity(y, p, value):
    if y.min() == y.max():
        return NAN
    reach = [t for t in np.unique(p) if metrics.recall_score(y, p >= t, pos_label=0) >= value]
    return min(reach) if reach else np.nextafter(p.max(), np.inf)


# --- metrics ---

def ece(y, p, strategy):
    edges = np.linspace(0, 1, 11) if strategy == "uniform" else np.percentile(p, np.linspace(0, 100, 11))
    bins = np.searchsorted(edges[1:-1], p)  # as calibration_curve does
    rate, score = calibration.calibration_curve(y, p, n_bins=10, strategy=strategy, pos_label=1)
    counts = np.bincount(bins, minlength=10)
    return np.sum(counts[counts > 0] * np.abs(rate - score)) / len(y)


def logit(p):
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return np.log(p / (1 - p))


def recalibrate(y, p):
    """slope and intercept (slope 1) by maximum likelihood: roots of the score equations."""
    if y.min() == y.max():
        return NAN, NAN
    x = logit(p)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    intercept = optimize.brentq(lambda a: np.sum(y - sigmoid(a + x)), -80, 80, xtol=1e-14, rtol=1e-14)
    if not (p[y == 1].min() < p[y == 0].max() and p[y == 0].min() < p[y == 1].max()):
        return NAN, intercept  # a threshold separates: no maximum
    start = optimize.minimize(lambda c: np.sum(np.logaddexp(0, c[0] + c[1] * x) - y * (c[0] + c[1] * x)), [0, 1]).x
    found = optimize.root(lambda c: [np.sum(y - sigmoid(c[0] + c[1] * x)), np.sum((y - sigmoid(c[0] + c[1] * x)) * x)],
                          start, tol=1e-14)
    assert np.max(np.abs(found.fun)) < 1e-9, found
    return found.x[1], intercept


def judge(y, p, t):
    """In the order of DpcxrMetric."""
    both = y.min() != y.max()
    slope, intercept = recalibrate(y, p)
    area = [metrics.roc_auc_score(y, p), metrics.average_precision_score(y, p)] if both else [NAN, NAN]
    rest = [metrics.brier_score_loss(y, p, pos_label=1), ece(y, p, "uniform"), ece(y, p, "quantile"), slope, intercept]
    if np.isnan(t):
        return area + [NAN] * 9 + [y.mean()] + rest
    called = (p >= t).astype(int)
    sensitivity = metrics.recall_score(y, called) if y.any() else NAN
    specificity = metrics.recall_score(y, called, pos_label=0) if not y.all() else NAN
    return area + [sensitivity, specificity, 1 - sensitivity, 1 - specificity,
                   metrics.precision_score(y, called) if called.any() else NAN,
                   metrics.precision_score(y, called, pos_label=0) if not called.all() else NAN,
                   metrics.f1_score(y, called) if y.any() or called.any() else NAN,
                   metrics.accuracy_score(y, called), called.mean(), y.mean()] + rest


KINDS = ("continuous", "ties", "coarse", "balanced", "balanced ties", "constant", "one-class", "alternating", "fixed",
         "missing", "extreme")


def cases():
    """kind, truths (nan: not known), scores"""
    rng = np.random.default_rng(8)
    for n in (1, 2, 3, 4, 5, 8, 13, 40, 102, 300):
        for kind in KINDS:
            y = (rng.random(n) < 0.35).astype(float)
            if kind.startswith("balanced"):
                y = rng.permutation(np.arange(n) % 2).astype(float)
            if kind == "one-class":
                y[:] = n % 2
            p = 1 / (1 + np.exp(-(rng.normal(size=n) + y)))
            if kind.endswith("ties"):
                p = np.round(p, 1)
            if kind == "coarse":
                p = np.round(p * 2) / 2
            if kind == "constant":
                p[:] = 0.25
            if kind == "extreme":  # scores that are 0 and 1 in float
                p = np.where(rng.random(n) < 0.2, np.round(p), p)
            if kind == "alternating":  # from the highest score down 1, 0, 1, 0: equally good thresholds
                y[np.argsort(-p)] = np.arange(1, n + 1) % 2
            if kind == "missing":
                y[rng.random(n) < 0.3] = NAN
            yield kind, y, p
    # equally good thresholds that differ in the last bit: which one wins depends on the points roc_curve leaves out
    yield ("rounding", np.array([0, 1, 1, 1, 0, 0, 0, 0, 1, 1.0]),
           np.array([0.2, 1.1, 0.9, 0.6, 0.6, 0.9, 0.4, 0.5, 1.2, 1.0]) / 2)


def metric_rows():
    """kind, n, 4 thresholds (youden, sensitivity 0.9, specificity 0.9, f1), threshold, 17 metrics, n scores, n truths"""
    rng = np.random.default_rng(80)
    for kind, truths, scores in cases():
        known = ~np.isnan(truths)
        y, p = truths[known].astype(int), scores[known]
        if len(y) == 0:
            continue
        chosen = [best(y, p, lambda tpr, fpr: tpr - fpr), fixed_sensitivity(y, p, 0.9), fixed_specificity(y, p, 0.9),
                  best_f1(y, p)]
        t = rng.choice([0.0, 0.3, 0.5, 0.99, 1.5]) if kind == "fixed" else chosen[0]
        yield [kind, len(truths)] + chosen + [t] + judge(y, p, t) + list(scores) + list(truths)


# --- DeLong, by the definition: every pair ---

def placements(y, p):
    pairs = (p[y == 1][:, None] > p[y == 0][None, :]) + 0.5 * (p[y == 1][:, None] == p[y == 0][None, :])
    return pairs.mean(1), pairs.mean(0)


def delong_rows():
    """n, auroc 1, variance 1, auroc 2, variance 2, difference, its variance, z, p, n scores, n scores, n truths"""
    rng = np.random.default_rng(9)
    for n in (4, 7, 20, 60, 200):
        for ties in (False, True):
            y = rng.permutation((np.arange(n) < max(2, n // 3)).astype(int))
            shared = rng.normal(size=n)
            p = [1 / (1 + np.exp(-(shared + rng.normal(size=n) + k * y))) for k in (1.5, 0.7)]
            p = [np.round(x, 1) if ties else x for x in p]
            ten, one = zip(*[placements(y, x) for x in p])
            cov = np.cov(ten) / y.sum() + np.cov(one) / (n - y.sum())
            difference, variance = ten[0].mean() - ten[1].mean(), cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
            z = difference / np.sqrt(variance)
            yield [n, ten[0].mean(), cov[0, 0], ten[1].mean(), cov[1, 1], difference, variance, z,
                   2 * stats.norm.sf(abs(z)), *p[0], *p[1], *y]


def correlation_rows():
    """n, r, p, n x, n y"""
    rng = np.random.default_rng(10)
    for n in (3, 4, 5, 8, 30):
        for strength in (0, 0.5, 3, 1e4):
            x = rng.normal(size=n)
            y = strength * x + rng.normal(size=n)
            yield [n, *stats.pearsonr(x, y), *x, *y]


def adjustment_rows():
    """n, n p, n Holm, n Benjamini-Hochberg"""
    rng = np.random.default_rng(11)
    for n in (1, 2, 3, 8, 25):
        for scale in (1, 0.05):
            p = np.round(rng.random(n) * scale, 2 if scale == 1 else 3)  # some are equal
            yield [n, *p, *multitest.multipletests(p, method="holm")[1], *multitest.multipletests(p, method="fdr_bh")[1]]


def distribution_rows():
    """kind, argument, degrees of freedom, value"""
    for p in (1e-12, 1e-6, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999):
        yield ["normal_quantile", p, 0.0, stats.norm.ppf(p)]
    for z in (0.0, 0.1, 1.0, 1.96, 5.0, 20.0):
        yield ["normal", z, 0.0, 2 * stats.norm.sf(z)]
    for df, t in itertools.product((1, 2, 3, 6, 30, 1000), (0.0, 0.01, 0.7, 2.0, 12.0, 300.0)):
        yield ["student", t, float(df), 2 * stats.t.sf(t, df)]


if __name__ == "__main__":
    save("metrics.csv", metric_rows())
    save("delong.csv", delong_rows())
    save("correlation.csv", correlation_rows())
    save("adjustment.csv", adjustment_rows())
    save("distribution.csv", distribution_rows())
