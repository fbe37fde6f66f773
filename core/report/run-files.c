/* SPDX-License-Identifier: MIT */
#include "report/run-files.h"
#include "report/look.h"
#include <math.h>
#include <string.h>

enum { DEPTH = 16, RESULTS_SCHEMA = 2 };

static void trace_free(gpointer data)
{
    DpcxrTrace *trace = data;
    g_free(trace->name);
    g_array_unref(trace->steps);
    g_array_unref(trace->values);
    g_free(trace);
}

/* *content stays NULL where the file does not exist. */
static gboolean read_text(const char *path, char **content, gsize *length, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (g_file_get_contents(path, content, length, &local) ||
        g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s", path, local->message);
    return FALSE;
}

static gboolean read_json(DpcxrRunFiles *files, const char *path, JsonObject **object, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!read_text(path, &text, &length, error))
        return FALSE;
    if (!text)
        return TRUE;
    JsonNode *node = dpcxr_json_parse(text, length, DEPTH, error);
    if (!node) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    g_ptr_array_add(files->nodes, node);
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: is not an object", path);
        return FALSE;
    }
    *object = json_node_get_object(node);
    return TRUE;
}

static gboolean check_results(const DpcxrRunFiles *files, const char *path, GError **error)
{
    if (!files->results || dpcxr_look_count(files->results, "schema") == RESULTS_SCHEMA)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "%s: is of schema %" G_GUINT64_FORMAT " instead of %d; `dpcxr eval %s` writes it anew", path,
                dpcxr_look_count(files->results, "schema"), RESULTS_SCHEMA, files->root);
    return FALSE;
}

/* The first paragraph after the heading: the claim in sentences. */
static void read_statement(DpcxrRunFiles *files, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "privacy.md", NULL), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", 3);
    if (g_strv_length(paragraphs) > 1 && paragraphs[0][0] == '#')
        files->statement = g_strdup(paragraphs[1]);
}

static DpcxrTrace *trace_of(DpcxrRunFiles *files, const char *name)
{
    DpcxrTrace *trace = (DpcxrTrace *)dpcxr_run_files_trace(files, name);
    if (trace)
        return trace;
    trace = g_new(DpcxrTrace, 1);
    *trace = (DpcxrTrace){g_strdup(name), g_array_new(FALSE, FALSE, sizeof(double)),
                          g_array_new(FALSE, FALSE, sizeof(double))};
    g_ptr_array_add(files->traces, trace);
    return trace;
}

/* A process that resumes begins at its checkpoint: what came after it, before, was done again. */
static void trace_add(DpcxrTrace *trace, double step, double value)
{
    guint n = trace->steps->len;
    while (n > 0 && g_array_index(trace->steps, double, n - 1) >= step)
        n--;
    g_array_set_size(trace->steps, n);
    g_array_set_size(trace->values, n);
    g_array_append_val(trace->steps, step);
    g_array_append_val(trace->values, value);
}

/* A line that a crash cut off is no error: the run went on after it. */
static gboolean read_metrics(DpcxrRunFiles *files, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    if (!read_text(path, &text, NULL, error))
        return FALSE;
    for (char *line = text, *end; line && *line; line = end) {
        end = strchrnul(line, '\n');
        g_autoptr(JsonNode) node = dpcxr_json_parse(line, (gsize)(end - line), DEPTH, NULL);
        JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *name = dpcxr_look_string(object, "name");
        double step = dpcxr_look_number(object, "step");
        if (name && !isnan(step))
            trace_add(trace_of(files, name), step, dpcxr_look_number(object, "value"));
        end += *end == '\n';
    }
    return TRUE;
}

static gboolean read_private(DpcxrRunFiles *files, GError **error)
{
    g_autofree char *folder = g_build_filename(files->root, "private", NULL);
    g_autofree char *results = g_build_filename(folder, "results.json", NULL);
    g_autofree char *data = g_build_filename(folder, "data.json", NULL);
    g_autofree char *samples = g_build_filename(folder, "samples", "samples.json", NULL);
    g_autofree char *metrics = g_build_filename(folder, "metrics.jsonl", NULL);
    g_autofree char *config = g_build_filename(folder, "config.yaml", NULL);
    g_autofree char *done = g_build_filename(files->root, "DONE", NULL);
    if (!read_json(files, results, &files->results, error) || !check_results(files, results, error) ||
        !read_json(files, data, &files->data, error) || !read_json(files, samples, &files->samples, error) ||
        !read_metrics(files, metrics, error) || !read_text(config, &files->config, NULL, error) ||
        !read_text(done, &files->result, NULL, error))
        return FALSE;
    if (files->result)
        g_strstrip(files->result);
    return TRUE;
}

static gboolean read_release(DpcxrRunFiles *files, GError **error)
{
    g_autofree char *folder = g_build_filename(files->root, "release", NULL);
    g_autofree char *privacy = g_build_filename(folder, "privacy.json", NULL);
    g_autofree char *config = g_build_filename(folder, "config.yaml", NULL);
    if (!read_json(files, privacy, &files->privacy, error))
        return FALSE;
    read_statement(files, folder);
    if (!files->released)
        return TRUE;
    if (files->privacy)
        return read_text(config, &files->config, NULL, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s: there is no %s, so nothing of this run is covered by a guarantee and may be released",
                files->root, privacy);
    return FALSE;
}

static gboolean check_exists(const char *root, GError **error)
{
    g_autofree char *private_dir = g_build_filename(root, "private", NULL);
    g_autofree char *release = g_build_filename(root, "release", NULL);
    if (g_file_test(private_dir, G_FILE_TEST_IS_DIR) || g_file_test(release, G_FILE_TEST_IS_DIR))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: is not the folder of a run", root);
    return FALSE;
}

/* As the experiment has it; a folder that was renamed is still that run. */
static char *find_name(const DpcxrRunFiles *files)
{
    const char *name = dpcxr_look_string(files->privacy, "name");
    if (!name)
        name = dpcxr_look_string(files->results, "name");
    return name ? g_strdup(name) : g_path_get_basename(files->root);
}

DpcxrRunFiles *dpcxr_run_files_read(const char *root, gboolean released, GError **error)
{
    g_autoptr(DpcxrRunFiles) files = g_new0(DpcxrRunFiles, 1);
    files->root = g_strdup(root);
    files->released = released;
    files->traces = g_ptr_array_new_with_free_func(trace_free);
    files->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
    if (!check_exists(root, error) || !read_release(files, error) ||
        (!released && !read_private(files, error)))
        return NULL;
    files->name = find_name(files);
    return g_steal_pointer(&files);
}

void dpcxr_run_files_free(DpcxrRunFiles *files)
{
    if (!files)
        return;
    g_free(files->root);
    g_free(files->name);
    g_free(files->result);
    g_free(files->statement);
    g_free(files->config);
    g_ptr_array_unref(files->traces);
    g_ptr_array_unref(files->nodes);
    g_free(files);
}

const DpcxrTrace *dpcxr_run_files_trace(const DpcxrRunFiles *files, const char *name)
{
    for (guint i = 0; i < files->traces->len; i++) {
        const DpcxrTrace *trace = g_ptr_array_index(files->traces, i);
        if (g_str_equal(trace->name, name))
            return trace;
    }
    return NULL;
}

const char *dpcxr_run_files_split(const DpcxrRunFiles *files)
{
    static const char *const splits[] = {"test", "valid"};
    for (gsize i = 0; i < G_N_ELEMENTS(splits); i++)
        if (dpcxr_look_object(files->results, "splits", splits[i], NULL))
            return splits[i];
    return NULL;
}
