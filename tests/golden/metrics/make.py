#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""metrics.csv: random cases and what scikit-learn 1.2.1 makes of them (Debian 12: python3-sklearn).
One row a case: kind, n, auroc, threshold, accuracy, sensitivity, specificity, precision, f1, then n scores, n labels.
Undefined values are "nan". The threshold is the Youden threshold of the case's own scores; kind "fixed" has a threshold
of its own instead, as a test split has."""
import os
import warnings

import numpy as np
from sklearn import metrics

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
NAN = float("nan")


def youden(y, p):
    if y.min() == y.max():
        return NAN
    fpr, tpr, thresholds = metrics.roc_curve(y, p)
    return thresholds[1:][np.argmax((tpr - fpr)[1:])]  # without the point that calls nobody


def judge(y, p, threshold):
    both = y.min() != y.max()
    auroc = metrics.roc_auc_score(y, p) if both else NAN
    if np.isnan(threshold):
        return [auroc, threshold] + [NAN] * 5
    called = (p >= threshold).astype(int)
    return [auroc, threshold, metrics.accuracy_score(y, called),
            metrics.recall_score(y, called) if y.any() else NAN,
            metrics.recall_score(y, called, pos_label=0) if not y.all() else NAN,
            metrics.precision_score(y, called) if called.any() else NAN,
            metrics.f1_score(y, called) if y.any() or called.any() else NAN]


def cases():
    rng = np.random.default_rng(8)
    for n in (1, 2, 3, 4, 5, 8, 13, 40, 101, 300):
        for kind in ("continuous", "ties", "coarse", "balanced", "balanced ties", "constant", "one-class", "alternating", "fixed"):
            y = (rng.random(n) < 0.35).astype(int)
            if kind.startswith("balanced"):
                y = rng.permutation(np.arange(n) % 2)
            if kind == "one-class":
                y[:] = n % 2
            p = 1 / (1 + np.exp(-(rng.normal(size=n) + y)))
            if kind.endswith("ties"):
                p = np.round(p, 1)
            if kind == "coarse":
                p = np.round(p * 2) / 2
            if kind == "constant":
                p[:] = 0.25
            if kind == "alternating":  # from the highest score down 1, 0, 1, 0: equally good thresholds
                y[np.argsort(-p)] = np.arange(1, n + 1) % 2
            yield kind, y, p, rng.choice([0.0, 0.3, 0.5, 0.99, 1.5]) if kind == "fixed" else youden(y, p)
    # equally good thresholds that differ in the last bit: which one wins depends on the points roc_curve leaves out
    y, p = np.array([0, 1, 1, 1, 0, 0, 0, 0, 1, 1]), np.array([0.2, 1.1, 0.9, 0.6, 0.6, 0.9, 0.4, 0.5, 1.2, 1.0])
    yield "rounding", y, p, youden(y, p)


with open(os.path.join(HERE, "metrics.csv"), "w") as f:
    for kind, y, p, threshold in cases():
        values = [repr(float(v)) for v in judge(y, p, threshold) + list(p)]
        print(kind, len(y), *values[:7], *values[7:], *y, sep=",", file=f)
