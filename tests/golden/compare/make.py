#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two runs on the same images, their rows in other orders, and what a comparison has to say of them: open.csv,
private.csv, expected.csv. Patients have one to three images, some truths are not known, "rare" is in one class only.
Made with Debian 12: python3-sklearn 1.2.1, python3-scipy 1.10.1, python3-numpy 1.24.2."""
import csv
import os

import numpy as np
from scipy import stats
from sklearn import metrics

HERE = os.path.dirname(os.path.abspath(__file__))
LABELS = ["effusion", "nodule, small", "edema", "rare"]
random = np.random.default_rng(6)
n = 150
patients = np.sort(random.integers(0, 90, n))
sex = np.where(random.random(90) < 0.6, "F", "M")[patients]
age = np.array(["0-30", "30-60", "60-100"])[random.choice(3, 90, p=[0.06, 0.5, 0.44])][patients]
truth = {k: (random.random(n) < rate).astype(int) for k, rate in zip(LABELS, (0.45, 0.3, 0.2, 0.0))}
known = {k: random.random(n) > 0.08 for k in LABELS}
score = {run: {k: np.round(1 / (1 + np.exp(-(truth[k] * shift + random.normal(size=n)))), 3) for k in LABELS}
         for run, shift in (("open", 1.8), ("private", 0.7))}


def write(run, order):
    with open(os.path.join(HERE, run + ".csv"), "w", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["sample_id", "patient_id", "sex", "age", *("y_" + k for k in LABELS), *("p_" + k for k in LABELS)])
        for i in order:
            out.writerow([f"s{i}", f"p{patients[i]}", sex[i], age[i], *(truth[k][i] if known[k][i] else "" for k in LABELS),
                          *(score[run][k][i] for k in LABELS)])


def auroc(run, label, keep):
    y, p = truth[label][keep & known[label]], score[run][label][keep & known[label]]
    return metrics.roc_auc_score(y, p) if 0 < y.sum() < len(y) else np.nan


def mean(run, keep, least):
    """Over labels with both classes, at least so many of each."""
    enough = [k for k in LABELS if min(y := truth[k][keep & known[k]].sum(), (keep & known[k]).sum() - y) >= least]
    return np.mean([auroc(run, k, keep) for k in enough])


def pearson(x, y):
    good = ~(np.isnan(x) | np.isnan(y))
    return stats.pearsonr(np.array(x)[good], np.array(y)[good])


write("open", range(n))
write("private", random.permutation(n))
everybody = np.ones(n, bool)
rows = [("mean", "", mean("open", everybody, 1), mean("private", everybody, 1))]
rows += [("label", k, auroc("open", k, everybody), auroc("private", k, everybody)) for k in LABELS]
sizes = []
for name, column in (("sex", sex), ("age", age)):
    for value in sorted(set(column)):
        keep = column == value
        if keep.sum() >= 20:
            rows.append(("group", f"{name} {value}", mean("open", keep, 5), mean("private", keep, 5)))
            sizes.append(keep.sum())
prevalence = [truth[k][known[k]].mean() for k in LABELS]
for name, x, kind in (("prevalence", prevalence, "label"), ("size", sizes, "group")):
    r = pearson(np.array(x, float), np.array([b - a for what, _, a, b in rows if what == kind]))
    rows.append(("relation", name, r[0], r[1]))
with open(os.path.join(HERE, "expected.csv"), "w", encoding="utf-8") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["what", "name", "open", "private"])
    out.writerows([w, k, repr(float(a)), repr(float(b))] for w, k, a, b in rows)
