/* SPDX-License-Identifier: MIT */
#include "sweep/choose.h"
#include <math.h>
#include <string.h>

/* @n values; NAN: none. */
static DpcxrSpread spread(const double *values, guint n)
{
    DpcxrSpread s = {0, 0, 0};
    for (guint i = 0; i < n; i++)
        if (!isnan(values[i])) {
            s.mean += values[i];
            s.n++;
        }
    s.mean = s.n > 0 ? s.mean / s.n : NAN;
    for (guint i = 0; i < n; i++)
        s.deviation += isnan(values[i]) ? 0 : (values[i] - s.mean) * (values[i] - s.mean);
    s.deviation = s.n > 1 ? sqrt(s.deviation / (s.n - 1)) : NAN;
    return s;
}

void dpcxr_sweep_measure(DpcxrSweep *sweep)
{
    for (guint p = 0; p < sweep->points->len; p++) {
        DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        guint n = point->runs->len;
        g_autofree double *valid = g_new(double, n), *test = g_new(double, n);
        for (guint i = 0; i < n; i++) {
            const DpcxrOutcome *outcome = &((DpcxrSweepRun *)g_ptr_array_index(point->runs, i))->outcome;
            valid[i] = outcome->valid.value;
            test[i] = outcome->test.value;
        }
        point->valid = spread(valid, n);
        point->test = spread(test, n);
    }
}

static char *why_not(const DpcxrSweep *sweep)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    for (guint i = 0; i < runs->len; i++) {
        const DpcxrSweepRun *run = g_ptr_array_index(runs, i);
        if (run->outcome.status != DPCXR_RUN_DONE)
            return g_strdup_printf(
                "%s is not done (%s), and chosen is among all runs; run again, or take its point out",
                run->name, dpcxr_run_status_name(run->outcome.status));
        if (isnan(run->outcome.valid.value))
            return g_strdup_printf("%s has no AUROC on the validation split", run->name);
    }
    return NULL;
}

/* Whether two points have equal values of the keys that there is one choice for each of. */
static gboolean is_rival(const DpcxrSweep *sweep, const DpcxrSweepPoint *a, const DpcxrSweepPoint *b)
{
    for (gsize k = 0; k < sweep->n_keys; k++)
        if (g_strv_contains((const char *const *)sweep->base->sweep.per, sweep->keys[k]) &&
            g_strcmp0(a->values[k], b->values[k]) != 0)
            return FALSE;
    return TRUE;
}

char *dpcxr_sweep_choose(DpcxrSweep *sweep)
{
    char *why = why_not(sweep);
    dpcxr_sweep_measure(sweep);
    for (guint p = 0; p < sweep->points->len; p++) {
        DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        point->chosen = why == NULL;
        for (guint q = 0; q < sweep->points->len && point->chosen; q++) {
            const DpcxrSweepPoint *other = g_ptr_array_index(sweep->points, q);
            if (is_rival(sweep, point, other) &&
                (other->valid.mean > point->valid.mean || (q < p && other->valid.mean == point->valid.mean)))
                point->chosen = FALSE;
        }
    }
    return why;
}
