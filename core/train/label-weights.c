/* SPDX-License-Identifier: MIT */
#include "train/label-weights.h"
#include "privacy/grid-noise.h"
#include "privacy/grid.h"
#include "privacy/noise.h"
#include "tensor/safetensors.h"
#include <math.h>

/* Positives and negatives of each label: [labels] and [labels]. */
typedef struct {
    double *positive, *negative;
} Counts;

static void counts_clear(Counts *counts)
{
    g_free(counts->positive);
    g_free(counts->negative);
}

/* Adds @factor times what is known of @row. */
static void add_row(const DpcxrData *data, gsize row, double factor, int labels, Counts *counts)
{
    g_autofree float *targets = g_new(float, labels), *mask = g_new(float, labels);
    dpcxr_data_targets(data, row, targets, mask);
    for (int i = 0; i < labels; i++) {
        counts->positive[i] += factor * mask[i] * targets[i];
        counts->negative[i] += factor * mask[i] * (1 - targets[i]);
    }
}

static float *exact(const DpcxrExperiment *e, const DpcxrData *data)
{
    int n = e->data.n_labels;
    Counts counts = {g_new0(double, n), g_new0(double, n)};
    const DpcxrIndex *index = dpcxr_data_index(data);
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        if (dpcxr_index_split(index, row) == DPCXR_SPLIT_TRAIN)
            add_row(data, row, 1, n, &counts);
    float *weights = g_new(float, n);
    for (int i = 0; i < n; i++)
        weights[i] = (float)(MAX(counts.negative[i], 1) / MAX(counts.positive[i], 1));
    counts_clear(&counts);
    return weights;
}

float *dpcxr_label_weights(const DpcxrExperiment *e, const DpcxrData *data)
{
    if (e->loss.pos_weight_type == DPCXR_POS_WEIGHT_EXACT)
        return exact(e, data);
    if (e->loss.pos_weight_type != DPCXR_POS_WEIGHT_PUBLIC)
        return NULL;
    float *weights = g_new(float, e->data.n_labels);
    for (int i = 0; i < e->data.n_labels; i++)
        weights[i] = (float)e->loss.pos_weight[i];
    return weights;
}

static Counts count_units(const DpcxrPlan *plan, const DpcxrData *data)
{
    int n = plan->experiment->data.n_labels;
    const DpcxrUnits *units = plan->units;
    Counts counts = {g_new0(double, n), g_new0(double, n)};
    for (gsize u = 0; u < units->n; u++)
        for (gsize i = units->offsets[u]; i < units->offsets[u + 1]; i++)
            add_row(data, units->rows[i], 1 / (double)(units->offsets[u + 1] - units->offsets[u]), n, &counts);
    return counts;
}

/* Positives of all labels, then negatives of all, each with noise of multiplier @multiplier, on integers: no sum of floats
 * that depends on who else is there. */
static void count_on_grid(const DpcxrPlan *plan, const DpcxrData *data, const DpcxrSecret *secret,
                          const DpcxrAddress *address, double multiplier, double *noisy)
{
    int n = plan->experiment->data.n_labels;
    const DpcxrUnits *units = plan->units;
    DpcxrGrid grid = dpcxr_grid_new(multiplier, sqrt(n));
    g_autofree gint64 *sums = g_new0(gint64, 2 * n), *noise = g_new(gint64, 2 * n);
    for (gsize u = 0; u < units->n; u++) {
        Counts unit = {noisy, noisy + n};
        memset(noisy, 0, 2 * (gsize)n * sizeof *noisy);
        for (gsize i = units->offsets[u]; i < units->offsets[u + 1]; i++)
            add_row(data, units->rows[i], 1 / (double)(units->offsets[u + 1] - units->offsets[u]), n, &unit);
        dpcxr_grid_add(&grid, noisy, 2 * (gsize)n, sums); /* a unit that did not fit would count as none */
    }
    dpcxr_grid_noise_fill(secret, address, noise, 2 * (gsize)n, NULL);
    for (int i = 0; i < 2 * n; i++)
        noisy[i] = (double)(sums[i] + noise[i]) * grid.spacing;
}

/* The same in floats. */
static void count_in_floats(const DpcxrPlan *plan, const DpcxrData *data, const DpcxrSecret *secret,
                            const DpcxrAddress *address, double multiplier, double *noisy)
{
    int n = plan->experiment->data.n_labels;
    g_autofree float *noise = g_new(float, 2 * n);
    dpcxr_noise_fill(secret, address, multiplier * sqrt(n), noise, 2 * (gsize)n, NULL);
    Counts counts = count_units(plan, data);
    for (int i = 0; i < n; i++) {
        noisy[i] = counts.positive[i] + noise[i];
        noisy[n + i] = counts.negative[i] + noise[n + i];
    }
    counts_clear(&counts);
}

/* The event first, on disk; then the noise that it accounts for. */
static gboolean noisy_weights(const DpcxrPlan *plan, const DpcxrData *data, DpcxrLedger *ledger,
                              const DpcxrSecret *secret, float *weights, GError **error)
{
    int n = plan->experiment->data.n_labels;
    guint64 sequence;
    if (!dpcxr_ledger_append(ledger, DPCXR_LEDGER_COUNTS, &plan->counts, &sequence, error))
        return FALSE;
    DpcxrAddress address = {.purpose = DPCXR_PURPOSE_COUNT_NOISE,
                            .sequence = dpcxr_secret_is_seeded(secret) ? 0 : sequence};
    g_autofree double *noisy = g_new(double, 2 * n);
    (plan->grid ? count_on_grid : count_in_floats)(plan, data, secret, &address, plan->counts.noise_multiplier, noisy);
    for (int i = 0; i < n; i++)
        weights[i] = (float)(MAX(noisy[n + i], 1) / MAX(noisy[i], 1));
    return TRUE;
}

gboolean dpcxr_label_weights_private(const DpcxrPlan *plan, DpcxrData *data, DpcxrLedger *ledger,
                                     const DpcxrSecret *secret, const char *path, float *weights, GError **error)
{
    int n = plan->experiment->data.n_labels;
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_open(path, error);
        return file && dpcxr_safetensors_copy_f32(file, "pos_weight", &n, 1, weights, error);
    }
    if (!noisy_weights(plan, data, ledger, secret, weights, error))
        return FALSE;
    DpcxrNamedTensor tensor = {.name = "pos_weight",
                               .dtype = DPCXR_F32,
                               .n_dims = 1,
                               .dims = {n},
                               .data = weights,
                               .bytes = (gsize)n * sizeof(float)};
    return dpcxr_safetensors_write(path, 0600, &tensor, 1, NULL, error);
}
