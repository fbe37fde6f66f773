/* SPDX-License-Identifier: MIT */
#include "train/loop.h"
#include "privacy/accounting.h"
#include "train/metrics-log.h"
#include "train/progress.h"
#include "train/stop.h"
#include "train/validate.h"
#include <math.h>
#include <stdio.h>

/* The state of one run of the loop. */
typedef struct {
    DpcxrLoop *loop;
    DpcxrTrainer *trainer;
    DpcxrMetricsLog *log;
    DpcxrProgress *progress;
    guint64 images, failed, skipped;
    double loss;            /* running mean, about the last 20 steps */
    gint64 last_checkpoint; /* microseconds, monotonic */
    double epsilon;         /* as it was shown last */
    gint64 next_epsilon;    /* when it may be computed again */
    gboolean no_validation; /* an image of that split cannot be read, which has been said */
} Course;

/* Accounting many unequal steps takes a while; for show it may take this part of the time. Learning curves have so many
 * points of epsilon, where that leaves time for them. */
enum { EPSILON_PART = 50, EPSILON_POINTS = 20 };

static double epoch_of(const DpcxrLoop *loop)
{
    return dpcxr_plan_epochs(loop->plan, loop->step);
}

/* A scalar of the step that was done last, to metrics.jsonl and to TensorBoard. */
static void add(const Course *course, const char *name, double value)
{
    const DpcxrLoop *loop = course->loop;
    dpcxr_metrics_log_add(course->log, loop->step, epoch_of(loop), name, value);
    dpcxr_events_add_scalar(loop->events, loop->step, name, value);
}

static gboolean flush(const Course *course, GError **error)
{
    return dpcxr_metrics_log_flush(course->log, error) && dpcxr_events_flush(course->loop->events, error);
}

/* What the ledger has been charged with so far; NaN where nothing is claimed. */
static double spent(const DpcxrLoop *loop)
{
    const DpcxrExperiment *e = loop->plan->experiment;
    DpcxrInterval epsilon;
    if (!dpcxr_plan_has_claim(loop->plan) || dpcxr_ledger_steps(loop->ledger) == 0 ||
        !dpcxr_account_epsilon(&e->privacy.accountant, dpcxr_ledger_mechanism(loop->ledger), e->privacy.delta, &epsilon,
                               NULL))
        return NAN;
    return epsilon.upper;
}

static gboolean save(Course *course, GError **error)
{
    const DpcxrLoop *loop = course->loop;
    DpcxrCheckpointInfo info = {.step = loop->step,
                                .clip_norm = dpcxr_trainer_clip_norm(course->trainer),
                                .ledger_head = loop->ledger ? (char *)dpcxr_ledger_head(loop->ledger) : NULL,
                                .data_digest = (char *)loop->data_digest,
                                .config_digest = (char *)loop->config_digest};
    course->last_checkpoint = g_get_monotonic_time();
    return flush(course, error) &&
           dpcxr_checkpoint_save(loop->folder->checkpoints, loop->program, loop->optimizer,
                                 loop->plan->experiment->train.ema > 0, &info,
                                 loop->plan->experiment->train.checkpoint_keep, error);
}

static gboolean checkpoint_due(const Course *course)
{
    double minutes = course->loop->plan->experiment->train.checkpoint_minutes;
    return (double)(g_get_monotonic_time() - course->last_checkpoint) >= minutes * 60 * G_USEC_PER_SEC;
}

/* Brings course->epsilon, what was spent, up to this step, and records it; not so soon again unless @now. */
static void update_epsilon(Course *course, gboolean now)
{
    gint64 start = g_get_monotonic_time();
    if (!now && start < course->next_epsilon)
        return;
    course->epsilon = spent(course->loop);
    course->next_epsilon = g_get_monotonic_time() + EPSILON_PART * (g_get_monotonic_time() - start);
    if (!isnan(course->epsilon))
        add(course, "epsilon_so_far", course->epsilon);
}

static void show(Course *course, gboolean always)
{
    if (!always && !dpcxr_progress_due(course->progress))
        return;
    update_epsilon(course, always);
    DpcxrProgressState state = {course->loop->step, course->loss, course->epsilon, course->images};
    dpcxr_progress_show(course->progress, &state);
}

static void mark_epsilon(Course *course)
{
    const DpcxrLoop *loop = course->loop;
    if (loop->step == 1 || loop->step % MAX(loop->plan->steps / EPSILON_POINTS, 1) == 0)
        update_epsilon(course, FALSE);
}

/* A point of the validation curve. Data that cannot be read is told and ends the curve, not the training: the number of
 * steps says nothing about the data. */
static gboolean mark_validation(Course *course, GError **error)
{
    const DpcxrLoop *loop = course->loop;
    DpcxrValidation validation;
    g_autoptr(GError) local = NULL;
    if (course->no_validation || !dpcxr_validation_due(loop->plan->experiment, loop->step, loop->plan->steps))
        return TRUE;
    if (dpcxr_validate(loop->program, loop->plan->experiment, loop->data, &validation, &local)) {
        add(course, "valid_loss", validation.loss);
        add(course, "valid_auroc", validation.auroc);
        return TRUE;
    }
    if (!g_error_matches(local, DPCXR_ERROR, DPCXR_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    course->no_validation = TRUE;
    g_printerr("private note: no more validation during training: %s\n", local->message);
    return TRUE;
}

static void record(Course *course, const DpcxrStepReport *report)
{
    const DpcxrLoop *loop = course->loop;
    course->images += report->images;
    course->failed += report->failed;
    course->skipped += report->skipped;
    if (!isnan(report->loss))
        course->loss = isnan(course->loss) ? report->loss : 0.95 * course->loss + 0.05 * report->loss;
    if (report->problem)
        g_printerr("private note: step %" G_GUINT64_FORMAT ": %s; it counts as zero\n", loop->step, report->problem);
    add(course, "train_loss", report->loss);
    add(course, "train_units", (double)report->units);
    add(course, "train_images", (double)report->images);
    if (loop->plan->experiment->privacy.enabled && report->units > 0)
        add(course, "clipped_fraction", (double)report->clipped / (double)report->units);
    const DpcxrExperiment *e = loop->plan->experiment;
    if (e->privacy.enabled && (loop->plan->count_noise > 0 || e->privacy.clip_schedule.type != DPCXR_RAMP_CONSTANT))
        add(course, "clip_norm", report->clip_norm);
    if (report->skipped)
        add(course, "skipped_units", (double)report->skipped);
    if (report->failed)
        add(course, "failed_images", (double)report->failed);
}

/* Whether the next step is charged already, or the budget allows another record. Steps that a crash lost were charged, too. */
static gboolean affordable(const Course *course)
{
    const DpcxrLoop *loop = course->loop;
    return !loop->ledger || dpcxr_trainer_is_charged(course->trainer) ||
           dpcxr_ledger_steps(loop->ledger) + loop->plan->record_steps <= loop->plan->allowed;
}

static gboolean run_steps(Course *course, GError **error)
{
    DpcxrLoop *loop = course->loop;
    /* A disk that cannot hold a checkpoint says so before anything is spent. */
    if (loop->step == 0 && !save(course, error))
        return FALSE;
    while (loop->step < loop->plan->steps && affordable(course)) {
        if (dpcxr_stop_wanted()) {
            if (save(course, error))
                g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_STOPPED,
                            "stopped by a signal after step %" G_GUINT64_FORMAT "; go on with --resume", loop->step);
            return FALSE;
        }
        DpcxrStepReport report;
        gboolean good = dpcxr_trainer_step(course->trainer, &report, error);
        if (good) {
            loop->step++;
            record(course, &report);
            mark_epsilon(course);
            show(course, FALSE);
            good = mark_validation(course, error);
        }
        g_free(report.problem);
        if (!good || (checkpoint_due(course) && !save(course, error)))
            return FALSE;
    }
    return save(course, error);
}

static void summarise(const Course *course)
{
    const DpcxrLoop *loop = course->loop;
    if (loop->step < loop->plan->steps)
        printf("the privacy budget is spent after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
               " planned steps; training ends here\n",
               loop->step, loop->plan->steps);
    if (course->failed)
        g_printerr("private note: %" G_GUINT64_FORMAT " images could not be read and counted as zero\n", course->failed);
    if (course->skipped)
        g_printerr("private note: %" G_GUINT64_FORMAT " unit gradients were not finite and were left out\n",
                   course->skipped);
}

gboolean dpcxr_loop_run(DpcxrLoop *loop, GError **error)
{
    Course course = {.loop = loop, .loss = NAN, .epsilon = NAN, .last_checkpoint = g_get_monotonic_time()};
    g_autoptr(DpcxrMetricsLog) log = dpcxr_metrics_log_open(loop->folder->metrics, error);
    if (!log)
        return FALSE;
    g_autoptr(DpcxrTrainer) trainer = dpcxr_trainer_new(loop->plan, loop->data, loop->program, loop->ledger,
                                                        loop->secret, loop->optimizer, loop->schedule, loop->step,
                                                        loop->clip_norm, error);
    if (!trainer)
        return FALSE;
    course.log = log;
    course.trainer = trainer;
    course.progress = dpcxr_progress_new("train", loop->step, loop->plan->steps, loop->quiet);
    gboolean good = run_steps(&course, error);
    if (good)
        show(&course, TRUE);
    dpcxr_progress_free(course.progress);
    if (good)
        summarise(&course);
    return good && flush(&course, error);
}
