/* SPDX-License-Identifier: MIT
 * The optimizer step, element by element, as DpcxrUpdate defines it. */
#include "backend/ref/ref.h"
#include <math.h>

gboolean dpcxr_ref_noised_finite(gsize n, const float *sum, const float *noise)
{
    for (gsize i = 0; i < n; i++)
        if (!isfinite(noise ? sum[i] + noise[i] : sum[i]))
            return FALSE;
    return TRUE;
}

static void sgd(const DpcxrUpdate *u, float g, float *w, float *m)
{
    g += (float)u->weight_decay * *w;
    if (u->momentum != 0) {
        *m = u->first ? g : (float)u->momentum * *m + (float)(1 - u->dampening) * g;
        g = u->nesterov ? g + (float)u->momentum * *m : *m;
    }
    *w -= (float)u->lr * g;
}

static void adaptive(const DpcxrUpdate *u, float g, float *w, float *m, float *v)
{
    *w *= (float)(1 - u->decay);
    g += (float)u->weight_decay * *w;
    *m = (float)u->beta1 * *m + (float)(1 - u->beta1) * g;
    *v = (float)u->beta2 * *v + (float)(1 - u->beta2) * g * g;
    *w -= ((float)u->gradient_rate * g + (float)u->moment_rate * *m) /
          (sqrtf(*v) / (float)u->v_root + (float)u->eps);
}

void dpcxr_ref_update(const DpcxrUpdate *update, gsize n, const float *sum, const float *noise, float *weight,
                      float *m, float *v)
{
    for (gsize i = 0; i < n; i++) {
        float g = (noise ? sum[i] + noise[i] : sum[i]) * (float)update->scale;
        if (update->rule == DPCXR_RULE_SGD)
            sgd(update, g, &weight[i], m ? &m[i] : NULL);
        else
            adaptive(update, g, &weight[i], &m[i], &v[i]);
    }
}

void dpcxr_ref_average(double rate, gsize n, const float *weight, float *average)
{
    for (gsize i = 0; i < n; i++)
        average[i] += (float)rate * (weight[i] - average[i]);
}
