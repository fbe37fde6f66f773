/* SPDX-License-Identifier: MIT
 * What noise does to a step: of two steps that differ in nothing else, the one with noise is off by exactly the noise of
 * its address, with standard deviation multiplier x clip norm, over the public divisor, whatever was drawn. */
#include "backend/program.h"
#include "config/experiment.h"
#include "privacy/ledger.h"
#include "privacy/noise.h"
#include "temporary.h"
#include "train/network.h"
#include "train/setup.h"
#include "train/trainer.h"
#include <math.h>

static const double clip_norm = 0.25, multiplier = 2, logical = 12;

static const char text[] =
    "name: t\nplugins: ['%s/docs/examples']\ndevice: {type: ref}\n"
    "data: {type: phantom, patients: 120, size: 64, labels: [cardiomegaly, congestion], image: {size: 32}}\n"
    "model: {type: small_cnn, width: 8}\n"
    "optimizer: {type: sgd, lr: 1}\n"
    "train: {steps: 10, batch: {logical: 12, physical: 16}}\n"
    "privacy: {clip: {norm: 0.25}, noise: {source: seeded, seed: 3}, delta: 1e-3, noise_multiplier: %d,\n"
    "          unsafe_no_noise: %s}\n";

/* A training about to begin. */
typedef struct {
    char *folder;
    DpcxrExperiment *experiment;
    DpcxrSetup setup;
    DpcxrSecret *secret;
    DpcxrLedger *ledger;
} Training;

static void training_open(Training *training, gboolean noisy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL;
    training->folder = temporary_folder();
    g_autofree char *config = g_build_filename(training->folder, "t.yaml", NULL);
    g_autofree char *ledger = g_build_filename(training->folder, "ledger.jsonl", NULL);
    g_autofree char *yaml = g_strdup_printf(text, g_getenv("DPCXR_BUILD"), noisy ? 2 : 0, noisy ? "false" : "true");
    g_assert_true(g_file_set_contents(config, yaml, -1, NULL));
    training->experiment = dpcxr_experiment_load(config, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(dpcxr_setup_open(&training->setup, training->experiment, NULL));
    g_assert_true(dpcxr_network_initialise(training->setup.program, training->experiment, &note, NULL));
    training->secret = dpcxr_secret_new_seeded(training->experiment->privacy.noise_seed);
    training->ledger = dpcxr_ledger_create(ledger, training->experiment->privacy.adjacency, "patient",
                                           training->setup.plan->population, NULL);
    g_assert_nonnull(training->ledger);
}

static void training_close(Training *training)
{
    dpcxr_ledger_free(training->ledger);
    dpcxr_secret_free(training->secret);
    dpcxr_setup_clear(&training->setup);
    dpcxr_experiment_free(training->experiment);
    temporary_remove(training->folder);
}

/* Step number @step, from fresh weights. Returns how many units were drawn. */
static guint64 take_step(Training *training, guint64 step)
{
    const DpcxrExperiment *e = training->experiment;
    DpcxrSetup *setup = &training->setup;
    DpcxrOptimizer optimizer;
    DpcxrSchedule schedule;
    DpcxrStepReport report;
    dpcxr_optimizer_init(&optimizer, e->optimizer.type, e->optimizer.options);
    dpcxr_schedule_init(&schedule, e->schedule.type, e->schedule.options);
    g_autoptr(DpcxrTrainer) trainer = dpcxr_trainer_new(setup->plan, setup->data, setup->program, training->ledger,
                                                        training->secret, &optimizer, &schedule, step,
                                                        e->privacy.clip_norm, NULL);
    g_assert_true(dpcxr_trainer_step(trainer, &report, NULL));
    g_free(report.problem);
    return report.units;
}

static float *weight(const Training *training, int parameter, gsize size)
{
    float *values = g_new(float, size);
    g_assert_true(dpcxr_program_read(training->setup.program, DPCXR_BANK_WEIGHT, parameter, values, NULL));
    return values;
}

static void compare(const Training *plain, const Training *noisy, guint64 step)
{
    for (int i = 0; i < plain->setup.program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(plain->setup.graph, i);
        gsize size = parameter->size;
        g_autofree float *without = weight(plain, i, size), *with = weight(noisy, i, size);
        g_autofree float *noise = g_new(float, size);
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = step, .tensor = (guint32)i};
        double off = 0, length = 0;
        dpcxr_noise_fill(noisy->secret, &address, multiplier * clip_norm, noise, size, NULL);
        for (gsize k = 0; k < size; k++) {
            double moved = ((double)without[k] - (double)with[k]) * logical; /* lr is 1 */
            off += (moved - (double)noise[k]) * (moved - (double)noise[k]);
            length += (double)noise[k] * (double)noise[k];
        }
        if (!(sqrt(off) <= 1e-4 * sqrt(length)))
            g_error("%s: the noise is off by %.3g of its length", parameter->name, sqrt(off / length));
    }
}

static void test_noise(gconstpointer data)
{
    guint64 step = GPOINTER_TO_SIZE(data);
    Training plain = {0}, noisy = {0};
    training_open(&plain, FALSE);
    training_open(&noisy, TRUE);
    guint64 units = take_step(&plain, step);
    g_assert_cmpuint(take_step(&noisy, step), ==, units);
    g_assert_cmpuint(units, !=, (guint64)logical); /* else a divisor that depends on the draw would pass */
    compare(&plain, &noisy, step);

    g_assert_cmpuint(dpcxr_ledger_steps(plain.ledger), ==, 0);
    g_assert_cmpuint(dpcxr_ledger_steps(noisy.ledger), ==, 1);
    g_assert_cmpfloat(dpcxr_ledger_mechanism(noisy.ledger)->events[0].noise_multiplier, ==, multiplier);
    training_close(&plain);
    training_close(&noisy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/noisy-step/first", GSIZE_TO_POINTER(0), test_noise);
    g_test_add_data_func("/noisy-step/later", GSIZE_TO_POINTER(5), test_noise);
    return g_test_run();
}
