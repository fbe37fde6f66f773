/* SPDX-License-Identifier: MIT
 * dpcxr cache CONFIG [KEY=VALUE]... [--json]: decodes and resizes every image of an experiment into data.cache.dir, once. A run does
 * it as well, before its first step. */
#include "base/json-write.h"
#include "command.h"
#include "config/experiment.h"
#include "data/data.h"
#include <stdio.h>

static void print_text(const char *folder, const DpcxrShardCounts *counts, int others, double seconds)
{
    printf("%s: %zu images in %zu shards, %.1f MB; %zu shards built in %.1f s, %zu were there\n", folder,
           counts->images, counts->shards, (double)counts->bytes / 1e6, counts->built, seconds,
           counts->shards - counts->built);
    if (others > 0)
        printf("%d other set%s beside it: of other configurations, or of files that have changed; what no "
               "experiment needs may be deleted\n",
               others, others == 1 ? "" : "s");
}

static void print_json(const char *folder, const DpcxrShardCounts *counts, int others, double seconds)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "folder", folder);
    dpcxr_json_put_count(json, "images", counts->images);
    dpcxr_json_put_count(json, "unreadable", counts->without);
    dpcxr_json_put_count(json, "bytes", counts->bytes);
    dpcxr_json_put_count(json, "shards", counts->shards);
    dpcxr_json_put_count(json, "built", counts->built);
    dpcxr_json_put_count(json, "other_sets", (guint64)others);
    dpcxr_json_put_number(json, "seconds", seconds);
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

/* Those that are not in the cache have a reason, which reading them again tells. */
static gboolean report_unreadable(DpcxrData *data, const DpcxrShardCounts *counts, int threads,
                                  GError **error)
{
    if (counts->without == 0)
        return TRUE;
    g_autoptr(GPtrArray) problems = dpcxr_data_check_files(data, threads);
    for (guint i = 0; i < problems->len; i++)
        fprintf(stderr, "%s\n", (const char *)g_ptr_array_index(problems, i));
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "dpcxr cache: %zu image%s cannot be read; the others are in the cache", counts->without,
                counts->without == 1 ? "" : "s");
    return FALSE;
}

static gboolean fill(const DpcxrExperiment *experiment, gboolean as_json, GError **error)
{
    g_autoptr(DpcxrData) data = dpcxr_data_open(experiment, error);
    DpcxrShardCounts counts = {0};
    gint64 start = g_get_monotonic_time();
    if (!data || !dpcxr_data_build_cache(data, experiment->data.workers, TRUE, &counts, error))
        return FALSE;
    double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    const DpcxrShardCache *shards = dpcxr_data_shards(data);
    (as_json ? print_json : print_text)(dpcxr_shard_cache_folder(shards), &counts,
                                        dpcxr_shard_cache_others(shards), seconds);
    return report_unreadable(data, &counts, experiment->data.workers, error);
}

gboolean dpcxr_cmd_cache(int argc, char **argv, GError **error)
{
    gboolean as_json = FALSE;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL},
        {NULL},
    };
    if (!dpcxr_cmd_parse(
            argc, argv, "CONFIG [KEY=VALUE]...",
            "Decodes and resizes every image of an experiment into data.cache.dir, once. A run does it, too.",
            entries, error))
        return FALSE;
    if (!words) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr cache: which experiment? dpcxr cache CONFIG");
        return FALSE;
    }
    g_autoptr(DpcxrExperiment) experiment =
        dpcxr_experiment_load(words[0], (const char *const *)words + 1, error);
    if (!experiment)
        return FALSE;
    if (!experiment->data.cache_dir) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr cache: %s has no data.cache.dir; where to? dpcxr cache %s data.cache.dir=FOLDER",
                    words[0], words[0]);
        return FALSE;
    }
    return fill(experiment, as_json, error);
}
