/* SPDX-License-Identifier: MIT */
#include "eval/samples.h"
#include "base/files.h"
#include "base/json-write.h"
#include "base/json.h"
#include "data/image-write.h"
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
    const char *folder;
    DpcxrData *data;
    const DpcxrPredictions *p;
    GHashTable *files; /* row + 1 to file name: an image may be there for several labels */
    JsonBuilder *json;
    JsonObject *thresholds; /* (nullable) of the labels */
} Writer;

/* The image of @kind with the score farthest on its side, among those not in @taken; p->n where there is none. */
static gsize most_certain(const DpcxrPredictions *p, int label, const Kind *kind, double threshold, const GArray *taken)
{
    gsize best = p->n;
    double far = -1;
    for (gsize i = 0; i < p->n; i++) {
        double score = dpcxr_predictions_score(p, i, label), distance = fabs(score - threshold);
        guint8 truth;
        gboolean had = FALSE;
        if (!dpcxr_predictions_truth(p, i, label, &truth) || truth != kind->truth ||
            (score >= threshold) != kind->called || !(distance > far))
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

static gboolean add_image(Writer *writer, gsize i, int label, const Kind *kind, double threshold, GError **error)
{
    const DpcxrIndex *index = dpcxr_data_index(writer->data);
    gsize row = writer->p->rows[i];
    const char *file = write_image(writer, row, error);
    if (!file)
        return FALSE;
    json_builder_begin_object(writer->json);
    dpcxr_json_put_string(writer->json, "file", file);
    dpcxr_json_put_string(writer->json, "sample", dpcxr_index_sample(index, row));
    dpcxr_json_put_string(writer->json, "patient", dpcxr_index_patient(index, row));
    dpcxr_json_put_string(writer->json, "label", dpcxr_data_experiment(writer->data)->data.labels[label]);
    dpcxr_json_put_string(writer->json, "kind", kind->name);
    dpcxr_json_put_count(writer->json, "truth", kind->truth);
    dpcxr_json_put_number(writer->json, "score", dpcxr_predictions_score(writer->p, i, label));
    dpcxr_json_put_number(writer->json, "threshold", threshold);
    json_builder_end_object(writer->json);
    return TRUE;
}

static gboolean add_label(Writer *writer, int label, double threshold, GError **error)
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

static double threshold_of(const Writer *writer, int label)
{
    const char *name = dpcxr_data_experiment(writer->data)->data.labels[label];
    JsonNode *node = writer->thresholds ? json_object_get_member(writer->thresholds, name) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0.5;
}

static gboolean add_labels(Writer *writer, GError **error)
{
    for (int label = 0; label < MIN(writer->p->n_labels, LABELS); label++)
        if (!add_label(writer, label, threshold_of(writer, label), error))
            return FALSE;
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

gboolean dpcxr_samples_write(const char *folder, DpcxrData *data, DpcxrSplit split, const DpcxrPredictions *predictions,
                             const char *results, GError **error)
{
    g_autoptr(JsonNode) root = read_results(results, error);
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GHashTable) files = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!root)
        return FALSE;
    JsonObject *whole = JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    Writer writer = {folder, data, predictions, files, json, member_object(member_object(whole, "thresholds"), "labels")};
    dpcxr_remove_tree(folder);
    if (!dpcxr_make_folder(folder, 0700, error))
        return FALSE;
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "split", dpcxr_split_name(split));
    dpcxr_json_begin_array(json, "images");
    if (!add_labels(&writer, error))
        return FALSE;
    json_builder_end_array(json);
    json_builder_end_object(json);
    g_autofree char *text = dpcxr_json_text(json), *path = g_build_filename(folder, "samples.json", NULL);
    return dpcxr_write_file(path, text, -1, 0600, error);
}
