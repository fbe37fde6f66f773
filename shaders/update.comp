#version 450
// SPDX-License-Identifier: MIT
// The optimizer step, element by element, in the order of core/backend/ref/update.c; nothing where a flag says that some
// noised sum is not finite.
#include "common.glsl"
#include "update.glsl"
#include "shared/rule.h"
layout(set = 0, binding = 0) readonly buffer RuleBuffer { Rule rule; };
layout(set = 0, binding = 1) readonly buffer Flags { int flags[]; };
layout(set = 0, binding = 2) readonly buffer Sum { float sum[]; };
layout(set = 0, binding = 3) readonly buffer Noise { float noise[]; };
layout(set = 0, binding = 4) buffer Weight { float weight[]; };
layout(set = 0, binding = 5) buffer Moment1 { float moment1[]; };
layout(set = 0, binding = 6) buffer Moment2 { float moment2[]; };
layout(set = 0, binding = 7) buffer Average { float average[]; };

float sgd(int e, float gradient, float w)
{
    precise float g = gradient;
    g += rule.weight_decay * w;
    if (rule.momentum_on != 0) {
        precise float m = rule.first != 0 ? g : rule.momentum * moment1[e] + rule.undamped * g;
        moment1[e] = m;
        g = rule.nesterov != 0 ? g + rule.momentum * m : m;
    }
    precise float result = w - rule.lr * g;
    return result;
}

float adaptive(int e, float gradient, float weight_before)
{
    precise float g = gradient, w = weight_before;
    w *= rule.kept;
    g += rule.weight_decay * w;
    precise float m = rule.beta1 * moment1[e] + rule.new1 * g;
    precise float v = rule.beta2 * moment2[e] + rule.new2 * g * g;
    moment1[e] = m;
    moment2[e] = v;
    w -= (rule.gradient_rate * g + rule.moment_rate * m) / (sqrt(v) / rule.v_root + rule.eps);
    return w;
}

void main()
{
    int e = invocation_id();
    if (e >= SIZE || flags[0] != 0)
        return;
    precise float g = (rule.noise_on != 0 ? sum[e] + noise[pytorch_place(e)] : sum[e]) * rule.scale;
    precise float w = rule.adaptive != 0 ? adaptive(e, g, weight[e]) : sgd(e, g, weight[e]);
    weight[e] = w;
    if (rule.average_on != 0)
        average[e] += rule.average_rate * (w - average[e]);
}
