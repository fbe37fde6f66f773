/* SPDX-License-Identifier: MIT */
#include "sweep/cost.h"
#include "sweep/names.h"
#include <math.h>

static void charge_run(const DpcxrSweepCost *cost, DpcxrSweepRun *run)
{
    DpcxrOutcome *outcome = &run->outcome;
    const char *const alone[] = {run->folder, NULL};
    if (!outcome->claimed)
        return;
    outcome->charges = dpcxr_charges_new(alone, cost->accountants, cost->n, outcome->delta, NULL);
    outcome->n_charges = outcome->charges ? cost->n : 0;
}

static gboolean has_ledger(const DpcxrSweepRun *run)
{
    g_autofree char *ledger = g_build_filename(run->folder, "private", "ledger.jsonl", NULL);
    return g_file_test(ledger, G_FILE_TEST_EXISTS);
}

/* Whether it has seen the data, and promises nothing. */
static gboolean is_open_handed(const DpcxrSweepRun *run)
{
    const DpcxrOutcome *outcome = &run->outcome;
    return (outcome->status == DPCXR_RUN_DONE && !outcome->claimed) ||
           (outcome->status != DPCXR_RUN_WAITING && !run->experiment->privacy.enabled);
}

static void charge_together(DpcxrSweepCost *cost, const DpcxrSweep *sweep)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep), folders = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < runs->len; i++) {
        const DpcxrSweepRun *run = g_ptr_array_index(runs, i);
        if (is_open_handed(run))
            cost->unclaimed = cost->unclaimed ? cost->unclaimed : run->name;
        else if (has_ledger(run))
            g_ptr_array_add(folders, run->folder);
    }
    cost->runs = folders->len;
    g_ptr_array_add(folders, NULL);
    if (cost->runs > 0)
        cost->together =
            dpcxr_charges_new((const char *const *)folders->pdata, cost->accountants, cost->n, NAN, &error);
    if (!cost->together)
        cost->problem = g_strdup(cost->runs > 0 ? error->message : "no private run has touched the data");
}

void dpcxr_sweep_cost_init(DpcxrSweepCost *cost, DpcxrSweep *sweep)
{
    const DpcxrExperiment *base = sweep->base;
    gboolean given = base->sweep.n_accountants > 0;
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    *cost = (DpcxrSweepCost){.accountants = given ? base->sweep.accountants : &base->privacy.accountant,
                             .n = given ? base->sweep.n_accountants : 1};
    cost->labels = g_new0(char *, cost->n + 1);
    for (gsize i = 0; i < cost->n; i++)
        cost->labels[i] = given ? dpcxr_sweep_value_name(base->sweep.accountant_texts[i])
                                : g_strdup(base->privacy.accountant.type);
    for (guint i = 0; i < runs->len; i++)
        charge_run(cost, g_ptr_array_index(runs, i));
    charge_together(cost, sweep);
}

void dpcxr_sweep_cost_clear(DpcxrSweepCost *cost)
{
    g_strfreev(cost->labels);
    dpcxr_charges_free(cost->together, cost->n);
    g_free(cost->problem);
    *cost = (DpcxrSweepCost){0};
}
