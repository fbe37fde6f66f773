/* SPDX-License-Identifier: MIT
 * dpcxr compare RUN RUN...: what runs lose against one of them on the same images. */
#include "command.h"
#include "privacy/accounting.h"
#include "report/compare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static gboolean usage(GError **error, const char *message)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr compare: %s", message);
    return FALSE;
}

static void print_value(const DpcxrEstimate *e)
{
    if (isnan(e->value))
        printf("      none              ");
    else if (isnan(e->low) || isnan(e->high))
        printf("%7.3f                 ", e->value);
    else
        printf("%7.3f (%6.3f, %6.3f)", e->value, e->low, e->high);
}

static void print_p(double p)
{
    if (isnan(p))
        printf("       -");
    else
        printf("  %6.4f", p);
}

static void print_run(const DpcxrComparison *c, guint i)
{
    const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
    g_autofree char *epsilon = isnan(run->epsilon) ? g_strdup("none") : dpcxr_format_epsilon(run->epsilon, 2);
    printf("%-24s %8s ", run->files->name, epsilon);
    print_value(&run->mean.auroc);
    if (i == c->baseline) {
        printf("   baseline\n");
        return;
    }
    print_value(&run->mean.difference);
    print_p(run->mean.p);
    print_p(run->mean.p_holm);
    if (!isnan(c->options.margin))
        print_p(run->p_not_inferior);
    printf("\n");
}

static void print(const DpcxrComparison *c, const char *folder)
{
    printf("%" G_GSIZE_FORMAT " %s images of %" G_GSIZE_FORMAT " patients\n\n", c->n, c->options.split,
           c->n_patients);
    printf("%-24s %8s %-24s%-24s%8s%8s%s\n", "run", "epsilon", "  mean AUROC", "  difference", "p", "Holm",
           isnan(c->options.margin) ? "" : "  not inferior");
    for (guint i = 0; i < c->runs->len; i++)
        print_run(c, i);
    printf("\n%s/comparison.html\n", folder);
}

/* Beside the first run. (transfer full) */
static char *default_folder(const char *root)
{
    g_autofree char *full = g_canonicalize_filename(root, NULL), *parent = g_path_get_dirname(full);
    g_autofree char *above = g_path_get_dirname(root);
    return g_build_filename(strcmp(root, ".") == 0 ? parent : above, "comparison", NULL);
}

typedef struct {
    char *baseline, *out, *split, *accountants;
    double margin, level;
    int replicates, seed, min_n, min_pos;
    gboolean json;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->baseline);
    g_free(a->out);
    g_free(a->split);
    g_free(a->accountants);
}

static gboolean check(const Arguments *a, GError **error)
{
    if (a->split && strcmp(a->split, "test") != 0 && strcmp(a->split, "valid") != 0)
        return usage(error, "--split is test or valid");
    if (a->accountants && strcmp(a->accountants, "claim") != 0 && strcmp(a->accountants, "all") != 0)
        return usage(error, "--accountants is claim (each run at the epsilon it claims) or all (at that of "
                            "every accountant)");
    if (!isnan(a->margin) && !(a->margin >= 0 && a->margin < 1))
        return usage(error, "--margin is from 0 to below 1");
    if (!(a->level > 0 && a->level < 1))
        return usage(error, "--level is between 0 and 1");
    if (a->replicates < 1 || a->replicates > 1000000 || a->seed < 0 || a->min_n < 1 || a->min_pos < 1)
        return usage(
            error, "--replicates is from 1 to 1000000, --seed at least 0, --min-n and --min-pos at least 1");
    return TRUE;
}

static gboolean compare(const char *const *roots, const Arguments *a, GError **error)
{
    g_autofree char *folder = a->out ? g_strdup(a->out) : default_folder(roots[0]);
    gboolean all = g_strcmp0(a->accountants, "all") == 0;
    const DpcxrCompareOptions options = {.split = a->split ? a->split : "test",
                                         .baseline = a->baseline,
                                         .margin = a->margin,
                                         .replicates = (gsize)a->replicates,
                                         .level = a->level,
                                         .seed = (guint64)a->seed,
                                         .min_n = (gsize)a->min_n,
                                         .min_pos = (gsize)a->min_pos};
    g_autoptr(DpcxrComparison) c = dpcxr_compare(roots, &options, error);
    if (!c || !dpcxr_comparison_write(c, folder, all, error))
        return FALSE;
    if (a->json) {
        g_autofree char *text = dpcxr_comparison_json(c);
        fputs(text, stdout);
    } else {
        print(c, folder);
    }
    return TRUE;
}

gboolean dpcxr_cmd_compare(int argc, char **argv, GError **error)
{
    Arguments a = {.margin = NAN, .level = 0.95, .replicates = 1000, .seed = 1, .min_n = 30, .min_pos = 10};
    g_auto(GStrv) roots = NULL;
    const GOptionEntry entries[] = {
        {"baseline", 0, 0, G_OPTION_ARG_FILENAME, &a.baseline,
         "Run that others are compared with (default: the first without "
         "a privacy claim, else the first)",
         "RUN"},
        {"margin", 0, 0, G_OPTION_ARG_DOUBLE, &a.margin,
         "Also test whether a run's mean AUROC is not worse by this", "M"},
        {"split", 0, 0, G_OPTION_ARG_STRING, &a.split, "test (default) or valid", "SPLIT"},
        {"accountants", 0, 0, G_OPTION_ARG_STRING, &a.accountants,
         "claim: each run at the epsilon it claims (default); all: at that of every accountant", "WHICH"},
        {"replicates", 0, 0, G_OPTION_ARG_INT, &a.replicates, "Of the bootstrap (default 1000)", "N"},
        {"level", 0, 0, G_OPTION_ARG_DOUBLE, &a.level, "Of intervals (default 0.95)", "P"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &a.seed, "Of the bootstrap (default 1)", "N"},
        {"min-n", 0, 0, G_OPTION_ARG_INT, &a.min_n, "Images that a group needs (default 30)", "N"},
        {"min-pos", 0, 0, G_OPTION_ARG_INT, &a.min_pos,
         "Positives, and negatives, of a label that it needs in a group to count there (default 10)", "N"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &a.out,
         "Folder to make (default: comparison, beside the first run)", "DIR"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &a.json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &roots, NULL, NULL},
        {0}};
    gboolean good =
        dpcxr_cmd_parse(
            argc, argv, "RUN RUN...",
            "Compares runs on the same images: paired tests, tables as CSV and LaTeX, and a page.", entries,
            error) &&
        check(&a, error);
    if (good && (!roots || !roots[0] || !roots[1]))
        good = usage(error, "which runs? e.g. dpcxr compare runs/private runs/not-private");
    good = good && compare((const char *const *)roots, &a, error);
    arguments_clear(&a);
    return good;
}
