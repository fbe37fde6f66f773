/* SPDX-License-Identifier: MIT */
#include "train/trainer.h"
#include "base/workers.h"
#include "optim/average.h"
#include "privacy/clip.h"
#include "privacy/grid-noise.h"
#include "privacy/grid.h"
#include "privacy/noise.h"
#include "train/shuffle.h"
#include <math.h>
#include <string.h>

/* Host buffers of one physical batch. */
typedef struct {
    float *images, *targets, *mask, *row_weights, *losses, *logits, *coefficients;
    double *norms2;
    int *unit_offsets;
    gboolean *ok, *dropped;
} Buffers;

struct _DpcxrTrainer {
    const DpcxrPlan *plan;
    DpcxrProgram *program;
    DpcxrLedger *ledger;
    const DpcxrSecret *secret;
    DpcxrOptimizer *optimizer;
    const DpcxrSchedule *schedule;
    DpcxrLoader *loader;
    DpcxrShuffle shuffle;   /* not private */
    DpcxrWorkers *workers;  /* for noise */
    float **noise;          /* [parameters]; NULL without noise, and on a grid */
    gint64 *grid_noise;     /* [largest parameter]; NULL unless plan->grid */
    DpcxrGrid grid;         /* of this step */
    DpcxrUnitDraw now, next; /* the step at work and the one whose images are being decoded */
    guint64 step;
    guint64 origin;         /* a step that a record begins with: the first of this process, or of the run where it is seeded */
    guint64 uncharged;      /* first step that is on no record yet */
    guint64 charged;        /* stream address of the step that noise was last made for */
    gboolean drawn;         /* `next` holds the draw of `step` */
    gsize image_size;
    gsize views;            /* of each drawn image; they only share out the weight that it has within its unit */
    DpcxrClip clip;
    Buffers buffers;
};

static gboolean is_private(const DpcxrTrainer *trainer)
{
    return trainer->plan->experiment->privacy.enabled;
}

/* Which step of its record @step is: of its epoch, where epochs are charged whole. A process with a key of its own begins a
 * permutation of its own, so an epoch that another one left is never gone on with. */
static guint64 position_of(const DpcxrTrainer *trainer, guint64 step)
{
    return (step - trainer->origin) % trainer->plan->record_steps;
}

/* The address of @step's secret streams: the sequence number that it has, or will get when its event is charged; where
 * noise must be reproducible, the step itself. A process that dies before the event is written takes its key with it. */
static guint64 sequence_of(const DpcxrTrainer *trainer, guint64 step)
{
    if (!trainer->ledger || dpcxr_secret_is_seeded(trainer->secret))
        return step;
    return dpcxr_ledger_next_sequence(trainer->ledger) + step - trainer->uncharged;
}

/* Asks the loader for every view of every drawn image, the views of an image after each other. */
static void request_views(DpcxrTrainer *trainer, guint64 step)
{
    const GArray *rows = trainer->next.rows;
    g_autofree DpcxrDraw *draws = g_new(DpcxrDraw, rows->len * trainer->views);
    for (gsize i = 0; i < rows->len * trainer->views; i++)
        draws[i] = (DpcxrDraw){.row = g_array_index(rows, gsize, i / trainer->views),
                               .step = step,
                               .view = (guint32)(i % trainer->views),
                               .augment = TRUE};
    dpcxr_loader_request(trainer->loader, draws, rows->len * trainer->views);
}

/* Draws @step into `next` and lets the loader start on it. */
static void draw_ahead(DpcxrTrainer *trainer, guint64 step)
{
    if (is_private(trainer))
        dpcxr_sampler_draw(&trainer->plan->sampler, trainer->plan->units, trainer->secret, sequence_of(trainer, step),
                           position_of(trainer, step), &trainer->next);
    else
        dpcxr_shuffle_draw(&trainer->shuffle, step, &trainer->next);
    request_views(trainer, step);
}

static void take_draw(DpcxrTrainer *trainer)
{
    if (!trainer->drawn)
        draw_ahead(trainer, trainer->step);
    DpcxrUnitDraw swap = trainer->now;
    trainer->now = trainer->next;
    trainer->next = swap;
    trainer->drawn = trainer->step + 1 < trainer->plan->steps;
    if (trainer->drawn)
        draw_ahead(trainer, trainer->step + 1);
}

static void take_rows(DpcxrTrainer *trainer, int rows, DpcxrStepReport *report)
{
    Buffers *b = &trainer->buffers;
    g_autofree char *problem = NULL;
    dpcxr_loader_take(trainer->loader, (gsize)rows, b->images, b->targets, b->mask, b->ok, &problem);
    for (int i = 0; i < rows; i++)
        report->failed += !b->ok[i];
    if (problem && !report->problem)
        report->problem = g_steal_pointer(&problem);
}

static gboolean run_phase_a(DpcxrTrainer *trainer, int rows, int units, DpcxrPiece piece, DpcxrStepReport *report,
                            GError **error)
{
    Buffers *b = &trainer->buffers;
    DpcxrBatch batch = {.rows = rows,
                        .images = b->images,
                        .targets = b->targets,
                        .mask = b->mask,
                        .row_weights = b->row_weights,
                        .units = units,
                        .unit_offsets = b->unit_offsets,
                        .piece = piece};
    DpcxrBatchResult result = {.losses = b->losses, .logits = b->logits, .norms2 = b->norms2};
    if (!dpcxr_program_phase_a(trainer->program, &batch, &result, error))
        return FALSE;
    for (int i = 0; i < rows; i++)
        report->loss += b->losses[i];
    report->images += (guint64)rows;
    return TRUE;
}

/* Whether any group of @unit is scaled down. */
static gboolean is_clipped(const DpcxrTrainer *trainer, int units, int unit)
{
    for (int g = 0; g < trainer->clip.n_groups; g++)
        if (trainer->buffers.coefficients[g * units + unit] < 1)
            return TRUE;
    return FALSE;
}

/* Coefficients of @units from the norms in the buffers; without privacy all are 1. */
static void find_coefficients(DpcxrTrainer *trainer, int units, DpcxrStepReport *report)
{
    Buffers *b = &trainer->buffers;
    for (int i = 0; i < units * trainer->clip.n_groups; i++)
        b->coefficients[i] = 1;
    if (!is_private(trainer))
        return;
    guint64 skipped = (guint64)dpcxr_clip(&trainer->clip, b->norms2, units, b->coefficients), clipped = 0;
    for (int u = 0; u < units; u++)
        clipped += is_clipped(trainer, units, u);
    report->skipped += skipped;
    report->clipped += clipped - skipped;
}

/* A dropped unit counts as skipped, whatever it was before. */
static gboolean add_on_grid(DpcxrTrainer *trainer, int units, DpcxrStepReport *report, GError **error)
{
    Buffers *b = &trainer->buffers;
    if (!dpcxr_program_phase_b_grid(trainer->program, b->coefficients, trainer->grid.scale, trainer->grid.limit,
                                    b->dropped, error))
        return FALSE;
    for (int u = 0; u < units; u++) {
        if (!b->dropped[u])
            continue;
        report->skipped++;
        report->clipped -= is_clipped(trainer, units, u);
    }
    return TRUE;
}

/* Units @first .. @first+@units-1 of the draw, together at most one physical batch. A row is a view of an image. */
static gboolean whole_units(DpcxrTrainer *trainer, guint first, int units, DpcxrStepReport *report, GError **error)
{
    Buffers *b = &trainer->buffers;
    const gsize *offsets = (const gsize *)trainer->now.unit_offsets->data + first;
    for (int u = 0; u <= units; u++)
        b->unit_offsets[u] = (int)((offsets[u] - offsets[0]) * trainer->views);
    for (int u = 0; u < units; u++)
        for (int row = b->unit_offsets[u]; row < b->unit_offsets[u + 1]; row++)
            b->row_weights[row] = 1 / (float)(b->unit_offsets[u + 1] - b->unit_offsets[u]);
    int rows = b->unit_offsets[units];
    take_rows(trainer, rows, report);
    if (!run_phase_a(trainer, rows, units, DPCXR_WHOLE_UNITS, report, error))
        return FALSE;
    find_coefficients(trainer, units, report);
    if (trainer->plan->grid)
        return add_on_grid(trainer, units, report, error);
    return dpcxr_program_phase_b(trainer->program, DPCXR_BANK_SUM, b->coefficients, error);
}

/* The next rows of a unit of @rows in all, of which @done have been. */
static int take_piece(DpcxrTrainer *trainer, gsize rows, gsize done, DpcxrStepReport *report)
{
    Buffers *b = &trainer->buffers;
    int piece = (int)MIN((gsize)trainer->plan->physical, rows - done);
    b->unit_offsets[0] = 0;
    b->unit_offsets[1] = piece;
    for (int i = 0; i < piece; i++)
        b->row_weights[i] = 1 / (float)rows;
    take_rows(trainer, piece, report);
    return piece;
}

/* A unit with more rows than a physical batch: its gradient is added up whole, then clipped and folded into the sum. */
static gboolean large_unit(DpcxrTrainer *trainer, gsize rows, DpcxrStepReport *report, GError **error)
{
    Buffers *b = &trainer->buffers;
    if (!dpcxr_program_zero(trainer->program, DPCXR_BANK_UNIT, error))
        return FALSE;
    for (gsize done = 0; done < rows;) {
        int piece = take_piece(trainer, rows, done, report);
        for (int g = 0; g < trainer->clip.n_groups; g++)
            b->coefficients[g] = 1;
        if (!run_phase_a(trainer, piece, 1, DPCXR_WHOLE_UNITS, report, error) ||
            !dpcxr_program_phase_b(trainer->program, DPCXR_BANK_UNIT, b->coefficients, error))
            return FALSE;
        done += (gsize)piece;
    }
    if (!dpcxr_program_bank_norms(trainer->program, DPCXR_BANK_UNIT, b->norms2, error))
        return FALSE;
    find_coefficients(trainer, 1, report);
    return dpcxr_program_fold(trainer->program, b->coefficients, error);
}

/* The same on a grid, where the last piece knows the norms of all. */
static gboolean large_unit_on_grid(DpcxrTrainer *trainer, gsize rows, DpcxrStepReport *report, GError **error)
{
    for (gsize done = 0; done < rows;) {
        int piece = take_piece(trainer, rows, done, report);
        if (!run_phase_a(trainer, piece, 1, done ? DPCXR_NEXT_PIECE : DPCXR_FIRST_PIECE, report, error))
            return FALSE;
        done += (gsize)piece;
    }
    find_coefficients(trainer, 1, report);
    return add_on_grid(trainer, 1, report, error);
}

static gboolean sum_gradients(DpcxrTrainer *trainer, DpcxrStepReport *report, GError **error)
{
    const gsize *offsets = (const gsize *)trainer->now.unit_offsets->data;
    guint n = trainer->now.units->len;
    gsize physical = (gsize)trainer->plan->physical;
    if (!dpcxr_program_zero(trainer->program, DPCXR_BANK_SUM, error))
        return FALSE;
    for (guint first = 0; first < n;) {
        guint last = first + 1; /* one past the last unit that still fits */
        while (last < n && (offsets[last + 1] - offsets[first]) * trainer->views <= physical)
            last++;
        gsize rows = (offsets[last] - offsets[first]) * trainer->views;
        gboolean good = rows <= physical      ? whole_units(trainer, first, (int)(last - first), report, error)
                        : trainer->plan->grid ? large_unit_on_grid(trainer, rows, report, error)
                                              : large_unit(trainer, rows, report, error);
        if (!good)
            return FALSE;
        first = last;
    }
    report->units = n;
    report->failed = (report->failed + trainer->views - 1) / trainer->views;
    report->loss = report->images ? report->loss / (double)report->images : NAN;
    return TRUE;
}

/* A record for this step and those that share its permutation; they have consecutive numbers. */
static gboolean charge(DpcxrTrainer *trainer, GError **error)
{
    DpcxrEvent event = dpcxr_plan_event(trainer->plan, trainer->step);
    guint64 expected = sequence_of(trainer, trainer->step), sequence;
    if (!dpcxr_ledger_append(trainer->ledger, DPCXR_LEDGER_STEPS, &event, &sequence, error))
        return FALSE;
    if (!dpcxr_secret_is_seeded(trainer->secret) && sequence != expected)
        g_error("the ledger numbered a step %" G_GUINT64_FORMAT " that was sampled as %" G_GUINT64_FORMAT, sequence,
                expected);
    trainer->uncharged += trainer->plan->record_steps;
    return TRUE;
}

/* Noise whose event is charged: at full scale into the buffers or, on a grid, onto the integers. */
static gboolean make_noise(DpcxrTrainer *trainer, GError **error)
{
    const DpcxrProgram *program = trainer->program;
    double std = dpcxr_plan_gradient_noise(trainer->plan, trainer->step) * trainer->clip.norm;
    for (int i = 0; i < program->n_parameters; i++) {
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = trainer->charged, .tensor = (guint32)i};
        gsize n = dpcxr_graph_parameter(program->graph, i)->size;
        if (!trainer->plan->grid) {
            dpcxr_noise_fill(trainer->secret, &address, std, trainer->noise[i], n, trainer->workers);
            continue;
        }
        dpcxr_grid_noise_fill(trainer->secret, &address, trainer->grid_noise, n, trainer->workers);
        if (!dpcxr_program_settle(trainer->program, i, trainer->grid_noise, trainer->grid.spacing, error))
            return FALSE;
    }
    return TRUE;
}

/* The event first, on disk; then the noise that it accounts for. */
static gboolean charge_and_make_noise(DpcxrTrainer *trainer, GError **error)
{
    if (trainer->step >= trainer->uncharged && !charge(trainer, error))
        return FALSE;
    trainer->charged = sequence_of(trainer, trainer->step);
    return make_noise(trainer, error);
}

/* Sum over units of b - 1/2 with noise; @spared units have b = 1. A unit's half is an integer on a grid. */
static double noisy_count(const DpcxrTrainer *trainer, guint64 spared, guint64 units, const DpcxrAddress *address)
{
    double std = trainer->plan->count_noise;
    if (!trainer->plan->grid) {
        float noise;
        dpcxr_noise_fill(trainer->secret, address, std, &noise, 1, NULL);
        return (double)spared - 0.5 * (double)units + noise;
    }
    const double half = 0.5;
    DpcxrGrid grid = dpcxr_grid_new(std / half, half);
    gint64 unit = 0, noise;
    if (!dpcxr_grid_add(&grid, &half, 1, &unit))
        g_error("a count of halves does not fit its own grid");
    dpcxr_grid_noise_fill(trainer->secret, address, &noise, 1, NULL);
    return (double)(unit * ((gint64)(2 * spared) - (gint64)units) + noise) * grid.spacing;
}

/* Adaptive clipping: how many units kept their norm, with noise of the event that was just charged; its stream is that of
 * one tensor more. */
static void adapt_clip_norm(DpcxrTrainer *trainer, const DpcxrStepReport *report)
{
    const DpcxrPlan *plan = trainer->plan;
    const DpcxrExperiment *e = plan->experiment;
    DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE,
                            .sequence = trainer->charged,
                            .tensor = (guint32)trainer->program->n_parameters};
    guint64 spared = report->units - report->clipped - report->skipped;
    trainer->clip.norm = dpcxr_clip_adapt(trainer->clip.norm, noisy_count(trainer, spared, report->units, &address),
                                          plan->divisor, e->privacy.clip_quantile, e->privacy.clip_rate);
}

/* Without adaptive clipping the norm is a function of the step. */
static void schedule_clip_norm(DpcxrTrainer *trainer)
{
    if (trainer->step < trainer->plan->steps)
        trainer->clip.norm = dpcxr_plan_clip_norm(trainer->plan, trainer->step);
}

static double divisor(const DpcxrTrainer *trainer, const DpcxrStepReport *report)
{
    return is_private(trainer) ? trainer->plan->divisor : (double)MAX(report->units, 1);
}

gboolean dpcxr_trainer_step(DpcxrTrainer *trainer, DpcxrStepReport *report, GError **error)
{
    *report = (DpcxrStepReport){0};
    take_draw(trainer);
    if (trainer->plan->grid)
        trainer->grid = dpcxr_grid_new(dpcxr_plan_gradient_noise(trainer->plan, trainer->step), trainer->clip.norm);
    if (!sum_gradients(trainer, report, error))
        return FALSE;
    if (trainer->plan->noise_multiplier > 0 && !charge_and_make_noise(trainer, error))
        return FALSE;
    DpcxrUpdate update = {0};
    dpcxr_optimizer_next(trainer->optimizer,
                         dpcxr_schedule_factor(trainer->schedule, trainer->step, trainer->plan->steps), &update);
    double decay = trainer->plan->experiment->train.ema;
    update.average_rate = decay > 0 ? dpcxr_average_rate(decay, trainer->step + 1) : 0;
    update.noise = (const float *const *)trainer->noise;
    update.scale = 1 / divisor(trainer, report);
    if (!dpcxr_program_update(trainer->program, &update, error))
        return FALSE;
    report->clip_norm = trainer->clip.norm;
    trainer->step++;
    if (trainer->plan->count_noise > 0)
        adapt_clip_norm(trainer, report);
    else
        schedule_clip_norm(trainer);
    return TRUE;
}

gboolean dpcxr_trainer_is_charged(const DpcxrTrainer *trainer)
{
    return trainer->step < trainer->uncharged;
}

double dpcxr_trainer_clip_norm(const DpcxrTrainer *trainer)
{
    return trainer->clip.norm;
}

static gboolean allocate_buffers(DpcxrTrainer *trainer, GError **error)
{
    gsize rows = (gsize)trainer->plan->physical, labels = (gsize)trainer->program->n_outputs;
    gsize parameters = (gsize)trainer->program->n_parameters;
    trainer->buffers = (Buffers){.images = g_try_new(float, rows * trainer->image_size),
                                 .targets = g_new(float, rows * labels),
                                 .mask = g_new(float, rows * labels),
                                 .row_weights = g_new(float, rows),
                                 .losses = g_new0(float, rows),
                                 .logits = g_new(float, rows * labels),
                                 .coefficients = g_new(float, rows * (gsize)trainer->clip.n_groups),
                                 .norms2 = g_new(double, rows * parameters),
                                 .unit_offsets = g_new(int, rows + 1),
                                 .ok = g_new(gboolean, rows),
                                 .dropped = g_new(gboolean, rows)};
    if (!trainer->buffers.images)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory for %" G_GSIZE_FORMAT " images at once; use a smaller train.batch.physical or smaller "
                    "images",
                    rows);
    return trainer->buffers.images != NULL;
}

/* One parameter's at a time. */
static gboolean allocate_grid_noise(DpcxrTrainer *trainer, GError **error)
{
    gsize most = 1;
    for (int i = 0; i < trainer->program->n_parameters; i++)
        most = MAX(most, dpcxr_graph_parameter(trainer->program->graph, i)->size);
    trainer->grid_noise = g_try_new(gint64, most);
    if (!trainer->grid_noise)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "not enough memory for the noise of %" G_GSIZE_FORMAT " weights",
                    most);
    return trainer->grid_noise != NULL;
}

static gboolean allocate_noise(DpcxrTrainer *trainer, GError **error)
{
    int n = trainer->program->n_parameters;
    trainer->workers = dpcxr_workers_new(trainer->plan->experiment->device.threads, error);
    if (!trainer->workers)
        return FALSE;
    if (trainer->plan->grid)
        return allocate_grid_noise(trainer, error);
    trainer->noise = g_new(float *, n);
    for (int i = 0; i < n; i++)
        trainer->noise[i] = g_new(float, dpcxr_graph_parameter(trainer->program->graph, i)->size);
    return TRUE;
}

DpcxrTrainer *dpcxr_trainer_new(const DpcxrPlan *plan, DpcxrData *data, DpcxrProgram *program, DpcxrLedger *ledger,
                                const DpcxrSecret *secret, DpcxrOptimizer *optimizer, const DpcxrSchedule *schedule,
                                guint64 step, double clip_norm, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    if (plan->noise_multiplier > 0 && !(ledger && secret))
        g_error("noise needs a ledger and a key");
    DpcxrTrainer *trainer = g_new0(DpcxrTrainer, 1);
    trainer->plan = plan;
    trainer->program = program;
    trainer->ledger = ledger;
    trainer->secret = secret;
    trainer->optimizer = optimizer;
    trainer->schedule = schedule;
    trainer->step = step;
    gboolean seeded = secret && dpcxr_secret_is_seeded(secret);
    trainer->origin = seeded ? 0 : step;
    trainer->uncharged = seeded ? dpcxr_plan_charge(plan, step) : step; /* seeded: the permutation goes on */
    trainer->clip = (DpcxrClip){.type = e->privacy.clip_type,
                                .norm = clip_norm,
                                .stability = e->privacy.clip_stability,
                                .parameters = program->n_parameters,
                                .n_groups = program->options.n_groups,
                                .group_of = program->options.group_of};
    if (!(plan->count_noise > 0))
        schedule_clip_norm(trainer);
    trainer->views = (gsize)e->train.augment_multiplicity;
    trainer->image_size = (gsize)e->data.size * (gsize)e->data.size * (gsize)e->data.channels;
    dpcxr_shuffle_init(&trainer->shuffle, plan->units, e->seed, (gsize)e->train.logical,
                       e->privacy.unit == DPCXR_UNIT_PATIENT ? e->privacy.images_per_patient : 0);
    dpcxr_unit_draw_init(&trainer->now);
    dpcxr_unit_draw_init(&trainer->next);
    trainer->loader = dpcxr_loader_new(data, e->data.workers, plan->physical * 2, error);
    if (trainer->loader && allocate_buffers(trainer, error) &&
        (!(plan->noise_multiplier > 0) || allocate_noise(trainer, error)))
        return trainer;
    dpcxr_trainer_free(trainer);
    return NULL;
}

void dpcxr_trainer_free(DpcxrTrainer *trainer)
{
    if (!trainer)
        return;
    Buffers *b = &trainer->buffers;
    gpointer buffers[] = {b->images, b->targets,      b->mask,   b->row_weights,  b->losses,
                          b->logits, b->coefficients, b->norms2, b->unit_offsets, b->ok,     b->dropped};
    for (guint i = 0; i < G_N_ELEMENTS(buffers); i++)
        g_free(buffers[i]);
    for (int i = 0; trainer->noise && i < trainer->program->n_parameters; i++)
        g_free(trainer->noise[i]);
    g_free(trainer->noise);
    g_free(trainer->grid_noise);
    dpcxr_loader_free(trainer->loader);
    dpcxr_shuffle_clear(&trainer->shuffle);
    dpcxr_unit_draw_clear(&trainer->now);
    dpcxr_unit_draw_clear(&trainer->next);
    dpcxr_workers_free(trainer->workers);
    g_free(trainer);
}
