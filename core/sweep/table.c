/* SPDX-License-Identifier: MIT */
#include "sweep/table.h"
#include "privacy/accounting.h"
#include <math.h>
#include <string.h>

/* A cell, and the comma before it where the line has begun; quoted as RFC 4180 has it. NULL: empty. */
static void cell(GString *csv, const char *text)
{
    if (csv->len > 0 && csv->str[csv->len - 1] != '\n')
        g_string_append_c(csv, ',');
    if (!text || !strpbrk(text, ",\"\n\r")) {
        g_string_append(csv, text ? text : "");
        return;
    }
    g_auto(GStrv) pieces = g_strsplit(text, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", pieces);
    g_string_append_printf(csv, "\"%s\"", doubled);
}

static void number_cell(GString *csv, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "";
    if (isfinite(value))
        g_ascii_formatd(text, sizeof text, "%.9g", value);
    cell(csv, text);
}

/* Not a digit less: what is read from it may not be smaller than what was proven. */
static void bound_cell(GString *csv, double value)
{
    g_autofree char *text = isfinite(value) ? dpcxr_format_exact(value) : g_strdup("");
    cell(csv, text);
}

static void heading(GString *csv, const DpcxrSweep *sweep, const DpcxrSweepCost *cost)
{
    static const char *const before[] = {"run", "point", "seed", "status", "chosen"};
    static const char *const after[] = {"valid_auroc",
                                        "valid_auroc_low",
                                        "valid_auroc_high",
                                        "test_auroc",
                                        "test_auroc_low",
                                        "test_auroc_high",
                                        "point_runs",
                                        "point_valid_auroc_mean",
                                        "point_valid_auroc_sd",
                                        "point_test_auroc_mean",
                                        "point_test_auroc_sd",
                                        "noise_multiplier",
                                        "accountant",
                                        "epsilon",
                                        "delta"};
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
        cell(csv, before[i]);
    for (gsize k = 0; k < sweep->n_keys; k++)
        cell(csv, sweep->keys[k]);
    for (gsize i = 0; i < G_N_ELEMENTS(after); i++)
        cell(csv, after[i]);
    for (gsize i = 0; i < cost->n; i++) {
        g_autofree char *name = g_strconcat("epsilon_", cost->labels[i], NULL);
        cell(csv, name);
    }
    g_string_append_c(csv, '\n');
}

static void auroc_cells(GString *csv, const DpcxrAuroc *auroc)
{
    number_cell(csv, auroc->value);
    number_cell(csv, auroc->low);
    number_cell(csv, auroc->high);
}

static void row(GString *csv, const DpcxrSweep *sweep, const DpcxrSweepCost *cost,
                const DpcxrSweepPoint *point, const DpcxrSweepRun *run)
{
    const DpcxrOutcome *outcome = &run->outcome;
    cell(csv, run->name);
    cell(csv, point->name);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, run->seed);
    cell(csv, seed);
    cell(csv, dpcxr_run_status_name(outcome->status));
    cell(csv, point->chosen ? "1" : "0");
    for (gsize k = 0; k < sweep->n_keys; k++)
        cell(csv, point->values[k]);
    auroc_cells(csv, &outcome->valid);
    auroc_cells(csv, &outcome->test);
    number_cell(csv, point->valid.n);
    number_cell(csv, point->valid.mean);
    number_cell(csv, point->valid.deviation);
    number_cell(csv, point->test.mean);
    number_cell(csv, point->test.deviation);
    number_cell(csv, outcome->noise_multiplier);
    cell(csv, outcome->claimed ? run->experiment->privacy.accountant.type : NULL);
    bound_cell(csv, outcome->epsilon);
    number_cell(csv, outcome->delta);
    for (gsize i = 0; i < cost->n; i++)
        bound_cell(csv, outcome->charges ? outcome->charges[i].epsilon : NAN);
    g_string_append_c(csv, '\n');
}

char *dpcxr_sweep_csv(const DpcxrSweep *sweep, const DpcxrSweepCost *cost)
{
    GString *csv = g_string_new(NULL);
    heading(csv, sweep, cost);
    for (guint p = 0; p < sweep->points->len; p++) {
        const DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        for (guint i = 0; i < point->runs->len; i++)
            row(csv, sweep, cost, point, g_ptr_array_index(point->runs, i));
    }
    return g_string_free(csv, FALSE);
}
