#version 450
// SPDX-License-Identifier: MIT
// With v what the activation saw: dv = dy activation'(v) takes dy's place and goes to the residual's gradient, and
// parts[row, chunk, c] = (sum of dv, sum of dv xhat) over a chunk of positions.
#include "common.glsl"
#include "batch.glsl"
#include "activation.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer Moments { vec2 moments[]; };
layout(set = 0, binding = 3) readonly buffer Weight { float weight[]; };
layout(set = 0, binding = 4) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 5) readonly buffer Other { stored other[]; };
layout(set = 0, binding = 6) buffer DY { stored dy[]; };
layout(set = 0, binding = 7) buffer DOther { stored dother[]; };
layout(set = 0, binding = 8) writeonly buffer Parts { vec2 parts[]; };

void main()
{
    int id = invocation_id(), c = id % C, chunk = id / C % CHUNKS, row = id / C / CHUNKS;
    if (row >= rows_here())
        return;
    vec2 m = moments[row * GROUPS + c / WIDTH];
    int last = min(chunk * CHUNK + CHUNK, POSITIONS);
    float sum = 0, products = 0;
    for (int p = chunk * CHUNK; p < last; p++) {
        int at = (row * POSITIONS + p) * C + c;
        float xhat = (x[at] - m.x) * m.y, dv = dy[at];
        if (ACTIVATION != 0) {
            float v = xhat * weight[c] + bias[c];
            if (RESIDUAL != 0)
                v += other[at];
            dv = activation_gradient(ACTIVATION, v, dv);
            dy[at] = stored(dv);
        }
        if (WANTS_OTHER == 1)
            dother[at] = stored(dv);
        if (WANTS_OTHER == 2)
            dother[at] = stored(dother[at] + dv);
        sum += dv;
        products += dv * xhat;
    }
    parts[id] = vec2(sum, products);
}
