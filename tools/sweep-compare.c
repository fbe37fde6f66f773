/* SPDX-License-Identifier: MIT */
#include "sweep-compare.h"
#include "report/compare.h"
#include <math.h>

static gboolean compare(const DpcxrSweep *sweep, const char *const *roots, const char *split,
                        const char *folder, GError **error)
{
    const DpcxrExperiment *e = sweep->base;
    const DpcxrCompareOptions options = {.split = split,
                                         .margin = NAN,
                                         .replicates = (gsize)e->evaluate.ci_replicates,
                                         .level = e->evaluate.ci_level,
                                         .seed = e->evaluate.ci_seed,
                                         .min_n = e->evaluate.min_n,
                                         .min_pos = e->evaluate.min_pos};
    g_autoptr(DpcxrComparison) comparison = dpcxr_compare(roots, &options, error);
    return comparison && dpcxr_comparison_write(comparison, folder,
                                                e->sweep.n_accountants > 0 && !e->sweep.at_epsilon, error);
}

void dpcxr_sweep_compare(const DpcxrSweep *sweep, FILE *stream)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep), roots = g_ptr_array_new();
    g_autofree char *folder = g_build_filename(sweep->folder, "comparison", NULL);
    g_autoptr(GError) error = NULL;
    gboolean tested = TRUE;
    for (guint i = 0; i < runs->len; i++) {
        const DpcxrSweepRun *run = g_ptr_array_index(runs, i);
        if (run->outcome.status != DPCXR_RUN_DONE)
            continue;
        g_ptr_array_add(roots, run->folder);
        tested = tested && run->outcome.tested;
    }
    if (roots->len < 2)
        return;
    g_ptr_array_add(roots, NULL);
    const char *split = tested ? "test" : "valid";
    if (compare(sweep, (const char *const *)roots->pdata, split, folder, &error))
        fprintf(stream, "comparison %s/comparison.html, on %s images (private)\n", folder, split);
    else
        fprintf(stream, "comparison none: %s\n", error->message);
}
