/* SPDX-License-Identifier: MIT
 * The content of the privacy card: epsilon over everything that was drawn, the number at the other level, and
 * the list of what no number covers. A sentence belongs here when leaving it out would let a reader believe
 * more than was done. */
#include "privacy/card-content.h"
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/card-schedule.h"
#include "privacy/group.h"
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
    } else if (dpcxr_group_chain_epsilon(&experiment->privacy.accountant, mechanism, 2, delta, &epsilon, NULL)) {
        card->other_epsilon = epsilon.upper;
        card->other_delta = delta;
        card->other_how =
            g_strdup("group bound for exchanging the patient's data, at the best point of the privacy "
                     "curve: twice its epsilon, and 1 + e^epsilon times its delta");
    } else {
        card->other_epsilon = INFINITY;
    }
    card->has_other = isfinite(card->other_epsilon);
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

static void append_report(DpcxrCard *card, const DpcxrFeature *feature, const DpcxrMechanism *mechanism)
{
    DpcxrCardReport report = {.accountant = feature->type};
    g_autoptr(GError) error = NULL;
    if (feature->entry && feature->entry->plugin) {
        report.approximate = ((const DpcxrAccountant *)feature->entry->plugin->feature)->approximate;
        report.version = feature->entry->plugin->version;
    }
    /* A refusal is a sentence about the mechanism. Other errors name files of this machine: not for release/. */
    if (!dpcxr_account_epsilon(feature, mechanism, card->facts->experiment->privacy.delta, &report.epsilon,
                               &error))
        report.refused =
            g_strdup(g_error_matches(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY) ? error->message
                                                                              : "the accountant failed");
    g_array_append_val(card->reports, report);
}

static gboolean is_reported(const DpcxrCard *card, const char *name)
{
    gboolean found = g_str_equal(name, card->facts->experiment->privacy.accountant.type);
    for (guint i = 0; !found && i < card->reports->len; i++)
        found = g_str_equal(name, g_array_index(card->reports, DpcxrCardReport, i).accountant);
    return found;
}

/* Those that the experiment names, with its options; then whatever other accountant there is, with none. */
static void append_reports(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    g_autoptr(GPtrArray) entries = dpcxr_registry_list();
    for (gsize i = 0; i < experiment->privacy.n_also_report; i++)
        append_report(card, &experiment->privacy.also_report[i], mechanism);
    for (guint i = 0; i < entries->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(entries, i);
        if (entry->kind != DPCXR_PLUGIN_ACCOUNTANT || !entry->plugin || is_reported(card, entry->name))
            continue;
        DpcxrFeature *feature = g_new0(DpcxrFeature, 1);
        *feature = (DpcxrFeature){entry->name, entry, dpcxr_options_parse(entry->plugin->options, "", NULL)};
        g_ptr_array_add(card->others, feature);
        append_report(card, feature, mechanism);
    }
}

static void other_free(gpointer feature)
{
    dpcxr_options_free(((DpcxrFeature *)feature)->options);
    g_free(feature);
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
        say(list,
            "The noise is Gaussian in floating point. Attacks on the low bits of floating-point noise, and "
            "the rounding of sums over many units, which the clip norm does not bound exactly, are not "
            "excluded.");
    else
        say(list,
            "Noise is added to integers: each %s's clipped gradient is rounded toward zero onto a grid, its norm is "
            "bounded there without any rounding, and the noise is Gaussian, rounded to integers, sampled exactly. Attacks "
            "on floating-point noise do not apply; how long sampling takes is not hidden.",
            dpcxr_ledger_unit(card->facts->ledger));
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
    for (guint i = 0; i < card->others->len; i++)
        add_plugin(card, g_ptr_array_index(card->others, i));
}

static void report_clear(gpointer report)
{
    g_free(((DpcxrCardReport *)report)->refused);
}

/* The claimed point among others of the same curve: delta says how sure, and a reader may want to be surer. */
static void read_curve(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    static const double deltas[] = {1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12};
    const DpcxrFeature *accountant = &card->facts->experiment->privacy.accountant;
    double claimed = card->facts->experiment->privacy.delta;
    gboolean had = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(deltas) || !had; i++) {
        double delta = i < G_N_ELEMENTS(deltas) ? deltas[i] : 0;
        if (!had && claimed >= delta) {
            DpcxrCardPoint point = {claimed, card->epsilon};
            g_array_append_val(card->curve, point);
            had = TRUE;
        }
        DpcxrInterval epsilon;
        if (delta == claimed || delta == 0 || !(delta < 1 / (double)card->facts->population) ||
            !dpcxr_account_epsilon(accountant, mechanism, delta, &epsilon, NULL) || !isfinite(epsilon.upper))
            continue;
        DpcxrCardPoint point = {delta, epsilon.upper};
        g_array_append_val(card->curve, point);
    }
}

/* Gaussian differential privacy (Dong, Roth & Su 2019): composed full batches are exactly N(0, 1) against N(mu, 1); many
 * Poisson samples nearly, mu^2 = sum of q^2 T (e^(1/sigma^2) - 1) (Bu, Dong, Long & Su 2020). */
static void find_mu(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    double sensitivity = mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE ? 2 : 1, sum = 0;
    card->mu_exact = TRUE;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double one = sensitivity / event->noise_multiplier, q = event->sampling_rate;
        gboolean poisson = event->sampler == DPCXR_SAMPLER_POISSON && q < 1;
        if (poisson && sensitivity == 1)
            sum += (double)event->count * q * q * expm1(one * one);
        else if (event->sampler == DPCXR_SAMPLER_FULL || event->sampler == DPCXR_SAMPLER_POISSON)
            sum += (double)event->count * one * one;
        if (poisson)
            card->mu_exact = FALSE;
        if ((poisson && sensitivity != 1) ||
            (event->sampler != DPCXR_SAMPLER_FULL && event->sampler != DPCXR_SAMPLER_POISSON))
            sum = NAN;
    }
    card->mu = isfinite(sum) ? sqrt(sum) : NAN;
}

/* At the false-positive rates of the table above it the curve gives the same bounds, for the same reason. */
static void bound_reconstruction(DpcxrCard *card, const DpcxrMechanism *mechanism)
{
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        double bound = card->attack.true_positive_rate[i];
        card->reconstruction[i] = (DpcxrReconstruction){
            .prior = dpcxr_attack_false_positive_rate(i), .by_curve = bound, .at_most = bound};
    }
    dpcxr_reconstruction_sample(mechanism, DPCXR_CARD_SAMPLE_BUDGET, card->reconstruction, DPCXR_ATTACK_RATES,
                                &card->sampling);
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
    if (!dpcxr_attack_bounds(accountant, mechanism, &card->attack, error))
        return FALSE;
    bound_reconstruction(card, mechanism);
    read_curve(card, mechanism);
    find_mu(card, mechanism);
    return TRUE;
}

static void touch_clear(gpointer touch)
{
    g_free(((DpcxrCardTouch *)touch)->how);
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
    card->curve = g_array_new(FALSE, FALSE, sizeof(DpcxrCardPoint));
    card->others = g_ptr_array_new_with_free_func(other_free);
    card->touches = g_array_new(FALSE, FALSE, sizeof(DpcxrCardTouch));
    g_array_set_clear_func(card->touches, touch_clear);
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
    dpcxr_card_list_touches(card);
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
    g_array_unref(card->curve);
    g_array_unref(card->touches);
    g_ptr_array_unref(card->plugins);
    g_ptr_array_unref(card->others);
    g_free(card);
}
