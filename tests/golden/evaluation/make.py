#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""predictions-test.csv, as a run leaves it, and expected.csv, what scikit-learn makes of it group by group: differences
between groups are largest minus smallest, as fairlearn defines its *_difference functions. One row each: what, grouping,
value (or ""), label (or "mean"), metric, number ("nan": not defined).
Made with Debian 12: python3-sklearn 1.2.1, python3-numpy 1.24.2. Thresholds: 0.4 (effusion), 0.5 (no_finding)."""
import csv
import os

import numpy as np
from sklearn import metrics

HERE = os.path.dirname(os.path.abspath(__file__))
NAN = float("nan")
LABELS, THRESHOLDS = ["effusion", "no_finding"], [0.4, 0.5]
MIN_N, MIN_POS = 20, 10


def make():
    rng = np.random.default_rng(12)
    rows = []
    for i in range(400):
        sex = rng.choice(["F", "M", ""], p=[0.5, 0.45, 0.05])
        age = rng.choice(["0-30", "30-60", "60-100", "100-120"], p=[0.3, 0.4, 0.26, 0.04])
        y = [int(rng.random() < (0.3 if sex == "F" else 0.2)), int(rng.random() < 0.5)]
        shift = 0.8 if age == "0-30" else 0
        p = [np.round(1 / (1 + np.exp(-(rng.normal() + (1.5 - shift) * y[0] - 1))), 2),
             1 / (1 + np.exp(-(rng.normal() + 1.2 * y[1] - 0.6 + shift)))]
        if rng.random() < 0.1:
            y[0] = None
        rows.append([f"s{i}", f"p{i // 2}" if i % 40 else "", sex, age] + y + [float(v) for v in p])
    return rows


def judge(y, p, t):
    called = p >= t
    return {"auroc": metrics.roc_auc_score(y, p), "auprc": metrics.average_precision_score(y, p),
            "sensitivity": metrics.recall_score(y, called), "specificity": metrics.recall_score(y, called, pos_label=0),
            "fnr": 1 - metrics.recall_score(y, called), "fpr": 1 - metrics.recall_score(y, called, pos_label=0),
            "ppv": metrics.precision_score(y, called), "accuracy": metrics.accuracy_score(y, called),
            "positive_rate": called.mean(), "prevalence": y.mean(), "brier": metrics.brier_score_loss(y, p)}


def part(rows, k):
    known = [r for r in rows if r[4 + k] is not None]
    return np.array([r[4 + k] for r in known]), np.array([r[6 + k] for r in known])


def expected(rows):
    groupings = {"sex": [2], "age": [3], "sex x age": [2, 3]}
    overall = [judge(*part(rows, k), THRESHOLDS[k]) for k in range(2)]
    for k, label in enumerate(LABELS):
        for metric, value in overall[k].items():
            yield "all", "", "", label, metric, value
    for metric in overall[0]:
        yield "all", "", "", "mean", metric, np.mean([o[metric] for o in overall])
    for name, columns in groupings.items():
        values = sorted({tuple(r[c] for c in columns) for r in rows if all(r[c] for c in columns)})
        of = [{}, {}]
        for value in values:
            members = [r for r in rows if tuple(r[c] for c in columns) == value]
            text = " x ".join(value)
            yield "n", name, text, "", "", len(members)
            for k, label in enumerate(LABELS):
                y, p = part(members, k)
                big = len(members) >= MIN_N and y.sum() >= MIN_POS and (1 - y).sum() >= MIN_POS
                found = judge(y, p, THRESHOLDS[k]) if big else dict.fromkeys(overall[0], NAN)
                if big:
                    of[k][text] = found
                for metric, number in found.items():
                    yield "group", name, text, label, metric, number
        gaps = []
        for k, label in enumerate(LABELS):
            spread = {m: max(v[m] for v in of[k].values()) - min(v[m] for v in of[k].values()) for m in overall[0]}
            for metric, number in spread.items():
                yield "gap", name, "", label, metric, number
            away = sum(abs(overall[k]["auroc"] - v["auroc"]) for v in of[k].values())
            parity = {"statistical_parity_difference": spread["positive_rate"],
                      "equal_opportunity_difference": spread["sensitivity"],
                      "equalised_odds_difference": max(spread["sensitivity"], spread["fpr"]),
                      "accuracy_parity_difference": spread["accuracy"],
                      "equity_scaled_auroc": overall[k]["auroc"] / (1 + away)}
            gaps.append((spread, parity))
            for metric, number in parity.items():
                yield "parity", name, "", label, metric, number
        for metric in gaps[0][0]:
            yield "gap", name, "", "mean", metric, np.mean([g[0][metric] for g in gaps])
        for metric in gaps[0][1]:
            yield "parity", name, "", "mean", metric, np.mean([g[1][metric] for g in gaps])


if __name__ == "__main__":
    rows = make()
    with open(os.path.join(HERE, "predictions-test.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["sample_id", "patient_id", "sex", "age"] + ["y_" + x for x in LABELS] + ["p_" + x for x in LABELS])
        for r in rows:
            out.writerow(["" if v is None else repr(v) if isinstance(v, float) else v for v in r])
    with open(os.path.join(HERE, "expected.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["what", "grouping", "value", "label", "metric", "number"])
        for what, grouping, value, label, metric, number in expected(rows):
            out.writerow([what, grouping, value, label, metric, repr(float(number))])
