/* SPDX-License-Identifier: MIT
 * Where noise goes. Of two steps that differ in nothing else, the one with noise is off by exactly the noise of its
 * address, with standard deviation multiplier x clip norm, both as their schedules say, over the public divisor, whatever
 * was drawn. Label weights are those of counts in which every unit weighs 1, with the noise of their address, scaled to all
 * labels at once. The noise may be that of a grid. */
#include "backend/program.h"
#include "config/experiment.h"
#include "privacy/accounting.h"
#include "privacy/grid-noise.h"
#include "privacy/ledger.h"
#include "privacy/noise.h"
#include "temporary.h"
#include "train/label-weights.h"
#include "train/network.h"
#include "train/setup.h"
#include "train/trainer.h"
#include <math.h>

static const double clip_norm = 0.25, multiplier = 2, logical = 12;

static const char text[] =
    "name: t\nplugins: ['%s/docs/examples']\ndevice: {type: ref}\n"
    "data: {type: phantom, patients: 120, size: 64, labels: [cardiomegaly, congestion], image: {size: 32}}\n"
    "model: {type: small_cnn, width: 8}\n"
    "loss: {pos_weight: %s}\n"
    "optimizer: {type: sgd, lr: 1}\n"
    "train: {steps: 10, batch: {logical: 12, physical: 16}}\n"
    "privacy: {clip: {norm: 0.25, schedule: %s}, noise: {%ssource: seeded, seed: 3, schedule: %s},\n"
    "          delta: 1e-3, noise_multiplier: %d, unsafe_no_noise: %s}\n";

/* The same steps with schedules: four levels of noise, a norm that falls to a tenth. */
typedef struct {
    const char *clip, *noise, *type;
} Schedules;

static const Schedules constant = {"constant", "constant"},
                       changing = {"{type: linear, final_factor: 0.1}",
                                   "{type: linear, initial_factor: 1.5, final_factor: 0.5, levels: 4}"},
                       grid = {"constant", "constant", "type: grid, "},
                       changing_grid = {"{type: linear, final_factor: 0.1}",
                                        "{type: linear, initial_factor: 1.5, final_factor: 0.5, levels: 4}", "type: grid, "};

/* A training about to begin. */
typedef struct {
    char *folder;
    DpcxrExperiment *experiment;
    DpcxrSetup setup;
    DpcxrSecret *secret;
    DpcxrLedger *ledger;
} Training;

static void training_open(Training *training, const Schedules *schedules, gboolean noisy, const char *pos_weight)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL;
    training->folder = temporary_folder();
    g_autofree char *config = g_build_filename(training->folder, "t.yaml", NULL);
    g_autofree char *ledger = g_build_filename(training->folder, "ledger.jsonl", NULL);
    g_autofree char *yaml = g_strdup_printf(text, g_getenv("DPCXR_BUILD"), pos_weight, schedules->clip,
                                            noisy && schedules->type ? schedules->type : "",
                                            noisy ? schedules->noise : "constant", noisy ? 2 : 0,
                                            noisy ? "false" : "true");
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

/* The noise at @address as it is added to a sum of gradients. */
static float *noise_of(const Training *training, const DpcxrAddress *address, double std, gsize n)
{
    float *noise = g_new(float, n);
    if (training->experiment->privacy.noise_type != DPCXR_NOISE_GRID) {
        dpcxr_noise_fill(training->secret, address, std, noise, n, NULL);
        return noise;
    }
    g_autofree gint64 *integers = g_new(gint64, n);
    dpcxr_grid_noise_fill(training->secret, address, integers, n, NULL);
    for (gsize k = 0; k < n; k++)
        noise[k] = (float)(std * ldexp((double)integers[k], -30));
    return noise;
}

static void compare(const Training *plain, const Training *noisy, guint64 step, double std)
{
    for (int i = 0; i < plain->setup.program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(plain->setup.graph, i);
        gsize size = parameter->size;
        g_autofree float *without = weight(plain, i, size), *with = weight(noisy, i, size);
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = step, .tensor = (guint32)i};
        g_autofree float *noise = noise_of(noisy, &address, std, size);
        double off = 0, length = 0;
        for (gsize k = 0; k < size; k++) {
            double moved = ((double)without[k] - (double)with[k]) * logical; /* lr is 1 */
            off += (moved - (double)noise[k]) * (moved - (double)noise[k]);
            length += (double)noise[k] * (double)noise[k];
        }
        if (!(sqrt(off) <= 1e-4 * sqrt(length)))
            g_error("%s: the noise is off by %.3g of its length", parameter->name, sqrt(off / length));
    }
}

/* Step @step with and without noise; its noise multiplier has to be @noise, its clip norm @norm. */
static void check_step(const Schedules *schedules, guint64 step, double noise, double norm)
{
    Training plain = {0}, noisy = {0};
    training_open(&plain, schedules, FALSE, "none");
    training_open(&noisy, schedules, TRUE, "none");
    guint64 units = take_step(&plain, step);
    g_assert_cmpuint(take_step(&noisy, step), ==, units);
    g_assert_cmpuint(units, !=, (guint64)logical); /* else a divisor that depends on the draw would pass */
    compare(&plain, &noisy, step, noise * norm);

    g_assert_cmpuint(dpcxr_ledger_steps(plain.ledger), ==, 0);
    g_assert_cmpuint(dpcxr_ledger_steps(noisy.ledger), ==, 1);
    g_assert_cmpfloat_with_epsilon(dpcxr_ledger_mechanism(noisy.ledger)->events[0].noise_multiplier, noise, 1e-12);
    training_close(&plain);
    training_close(&noisy);
}

static void test_noise(gconstpointer data)
{
    check_step(&constant, GPOINTER_TO_SIZE(data), multiplier, clip_norm);
}

static void test_grid(void)
{
    check_step(&grid, 0, multiplier, clip_norm);
    check_step(&changing_grid, 3, 3.5 / 3 * multiplier, 0.7 * clip_norm);
}

/* Of ten steps, 0 to 2, 3 and 4, 5 to 7, 8 and 9 have equal noise; the norm falls by a tenth of itself each step. */
static void test_schedules(void)
{
    check_step(&changing, 0, 1.5 * multiplier, clip_norm);
    check_step(&changing, 3, 3.5 / 3 * multiplier, 0.7 * clip_norm);
    check_step(&changing, 7, 2.5 / 3 * multiplier, 0.3 * clip_norm);
    check_step(&changing, 9, 0.5 * multiplier, 0.1 * clip_norm);
}

static double epsilon_of(const Training *training, const DpcxrMechanism *mechanism)
{
    DpcxrInterval epsilon;
    g_assert_true(dpcxr_account_epsilon(&training->experiment->privacy.accountant, mechanism,
                                        training->experiment->privacy.delta, &epsilon, NULL));
    return epsilon.upper;
}

/* Charges the steps from @first on as far as the plan allows; the number that was next. */
static guint64 charge_on(Training *training, guint64 first, guint64 end)
{
    DpcxrPlan *plan = training->setup.plan;
    g_assert_true(dpcxr_plan_allow(plan, dpcxr_ledger_mechanism(training->ledger), dpcxr_ledger_steps(training->ledger),
                                   first, NULL));
    for (; first < end && dpcxr_ledger_steps(training->ledger) < plan->allowed; first++) {
        DpcxrEvent event = dpcxr_plan_event(plan, first);
        guint64 sequence;
        g_assert_true(dpcxr_ledger_append(training->ledger, DPCXR_LEDGER_STEPS, &event, &sequence, NULL));
    }
    return first;
}

/* A budget for the ten planned steps. Three of them are lost: two loud ones cost more than they would have quiet, and the run
 * ends at the last step that the whole ledger can pay for. */
static void test_lost_steps(void)
{
    Training training = {0};
    training_open(&training, &changing, TRUE, "none");
    DpcxrPlan *plan = training.setup.plan;
    g_autoptr(GArray) planned = dpcxr_plan_events(plan, 0, plan->steps);
    g_assert_cmpuint(planned->len, ==, 4);
    DpcxrMechanism all = {DPCXR_ADJACENCY_ZERO_OUT, (const DpcxrEvent *)(void *)planned->data, planned->len};
    training.experiment->privacy.epsilon = epsilon_of(&training, &all);
    g_assert_cmpuint(charge_on(&training, 0, 8), ==, 8);
    g_assert_cmpuint(plan->allowed, ==, 10);
    guint64 next = charge_on(&training, 5, 10); /* 5 to 7 again */
    g_assert_cmpuint(next, <, 10);
    g_assert_cmpuint(dpcxr_ledger_steps(training.ledger), ==, 8 + next - 5);
    const DpcxrMechanism *done = dpcxr_ledger_mechanism(training.ledger);
    g_assert_cmpuint(done->n_events, ==, next > 8 ? 4 : 3);
    g_assert_cmpuint(done->events[2].count, ==, 3 + MIN(next, 8) - 5);
    g_assert_cmpfloat(epsilon_of(&training, done), <=, training.experiment->privacy.epsilon);
    DpcxrEvent more = dpcxr_plan_event(plan, next);
    guint64 sequence;
    g_assert_true(dpcxr_ledger_append(training.ledger, DPCXR_LEDGER_STEPS, &more, &sequence, NULL));
    g_assert_cmpfloat(epsilon_of(&training, dpcxr_ledger_mechanism(training.ledger)), >, training.experiment->privacy.epsilon);
    training_close(&training);
}

/* @counts: positives of both labels, then negatives of both; a unit's images share its weight of 1. */
static void count_units(const Training *training, double counts[4])
{
    const DpcxrUnits *units = training->setup.plan->units;
    for (gsize u = 0; u < units->n; u++)
        for (gsize i = units->offsets[u]; i < units->offsets[u + 1]; i++) {
            float targets[2], mask[2];
            dpcxr_data_targets(training->setup.data, units->rows[i], targets, mask);
            for (int label = 0; label < 2; label++) {
                double share = mask[label] / (double)(units->offsets[u + 1] - units->offsets[u]);
                counts[label] += share * targets[label];
                counts[2 + label] += share * (1 - targets[label]);
            }
        }
}

static void check_label_weights(const Schedules *type)
{
    Training training = {0};
    float weights[2];
    double counts[4] = {0};
    DpcxrAddress address = {.purpose = DPCXR_PURPOSE_COUNT_NOISE};
    g_autoptr(GError) error = NULL;
    training_open(&training, type, TRUE, "{type: private_counts, noise_multiplier: 3}");
    g_autofree char *path = g_build_filename(training.folder, "weights.safetensors", NULL);
    g_assert_true(dpcxr_label_weights_private(training.setup.plan, training.setup.data, training.ledger,
                                              training.secret, path, weights, &error));
    g_autofree float *noise = noise_of(&training, &address, 3 * sqrt(2), 4);
    count_units(&training, counts);
    for (int label = 0; label < 2; label++) {
        double positive = MAX(counts[label] + (double)noise[label], 1);
        double negative = MAX(counts[2 + label] + (double)noise[2 + label], 1);
        g_assert_cmpfloat_with_epsilon((double)weights[label], negative / positive, 1e-5 * negative / positive);
    }
    g_assert_cmpfloat(dpcxr_ledger_mechanism(training.ledger)->events[0].noise_multiplier, ==, 3);
    training_close(&training);
}

static void test_label_weights(void)
{
    check_label_weights(&constant);
    check_label_weights(&grid);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/noisy-step/first", GSIZE_TO_POINTER(0), test_noise);
    g_test_add_data_func("/noisy-step/later", GSIZE_TO_POINTER(5), test_noise);
    g_test_add_func("/noisy-step/grid", test_grid);
    g_test_add_func("/noisy-step/schedules", test_schedules);
    g_test_add_func("/noisy-step/lost-steps", test_lost_steps);
    g_test_add_func("/noisy-step/label-weights", test_label_weights);
    return g_test_run();
}
