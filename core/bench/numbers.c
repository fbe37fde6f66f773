/* SPDX-License-Identifier: MIT */
#include "bench/numbers.h"
#include <dpcxr/random.h>
#include <stdlib.h>

double dpcxr_bench_now(void)
{
    return (double)g_get_monotonic_time() / G_USEC_PER_SEC;
}

float *dpcxr_bench_values(gsize n, guint32 stream)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, 1, "bench", 0, stream);
    float *values = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        values[i] = (float)dpcxr_random_uniform(&random);
    return values;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double dpcxr_bench_median(const double *values, int n)
{
    g_autofree double *sorted = g_memdup2(values, (gsize)n * sizeof *values);
    qsort(sorted, (gsize)n, sizeof *sorted, by_value);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

gboolean dpcxr_bench_initialise(DpcxrProgram *program, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        g_autofree float *values = g_new(float, dpcxr_graph_parameter(program->graph, i)->size);
        dpcxr_graph_initial_values(program->graph, i, 1, values);
        if (!dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
    }
    return TRUE;
}
