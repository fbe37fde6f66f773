/* SPDX-License-Identifier: MIT
 * The resnet9 plugin against PyTorch: names and shapes of torchvision's ResNet, and per image losses, per
 * unit norms and clipped sums of whole networks (tests/golden/step/README.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backend/program.h"
#include "config/options.h"
#include "plugin/registry.h"
#include "privacy/clip.h"
#include "tensor/safetensors.h"

#define IMAGES 6
#define LABELS 3
#define SAMPLES 256

static const int one_each[] = {0, 1, 2, 3, 4, 5, 6},
                 by_patient[] = {0, 1, 3, 6}; /* offsets of the units' rows */

static DpcxrGraph *build(int size, int channels, int outputs, const char *yaml)
{
    g_autoptr(GError) error = NULL;
    dpcxr_registry_scan();
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", &error);
    g_assert_no_error(error);
    const DpcxrModel *model = entry->plugin->feature;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, yaml, &error);
    g_assert_no_error(error);
    DpcxrGraph *graph = dpcxr_graph_new(size, size, channels);
    dpcxr_graph_finish(graph, model->build(graph, options, outputs), outputs, &error);
    g_assert_no_error(error);
    return graph;
}

static DpcxrSafetensors *open_golden(const char *name)
{
    g_autofree char *path =
        g_strdup_printf("%s/tests/golden/step/%s.safetensors", g_getenv("DPCXR_SOURCE"), name);
    g_autoptr(GError) error = NULL;
    DpcxrSafetensors *file = dpcxr_safetensors_open(path, &error);

    g_assert_no_error(error);
    return file;
}

static double metadata_number(const DpcxrSafetensors *golden, const char *key)
{
    return g_ascii_strtod(dpcxr_safetensors_metadata(golden, key), NULL);
}

/* Names, order and shapes. */
static void test_parameters(void)
{
    g_autoptr(DpcxrGraph) graph = build(224, 3, 8, "{}"), gray = build(64, 1, 8, "{activation: relu}"),
                          small = build(64, 3, LABELS, "{}");
    g_autoptr(DpcxrSafetensors) golden = open_golden("resnet9-3");
    g_auto(GStrv) shapes = g_strsplit(dpcxr_safetensors_metadata(golden, "shapes"), "; ", -1);

    g_assert_cmpuint(dpcxr_graph_parameter_count(graph), ==, 4909896);
    g_assert_cmpuint(dpcxr_graph_parameter_count(gray), ==, 4909896 - 2 * 64 * 7 * 7);
    g_assert_cmpuint(dpcxr_graph_parameter_count(small), ==, (gsize)metadata_number(golden, "parameters"));
    g_assert_cmpint(dpcxr_graph_n_parameters(small), ==, g_strv_length(shapes));
    for (int i = 0; i < dpcxr_graph_n_parameters(small); i++) {
        const DpcxrParameter *p = dpcxr_graph_parameter(small, i);
        g_autoptr(GString) text = g_string_new(p->name);
        for (int d = 0; d < p->n_dims; d++)
            g_string_append_printf(text, " %d", p->dims[d]);
        g_assert_cmpstr(text->str, ==, shapes[i]);
    }
}

static void test_odd_sizes(void)
{
    const int sizes[] = {1, 17, 33};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(DpcxrGraph) graph = build(sizes[i], 1, 1, "{width: 8, groups: 4}");
        g_assert_nonnull(graph);
    }
}

static void test_refuses_groups(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", &error);
    const DpcxrModel *model = entry->plugin->feature;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, "{groups: 48}", &error);
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(64, 64, 1);

    g_assert_no_error(error);
    g_assert_false(dpcxr_graph_finish(graph, model->build(graph, options, 1), 1, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "bn1"));
}

/* Stream @stream of the golden files' formula, times @scale plus @offset. (transfer full) */
static float *formula(guint64 stream, gsize n, float scale, float offset)
{
    float *values = g_new(float, n);

    for (gsize k = 0; k < n; k++) {
        guint64 x = ((stream << 32) + k + 1) * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
        x = (x ^ x >> 30) * G_GUINT64_CONSTANT(0xBF58476D1CE4E5B9);
        x = (x ^ x >> 27) * G_GUINT64_CONSTANT(0x94D049BB133111EB);
        x ^= x >> 31;
        values[k] = ((float)(x >> 40) / 16777216.0f - 0.5f) * scale + offset;
    }
    return values;
}

static double at(const DpcxrNamedTensor *tensor, gsize i)
{
    double wide;
    float narrow;

    if (tensor->dtype == DPCXR_F32) {
        memcpy(&narrow, (const char *)tensor->data + i * sizeof narrow, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, (const char *)tensor->data + i * sizeof wide, sizeof wide);
    return wide;
}

static const DpcxrNamedTensor *tensor(const DpcxrSafetensors *golden, const char *kind, const char *unit,
                                      const char *parameter)
{
    g_autofree char *name = g_strjoin(" ", kind, unit, parameter, NULL);
    const DpcxrNamedTensor *found = dpcxr_safetensors_find(golden, name);

    if (!found)
        g_error("no tensor \"%s\"", name);
    return found;
}

typedef struct {
    const DpcxrSafetensors *golden;
    DpcxrGraph *graph;
    DpcxrProgram *program;
    float *images, *targets, *mask;
} Network;

static void network_init(Network *net, const DpcxrSafetensors *golden, const DpcxrBackend *backend)
{
    const DpcxrProgramOptions options = {
        .max_rows = IMAGES, .max_units = IMAGES, .threads = 2, .training = TRUE, .norms = TRUE};
    g_autoptr(GError) error = NULL;
    g_autofree char *yaml =
        g_strdup_printf("{width: %d, groups: %s}", atoi(dpcxr_safetensors_metadata(golden, "widths")),
                        dpcxr_safetensors_metadata(golden, "groups"));
    int size = (int)metadata_number(golden, "size"), channels = (int)metadata_number(golden, "channels");

    net->golden = golden;
    net->graph = build(size, channels, LABELS, yaml);
    net->program = dpcxr_program_new(backend, net->graph, &options, &error);
    g_assert_no_error(error);
    for (int i = 0; i < dpcxr_graph_n_parameters(net->graph); i++) {
        g_autofree float *weights = formula((guint64)i, dpcxr_graph_parameter(net->graph, i)->size,
                                            (float)at(dpcxr_safetensors_find(golden, "scales"), i),
                                            (float)at(dpcxr_safetensors_find(golden, "offsets"), i));
        dpcxr_program_write(net->program, DPCXR_BANK_WEIGHT, i, weights, &error);
        g_assert_no_error(error);
    }
    net->images = formula(1000, (gsize)(IMAGES * size * size * channels), 4, 0);
    net->targets = formula(1001, IMAGES * LABELS, 1, 0);
    net->mask = formula(1002, IMAGES * LABELS, 1, 0);
    for (int i = 0; i < IMAGES * LABELS; i++) {
        net->targets[i] = net->targets[i] > 0;
        net->mask[i] = net->mask[i] > -0.3f;
    }
    memcpy(net->mask + 3 * LABELS, (const float[]){1, 0, 1, 0, 0, 0}, 2 * LABELS * sizeof(float));
}

static void network_clear(Network *net)
{
    dpcxr_program_free(net->program);
    dpcxr_graph_free(net->graph);
    g_free(net->images);
    g_free(net->targets);
    g_free(net->mask);
}

static void assert_all_near(const DpcxrNamedTensor *expected, const float *found, gsize n, double tolerance)
{
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(found[i], at(expected, i), tolerance * (1 + fabs(at(expected, i))));
}

/* Norms are upper bounds, and not by much. */
static void assert_norms(const Network *net, const char *kind, const double *norms2, int units)
{
    g_autofree char *name = g_strconcat("norms ", kind, NULL);
    const DpcxrNamedTensor *expected = dpcxr_safetensors_find(net->golden, name);

    for (int p = 0; p < net->program->n_parameters; p++)
        for (int u = 0; u < units; u++) {
            double found = sqrt(norms2[p * units + u]), norm = at(expected, (gsize)(p * units + u));
            if (found < norm * (1 - 1e-5) || found > norm * (1 + 5e-3) + 1e-6)
                g_error("%s: unit %d: norm %.9g, expected %.9g", dpcxr_graph_parameter(net->graph, p)->name,
                        u, found, norm);
        }
}

/* One tensor of the sum of clipped gradients, which is minus @units times the step: relative error, over the
 * whole tensor or over its stored samples. */
static void assert_moved(const Network *net, const char *kind, int parameter, int units)
{
    const DpcxrParameter *p = dpcxr_graph_parameter(net->graph, parameter);
    const DpcxrNamedTensor *expected = tensor(net->golden, "moved", kind, p->name);
    g_autofree float *sum = g_new(float, p->size);
    g_autoptr(GError) error = NULL;
    gsize stored = expected->bytes / (expected->dtype == DPCXR_F32 ? 4 : 8);
    double off = 0, reference = 0, norm2 = 0;

    dpcxr_program_read(net->program, DPCXR_BANK_SUM, parameter, sum, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < stored; i++) {
        double want = -units * at(expected, i),
               found = sum[stored == p->size ? i : i * 2654435761u % p->size];
        off += (found - want) * (found - want);
        reference += want * want;
    }
    for (gsize i = 0; i < p->size; i++)
        norm2 += (double)sum[i] * sum[i];
    if (!(sqrt(off) <= 1e-4 * sqrt(reference)))
        g_error("%s: relative error %.3g", p->name, sqrt(off / reference));
    if (stored < p->size)
        g_assert_cmpfloat_with_epsilon(sqrt(norm2) / units, at(tensor(net->golden, "norm", kind, p->name), 0),
                                       1e-4 * sqrt(norm2) / units);
}

static void check_units(const Network *net, const char *kind, const int *offsets, int units)
{
    g_autoptr(GError) error = NULL;
    float losses[IMAGES], logits[IMAGES * LABELS], weights[IMAGES], coefficients[IMAGES];
    g_autofree double *norms2 = g_new(double, net->program->n_parameters *units);
    g_autofree char *name = g_strconcat("coefficients ", kind, NULL);

    for (int u = 0; u < units; u++)
        for (int row = offsets[u]; row < offsets[u + 1]; row++)
            weights[row] = 1.0f / (float)(offsets[u + 1] - offsets[u]);
    const DpcxrBatch batch = {IMAGES, net->images, net->targets, net->mask, weights, units, offsets};
    DpcxrBatchResult result = {losses, logits, norms2};
    g_assert_true(dpcxr_program_zero(net->program, DPCXR_BANK_SUM, &error));
    dpcxr_program_phase_a(net->program, &batch, &result, &error);
    g_assert_no_error(error);
    assert_all_near(dpcxr_safetensors_find(net->golden, "losses"), losses, IMAGES, 1e-5);
    assert_all_near(dpcxr_safetensors_find(net->golden, "logits"), logits, IMAGES * LABELS, 1e-4);
    assert_norms(net, kind, norms2, units);
    dpcxr_clip_flat(norms2, net->program->n_parameters, units, metadata_number(net->golden, "clip_norm"),
                    coefficients);
    assert_all_near(dpcxr_safetensors_find(net->golden, name), coefficients, (gsize)units, 5e-5);
    dpcxr_program_phase_b(net->program, DPCXR_BANK_SUM, coefficients, &error);
    g_assert_no_error(error);
    for (int p = 0; p < net->program->n_parameters; p++)
        assert_moved(net, kind, p, units);
}

typedef struct {
    const char *backend, *golden;
} Case;

static void test_step(gconstpointer data)
{
    const Case *c = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrSafetensors) golden = open_golden(c->golden);
    const DpcxrBackend *backend = dpcxr_backend_find(c->backend, &error);
    Network net;

    if (!backend) {
        g_test_skip(error->message);
        return;
    }
    network_init(&net, golden, backend);
    check_units(&net, "image", one_each, IMAGES);
    check_units(&net, "patient", by_patient, 3);
    network_clear(&net);
}

int main(int argc, char **argv)
{
    static const Case cases[] = {{"ref", "narrow-1"},
                                 {"ref", "narrow-3"},
                                 {"cpu", "narrow-1"},
                                 {"cpu", "narrow-3"},
                                 {"cpu", "resnet9-3"}};

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resnet9/parameters", test_parameters);
    g_test_add_func("/resnet9/odd-sizes", test_odd_sizes);
    g_test_add_func("/resnet9/refuses-groups", test_refuses_groups);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/resnet9/step/%s/%s", cases[i].backend, cases[i].golden);
        g_test_add_data_func(path, &cases[i], test_step);
    }
    return g_test_run();
}
