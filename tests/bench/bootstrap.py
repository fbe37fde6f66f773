#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bootstrap.py [REPLICATES]: the bootstrap as it is usually written in Python, resample by resample through scikit-learn,
beside tests/bench/bootstrap.c: 8 labels, 39,809 images; AUROC, AUPRC and the confusion at a threshold. Times REPLICATES
(default 10) and scales to 1,000. Needs numpy and scikit-learn (Debian: python3-sklearn)."""
import sys
import time

import numpy as np
from sklearn import metrics

LABELS, IMAGES, WANTED = 8, 39809, 1000
replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 10
rng = np.random.default_rng(1)
truths = np.stack([rng.random(IMAGES) < 0.05 + 0.05 * k for k in range(LABELS)]).astype(int)
scores = 1 / (1 + np.exp(2 - 1.5 * truths - rng.normal(size=truths.shape)))

start, used = time.perf_counter(), time.process_time()
for _ in range(replicates):
    rows = rng.integers(0, IMAGES, IMAGES)
    for k in range(LABELS):
        y, p = truths[k, rows], scores[k, rows]
        metrics.roc_auc_score(y, p)
        metrics.average_precision_score(y, p)
        metrics.confusion_matrix(y, p >= 0.3)
wall, processor = time.perf_counter() - start, time.process_time() - used
print(f"{replicates} replicates x {LABELS} labels x {IMAGES} images: {wall:.2f} s, {processor:.2f} s of processors; "
      f"{WANTED} would take {wall * WANTED / replicates:.0f} s, {processor * WANTED / replicates:.0f} s of processors")
