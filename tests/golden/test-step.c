/* SPDX-License-Identifier: MIT
 * One step without noise against PyTorch (tests/golden/step/): losses, logits, norms of every unit's gradient in every
 * parameter, and where the weights go, for unit image and unit patient, on each backend. The step is what the trainer does
 * with a program: phase A, clip, phase B, update. */
#include "backend/program.h"
#include "config/options.h"
#include "plugin/registry.h"
#include "privacy/clip.h"
#include "tensor/safetensors.h"
#include <dpcxr/model.h>
#include <math.h>
#include <string.h>

enum { IMAGES = 6, SAMPLES = 256 };
/* Of a tensor's step, as L2 norms; PyTorch computed in f64. */
static const double tolerance = 1e-4;

typedef struct {
    const char *file, *options, *backend;
    gboolean patient;
} Case;

/* A golden file with the network that it is about. */
typedef struct {
    DpcxrSafetensors *file;
    DpcxrGraph *graph;
    DpcxrProgram *program;
    gboolean whole; /* weights and images stand in the file; else they come from the formula */
    int size, channels, labels;
    float *images, *targets, *mask;
} Golden;

/* Element @k of @stream, as make.py's formula(). */
static float formula(guint64 stream, guint64 k)
{
    guint64 x = ((stream << 32) + k + 1) * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT(0x94D049BB133111EB);
    x ^= x >> 31;
    return (float)(x >> 40) / 16777216.0f - 0.5f;
}

static double *read_f64(const Golden *golden, gsize *n, const char *name, ...) G_GNUC_PRINTF(3, 4);

static double *read_f64(const Golden *golden, gsize *n, const char *name, ...)
{
    va_list arguments;
    va_start(arguments, name);
    g_autofree char *full = g_strdup_vprintf(name, arguments);
    va_end(arguments);
    const DpcxrNamedTensor *tensor = dpcxr_safetensors_find(golden->file, full);
    if (!tensor)
        g_error("no tensor \"%s\"", full);
    gsize size = tensor->dtype == DPCXR_F64 ? sizeof(double) : sizeof(float);
    *n = tensor->bytes / size;
    double *values = g_new(double, *n);
    for (gsize i = 0; i < *n; i++) {
        float single;
        if (tensor->dtype == DPCXR_F64) {
            memcpy(&values[i], (const char *)tensor->data + i * size, size);
        } else {
            memcpy(&single, (const char *)tensor->data + i * size, size);
            values[i] = single;
        }
    }
    return values;
}

static float *read_f32(const Golden *golden, const char *name)
{
    gsize n;
    g_autofree double *values = read_f64(golden, &n, "%s", name);
    float *out = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        out[i] = (float)values[i];
    return out;
}

static int metadata_int(const Golden *golden, const char *key)
{
    return (int)g_ascii_strtoll(dpcxr_safetensors_metadata(golden->file, key), NULL, 10);
}

static void build(Golden *golden, const Case *c)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", &error);
    g_assert_no_error(error);
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, c->options, &error);
    g_assert_no_error(error);
    golden->graph = dpcxr_graph_new(golden->size, golden->size, golden->channels);
    DpcxrNode out = ((const DpcxrModel *)entry->plugin->feature)->build(golden->graph, options, golden->labels);
    g_assert_true(dpcxr_graph_finish(golden->graph, out, golden->labels, &error));
    g_assert_cmpuint(dpcxr_graph_parameter_count(golden->graph), ==, (guint)metadata_int(golden, "parameters"));
    DpcxrProgramOptions program = {
        .max_rows = IMAGES, .max_units = IMAGES, .threads = 2, .training = TRUE, .norms = TRUE, .n_groups = 1};
    golden->program = dpcxr_program_new(dpcxr_backend_find(c->backend, NULL, NULL), golden->graph, &program, &error);
    g_assert_no_error(error);
}

/* PyTorch's names, in PyTorch's order and with PyTorch's shapes. */
static void check_names(const Golden *golden)
{
    g_auto(GStrv) shapes = g_strsplit(dpcxr_safetensors_metadata(golden->file, "shapes"), "; ", -1);
    g_assert_cmpuint(g_strv_length(shapes), ==, (guint)dpcxr_graph_n_parameters(golden->graph));
    for (int i = 0; shapes[i]; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(golden->graph, i);
        g_autoptr(GString) mine = g_string_new(parameter->name);
        for (int d = 0; d < parameter->n_dims; d++)
            g_string_append_printf(mine, " %d", parameter->dims[d]);
        g_assert_cmpstr(mine->str, ==, shapes[i]);
    }
}

static void write_weights(const Golden *golden)
{
    gsize n;
    g_autofree double *scales = read_f64(golden, &n, "scales"), *offsets = read_f64(golden, &n, "offsets");
    for (int i = 0; i < golden->program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(golden->graph, i);
        g_autofree char *name = g_strconcat("weight ", parameter->name, NULL);
        g_autofree float *w = golden->whole ? read_f32(golden, name) : g_new(float, parameter->size);
        for (gsize k = 0; !golden->whole && k < parameter->size; k++)
            w[k] = formula((guint64)i, k) * (float)scales[i] + (float)offsets[i];
        g_assert_true(dpcxr_program_write(golden->program, DPCXR_BANK_WEIGHT, i, w, NULL));
    }
}

static void make_inputs(Golden *golden)
{
    gsize n = (gsize)golden->size * golden->size * golden->channels * IMAGES, m = (gsize)golden->labels * IMAGES;
    if (golden->whole) {
        golden->images = read_f32(golden, "images");
        golden->targets = read_f32(golden, "targets");
        golden->mask = read_f32(golden, "mask");
        return;
    }
    golden->images = g_new(float, n);
    golden->targets = g_new(float, m);
    golden->mask = g_new(float, m);
    for (gsize k = 0; k < n; k++)
        golden->images[k] = 4 * formula(1000, k);
    for (gsize k = 0; k < m; k++) {
        golden->targets[k] = formula(1001, k) > 0;
        golden->mask[k] = formula(1002, k) > -0.3f;
    }
    static const float rows_3_and_4[] = {1, 0, 1, 0, 0, 0};
    memcpy(golden->mask + 9, rows_3_and_4, sizeof rows_3_and_4);
}

static void golden_open(Golden *golden, const Case *c)
{
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "step", c->file, NULL);
    g_autoptr(GError) error = NULL;
    *golden = (Golden){.file = dpcxr_safetensors_open(path, &error)};
    g_assert_no_error(error);
    golden->whole = dpcxr_safetensors_find(golden->file, "images") != NULL;
    golden->size = metadata_int(golden, "size");
    golden->channels = metadata_int(golden, "channels");
    golden->labels = metadata_int(golden, "labels");
    g_assert_cmpstr(dpcxr_safetensors_metadata(golden->file, "patients"), ==, "0 1 1 2 2 2");
    build(golden, c);
    check_names(golden);
    write_weights(golden);
    make_inputs(golden);
}

static void golden_close(Golden *golden)
{
    dpcxr_program_free(golden->program);
    dpcxr_graph_free(golden->graph);
    dpcxr_safetensors_free(golden->file);
    g_free(golden->images);
    g_free(golden->targets);
    g_free(golden->mask);
}

static void check_values(const Golden *golden, const char *name, const float *got, gsize n)
{
    gsize m;
    g_autofree double *wanted = read_f64(golden, &m, "%s", name);
    g_assert_cmpuint(m, ==, n);
    for (gsize i = 0; i < n; i++)
        if (!(fabs(got[i] - wanted[i]) <= 1e-4 * (1 + fabs(wanted[i]))))
            g_error("%s[%zu] is %.7g, PyTorch has %.7g", name, i, (double)got[i], wanted[i]);
}

/* Upper bounds, and not far above. A gradient that is exactly zero in f64 may be rounding here. */
static void check_norms(const Golden *golden, const char *kind, const double *norms2, int units)
{
    gsize n;
    g_autofree double *wanted = read_f64(golden, &n, "norms %s", kind);
    g_assert_cmpuint(n, ==, (gsize)golden->program->n_parameters * (gsize)units);
    for (gsize i = 0; i < n; i++) {
        double got = sqrt(norms2[i]);
        if (!(got >= wanted[i] * (1 - 1e-4) && got <= wanted[i] * 1.01 + 1e-6))
            g_error("norm of %s in unit %zu is %.7g, PyTorch has %.7g",
                    dpcxr_graph_parameter(golden->graph, (int)(i / (gsize)units))->name, i % (gsize)units, got,
                    wanted[i]);
    }
}

static void check_moved(const Golden *golden, const char *kind, int i, const float *before, const float *after)
{
    const DpcxrParameter *parameter = dpcxr_graph_parameter(golden->graph, i);
    gsize n;
    g_autofree double *wanted = read_f64(golden, &n, "moved %s %s", kind, parameter->name);
    double difference = 0, norm = 0, whole = 0;
    for (gsize s = 0; s < n; s++) {
        gsize k = n < parameter->size ? (s * 2654435761u) % parameter->size : s;
        double moved = (double)after[k] - before[k];
        difference += (moved - wanted[s]) * (moved - wanted[s]);
        norm += wanted[s] * wanted[s];
    }
    if (!(sqrt(difference) <= tolerance * sqrt(norm)))
        g_error("%s moved by a step that is off by %.3g of its length", parameter->name, sqrt(difference / norm));
    for (gsize k = 0; k < parameter->size; k++)
        whole += ((double)after[k] - before[k]) * ((double)after[k] - before[k]);
    if (golden->whole)
        return;
    g_autofree double *length = read_f64(golden, &n, "norm %s %s", kind, parameter->name);
    g_assert_cmpfloat_with_epsilon(sqrt(whole), *length, tolerance * *length);
}

static float *weights_of(const Golden *golden, int i)
{
    float *w = g_new(float, dpcxr_graph_parameter(golden->graph, i)->size);
    g_assert_true(dpcxr_program_read(golden->program, DPCXR_BANK_WEIGHT, i, w, NULL));
    return w;
}

static void take_step(const Golden *golden, int units)
{
    DpcxrUpdate update = {.rule = DPCXR_RULE_SGD, .lr = 1, .scale = 1.0 / units};
    g_autoptr(GError) error = NULL;
    g_assert_true(dpcxr_program_update(golden->program, &update, &error));
}

static void test_step(gconstpointer data)
{
    static const int by_image[] = {0, 1, 2, 3, 4, 5, 6}, by_patient[] = {0, 1, 3, 6};
    static const float weights_image[] = {1, 1, 1, 1, 1, 1};
    static const float weights_patient[] = {1, 0.5f, 0.5f, 1.0f / 3, 1.0f / 3, 1.0f / 3};
    const Case *c = data;
    const char *kind = c->patient ? "patient" : "image";
    int units = c->patient ? 3 : IMAGES;
    Golden golden;
    golden_open(&golden, c);
    int parameters = golden.program->n_parameters;
    g_autofree float *losses = g_new(float, IMAGES), *logits = g_new(float, IMAGES * golden.labels);
    g_autofree double *norms2 = g_new(double, (gsize)parameters * (gsize)units);
    float coefficients[IMAGES];
    DpcxrBatch batch = {.rows = IMAGES,
                        .images = golden.images,
                        .targets = golden.targets,
                        .mask = golden.mask,
                        .row_weights = c->patient ? weights_patient : weights_image,
                        .units = units,
                        .unit_offsets = c->patient ? by_patient : by_image};
    DpcxrBatchResult result = {.losses = losses, .logits = logits, .norms2 = norms2};
    g_assert_true(dpcxr_program_phase_a(golden.program, &batch, &result, NULL));
    check_values(&golden, "losses", losses, IMAGES);
    check_values(&golden, "logits", logits, (gsize)IMAGES * (gsize)golden.labels);
    check_norms(&golden, kind, norms2, units);
    double clip_norm = g_ascii_strtod(dpcxr_safetensors_metadata(golden.file, "clip_norm"), NULL);
    DpcxrClip clip = {.type = DPCXR_CLIP_FLAT, .norm = clip_norm, .parameters = parameters, .n_groups = 1,
                      .group_of = golden.program->options.group_of};
    g_assert_cmpint(dpcxr_clip(&clip, norms2, units, coefficients), ==, 0);
    g_autofree char *name = g_strconcat("coefficients ", kind, NULL);
    check_values(&golden, name, coefficients, (gsize)units);
    g_assert_true(dpcxr_program_phase_b(golden.program, DPCXR_BANK_SUM, coefficients, NULL));
    g_autofree float **before = g_new(float *, parameters);
    for (int i = 0; i < parameters; i++)
        before[i] = weights_of(&golden, i);
    take_step(&golden, units);
    for (int i = 0; i < parameters; i++) {
        g_autofree float *after = weights_of(&golden, i);
        check_moved(&golden, kind, i, before[i], after);
        g_free(before[i]);
    }
    golden_close(&golden);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *file, *options;
    } networks[] = {{"narrow-1.safetensors", "{width: 8, groups: 8}"},
                    {"narrow-3.safetensors", "{width: 8, groups: 8}"},
                    {"resnet9-3.safetensors", ""}};
    static const char *const backends[] = {"ref", "cpu"};
    static Case cases[G_N_ELEMENTS(networks) * 4];
    g_test_init(&argc, &argv, NULL);
    dpcxr_registry_scan();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        cases[i] = (Case){networks[i / 4].file, networks[i / 4].options, backends[i / 2 % 2], i % 2};
        g_autofree char *path = g_strdup_printf("/golden/step/%s/%s/%s", cases[i].file, cases[i].backend,
                                                cases[i].patient ? "patient" : "image");
        g_test_add_data_func(path, &cases[i], test_step);
    }
    return g_test_run();
}
