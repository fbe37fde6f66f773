/* SPDX-License-Identifier: MIT
 * Initial weights from the public seed: each parameter has a stream of its own, so that a changed head leaves the rest
 * of the network as it was. */
#include "graph/layers.h"
#include <dpcxr/random.h>

void dpcxr_graph_initial_values(const DpcxrGraph *graph, int i, guint64 seed, float *values)
{
    const DpcxrParameter *parameter = dpcxr_graph_parameter(graph, i);
    DpcxrRandom random;
    dpcxr_random_init(&random, seed, "initial weights", (guint64)i, 0);
    for (gsize k = 0; k < parameter->size; k++) {
        switch (parameter->init) {
        case DPCXR_INIT_ZEROS:
            values[k] = 0;
            break;
        case DPCXR_INIT_ONES:
            values[k] = 1;
            break;
        case DPCXR_INIT_NORMAL:
            values[k] = (float)(parameter->init_scale * dpcxr_random_normal(&random));
            break;
        case DPCXR_INIT_UNIFORM:
            values[k] = (float)(parameter->init_scale * (2 * dpcxr_random_uniform(&random) - 1));
            break;
        }
    }
}
