/* SPDX-License-Identifier: MIT */
#include "eval/samples.h"
#include "base/files.h"
#include "base/json-write.h"
#include "base/json.h"
#include "data/image-write.h"
#include "eval/evaluation.h"
#include "eval/prediction-file.h"
#include <math.h>

enum { SCHEMA = 1, LABELS = 12, SIDE = 256 };

typedef struct {
    const char *name;
    gboolean truth, called;
    int wanted;
} Kind;

/* What a reader learns most from comes first. */
static const Kind kinds[] = {{"false_negative", TRUE, FALSE, 2},
                             {"false_positive", FALSE, TRUE, 2},
                             {"true_positive", TRUE, TRUE, 1},
                             {"true_negative", FALSE, FALSE, 1}};

typedef struct {
    const char *folder; /* samples/ */
    DpcxrData *data;
    const DpcxrPredictionFile *p;
    GHashTable *rows;  /* sample to row of the index + 1 */
    GHashTable *files; /* row of the index + 1 to file name: an image may be there for several labels */
    JsonBuilder *json;
    JsonObject *thresholds; /* (nullable) of the labels */
} Writer;

/* The image of @kind with the score farthest on its side, among those not in @taken; p->n where there is
 * none. */
static gsize most_certain(const DpcxrPredictionFile *p, gsize label, const Kind *kind, double threshold,
                          const GArray *taken)
{
    const double *scores = dpcxr_prediction_file_scores(p, label);
    const guint8 *truths = dpcxr_prediction_file_truths(p, label),
                 *known = dpcxr_prediction_file_known(p, label);
    gsize best = p->n;
    double far = -1;
    for (gsize i = 0; i < p->n; i++) {
        double distance = fabs(scores[i] - threshold);
        gboolean had = FALSE;
        if (!known[i] || truths[i] != kind->truth || (scores[i] >= threshold) != kind->called ||
            !(distance > far))
            continue;
        for (guint k = 0; !had && k < taken->len; k++)
            had = g_array_index(taken, gsize, k) == i;
        if (had)
            continue;
        best = i;
        far = distance;
    }
    return best;
}

static const char *write_image(Writer *writer, gsize row, GError **error)
{
    gpointer key = GSIZE_TO_POINTER(row + 1);
    const char *known = g_hash_table_lookup(writer->files, key);
    DpcxrImage image = {0};
    if (known)
        return known;
    if (!dpcxr_data_show(writer->data, row, SIDE, &image, error))
        return NULL;
    char *file = g_strdup_printf("%03u.png", g_hash_table_size(writer->files) + 1);
    g_autofree char *path = g_build_filename(writer->folder, file, NULL);
    gboolean good = dpcxr_image_write_png(&image, path, 0600, error);
    dpcxr_image_clear(&image);
    g_hash_table_insert(writer->files, key, file);
    return good ? file : NULL;
}

static gboolean add_image(Writer *writer, gsize i, gsize label, const Kind *kind, double threshold,
                          GError **error)
{
    const char *sample = writer->p->samples[i];
    gsize row = GPOINTER_TO_SIZE(g_hash_table_lookup(writer->rows, sample));
    if (row == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: sample %s is not in the data set",
                    writer->p->path, sample);
        return FALSE;
    }
    const char *file = write_image(writer, row - 1, error);
    if (!file)
        return FALSE;
    json_builder_begin_object(writer->json);
    dpcxr_json_put_string(writer->json, "file", file);
    dpcxr_json_put_string(writer->json, "sample", sample);
    dpcxr_json_put_string(writer->json, "label", writer->p->labels[label]);
    dpcxr_json_put_string(writer->json, "kind", kind->name);
    dpcxr_json_put_count(writer->json, "truth", kind->truth);
    dpcxr_json_put_number(writer->json, "score", dpcxr_prediction_file_scores(writer->p, label)[i]);
    dpcxr_json_put_number(writer->json, "threshold", threshold);
    json_builder_end_object(writer->json);
    return TRUE;
}

static gboolean add_label(Writer *writer, gsize label, double threshold, GError **error)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (int n = 0; n < kinds[k].wanted; n++) {
            gsize i = most_certain(writer->p, label, &kinds[k], threshold, taken);
            if (i == writer->p->n)
                break;
            g_array_append_val(taken, i);
            if (!add_image(writer, i, label, &kinds[k], threshold, error))
                return FALSE;
        }
    return TRUE;
}

static double threshold_of(const Writer *writer, gsize label)
{
    JsonNode *node =
        writer->thresholds ? json_object_get_member(writer->thresholds, writer->p->labels[label]) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : NAN;
}

static gboolean add_labels(Writer *writer, GError **error)
{
    for (gsize label = 0; label < MIN(writer->p->n_labels, LABELS); label++) {
        double threshold = threshold_of(writer, label); /* without one nothing is right or wrong */
        if (!isnan(threshold) && !add_label(writer, label, threshold, error))
            return FALSE;
    }
    return TRUE;
}

static JsonNode *read_results(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) local = NULL;
    if (g_file_get_contents(path, &text, &length, &local))
        return dpcxr_json_parse(text, length, 16, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s", path, local->message);
    return NULL;
}

static JsonObject *member_object(JsonObject *from, const char *key)
{
    JsonNode *node = from ? json_object_get_member(from, key) : NULL;
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static GHashTable *index_rows(const DpcxrIndex *index)
{
    GHashTable *rows = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        g_hash_table_insert(rows, (char *)dpcxr_index_sample(index, row), GSIZE_TO_POINTER(row + 1));
    return rows;
}

/* Fills writer->folder. */
static gboolean write_all(Writer *writer, DpcxrSplit split, GError **error)
{
    dpcxr_remove_tree(writer->folder);
    if (!dpcxr_make_folder(writer->folder, 0700, error))
        return FALSE;
    json_builder_begin_object(writer->json);
    dpcxr_json_put_count(writer->json, "schema", SCHEMA);
    dpcxr_json_put_string(writer->json, "split", dpcxr_split_name(split));
    dpcxr_json_begin_array(writer->json, "images");
    if (!add_labels(writer, error))
        return FALSE;
    json_builder_end_array(writer->json);
    json_builder_end_object(writer->json);
    g_autofree char *text = dpcxr_json_text(writer->json);
    g_autofree char *path = g_build_filename(writer->folder, "samples.json", NULL);
    return dpcxr_write_file(path, text, -1, 0600, error);
}

gboolean dpcxr_samples_write(const char *folder, DpcxrData *data, DpcxrSplit split, GError **error)
{
    g_autofree char *results = g_build_filename(folder, "results.json", NULL);
    g_autofree char *samples = g_build_filename(folder, "samples", NULL);
    g_autofree char *path = dpcxr_evaluation_predictions_path(folder, split);
    g_autoptr(JsonNode) root = read_results(results, error);
    g_autoptr(DpcxrPredictionFile) p = root ? dpcxr_prediction_file_read(path, error) : NULL;
    if (!p)
        return FALSE;
    JsonObject *whole = JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GHashTable) rows = index_rows(dpcxr_data_index(data));
    g_autoptr(GHashTable) files = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    Writer writer = {
        samples, data, p, rows, files, json, member_object(member_object(whole, "thresholds"), "labels")};
    return write_all(&writer, split, error);
}
