/* SPDX-License-Identifier: MIT
 * The loss of one image and its gradient. The image owns its denominator: labels that are not known leave both the sum
 * and the mean, so that no other image's labels enter its gradient. */
#include "backend/ref/ref.h"
#include <math.h>

float dpcxr_ref_bce(const float *logits, const float *targets, const float *mask, const float *pos_weight, int n,
                    float row_weight, float *gradient)
{
    double known = 0, loss = 0;
    for (int i = 0; i < n; i++)
        known += mask[i] != 0;
    for (int i = 0; i < n; i++) {
        gradient[i] = 0;
        if (mask[i] == 0)
            continue;
        double x = logits[i], y = targets[i], factor = 1 + ((pos_weight ? pos_weight[i] : 1) - 1) * y;
        double softplus = log1p(exp(-fabs(x))) + (x < 0 ? -x : 0); /* of -x */
        loss += (1 - y) * x + factor * softplus;
        gradient[i] = (float)(row_weight * ((1 - y) - factor / (1 + exp(x))) / known);
    }
    return known > 0 ? (float)(loss / known) : 0;
}
