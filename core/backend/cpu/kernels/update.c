/* SPDX-License-Identifier: MIT
 * The optimizer step in plain loops that the compiler vectorises. This file is compiled without contraction, so that the
 * weights are the reference's bit for bit on every processor. */
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"

typedef struct {
    const float *restrict sum, *restrict noise; /* noise nullable */
    float *restrict w, *restrict m, *restrict v;
    gsize n;
} Tensors;

INLINE float gradient(Tensors t, gboolean noised, float scale, gsize i)
{
    return (noised ? t.sum[i] + t.noise[i] : t.sum[i]) * scale;
}

INLINE void sgd(const DpcxrUpdate *u, Tensors t, gboolean noised)
{
    float scale = (float)u->scale, weight_decay = (float)u->weight_decay, lr = (float)u->lr;
    for (gsize i = 0; i < t.n; i++) {
        float g = gradient(t, noised, scale, i) + weight_decay * t.w[i];
        t.w[i] -= lr * g;
    }
}

INLINE void sgd_momentum(const DpcxrUpdate *u, Tensors t, gboolean noised, gboolean first, gboolean nesterov)
{
    float scale = (float)u->scale, weight_decay = (float)u->weight_decay, lr = (float)u->lr;
    float momentum = (float)u->momentum, fresh = (float)(1 - u->dampening);
    for (gsize i = 0; i < t.n; i++) {
        float g = gradient(t, noised, scale, i) + weight_decay * t.w[i];
        float m = first ? g : momentum * t.m[i] + fresh * g;
        t.m[i] = m;
        t.w[i] -= lr * (nesterov ? g + momentum * m : m);
    }
}

INLINE void adaptive(const DpcxrUpdate *u, Tensors t, gboolean noised)
{
    float scale = (float)u->scale, weight_decay = (float)u->weight_decay, keep = (float)(1 - u->decay);
    float beta1 = (float)u->beta1, fresh1 = (float)(1 - u->beta1);
    float beta2 = (float)u->beta2, fresh2 = (float)(1 - u->beta2);
    float gradient_rate = (float)u->gradient_rate, moment_rate = (float)u->moment_rate;
    float root = (float)u->v_root, eps = (float)u->eps;
    for (gsize i = 0; i < t.n; i++) {
        float w = t.w[i] * keep;
        float g = gradient(t, noised, scale, i) + weight_decay * w;
        float m = beta1 * t.m[i] + fresh1 * g;
        float v = beta2 * t.v[i] + fresh2 * g * g;
        t.m[i] = m;
        t.v[i] = v;
        t.w[i] = w - (gradient_rate * g + moment_rate * m) / (__builtin_sqrtf(v) / root + eps);
    }
}

INLINE void apply(const DpcxrUpdate *u, Tensors t, gboolean noised)
{
    if (u->rule == DPCXR_RULE_ADAPTIVE)
        adaptive(u, t, noised);
    else if (u->momentum == 0)
        sgd(u, t, noised);
    else if (u->first)
        sgd_momentum(u, t, noised, TRUE, u->nesterov);
    else
        sgd_momentum(u, t, noised, FALSE, u->nesterov);
}

void KERNEL(update)(const DpcxrUpdate *update, gsize n, const float *sum, const float *noise, float *weight, float *m,
                    float *v)
{
    Tensors t = {sum, noise, weight, m, v, n};
    if (noise)
        apply(update, t, TRUE);
    else
        apply(update, t, FALSE);
}
