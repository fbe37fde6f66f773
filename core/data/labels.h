/* SPDX-License-Identifier: MIT
 * What a label counts as: the policies `data.uncertain` and `data.missing`. */
#pragma once
#include "config/experiment.h"

/* Puts @label's target in [0, 1] and its mask (1 known, 0 leaves the loss; the target is then 0).
 * @training: whether the row is one to train on. `smooth` gives uncertain labels of those the target 0.7, the mean of
 * the U(0.55, 0.85) of Pham et al. 2021 (label smoothing, U-ones); in other splits, where a target is something to be
 * measured against, it leaves them out. */
void dpcxr_label_target(DpcxrLabel label, DpcxrUncertain uncertain, DpcxrMissing missing, gboolean training,
                        float *target, float *mask);
