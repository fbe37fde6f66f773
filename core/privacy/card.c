/* SPDX-License-Identifier: MIT
 * The privacy card as JSON, for programs, and both files of it. */
#include "privacy/card.h"
#include "base/files.h"
#include "base/json-write.h"
#include "privacy/accounting.h"
#include "privacy/card-schedule.h"
#include "privacy/card-text.h"
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

const char *dpcxr_card_file(gsize i)
{
    return i < G_N_ELEMENTS(released) ? released[i].file : NULL;
}

const char *dpcxr_card_file_contents(const DpcxrCard *card, gsize file)
{
    gboolean average = file == 0 && card->facts->experiment->train.release_ema;
    return average ? "a moving average of the weights, which costs no privacy" : released[file].what;
}

const char *const dpcxr_noise_type_names[] = {"gaussian", "grid"};

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
    dpcxr_json_put_string(json, "noise_type", dpcxr_noise_type_names[experiment->privacy.noise_type]);
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

static void put_curve(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "curve");
    for (guint i = 0; i < card->curve->len; i++) {
        const DpcxrCardPoint *point = &g_array_index(card->curve, DpcxrCardPoint, i);
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "delta", point->delta);
        dpcxr_json_put_number(json, "epsilon", point->epsilon);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    dpcxr_json_begin_object(json, "gdp");
    dpcxr_json_put_number(json, "mu", card->mu);
    dpcxr_json_put_bool(json, "approximate", !card->mu_exact);
    json_builder_end_object(json);
}

static void put_reconstruction(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_object(json, "reconstruction");
    dpcxr_json_put_count(json, "samples", card->sampling.samples);
    dpcxr_json_put_number(json, "confidence",
                          card->sampling.samples > 0 ? DPCXR_RECONSTRUCTION_CONFIDENCE : NAN);
    dpcxr_json_put_string(json, "no_samples", card->sampling.none);
    dpcxr_json_begin_array(json, "bounds");
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        const DpcxrReconstruction *bound = &card->reconstruction[i];
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "prior", bound->prior);
        dpcxr_json_put_number(json, "at_most", bound->at_most);
        dpcxr_json_put_number(json, "by_curve", bound->by_curve);
        dpcxr_json_put_number(json, "by_samples", bound->by_samples);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static void put_touches(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "data_touches");
    for (guint i = 0; i < card->touches->len; i++) {
        const DpcxrCardTouch *touch = &g_array_index(card->touches, DpcxrCardTouch, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "what", touch->what);
        dpcxr_json_put_string(json, "status", dpcxr_touch_status_name(touch->status));
        dpcxr_json_put_string(json, "how", touch->how);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void put_reports(JsonBuilder *json, const DpcxrCard *card)
{
    dpcxr_json_begin_array(json, "also_report");
    for (guint i = 0; i < card->reports->len; i++) {
        const DpcxrCardReport *report = &g_array_index(card->reports, DpcxrCardReport, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "accountant", report->accountant);
        dpcxr_json_put_string(json, "version", report->version);
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
        dpcxr_json_put_string(json, "version",
                              feature->entry->plugin ? feature->entry->plugin->version : NULL);
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
        dpcxr_json_put_string(json, "what", dpcxr_card_file_contents(card, i));
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
    put_curve(json, card);
    put_attack(json, card);
    put_reconstruction(json, card);
    put_reports(json, card);
    dpcxr_json_put_strings(json, "assumptions", card->assumptions);
    put_touches(json, card);
    put_plugins(json, card);
    put_release(json, card);
    json_builder_end_object(json);
    return dpcxr_json_text(json);
}

gboolean dpcxr_card_write(const char *folder, const DpcxrCardFacts *facts, double *epsilon, GError **error)
{
    g_autoptr(DpcxrCard) card = dpcxr_card_new(facts, error);
    if (!card)
        return FALSE;
    g_autofree char *json = card_json(card), *markdown = dpcxr_card_markdown(card);
    g_autofree char *json_path = g_build_filename(folder, "privacy.json", NULL);
    g_autofree char *markdown_path = g_build_filename(folder, "privacy.md", NULL);
    if (!dpcxr_write_file(json_path, json, -1, 0644, error) ||
        !dpcxr_write_file(markdown_path, markdown, -1, 0644, error))
        return FALSE;
    *epsilon = card->epsilon;
    return TRUE;
}
