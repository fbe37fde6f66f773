/* SPDX-License-Identifier: MIT
 * A whole run with `sampler: full`, no noise, sgd with lr 1 and weights from a file: its one step moves the weights by minus
 * the mean over units of clipped unit gradients. The mean is formed here from the data set's own images, or from every
 * augmented view of them, one unit at a time, by the reference backend (which tests/golden/test-step.c holds against
 * PyTorch). Without privacy it is the mean of the same unit gradients unclipped. The clip norm, 1.5, is what the schedule
 * makes of 3 in the first step. */
#include "backend/ref/ref.h"
#include "config/experiment.h"
#include "data/data.h"
#include "privacy/units.h"
#include "temporary.h"
#include "tensor/safetensors.h"
#include "train/network.h"
#include <gio/gio.h>
#include <math.h>
#include <string.h>

enum { TRAINING_PATIENTS = 62 }; /* of the drawn data: without privacy, a step of them is an epoch */
static const double clip_norm = 1.5;

typedef struct {
    gsize views;
    gboolean private;
    const char *unit;
    char *dir, *config, *init;
    DpcxrExperiment *experiment;
    DpcxrData *data;
    DpcxrGraph *graph;
    DpcxrProgram *program;
    DpcxrUnits *units;
    double **expected; /* [parameters] mean of clipped gradients */
} Place;

/* Views that tell themselves apart: flipped or not, turned by some degrees. */
static const char augmentations[] = "[{type: hflip, labels: keep}, {type: rotate, degrees: 20}]";

static const char text[] =
    "name: t\nplugins: ['%s/docs/examples']\ndevice: {type: %s}\n"
    "data: {type: phantom, patients: 100, size: 64, labels: [cardiomegaly, congestion], image: {size: 32},\n"
    "       augment: %s}\n"
    "model: {type: small_cnn, width: 8, init: '%s'}\n"
    "optimizer: {type: sgd, lr: 1}\n"
    "train: {steps: 1, batch: {physical: 5, logical: %d}, augment_multiplicity: %d}\n"
    "privacy: {enabled: %s, unit: %s, images_per_patient: all, sampler: {type: full}, noise_multiplier: 0,\n"
    "          clip: {norm: 3, schedule: {type: linear, initial_factor: 0.5, final_factor: 1}}, unsafe_no_noise: true}\n";

typedef struct {
    const char *unit;
    int views;
    gboolean private;
} Case;

static void write_initial_weights(Place *place)
{
    g_autofree char *note = NULL;
    g_autoptr(GError) error = NULL;
    char *wanted = place->experiment->model.init;
    place->experiment->model.init = NULL;
    g_assert_true(dpcxr_network_initialise(place->program, place->experiment, &note, &error));
    place->experiment->model.init = wanted;
    g_assert_true(dpcxr_network_save(place->program, place->init, 0600, NULL, &error));
}

static void place_open(Place *place, const char *backend, const Case *what)
{
    g_autoptr(GError) error = NULL;
    place->dir = temporary_folder();
    place->config = g_build_filename(place->dir, "t.yaml", NULL);
    place->init = g_build_filename(place->dir, "init.safetensors", NULL);
    place->views = (gsize)what->views;
    place->private = what->private;
    place->unit = what->unit;
    int logical = what->private ? 4 : TRAINING_PATIENTS;
    g_autofree char *yaml = g_strdup_printf(text, g_getenv("DPCXR_BUILD"), backend, what->views > 1 ? augmentations : "[]",
                                            place->init, logical, what->views, what->private ? "true" : "false", what->unit);
    g_assert_true(g_file_set_contents(place->config, yaml, -1, NULL));
    place->experiment = dpcxr_experiment_load(place->config, NULL, &error);
    g_assert_no_error(error);
    place->data = dpcxr_data_open(place->experiment, &error);
    g_assert_no_error(error);
    place->units = dpcxr_units_new(dpcxr_data_index(place->data), place->experiment->privacy.unit, &error);
    g_assert_no_error(error);
    place->graph = dpcxr_network_build(place->experiment, &error);
    g_assert_no_error(error);
    DpcxrProgramOptions options = {.max_rows = (int)(place->units->max_rows * place->views), .max_units = 1, .threads = 1,
                                   .training = TRUE, .norms = TRUE};
    place->program = dpcxr_program_new(&dpcxr_backend_ref, place->graph, &options, &error);
    g_assert_no_error(error);
    write_initial_weights(place);
}

static void place_close(Place *place)
{
    for (int i = 0; i < place->program->n_parameters; i++)
        g_free(place->expected[i]);
    g_free(place->expected);
    dpcxr_program_free(place->program);
    dpcxr_graph_free(place->graph);
    dpcxr_units_free(place->units);
    dpcxr_data_free(place->data);
    dpcxr_experiment_free(place->experiment);
    temporary_remove(place->dir);
    g_free(place->config);
    g_free(place->init);
}

/* The unit's gradient, the mean over its images and all their views, into SUM. */
static void unit_gradient(const Place *place, gsize unit)
{
    gsize first = place->units->offsets[unit], views = place->views,
          n = (place->units->offsets[unit + 1] - first) * views;
    gsize image = 32 * 32, labels = 2;
    g_autofree float *images = g_new(float, n * image), *targets = g_new(float, n * labels);
    g_autofree float *mask = g_new(float, n * labels), *row_weights = g_new(float, n), *losses = g_new(float, n);
    g_autofree float *logits = g_new(float, n * labels);
    g_autofree double *norms2 = g_new(double, place->program->n_parameters);
    for (gsize i = 0; i < n; i++) {
        DpcxrDraw draw = {
            .row = place->units->rows[first + i / views], .view = (guint32)(i % views), .augment = views > 1};
        g_assert_true(dpcxr_data_load(place->data, &draw, images + i * image, targets + i * labels, mask + i * labels, NULL));
        row_weights[i] = 1 / (float)n;
    }
    float one = 1;
    int offsets[] = {0, (int)n};
    DpcxrBatch batch = {.rows = (int)n, .images = images, .targets = targets, .mask = mask, .row_weights = row_weights,
                        .units = 1, .unit_offsets = offsets};
    DpcxrBatchResult result = {.losses = losses, .logits = logits, .norms2 = norms2};
    g_assert_true(dpcxr_program_zero(place->program, DPCXR_BANK_SUM, NULL));
    g_assert_true(dpcxr_program_phase_a(place->program, &batch, &result, NULL));
    g_assert_true(dpcxr_program_phase_b(place->program, DPCXR_BANK_SUM, &one, NULL));
}

static void expect(Place *place)
{
    int parameters = place->program->n_parameters, clipped = 0;
    place->expected = g_new(double *, parameters);
    for (int i = 0; i < parameters; i++)
        place->expected[i] = g_new0(double, dpcxr_graph_parameter(place->graph, i)->size);
    for (gsize unit = 0; unit < place->units->n; unit++) {
        g_autoptr(GPtrArray) gradients = g_ptr_array_new_with_free_func(g_free);
        double norm2 = 0;
        unit_gradient(place, unit);
        for (int i = 0; i < parameters; i++) {
            gsize size = dpcxr_graph_parameter(place->graph, i)->size;
            float *gradient = g_new(float, size);
            g_ptr_array_add(gradients, gradient);
            g_assert_true(dpcxr_program_read(place->program, DPCXR_BANK_SUM, i, gradient, NULL));
            for (gsize k = 0; k < size; k++)
                norm2 += (double)gradient[k] * gradient[k];
        }
        double factor = (place->private ? MIN(1, clip_norm / sqrt(norm2)) : 1) / (double)place->units->n;
        clipped += norm2 > clip_norm * clip_norm;
        for (int i = 0; i < parameters; i++)
            for (gsize k = 0; k < dpcxr_graph_parameter(place->graph, i)->size; k++)
                place->expected[i][k] += factor * ((float *)gradients->pdata[i])[k];
    }
    g_test_message("%d of %zu units clipped", clipped, place->units->n);
    g_assert_cmpuint(place->units->n, ==, TRAINING_PATIENTS + (g_str_equal(place->unit, "image") ? 56 : 0));
    g_assert_cmpint(clipped, >, 0);
    g_assert_cmpint(clipped, <, (int)place->units->n);
}

static void run(const Place *place)
{
    g_autofree char *program = g_build_filename(g_getenv("DPCXR_BUILD"), "dpcxr-run", NULL);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
    g_subprocess_launcher_set_cwd(launcher, place->dir);
    g_autoptr(GSubprocess) process =
        g_subprocess_launcher_spawn(launcher, NULL, program, place->config, "--quiet", NULL);
    g_assert_true(g_subprocess_wait_check(process, NULL, NULL));
}

static void compare(const Place *place)
{
    g_autofree char *path = g_build_filename(place->dir, "runs", "t", "private", "model.safetensors", NULL);
    g_autoptr(DpcxrSafetensors) after = dpcxr_safetensors_open(path, NULL);
    g_autoptr(DpcxrSafetensors) before = dpcxr_safetensors_open(place->init, NULL);
    for (int i = 0; i < place->program->n_parameters; i++) {
        const DpcxrParameter *p = dpcxr_graph_parameter(place->graph, i);
        g_autofree float *a = g_new(float, p->size), *b = g_new(float, p->size);
        g_assert_true(dpcxr_safetensors_copy_f32(after, p->name, p->dims, p->n_dims, a, NULL));
        g_assert_true(dpcxr_safetensors_copy_f32(before, p->name, p->dims, p->n_dims, b, NULL));
        double difference = 0, norm = 0;
        for (gsize k = 0; k < p->size; k++) {
            double off = (double)a[k] - b[k] + place->expected[i][k];
            difference += off * off;
            norm += place->expected[i][k] * place->expected[i][k];
        }
        if (!(sqrt(difference) <= 1e-4 * sqrt(norm)))
            g_error("%s moved by a step that is off by %.3g of its length", p->name, sqrt(difference / norm));
    }
}

static void test_step(gconstpointer what)
{
    static const char *const backends[] = {"ref", "cpu"};
    for (gsize i = 0; i < G_N_ELEMENTS(backends); i++) {
        Place place = {0};
        place_open(&place, backends[i], what);
        expect(&place);
        run(&place);
        compare(&place);
        place_close(&place);
    }
}

int main(int argc, char **argv)
{
    static const Case image = {"image", 1, TRUE}, patient = {"patient", 1, TRUE}, image_views = {"image", 3, TRUE},
                      patient_views = {"patient", 3, TRUE}, patient_open = {"patient", 3, FALSE};
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/full-step/image", &image, test_step);
    g_test_add_data_func("/full-step/patient", &patient, test_step);
    g_test_add_data_func("/full-step/image-views", &image_views, test_step);
    g_test_add_data_func("/full-step/patient-views", &patient_views, test_step);
    g_test_add_data_func("/full-step/patient-views-not-private", &patient_open, test_step);
    return g_test_run();
}
