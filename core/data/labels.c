/* SPDX-License-Identifier: MIT
 * Label policies, after Irvin et al. 2019 (CheXpert: U-Ignore, U-Ones, U-Zeros) and Pham et al. 2021
 * (smoothing). */
#include "data/labels.h"

static void set(float *target, float *mask, float value, float known)
{
    *target = value;
    *mask = known;
}

static void set_uncertain(DpcxrUncertain policy, gboolean training, float *target, float *mask)
{
    switch (policy) {
    case DPCXR_UNCERTAIN_ONES:
        return set(target, mask, 1, 1);
    case DPCXR_UNCERTAIN_ZEROS:
        return set(target, mask, 0, 1);
    case DPCXR_UNCERTAIN_SMOOTH:
        return training ? set(target, mask, 0.7f, 1) : set(target, mask, 0, 0);
    case DPCXR_UNCERTAIN_IGNORE:
        break;
    }
    set(target, mask, 0, 0);
}

void dpcxr_label_target(DpcxrLabel label, DpcxrUncertain uncertain, DpcxrMissing missing, gboolean training,
                        float *target, float *mask)
{
    switch (label) {
    case DPCXR_LABEL_POSITIVE:
        return set(target, mask, 1, 1);
    case DPCXR_LABEL_NEGATIVE:
        return set(target, mask, 0, 1);
    case DPCXR_LABEL_UNCERTAIN:
        return set_uncertain(uncertain, training, target, mask);
    case DPCXR_LABEL_MISSING:
        break;
    }
    set(target, mask, 0, missing == DPCXR_MISSING_ZEROS ? 1 : 0);
}
