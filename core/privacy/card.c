/* SPDX-License-Identifier: MIT
 * The privacy card as JSON, for programs, and as Markdown whose first paragraph can be pasted
 * into a paper. */
#include "privacy/card.h"
#include "base/files.h"
#include "base/json-write.h"
#include "privacy/accounting.h"
#include "privacy/card-content.h"
#include "privacy/card-schedule.h"
#include "privacy/clip.h"
#include "privacy/planned.h"
#include <json-glib/json-glib.h>
#include <math.h>

static const struct {
    const char *file, *what;
} released[] = {
    {"model.safetensors", "the weights"},
    {"privacy.json", "this card, for programs"},
    {"privacy.md", "this card"},
    {"ledger.jsonl", "every mechanism that touched the training records"},
    {"config.yaml", "the experiment, without paths"},
};

/* What stands in a released file. */
static const char *contents(const DpcxrCard *card, gsize file)
{
    gboolean average = file == 0 && card->facts->experiment->train.release_ema;
    return average ? "a moving average of the weights, which costs no privacy" : released[file].what;
}

static const char *const noise_types[] = {"gaussian", "grid"};

static void put_claim(JsonBuilder *json, const DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    dpcxr_json_begin_object(json, "claim");
    dpcxr_json_put_number(json, "epsilon", card->epsilon);
    dpcxr_json_put_string(json, "epsilon_printed", card->epsilon_text);
    dpcxr_json_put_number(json, "delta", experiment->privacy.delta);
    dpcxr_json_put_string(json, "unit", dpcxr_ledger_unit(card->facts->ledger));
    dpcxr_json_put_string(json, "adjacency", dpcxr_adjacency_name(experiment->privacy.adjacency));
    dpcxr_json_put_count(json, "population", card->facts->population);
    dpcxr_json_put_string(json, "accountant", experiment->privacy.accountant.type);
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "other_level");
    dpcxr_json_put_string(json, "level", card->other_level);
    dpcxr_json_put_number(json, "epsilon", card->has_other ? card->other_epsilon : INFINITY);
    dpcxr_json_put_number(json, "delta", card->has_other ? card->other_delta : INFINITY);
    dpcxr_json_put_string(json, "how", card->other_how);
    json_builder_end_object(json);
}

static void put_mechanism(JsonBuilder *json, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *experiment = facts->experiment;
    dpcxr_json_begin_object(json, "mechanism");
    dpcxr_json_put_string(json, "sampler", dpcxr_sampler_name(experiment->privacy.sampler));
    dpcxr_json_put_number(json, "sampling_rate", facts->sampling_rate);
    if (facts->cap > 0)
        dpcxr_json_put_count(json, "cap", facts->cap);
    if (facts->record_steps > 1)
        dpcxr_json_put_count(json, "epoch_steps", facts->record_steps);
    dpcxr_card_put_schedules(json, facts);
    dpcxr_json_put_string(json, "noise_type", noise_types[experiment->privacy.noise_type]);
    dpcxr_json_put_string(json, "noise_source", "os");
    dpcxr_json_put_string(json, "clip_type", dpcxr_clip_name(experiment->privacy.clip_type));
    dpcxr_json_put_number(json, "clip_norm", facts->clip_norm);
    dpcxr_json_put_number(json, "divisor", facts->divisor);
    if (experiment->privacy.unit == DPCXR_UNIT_PATIENT)
        dpcxr_json_put_count(json, "images_per_patient", (guint64)experiment->privacy.images_per_patient);
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "steps");
    dpcxr_json_put_count(json, "planned", facts->steps_planned);
    dpcxr_json_put_count(json, "done", facts->steps_done);
    dpcxr_json_put_count(json, "lost", facts->steps_lost);
    dpcxr_json_put_count(json, "recorded", card->steps_recorded);
    dpcxr_json_put_count(json, "claimed", card->steps_claimed);
    dpcxr_planned_put(json, "unfinished", card->unfinished);
    dpcxr_json_put_count(json, "process_starts", dpcxr_ledger_processes(facts->ledger));
    json_builder_end_object(json);
}

static void put_attack(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_object(json, "attack");
    dpcxr_json_put_string(json, "accountant", card->facts->experiment->privacy.accountant.type);
    dpcxr_json_put_number(json, "advantage", card->attack.advantage);
    json_builder_set_member_name(json, "true_positive_rate");
    json_builder_begin_array(json);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "false_positive_rate", dpcxr_attack_false_positive_rate(i));
        dpcxr_json_put_number(json, "at_most", card->attack.true_positive_rate[i]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static void put_reports(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "also_report");
    for (guint i = 0; i < card->reports->len; i++) {
        const DpcxrCardReport *report = &g_array_index(card->reports, DpcxrCardReport, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "accountant", report->accountant);
        dpcxr_json_put_bool(json, "approximate", report->approximate);
        if (report->refused) {
            dpcxr_json_put_string(json, "refused", report->refused);
        } else {
            dpcxr_json_put_number(json, "epsilon", report->epsilon.estimate);
            dpcxr_json_put_number(json, "lower", report->epsilon.lower);
            dpcxr_json_put_number(json, "upper", report->epsilon.upper);
        }
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void put_plugins(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "plugins");
    for (guint i = 0; i < card->plugins->len; i++) {
        const DpcxrFeature *feature = g_ptr_array_index(card->plugins, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "kind", dpcxr_plugin_kind_name(feature->entry->kind));
        dpcxr_json_put_string(json, "name", feature->type);
        dpcxr_json_put_string(json, "version", feature->entry->plugin ? feature->entry->plugin->version : NULL);
        dpcxr_json_put_string(json, "sha256", feature->entry->sha256);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void put_release(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "release");
    for (gsize i = 0; i < G_N_ELEMENTS(released); i++) {
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "file", released[i].file);
        dpcxr_json_put_string(json, "what", contents(card, i));
        if (i == 0)
            dpcxr_json_put_string(json, "sha256", card->facts->model_sha256);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    dpcxr_json_put_string(json, "ledger_head", dpcxr_ledger_head(card->facts->ledger));
    dpcxr_json_put_string(json, "initial_ledger_head", card->initial_head);
}

static char *card_json(const DpcxrCard *card)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "format", "dpcxr privacy card");
    dpcxr_json_put_count(json, "version", 1);
    dpcxr_json_put_string(json, "dpcxr", DPCXR_VERSION);
    dpcxr_json_put_string(json, "name", card->facts->experiment->name);
    put_claim(json, card);
    put_mechanism(json, card);
    put_attack(json, card);
    put_reports(json, card);
    dpcxr_json_put_strings(json, "assumptions", card->assumptions);
    dpcxr_json_put_strings(json, "not_covered", card->not_covered);
    put_plugins(json, card);
    put_release(json, card);
    json_builder_end_object(json);
    return dpcxr_json_text(json);
}

static const char *adjacency_words(DpcxrAdjacency adjacency)
{
    static const char *const words[DPCXR_N_ADJACENCIES] = {
        "had contributed nothing", "had not been in the data, or had been there in addition",
        "had had other data"};
    return words[adjacency];
}

/* What happens to a unit's gradient, as half a sentence. */
static void write_clipping(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *e = facts->experiment;
    const char *mean = e->privacy.unit == DPCXR_UNIT_PATIENT ? "mean " : "";
    switch (e->privacy.clip_type) {
    case DPCXR_CLIP_AUTOMATIC:
    case DPCXR_CLIP_NORMALISE:
        g_string_append_printf(text, "scaled its %sgradient to the %s (%s clipping)", mean, card->clip_text,
                               dpcxr_clip_name(e->privacy.clip_type));
        break;
    case DPCXR_CLIP_ADAPTIVE:
        g_string_append_printf(text,
                               "clipped its %sgradient to a norm that started at %g and followed a noisy count of the "
                               "units below it (quantile %g; gradient and count are one event)",
                               mean, facts->clip_norm, e->privacy.clip_quantile);
        break;
    default:
        g_string_append_printf(text, "clipped its %sgradient to the %s (%s clipping)", mean, card->clip_text,
                               dpcxr_clip_name(e->privacy.clip_type));
    }
}

/* Who is in a step, as a clause. */
static void write_sampling(GString *text, const DpcxrCardFacts *facts)
{
    const char *unit = dpcxr_ledger_unit(facts->ledger);
    switch (facts->experiment->privacy.sampler) {
    case DPCXR_SAMPLER_POISSON:
        g_string_append_printf(text, "drew every %s independently with probability %.6g", unit, facts->sampling_rate);
        break;
    case DPCXR_SAMPLER_TRUNCATED_POISSON:
        g_string_append_printf(text,
                               "drew every %s independently with probability %.6g and, of more than %" G_GUINT64_FORMAT
                               ", kept so many at random",
                               unit, facts->sampling_rate, facts->cap);
        break;
    case DPCXR_SAMPLER_FIXED:
        g_string_append_printf(text, "drew %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT " %ss without replacement",
                               facts->cap, facts->population, unit);
        break;
    case DPCXR_SAMPLER_SHUFFLE:
        g_string_append_printf(text,
                               "took the next %" G_GUINT64_FORMAT " %ss of a secret random order, a new one for every epoch of %"
                               G_GUINT64_FORMAT " steps",
                               facts->cap, unit, MAX(facts->record_steps, 1));
        break;
    default:
        g_string_append_printf(text, "took every %s", unit);
    }
}

/* What one pastes into a paper. */
static void write_statement(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *experiment = facts->experiment;
    const char *unit = dpcxr_ledger_unit(facts->ledger);
    g_string_append_printf(text, "# Privacy of %s\n\n", experiment->name);
    g_string_append_printf(text,
                           "The model was trained with differentially private stochastic gradient descent "
                           "(dpcxr %s) and satisfies "
                           "**(epsilon = %s, delta = %s)-differential privacy for every %s of the training "
                           "data** (%s adjacency: the "
                           "published files would be about as likely if one %s %s). ",
                           DPCXR_VERSION, card->epsilon_text, card->delta_text, unit,
                           dpcxr_adjacency_name(experiment->privacy.adjacency), unit,
                           adjacency_words(experiment->privacy.adjacency));
    g_string_append_printf(text, "Each of %" G_GUINT64_FORMAT " recorded steps ", card->steps_recorded);
    write_sampling(text, facts);
    g_string_append(text, ", ");
    write_clipping(text, card);
    g_string_append_printf(text,
                           " and added Gaussian noise with noise multiplier %s (%s, key from the operating system); "
                           "epsilon was computed by the accountant `%s`.\n\n",
                           card->noise_text, noise_types[experiment->privacy.noise_type],
                           experiment->privacy.accountant.type);
}

static void write_other_level(GString *text, const DpcxrCard *card)
{
    if (!card->has_other) {
        g_string_append_printf(text, "| %s level | none (%s) |\n", card->other_level,
                               g_str_equal(card->other_level, "patient") ? "no cap" : card->other_how);
        return;
    }
    g_autofree char *epsilon = dpcxr_format_epsilon(card->other_epsilon, 2);
    g_autofree char *delta = dpcxr_card_number_up(card->other_delta);
    g_string_append_printf(text, "| %s level | epsilon %s at delta %s (%s) |\n", card->other_level, epsilon,
                           delta, card->other_how);
}

static void write_table(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *experiment = facts->experiment;
    g_string_append_printf(
        text, "| | |\n|---|---|\n| epsilon, delta | %s, %s |\n| unit | %s |\n| adjacency | %s |\n",
        card->epsilon_text, card->delta_text, dpcxr_ledger_unit(facts->ledger),
        dpcxr_adjacency_name(experiment->privacy.adjacency));
    write_other_level(text, card);
    g_string_append_printf(text, "| units (N, declared public) | %" G_GUINT64_FORMAT " |\n",
                           facts->population);
    g_string_append_printf(text, "| accountant | %s |\n| sampling | %s, rate %.8g |\n",
                           experiment->privacy.accountant.type,
                           dpcxr_sampler_name(experiment->privacy.sampler), facts->sampling_rate);
    g_string_append_printf(text, "| noise | %s, multiplier %s, source os |\n| clipping | %s, %s |\n",
                           noise_types[experiment->privacy.noise_type], card->noise_text,
                           dpcxr_clip_name(experiment->privacy.clip_type), card->clip_text);
    if (experiment->privacy.unit == DPCXR_UNIT_PATIENT && experiment->privacy.images_per_patient > 0)
        g_string_append_printf(text, "| images of a drawn patient | at most %d, drawn anew each step |\n",
                               experiment->privacy.images_per_patient);
    g_autofree char *divisor = dpcxr_format_exact(facts->divisor);
    g_string_append_printf(text, "| divisor | %s |\n", divisor);
    g_string_append_printf(text,
                           "| steps | %" G_GUINT64_FORMAT " planned, %" G_GUINT64_FORMAT
                           " done, %" G_GUINT64_FORMAT
                           " lost to interruptions and charged, %" G_GUINT64_FORMAT " on the ledger |\n",
                           facts->steps_planned, facts->steps_done, facts->steps_lost, card->steps_recorded);
    g_string_append_printf(text, "| process starts | %" G_GUINT64_FORMAT " |\n",
                           dpcxr_ledger_processes(facts->ledger));
    if (card->steps_claimed > card->steps_recorded || card->steps_recorded < facts->steps_planned)
        g_string_append(text,
                        "\nThe run ended early; epsilon is that of all planned steps that fit the target.\n");
}

static void write_attack(GString *text, const DpcxrCard *card)
{
    const DpcxrExperiment *experiment = card->facts->experiment;
    g_autofree char *guess =
        dpcxr_attack_guess(experiment->privacy.adjacency, dpcxr_ledger_unit(card->facts->ledger));
    g_autofree char *advantage = dpcxr_card_number_up(100 * card->attack.advantage);
    g_string_append_printf(
        text,
        "\n## What this means for an attacker\n\nWhoever has the published files, knows all other "
        "records, and guesses %s, is right no more often than this:\n\n"
        "| false positives | true positives at most |\n|---|---|\n",
        guess);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        g_autofree char *rate = dpcxr_card_number_up(100 * card->attack.true_positive_rate[i]);
        g_string_append_printf(text, "| %g %% | %s %% |\n", 100 * dpcxr_attack_false_positive_rate(i), rate);
    }
    g_string_append_printf(
        text,
        "\nAt any threshold the two rates are at most %s percentage points apart (membership "
        "advantage). These are bounds from the whole privacy curve of the accountant `%s`, of which "
        "epsilon and delta are one point.\n",
        advantage, experiment->privacy.accountant.type);
}

static void write_reports(GString *text, const DpcxrCard *card)
{
    if (card->reports->len == 0)
        return;
    g_string_append(text, "\n## Also reported\n\n");
    for (guint i = 0; i < card->reports->len; i++) {
        const DpcxrCardReport *report = &g_array_index(card->reports, DpcxrCardReport, i);
        if (report->refused) {
            g_string_append_printf(text, "- %s: no number (%s)\n", report->accountant, report->refused);
            continue;
        }
        g_autofree char *epsilon =
            dpcxr_format_epsilon(report->approximate ? report->epsilon.estimate : report->epsilon.upper, 2);
        g_string_append_printf(text, "- %s: epsilon %s%s\n", report->accountant, epsilon,
                               report->approximate ? " (an approximation, not a bound)" : "");
    }
}

static void write_list(GString *text, const char *title, const GPtrArray *sentences)
{
    g_string_append_printf(text, "\n## %s\n\n", title);
    for (guint i = 0; i < sentences->len; i++)
        g_string_append_printf(text, "- %s\n", (const char *)g_ptr_array_index(sentences, i));
}

static void write_appendix(GString *text, const DpcxrCard *card)
{
    g_string_append(text, "\n## What is published\n\n");
    for (gsize i = 0; i < G_N_ELEMENTS(released); i++)
        g_string_append_printf(text, "- %s: %s\n", released[i].file, contents(card, i));
    g_string_append_printf(text, "\nSHA-256 of model.safetensors: %s  \nlast hash of the ledger: %s\n",
                           card->facts->model_sha256, dpcxr_ledger_head(card->facts->ledger));
    g_string_append(text, "\n## Plugins\n\n");
    for (guint i = 0; i < card->plugins->len; i++) {
        const DpcxrFeature *feature = g_ptr_array_index(card->plugins, i);
        g_string_append_printf(text, "- %s %s %s, SHA-256 %s\n", dpcxr_plugin_kind_name(feature->entry->kind),
                               feature->type, feature->entry->plugin ? feature->entry->plugin->version : "",
                               feature->entry->sha256 ? feature->entry->sha256 : "none (built in)");
    }
}

static char *card_markdown(const DpcxrCard *card)
{
    GString *text = g_string_new(NULL);
    write_statement(text, card);
    write_table(text, card);
    write_attack(text, card);
    write_reports(text, card);
    write_list(text, "Assumed", card->assumptions);
    write_list(text, "Not covered by epsilon", card->not_covered);
    write_appendix(text, card);
    return g_string_free(text, FALSE);
}

gboolean dpcxr_card_write(const char *folder, const DpcxrCardFacts *facts, double *epsilon, GError **error)
{
    g_autoptr(DpcxrCard) card = dpcxr_card_new(facts, error);
    if (!card)
        return FALSE;
    g_autofree char *json = card_json(card), *markdown = card_markdown(card);
    g_autofree char *json_path = g_build_filename(folder, "privacy.json", NULL);
    g_autofree char *markdown_path = g_build_filename(folder, "privacy.md", NULL);
    if (!dpcxr_write_file(json_path, json, -1, 0644, error) ||
        !dpcxr_write_file(markdown_path, markdown, -1, 0644, error))
        return FALSE;
    *epsilon = card->epsilon;
    return TRUE;
}
