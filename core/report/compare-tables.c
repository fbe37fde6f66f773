/* SPDX-License-Identifier: MIT */
#include "privacy/accounting.h"
#include "report/compare-page.h"
#include <math.h>

char *dpcxr_compared_epsilon_text(const DpcxrComparedRun *run)
{
    return isnan(run->epsilon) ? g_strdup("none") : dpcxr_format_epsilon(run->epsilon, 2);
}

static void put_claim(DpcxrTable *table, const DpcxrComparedRun *run)
{
    g_autofree char *epsilon = dpcxr_compared_epsilon_text(run);
    g_autofree char *delta = isnan(run->delta) ? g_strdup("") : dpcxr_format_exact(run->delta);
    dpcxr_table_text(table, epsilon);
    dpcxr_table_text(table, delta);
    dpcxr_table_text(table, run->accountant);
}

static void put_value(DpcxrTable *table, const DpcxrComparedValue *value, gboolean baseline)
{
    dpcxr_table_interval(table, value->auroc.value, value->auroc.low, value->auroc.high);
    if (baseline) {
        dpcxr_table_missing(table, "baseline");
        dpcxr_table_missing(table, "");
        dpcxr_table_missing(table, "");
        return;
    }
    dpcxr_table_interval(table, value->difference.value, value->difference.low, value->difference.high);
    dpcxr_table_number(table, value->p);
    dpcxr_table_number(table, value->p_holm);
}

static void value_columns(DpcxrTable *table, const char *auroc)
{
    dpcxr_table_column(table, auroc, DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_column(table, "Difference", DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_column(table, "p", DPCXR_COLUMN_NUMBER, 3);
    dpcxr_table_column(table, "p (Holm)", DPCXR_COLUMN_NUMBER, 3);
}

DpcxrTable *dpcxr_compare_runs_table(const DpcxrComparison *c)
{
    DpcxrTable *table = dpcxr_table_new(NULL);
    gboolean margin = !isnan(c->options.margin);
    dpcxr_table_column(table, "Run", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Epsilon", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Delta", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Accountant", DPCXR_COLUMN_TEXT, 0);
    value_columns(table, "Mean AUROC");
    if (margin)
        dpcxr_table_column(table, "p (not inferior)", DPCXR_COLUMN_NUMBER, 3);
    for (guint i = 0; i < c->runs->len; i++) {
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        dpcxr_table_text(table, run->files->name);
        put_claim(table, run);
        put_value(table, &run->mean, i == c->baseline);
        if (margin && i == c->baseline)
            dpcxr_table_missing(table, "");
        else if (margin)
            dpcxr_table_number(table, run->p_not_inferior);
    }
    return table;
}

DpcxrTable *dpcxr_compare_labels_table(const DpcxrComparison *c)
{
    DpcxrTable *table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Run", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Positive", DPCXR_COLUMN_COUNT, 0);
    value_columns(table, "AUROC");
    for (guint i = 0; i < c->runs->len; i++)
        for (gsize label = 0; label < c->n_labels; label++) {
            const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
            dpcxr_table_text(table, run->files->name);
            dpcxr_table_text(table, c->labels[label]);
            dpcxr_table_count(table, c->positives[label]);
            put_value(table, &run->labels[label], i == c->baseline);
        }
    return table;
}

/* p of groups is not adjusted and not for claims, so it is left out. */
DpcxrTable *dpcxr_compare_groups_table(const DpcxrComparison *c)
{
    DpcxrTable *table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Run", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Grouping", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Group", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Images", DPCXR_COLUMN_COUNT, 0);
    dpcxr_table_column(table, "Mean AUROC", DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_column(table, "Difference", DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < c->runs->len; i++)
        for (gsize g = 0; g < c->n_groups; g++) {
            const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
            const DpcxrComparedValue *value = &run->groups[g];
            dpcxr_table_text(table, run->files->name);
            dpcxr_table_text(table, c->groups[g].grouping);
            dpcxr_table_text(table, c->groups[g].value);
            dpcxr_table_count(table, c->groups[g].n);
            if (c->groups[g].small)
                dpcxr_table_missing(table, "too small");
            else
                dpcxr_table_interval(table, value->auroc.value, value->auroc.low, value->auroc.high);
            if (i == c->baseline)
                dpcxr_table_missing(table, "baseline");
            else
                dpcxr_table_interval(table, value->difference.value, value->difference.low,
                                     value->difference.high);
        }
    return table;
}
