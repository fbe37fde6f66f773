/* SPDX-License-Identifier: MIT
 * dpcxr bench loader CONFIG [KEY=VALUE]...: how fast the images of an experiment come, from where. */
#include "base/json-write.h"
#include "bench.h"
#include "bench/loader.h"
#include <stdio.h>

static void print_json(const DpcxrExperiment *experiment, int workers, const DpcxrLoaderTimes *times)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "images", times->images);
    dpcxr_json_put_count(json, "size", (guint64)experiment->data.size);
    dpcxr_json_put_count(json, "workers", (guint64)workers);
    dpcxr_json_put_number(json, "decoded_images_per_s", times->decoded);
    dpcxr_json_put_number(json, "decoded_whole_images_per_s", times->whole);
    dpcxr_json_put_number(json, "shards_images_per_s", times->shards);
    dpcxr_json_put_number(json, "memory_images_per_s", times->memory);
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

static void print_text(const DpcxrExperiment *experiment, int workers, const DpcxrLoaderTimes *times)
{
    printf("%zu images, %d px, %d workers: decoded %.0f images/s (%.0f where JPEG is not shrunk on the way), "
           "from shards %.0f, from memory %.0f\n",
           times->images, experiment->data.size, workers, times->decoded, times->whole, times->shards,
           times->memory);
}

gboolean dpcxr_bench_cmd_loader(int argc, char **argv, GError **error)
{
    int workers = 0, epochs = 5;
    gboolean json = FALSE;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"workers", 0, 0, G_OPTION_ARG_INT, &workers, "Decoding threads (default 0: one a processor)", "W"},
        {"epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "Timed epochs of each source (default 5)", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "CONFIG [KEY=VALUE]...",
                         "Time an experiment's images: decoded each time, from shards on disk, from memory.",
                         entries, error))
        return FALSE;
    if (!words || workers < 0 || workers > 1024 || epochs < 1) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench loader: %s",
                    !words ? "of which experiment? dpcxr bench loader CONFIG"
                           : "--workers is 0 to 1024, --epochs at least 1");
        return FALSE;
    }
    g_autoptr(DpcxrExperiment) experiment =
        dpcxr_experiment_load(words[0], (const char *const *)words + 1, error);
    if (workers == 0)
        workers = (int)g_get_num_processors();
    DpcxrLoaderTimes times;
    if (!experiment || !dpcxr_bench_loader(experiment, workers, epochs, &times, error))
        return FALSE;
    (json ? print_json : print_text)(experiment, workers, &times);
    return TRUE;
}
