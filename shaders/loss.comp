#version 450
// SPDX-License-Identifier: MIT
// Binary cross-entropy with logits of one row, the mean over its known labels, and its gradient times the row's weight (see
// core/backend/ref/loss.c).
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int OUTPUTS = 1;
layout(constant_id = 2) const float LOSS_SCALE = 1; // a power of two, on gradients alone
layout(set = 0, binding = 1) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 2) readonly buffer Targets { float targets[]; };
layout(set = 0, binding = 3) readonly buffer Mask { float mask[]; };
layout(set = 0, binding = 4) readonly buffer RowWeights { float row_weights[]; };
layout(set = 0, binding = 5) readonly buffer PosWeight { float pos_weight[]; };
layout(set = 0, binding = 6) writeonly buffer Losses { float losses[]; };
layout(set = 0, binding = 7) writeonly buffer Gradient { float gradient[]; };

// log(1 + u) for u in [0, 1]: what rounding 1 + u loses is given back (Higham 2002, section 1.14.1).
float log1p(float u)
{
    precise float v = 1 + u;
    precise float lost = u - (v - 1);
    return log(v) + lost / v;
}

// Of single layers with large outputs (dpcxr bench ops), as many in a round: Mesa's software device ends all loops of an invocation
// after 65535 rounds, counted together, and says nothing.
const int AT_ONCE = OUTPUTS > 4096 ? 32 : 1;

float known = 0, loss = 0;

void add_known(int row, int i)
{
    if (i < OUTPUTS)
        known += mask[row * OUTPUTS + i] != 0 ? 1 : 0;
}

void add_output(int row, int i)
{
    if (i >= OUTPUTS)
        return;
    int at = row * OUTPUTS + i;
    float x = logits[at], t = targets[at], factor = 1 + (pos_weight[i] - 1) * t, u = exp(-abs(x));
    bool there = mask[at] != 0;
    if (there)
        loss += (1 - t) * x + factor * (log1p(u) + (x < 0 ? -x : 0)); // softplus of -x
    float sigmoid = x < 0 ? 1 / (1 + u) : u / (1 + u);              // of -x
    gradient[at] = there ? LOSS_SCALE * row_weights[row] * ((1 - t) - factor * sigmoid) / known : 0;
}

void main()
{
    int row = invocation_id();
    if (row >= rows_here())
        return;
    for (int i = 0; i < OUTPUTS; i += AT_ONCE)
        [[unroll]] for (int j = 0; j < AT_ONCE; j++) add_known(row, i + j);
    for (int i = 0; i < OUTPUTS; i += AT_ONCE)
        [[unroll]] for (int j = 0; j < AT_ONCE; j++) add_output(row, i + j);
    losses[row] = known > 0 ? loss / known : 0;
}
