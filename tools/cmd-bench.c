/* SPDX-License-Identifier: MIT
 * dpcxr bench: speed on this machine. Absolute figures drift; ratios within one run count. */
#include "bench.h"

static const struct {
    const char *name;
    DpcxrCommand run;
} kinds[] = {
    {"step", dpcxr_bench_cmd_step},
    {"ops", dpcxr_bench_cmd_ops},
    {"loader", dpcxr_bench_cmd_loader},
};

gboolean dpcxr_bench_precision(const char *name, DpcxrPrecision *precision, GError **error)
{
    if (dpcxr_precision_parse(name, precision))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr bench: --precision is fp32, bf16 or fp16 (got \"%s\")", name);
    return FALSE;
}

gboolean dpcxr_bench_no_more(char **rest, GError **error)
{
    if (!rest || !rest[0])
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench: \"%s\" is not expected here", rest[0]);
    return FALSE;
}

/* What is not named is step; its name goes on as argv[0], so that --help and messages say it. */
gboolean dpcxr_cmd_bench(int argc, char **argv, GError **error)
{
    const char *what = argc > 1 && argv[1][0] != '-' ? argv[1] : "step";
    int named = argc > 1 && argv[1][0] != '-';
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_string_append_printf(all, "%s%s", i ? ", " : "", kinds[i].name);
        if (!g_str_equal(kinds[i].name, what))
            continue;
        g_autofree char *name = g_strdup_printf("bench %s", what);
        g_autofree char **rest = g_memdup2(argv + named, (gsize)(argc - named + 1) * sizeof *argv);
        rest[0] = name;
        return kinds[i].run(argc - named, rest, error);
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench %s: not in this version; there is: %s", what,
                all->str);
    return FALSE;
}
