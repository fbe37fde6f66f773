/* SPDX-License-Identifier: MIT
 * The stages in order. A process may end anywhere in here; the next one, with --resume, finds the ledger, the newest
 * checkpoint and perhaps a whole release/, and goes on from there. */
#include "train/run.h"
#include "base/files.h"
#include "eval/data-flow.h"
#include "eval/evaluate.h"
#include "eval/evaluation.h"
#include "eval/results.h"
#include "eval/samples.h"
#include "privacy/accounting.h"
#include "privacy/grid-noise.h"
#include "privacy/noise.h"
#include "privacy/planned.h"
#include "report/report.h"
#include "train/events.h"
#include "train/label-weights.h"
#include "train/loop.h"
#include "train/network.h"
#include "train/release.h"
#include "train/setup.h"
#include "train/stop.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const DpcxrExperiment *experiment;
    const DpcxrRunOptions *options;
    DpcxrFolder folder;
    DpcxrSetup setup;
    DpcxrSecret *secret;
    DpcxrLedger *ledger;
    DpcxrEvents *events;
    DpcxrOptimizer optimizer;
    DpcxrSchedule schedule;
    char *data_digest, *config_digest;
    guint64 step;      /* steps done */
    double clip_norm;  /* of the next step */
    double epsilon;    /* claimed; NaN: none */
    double auroc;      /* mean over labels on test; NaN: none */
} Run;

static void run_clear(Run *run)
{
    dpcxr_setup_clear(&run->setup);
    dpcxr_secret_free(run->secret);
    dpcxr_ledger_free(run->ledger);
    dpcxr_events_free(run->events);
    dpcxr_folder_clear(&run->folder);
    g_free(run->data_digest);
    g_free(run->config_digest);
}

static gboolean open_secret(Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    if (!e->privacy.enabled)
        return TRUE;
    run->secret = e->privacy.noise_source == DPCXR_SOURCE_SEEDED ? dpcxr_secret_new_seeded(e->privacy.noise_seed)
                                                                 : dpcxr_secret_new(error);
    return run->secret && (run->setup.plan->grid ? dpcxr_grid_noise_self_test(run->secret, error)
                                                 : dpcxr_noise_self_test(run->secret, error));
}

/* The index this run was started with, for processes that find no checkpoint: written before the first event. */
static gboolean check_index(const Run *run, GError **error)
{
    g_autofree char *path = g_build_filename(run->folder.private_dir, "index.sha256", NULL), *before = NULL;
    if (!g_file_get_contents(path, &before, NULL, NULL))
        return dpcxr_write_file(path, run->data_digest, -1, 0600, error);
    if (g_str_equal(before, run->data_digest))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s was started with other data: the index has changed since; the run cannot go on, changed data need "
                "another name",
                run->folder.root);
    return FALSE;
}

/* A ledger that is about something else is not this run's; better said now than after the training. */
static gboolean check_ledger(const Run *run, const char *unit, GError **error)
{
    const char *problem = NULL;
    if (!g_str_equal(dpcxr_ledger_unit(run->ledger), unit))
        problem = "another unit";
    else if (dpcxr_ledger_mechanism(run->ledger)->adjacency != run->experiment->privacy.adjacency)
        problem = "another adjacency";
    else if (dpcxr_ledger_population(run->ledger) != run->setup.plan->population)
        problem = "another number of units";
    if (!problem)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s is about %s than this run; the run cannot go on",
                run->folder.ledger, problem);
    return FALSE;
}

/* What an earlier process made from charged noise; without its ledger nobody knows what that cost. (nullable) */
static const char *made_from_noise(const Run *run, const char *checkpoint)
{
    if (checkpoint)
        return "a checkpoint";
    return g_file_test(run->folder.label_weights, G_FILE_TEST_EXISTS) ? run->folder.label_weights : NULL;
}

static gboolean open_ledger(Run *run, const char *checkpoint, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    const char *unit = dpcxr_unit_name(e->privacy.unit);
    if (!(run->setup.plan->noise_multiplier > 0))
        return TRUE;
    gboolean exists = g_file_test(run->folder.ledger, G_FILE_TEST_EXISTS);
    const char *made = made_from_noise(run, checkpoint);
    if (!exists && made) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s is missing, but there is %s: what was spent is not known, so the run cannot go on",
                    run->folder.ledger, made);
        return FALSE;
    }
    run->ledger = exists ? dpcxr_ledger_resume(run->folder.ledger, error)
                         : dpcxr_ledger_create(run->folder.ledger, e->privacy.adjacency, unit,
                                               run->setup.plan->population, error);
    return run->ledger && check_ledger(run, unit, error);
}

/* The checkpoint must belong to this data, this configuration and this ledger. */
static gboolean check_checkpoint(const Run *run, const char *path, const DpcxrCheckpointInfo *info, GError **error)
{
    const char *problem = NULL;
    if (strcmp(info->config_digest, run->config_digest) != 0)
        problem = "was written under another configuration";
    else if (strcmp(info->data_digest, run->data_digest) != 0)
        problem = "was written with other data: the index has changed since";
    else if (run->ledger && !(info->ledger_head && dpcxr_ledger_contains(run->ledger, info->ledger_head)))
        problem = "is newer than the ledger: the ledger was cut or exchanged, so what was spent is not known";
    if (!problem)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s %s; the run cannot go on", path, problem);
    return FALSE;
}

static gboolean load_checkpoint(Run *run, const char *path, GError **error)
{
    DpcxrCheckpointInfo info = {0};
    if (!dpcxr_checkpoint_read_info(path, &info, error))
        return FALSE;
    gboolean good = check_checkpoint(run, path, &info, error) &&
                    dpcxr_checkpoint_load(path, run->setup.program, &run->optimizer,
                                          run->experiment->train.ema > 0, error);
    run->step = info.step;
    run->clip_norm = info.clip_norm;
    dpcxr_checkpoint_info_clear(&info);
    return good;
}

/* Label weights that need the ledger: charged once a run, or again where a crash came between the event and its file. */
static gboolean weigh_labels(Run *run, GError **error)
{
    if (run->setup.plan->counts.count == 0)
        return TRUE;
    g_autofree float *weights = g_new(float, run->experiment->data.n_labels);
    if (!dpcxr_label_weights_private(run->setup.plan, run->setup.data, run->ledger, run->secret,
                                     run->folder.label_weights, weights, error))
        return FALSE;
    dpcxr_program_set_pos_weight(run->setup.program, weights);
    return TRUE;
}

/* How far this process may go: what earlier ones charged, lost steps too, is spent. Written down before the first step, for
 * a run that somebody stops and leaves. */
static gboolean plan_ahead(Run *run, GError **error)
{
    DpcxrPlan *plan = run->setup.plan;
    if (!run->ledger)
        return TRUE;
    guint64 charged = dpcxr_ledger_steps(run->ledger);
    if (!dpcxr_plan_allow(plan, dpcxr_ledger_mechanism(run->ledger), charged, run->step, error))
        return FALSE;
    g_autoptr(GArray) steps = dpcxr_plan_events(plan, run->step, run->step + plan->allowed - charged);
    return dpcxr_planned_write(run->folder.planned, run->ledger, steps, error);
}

static gboolean initialise(const DpcxrSetup *setup, GError **error)
{
    g_autofree char *note = NULL;
    if (!dpcxr_network_initialise(setup->program, setup->experiment, &note, error) ||
        (setup->experiment->train.ema > 0 &&
         !dpcxr_network_copy(setup->program, DPCXR_BANK_WEIGHT, DPCXR_BANK_AVERAGE, error)))
        return FALSE;
    if (note)
        printf("weights    %s\n", note);
    return TRUE;
}

/* Optimizer and ledger, fresh or as the newest checkpoint has them; weights, where run_stages has not made them. */
static gboolean begin(Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    g_autofree char *checkpoint = dpcxr_checkpoint_newest(run->folder.checkpoints);
    run->data_digest = dpcxr_index_digest(dpcxr_data_index(run->setup.data));
    run->config_digest = dpcxr_folder_config_digest(e);
    dpcxr_optimizer_init(&run->optimizer, e->optimizer.type, e->optimizer.options);
    dpcxr_schedule_init(&run->schedule, e->schedule.type, e->schedule.options);
    if (!check_index(run, error) || !open_secret(run, error) || !open_ledger(run, checkpoint, error) ||
        !weigh_labels(run, error))
        return FALSE;
    if (checkpoint) {
        if (!load_checkpoint(run, checkpoint, error))
            return FALSE;
        printf("resumed    after step %" G_GUINT64_FORMAT "\n", run->step);
    } else if (run->options->resume && !initialise(&run->setup, error)) {
        return FALSE;
    }
    run->events = dpcxr_events_new(run->folder.private_dir, run->step, error);
    return run->events && plan_ahead(run, error);
}

/* Where the average of the weights is the result, it takes their place. */
static gboolean take_result(Run *run, GError **error)
{
    return !run->experiment->train.release_ema ||
           dpcxr_network_copy(run->setup.program, DPCXR_BANK_AVERAGE, DPCXR_BANK_WEIGHT, error);
}

static gboolean train(Run *run, GError **error)
{
    DpcxrLoop loop = {.plan = run->setup.plan,
                      .folder = &run->folder,
                      .data = run->setup.data,
                      .program = run->setup.program,
                      .ledger = run->ledger,
                      .secret = run->secret,
                      .optimizer = &run->optimizer,
                      .schedule = &run->schedule,
                      .events = run->events,
                      .data_digest = run->data_digest,
                      .config_digest = run->config_digest,
                      .quiet = run->options->quiet,
                      .clip_norm = run->clip_norm,
                      .step = run->step};
    if (!dpcxr_loop_run(&loop, error))
        return FALSE;
    run->step = loop.step;
    return take_result(run, error) &&
           dpcxr_release_write(&run->folder, run->setup.plan, run->setup.program, run->ledger, run->step, &run->epsilon,
                               error);
}

static gboolean has_rows(const Run *run, DpcxrSplit split)
{
    return dpcxr_index_count_split(dpcxr_data_index(run->setup.data), split) > 0;
}

/* Scores one split into predictions-SPLIT.csv; without error and file where it is not wanted or has no rows. */
static gboolean score(Run *run, DpcxrSplit split, gboolean wanted, double *loss, GError **error)
{
    *loss = NAN;
    if (!wanted || !has_rows(run, split))
        return TRUE;
    g_autofree char *path = dpcxr_evaluation_predictions_path(run->folder.private_dir, split);
    g_autoptr(DpcxrPredictions) predictions =
        dpcxr_evaluate(run->setup.program, run->experiment, run->setup.data, split, error);
    if (!predictions)
        return FALSE;
    *loss = dpcxr_predictions_loss(predictions);
    if (!dpcxr_predictions_write(predictions, path, run->experiment, run->setup.data, error))
        return FALSE;
    dpcxr_events_add_curves(run->events, run->step, dpcxr_split_name(split), run->experiment->data.labels,
                            predictions);
    return dpcxr_events_flush(run->events, error);
}

/* What a report shows, and only data that is open has: who was found, and some images. */
static gboolean keep_for_report(const Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    g_autofree char *flow = g_build_filename(run->folder.private_dir, "data.json", NULL);
    gboolean test = e->evaluate.test && has_rows(run, DPCXR_SPLIT_TEST);
    if (!dpcxr_data_flow_write(flow, e, dpcxr_data_index(run->setup.data), error))
        return FALSE;
    return !e->stage_report || !(test || (e->evaluate.valid && has_rows(run, DPCXR_SPLIT_VALID))) ||
           dpcxr_samples_write(run->folder.private_dir, run->setup.data, test ? DPCXR_SPLIT_TEST : DPCXR_SPLIT_VALID, error);
}

/* What is judged is what is in the files: `dpcxr eval` says the same again. */
static gboolean evaluate(Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    DpcxrEvaluation evaluation = {.folder = run->folder.private_dir, .experiment = e};
    evaluation.losses[DPCXR_SPLIT_TRAIN] = NAN;
    return score(run, DPCXR_SPLIT_VALID, e->evaluate.valid, &evaluation.losses[DPCXR_SPLIT_VALID], error) &&
           score(run, DPCXR_SPLIT_TEST, e->evaluate.test, &evaluation.losses[DPCXR_SPLIT_TEST], error) &&
           dpcxr_evaluation_write(&evaluation, &run->auroc, error) && keep_for_report(run, error);
}

/* (transfer full) */
static char *format_auroc(const Run *run)
{
    return isnan(run->auroc) ? g_strdup("none") : g_strdup_printf("%.3f", run->auroc);
}

/* RESULT auroc=0.871 epsilon=1.00 delta=1e-06 unit=patient accountant=prv run=runs/NAME */
static char *result_line(const Run *run)
{
    const DpcxrExperiment *e = run->experiment;
    g_autofree char *auroc = format_auroc(run);
    if (isnan(run->epsilon))
        return g_strdup_printf("RESULT auroc=%s epsilon=none run=%s", auroc, run->folder.root);
    g_autofree char *epsilon = dpcxr_format_epsilon(run->epsilon, run->epsilon < 0.1 ? 4 : 2);
    g_autofree char *delta = dpcxr_format_exact(e->privacy.delta);
    return g_strdup_printf("RESULT auroc=%s epsilon=%s delta=%s unit=%s accountant=%s run=%s", auroc, epsilon, delta,
                           dpcxr_unit_name(e->privacy.unit),
                           e->privacy.accountant.type, run->folder.root);
}

/* Why there is no mean AUROC. */
static void explain_none(const Run *run)
{
    const DpcxrExperiment *e = run->experiment;
    gsize rows = dpcxr_index_count_split(dpcxr_data_index(run->setup.data), DPCXR_SPLIT_TEST);
    if (!isnan(run->auroc) || run->options->quiet)
        return;
    printf("auroc      none: %s\n", !e->stage_evaluate  ? "`evaluate` is not among the stages"
                                    : !e->evaluate.test ? "test is not among evaluate.splits"
                                    : rows == 0         ? "split test has no rows"
                                                        : "no label has both positives and negatives in split test");
}

/* After DONE, which it quotes: a report that fails can be made again from the files of the run. */
static gboolean report(const Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    int parts = (e->report.page ? DPCXR_REPORT_PAGE : 0) | (e->report.figures ? DPCXR_REPORT_FIGURES : 0);
    g_autofree char *path = NULL;
    if (!e->stage_report || !parts)
        return TRUE;
    if (!dpcxr_report_write(run->folder.root, parts, &path, error)) {
        g_prefix_error(error, "the run is done, but its report is not (dpcxr report %s makes it): ", run->folder.root);
        return FALSE;
    }
    if (!run->options->quiet)
        printf("report     %s\n", path);
    return TRUE;
}

static gboolean say_done(Run *run, const char *line, GError **error)
{
    g_autofree char *content = g_strdup_printf("%s\n", line);
    if (!dpcxr_write_file(run->folder.done, content, -1, 0600, error) || !report(run, error))
        return FALSE;
    printf("%s\n", line);
    return TRUE;
}

static gboolean finish(Run *run, GError **error)
{
    explain_none(run);
    g_autofree char *line = result_line(run);
    return say_done(run, line, error);
}

static gboolean is_unscored(const Run *run, DpcxrSplit split, gboolean wanted)
{
    g_autofree char *path = g_build_filename(run->folder.private_dir, "results.json", NULL);
    return wanted && has_rows(run, split) && !dpcxr_results_has(path, split);
}

/* Whether evaluate.splits has grown since a run was done. */
static gboolean wants_evaluation(const Run *run)
{
    const DpcxrExperiment *e = run->experiment;
    return e->stage_evaluate && (is_unscored(run, DPCXR_SPLIT_VALID, e->evaluate.valid) ||
                                 is_unscored(run, DPCXR_SPLIT_TEST, e->evaluate.test));
}

/* The result of a run that is done, into the program. */
static gboolean load_result(Run *run, GError **error)
{
    const DpcxrExperiment *e = run->experiment;
    g_autofree char *checkpoint = dpcxr_checkpoint_newest(run->folder.checkpoints);
    run->data_digest = dpcxr_index_digest(dpcxr_data_index(run->setup.data));
    run->config_digest = dpcxr_folder_config_digest(e);
    dpcxr_optimizer_init(&run->optimizer, e->optimizer.type, e->optimizer.options);
    if (!checkpoint) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%s has no checkpoint any more: there are no weights to evaluate", run->folder.root);
        return FALSE;
    }
    return check_index(run, error) && load_checkpoint(run, checkpoint, error) && take_result(run, error);
}

/* Neither ledger nor release/ is touched, so what was claimed stays word for word. @line: of DONE. */
static gboolean evaluate_again(Run *run, const char *line, GError **error)
{
    static const char before[] = "RESULT auroc=";
    const char *claim = g_str_has_prefix(line, before) ? strchr(line + strlen(before), ' ') : NULL;
    if (!claim) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: is no RESULT line", run->folder.done);
        return FALSE;
    }
    if (!load_result(run, error))
        return FALSE;
    run->events = dpcxr_events_new(run->folder.private_dir, run->step, error);
    if (!run->events || !evaluate(run, error) ||
        !dpcxr_write_file(run->folder.config, run->experiment->yaml, -1, 0600, error)) /* with its splits */
        return FALSE;
    explain_none(run);
    g_autofree char *auroc = format_auroc(run);
    g_autofree char *again = g_strconcat(before, auroc, claim, NULL);
    return say_done(run, g_strchomp(again), error);
}

/* A run that is done says again what it said, unless splits are to be evaluated that were not. */
static gboolean repeat_result(Run *run, gboolean *repeated, GError **error)
{
    g_autofree char *line = NULL;
    *repeated = g_file_get_contents(run->folder.done, &line, NULL, NULL);
    if (!*repeated)
        return TRUE;
    if (wants_evaluation(run))
        return evaluate_again(run, line, error);
    printf("%s is done; nothing is left to do\n%s", run->folder.root, line);
    return TRUE;
}

static gboolean check_stages(const DpcxrExperiment *experiment, GError **error)
{
    if (experiment->stage_train)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "stages: this version evaluates at the end of a training only; keep `train` among the stages");
    return FALSE;
}

static gboolean do_stages(Run *run, GError **error)
{
    return begin(run, error) && train(run, error) && (!run->experiment->stage_evaluate || evaluate(run, error)) &&
           finish(run, error);
}

/* Nothing is written before everything that can be checked has been. */
static gboolean run_stages(Run *run, GError **error)
{
    if (!check_stages(run->experiment, error) || !dpcxr_folder_check(&run->folder, run->options->resume, error) ||
        !dpcxr_setup_open(&run->setup, run->experiment, error))
        return FALSE;
    if (!run->options->quiet)
        dpcxr_setup_print(&run->setup);
    fflush(stdout);
    gboolean repeated = FALSE;
    if ((!run->options->resume && !initialise(&run->setup, error)) ||
        !dpcxr_evaluation_check(run->experiment, dpcxr_data_index(run->setup.data), error) ||
        !dpcxr_setup_check_data(&run->setup, !run->options->resume, error) ||
        !dpcxr_folder_enter(&run->folder, run->experiment, run->options->resume, error) ||
        !repeat_result(run, &repeated, error))
        return FALSE;
    dpcxr_stop_install();
    return repeated || do_stages(run, error);
}

gboolean dpcxr_run(const DpcxrExperiment *experiment, const DpcxrRunOptions *options, GError **error)
{
    Run run = {.experiment = experiment,
               .options = options,
               .clip_norm = experiment->privacy.clip_norm,
               .epsilon = NAN,
               .auroc = NAN};
    dpcxr_folder_init(&run.folder, options->out, experiment->name);
    gboolean good = run_stages(&run, error);
    run_clear(&run);
    return good;
}

gboolean dpcxr_run_dry(const DpcxrExperiment *experiment, GError **error)
{
    DpcxrSetup setup = {0};
    gboolean good = check_stages(experiment, error) && dpcxr_setup_open(&setup, experiment, error);
    if (good)
        dpcxr_setup_print(&setup);
    good = good && dpcxr_setup_check_data(&setup, FALSE, error) && /* files: `dpcxr check --data` */
           initialise(&setup, error);
    dpcxr_setup_clear(&setup);
    return good;
}
