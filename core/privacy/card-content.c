/* SPDX-License-Identifier: MIT
 * The content of the privacy card: epsilon over everything that was drawn, the number at the other level, and
 * the list of what no number covers. A sentence belongs here when leaving it out would let a reader believe
 * more than was done. */
#include "privacy/card-content.h"
#include "privacy/accounting.h"
#include "privacy/card-schedule.h"
#include "privacy/units.h"
#include <math.h>

static void say(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(GPtrArray *list, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

char *dpcxr_card_number_up(double value)
{
    if (!(value > 0) || !isfinite(value))
        return g_strdup(value == 0 ? "0" : "inf");
    int exponent = (int)floor(log10(value));
    double scale = pow(10, exponent - 2), digits = ceil(value / scale * (1 - 1e-12));
    if (exponent >= -3 && exponent < 3)
        return dpcxr_format_epsilon(digits * scale * (1 - 1e-12), MAX(0, 2 - exponent));
    if (digits >= 1000)
        digits /= 10, exponent++;
    return g_strdup_printf("%.2fe%+03d", digits / 100, exponent);
}

static gboolean card_refuse(GError **error, const char *why)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "no privacy card: %s", why);
    return FALSE;
}

/* The ledger is what was done; the experiment is what is said about it. */
static gboolean check_agreement(const DpcxrCardFacts *facts, GError **error)
{
    const DpcxrExperiment *experiment = facts->experiment;
    g_autoptr(GPtrArray) voids = dpcxr_claim_voids(experiment);
    if (voids->len > 0)
        return card_refuse(error, g_ptr_array_index(voids, 0));
    const char *unit = dpcxr_unit_name(experiment->privacy.unit);
    if (!g_str_equal(unit, dpcxr_ledger_unit(facts->ledger)))
        return card_refuse(error, "the ledger is about another unit than the experiment");
    if (dpcxr_ledger_mechanism(facts->ledger)->adjacency != experiment->privacy.adjacency)
        return card_refuse(error, "the ledger is about another adjacency than the experiment");
    if (dpcxr_ledger_population(facts->ledger) != facts->population)
        return card_refuse(error, "the ledger is about another number of units than the run");
    if (dpcxr_ledger_steps(facts->ledger) < facts->steps_done + facts->steps_lost)
        return card_refuse(error, "the ledger has fewer steps than were done and lost");
    if (experiment->loss.pos_weight_type == DPCXR_POS_WEIGHT_PRIVATE_COUNTS &&
        dpcxr_ledger_next_sequence(facts->ledger) == dpcxr_ledger_steps(facts->ledger))
        return card_refuse(error,
                           "loss.pos_weight is private_counts, but the ledger has no event for the counts");
    return dpcxr_claim_check(experiment, facts->population, error);
}

/* Weights that were themselves trained privately cost what their run cost, as if on the same records: always
 * sound. */
static gboolean append_initial_events(const DpcxrExperiment *experiment, GArray *events, char **head,
                                      GError **error)
{
    if (!experiment->model.init || !experiment->model.init_ledger)
        return TRUE;
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(experiment->model.init_ledger, error);
    if (!ledger)
        return FALSE;
    const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(ledger);
    const char *unit = dpcxr_unit_name(experiment->privacy.unit);
    if (mechanism->adjacency != experiment->privacy.adjacency ||
        !g_str_equal(unit, dpcxr_ledger_unit(ledger)))
        return card_refuse(error,
                           "the ledger of the initial weights has another unit or adjacency, so the two runs "
                           "do not compose");
    g_array_append_vals(events, mechanism->events, (guint)mechanism->n_events);
    *head = g_strdup(dpcxr_ledger_head(ledger));
    return TRUE;
}

/* A person who stopped the run early may have looked at private curves, so when to stop was not fixed
 * beforehand: steps that were planned and still fit the target are claimed too. */
static gboolean append_planned_rest(DpcxrCard *card, GArray *events, GError **error)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *experiment = facts->experiment;
    DpcxrMechanism before = {experiment->privacy.adjacency, (const DpcxrEvent *)(void *)events->data,
                             events->len};
    const GArray *rest = facts->rest;
    guint64 left = G_MAXUINT64;
    if (!rest || rest->len == 0)
        return TRUE;
    if (experiment->privacy.epsilon > 0 &&
        !dpcxr_calibrate_first_steps(&experiment->privacy.accountant, &before, (const DpcxrEvent *)(void *)rest->data,
                                     rest->len, before.adjacency, experiment->privacy.epsilon,
                                     experiment->privacy.delta, &left, error))
        return FALSE;
    for (guint i = 0; i < rest->len && left > 0; i++) {
        DpcxrEvent event = g_array_index(rest, DpcxrEvent, i);
        event.count = MIN(event.count, left);
        left -= event.count;
        g_array_append_val(card->unfinished, event);
        dpcxr_events_add(events, &event);
        card->steps_claimed += event.count;
    }
    return TRUE;
}

/* Everything to be claimed. (transfer full) */
static GArray *claimed_events(DpcxrCard *card, GError **error)
{
    const DpcxrCardFacts *facts = card->facts;
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    const DpcxrMechanism *done = dpcxr_ledger_mechanism(facts->ledger);
    g_array_append_vals(events, done->events, (guint)done->n_events);
    if (!append_initial_events(facts->experiment, events, &card->initial_head, error) ||
        !append_planned_rest(card, events, error))
        return NULL;
    return g_steal_pointer(&events);
}

/* One image more, less or other moves its patient's contribution by at most 2C: that is replace_one of the
 * patient. */
static void image_level(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    double delta = experiment->privacy.delta;
    DpcxrMechanism replaced = {DPCXR_ADJACENCY_REPLACE_ONE, mechanism->events, mechanism->n_events};
    DpcxrInterval epsilon;
    card->other_level = "image";
    if (mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE) {
        card->other_epsilon = card->epsilon;
        card->other_delta = delta;
        card->other_how = g_strdup("the same number: exchanging an image exchanges the patient's data");
    } else if (dpcxr_account_claim(&experiment->privacy.accountant, &replaced, delta, &epsilon, NULL)) {
        card->other_epsilon = epsilon.upper;
        card->other_delta = delta;
        card->other_how =
            g_strdup("the replace_one number of the same accountant: another image changes its patient's "
                     "contribution by up to twice the clip norm");
    } else {
        card->other_epsilon = 2 * card->epsilon;
        card->other_delta = (1 + exp(card->epsilon)) * delta;
        card->other_how =
            g_strdup("group bound for exchanging the patient's data: 2 epsilon, (1 + e^epsilon) delta");
    }
    card->has_other = card->other_delta < 1 && isfinite(card->other_epsilon);
    if (!card->has_other) {
        g_free(card->other_how);
        card->other_how =
            g_strdup("the group bound for exchanging a patient's data says nothing at this epsilon");
    }
}

static void other_level(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    if (card->facts->experiment->privacy.unit == DPCXR_UNIT_PATIENT) {
        image_level(card, mechanism);
        return;
    }
    card->other_level = "patient";
    card->other_how =
        g_strdup("no cap: the number of images a patient may contribute is not limited, so a patient is "
                 "not protected beyond what each single image is");
}

static void append_reports(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    for (gsize i = 0; i < experiment->privacy.n_also_report; i++) {
        const DpcxrFeature *feature = &experiment->privacy.also_report[i];
        DpcxrCardReport report = {.accountant = feature->type};
        g_autoptr(GError) error = NULL;
        if (feature->entry && feature->entry->plugin)
            report.approximate = ((const DpcxrAccountant *)feature->entry->plugin->feature)->approximate;
        /* A refusal is a sentence about the mechanism. Other errors name files of this machine: not for release/. */
        if (!dpcxr_account_epsilon(feature, mechanism, experiment->privacy.delta, &report.epsilon, &error))
            report.refused = g_strdup(g_error_matches(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY)
                                          ? error->message
                                          : "the accountant failed");
        g_array_append_val(card->reports, report);
    }
}

static void assume_mechanism(DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    GPtrArray *list = card->assumptions;
    say(list,
        "N = %" G_GUINT64_FORMAT
        " %ss is declared public; the sampling rate, the number of steps and the divisor "
        "are constants fixed before training.",
        card->facts->population, dpcxr_ledger_unit(card->facts->ledger));
    if (experiment->privacy.unit == DPCXR_UNIT_PATIENT)
        say(list, "One patient id is one person. A person with two ids is two units.");
    if (experiment->privacy.noise_type == DPCXR_NOISE_GAUSSIAN)
        say(list, "The noise is Gaussian in floating point. Attacks on the low bits of floating-point noise, and "
                  "the rounding of sums over many units, which the clip norm does not bound exactly, are not "
                  "excluded.");
    else
        say(list, "The noise is Gaussian, rounded exactly onto an integer grid; how long sampling takes is "
                  "not hidden.");
    if (experiment->privacy.sampler == DPCXR_SAMPLER_SHUFFLE)
        say(list, "Shuffled batches: no amplification is claimed. Each %s is in one step of an epoch, so an epoch costs what "
                  "one step with all of them would; every epoch that was begun is charged whole, and each process begins "
                  "a new one.",
            dpcxr_ledger_unit(card->facts->ledger));
    if (experiment->privacy.sampler == DPCXR_SAMPLER_TRUNCATED_POISSON)
        say(list, "That a sample was cut to the cap is part of epsilon.");
    say(list,
        "Noise and sampling come from a key of the operating system, new at every process start and never "
        "written anywhere.");
    say(list,
        "The adversary sees all of release/ and knows everything but that key and one %s; not private/, "
        "timing, "
        "or the memory of the machine.",
        dpcxr_ledger_unit(card->facts->ledger));
    say(list, "Plugins are trusted code; their hashes are below.");
}

static void assume_inputs(DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    GPtrArray *list = card->assumptions;
    if (experiment->model.init && experiment->model.init_ledger)
        say(list, "The initial weights were trained privately; the events of their ledger are part of "
                  "epsilon, as if on "
                  "the same records.");
    else if (experiment->model.init)
        say(list, "The initial weights are declared public: made without these records.");
    if (experiment->loss.pos_weight_type == DPCXR_POS_WEIGHT_PUBLIC)
        say(list, "The label weights (loss.pos_weight) are declared public constants.");
    if (experiment->loss.pos_weight_type == DPCXR_POS_WEIGHT_PRIVATE_COUNTS)
        say(list, "The label weights come from label counts with noise; that event is part of epsilon.");
    if (experiment->privacy.unsafe_delta)
        say(list,
            "privacy.unsafe_delta: delta is allowed to reach 1/N, at which publishing a whole %s would pass "
            "for "
            "private.",
            dpcxr_ledger_unit(card->facts->ledger));
}

/* Every touch of data that epsilon does not count. */
static void list_not_covered(DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    GPtrArray *list = card->not_covered;
    say(list,
        "Validation and test records: they have no guarantee, and all that is computed from them (curves, "
        "thresholds, metrics, predictions) is in private/.");
    say(list, "Hyper-parameters (model, learning rate, clip norm, batch, steps, augmentation) and the choice "
              "of this run "
              "among others, as far as results on private data were looked at.");
    say(list,
        "How records came to be in the training split (data.type %s): exclusions, stratified splits and the "
        "removal "
        "of duplicates across records look at more than one record.",
        experiment->data.dataset.type);
    say(list, "N itself, and the names of labels and groups.");
    say(list, "Files are checked before the first step, and a run on broken files does not start. An image "
              "that cannot be "
              "read during training contributes zero; its name is noted in private/.");
    say(list, "A %s whose gradient is not finite contributes zero; how many did is not published.",
        dpcxr_ledger_unit(card->facts->ledger));
    if (experiment->privacy.unit == DPCXR_UNIT_IMAGE)
        say(list, "Patients: several images of one person are several units.");
}

static void add_plugin(DpcxrCard *card, const DpcxrFeature *feature)
{
    if (feature->entry)
        g_ptr_array_add(card->plugins, (gpointer)feature);
}

static void list_plugins(DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    add_plugin(card, &experiment->data.dataset);
    for (gsize i = 0; i < experiment->data.n_augment; i++)
        add_plugin(card, &experiment->data.augment[i]);
    add_plugin(card, &experiment->model.plugin);
    add_plugin(card, &experiment->privacy.accountant);
    for (gsize i = 0; i < experiment->privacy.n_also_report; i++)
        add_plugin(card, &experiment->privacy.also_report[i]);
}

static void report_clear(gpointer report)
{
    g_free(((DpcxrCardReport *)report)->refused);
}

static gboolean claim_numbers(DpcxrCard *card, const DpcxrMechanism *mechanism, GError **error)
{
    const DpcxrFeature *accountant = &card->facts->experiment->privacy.accountant;
    DpcxrInterval epsilon;
    if (!dpcxr_account_claim(accountant, mechanism, card->facts->experiment->privacy.delta, &epsilon, error))
        return FALSE;
    if (!isfinite(epsilon.upper))
        return card_refuse(error, "the accountant has no finite epsilon for this run");
    card->epsilon = epsilon.upper;
    card->epsilon_text = dpcxr_format_epsilon(epsilon.upper, 2);
    card->delta_text = dpcxr_format_exact(card->facts->experiment->privacy.delta);
    card->noise_text = dpcxr_card_noise_text(card->facts);
    card->clip_text = dpcxr_card_clip_text(card->facts);
    return dpcxr_attack_bounds(accountant, mechanism, &card->attack, error);
}

DpcxrCard *dpcxr_card_new(const DpcxrCardFacts *facts, GError **error)
{
    if (!check_agreement(facts, error))
        return NULL;
    g_autoptr(DpcxrCard) card = g_new0(DpcxrCard, 1);
    card->facts = facts;
    card->steps_recorded = card->steps_claimed = dpcxr_ledger_steps(facts->ledger);
    card->unfinished = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    card->reports = g_array_new(FALSE, FALSE, sizeof(DpcxrCardReport));
    g_array_set_clear_func(card->reports, report_clear);
    card->assumptions = g_ptr_array_new_with_free_func(g_free);
    card->not_covered = g_ptr_array_new_with_free_func(g_free);
    card->plugins = g_ptr_array_new();
    g_autoptr(GArray) events = claimed_events(card, error);
    if (!events)
        return NULL;
    DpcxrMechanism mechanism = {facts->experiment->privacy.adjacency,
                                (const DpcxrEvent *)(void *)events->data, events->len};
    if (!claim_numbers(card, &mechanism, error))
        return NULL;
    other_level(card, &mechanism);
    append_reports(card, &mechanism);
    assume_mechanism(card);
    dpcxr_card_assume_schedules(card->assumptions, facts);
    assume_inputs(card);
    list_not_covered(card);
    list_plugins(card);
    return g_steal_pointer(&card);
}

void dpcxr_card_free(DpcxrCard *card)
{
    if (!card)
        return;
    g_free(card->epsilon_text);
    g_free(card->delta_text);
    g_free(card->noise_text);
    g_free(card->clip_text);
    g_array_unref(card->unfinished);
    g_free(card->other_how);
    g_free(card->initial_head);
    g_array_unref(card->reports);
    g_ptr_array_unref(card->assumptions);
    g_ptr_array_unref(card->not_covered);
    g_ptr_array_unref(card->plugins);
    g_free(card);
}
