/* SPDX-License-Identifier: MIT
 * The body of a noise kernel. The build compiles it once for each instruction set, with DPCXR_NOISE_RUN as
 * the name of the function (meson.build); the compiler vectorises both loops. */
#include "privacy/gaussian.h"
#include "privacy/noise-kernel.h"

gsize DPCXR_NOISE_RUN(const guint64 *restrict words, gsize groups, double std, float *restrict out)
{
    guint64 tails = 0;
    for (gsize g = 0; g < groups; g++) {
        const guint64 *radius = words + g * DPCXR_NOISE_GROUP, *angle = radius + DPCXR_NOISE_PAIRS;
        float *cosines = out + g * DPCXR_NOISE_GROUP, *sines = cosines + DPCXR_NOISE_PAIRS;
        for (int i = 0; i < DPCXR_NOISE_PAIRS; i++) {
            double z0, z1;
            dpcxr_gaussian_pair(radius[i], angle[i], &z0, &z1);
            cosines[i] = (float)(std * z0);
            sines[i] = (float)(std * z1);
        }
        for (int i = 0; i < DPCXR_NOISE_PAIRS; i++)
            tails += dpcxr_gaussian_is_tail(radius[i]) ? 1 : 0;
    }
    return tails;
}
