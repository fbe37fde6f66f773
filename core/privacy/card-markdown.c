/* SPDX-License-Identifier: MIT
 * The privacy card as Markdown: the statement, then tables and lists of everything behind it. */
#include "privacy/card-text.h"
#include "privacy/clip.h"
#include <math.h>

static void write_other_level(GString *text, const DpcxrCard *card)
{
    if (!card->has_other) {
        g_string_append_printf(text, "| %s level | none (%s) |\n", card->other_level,
                               g_str_equal(card->other_level, "patient") ? "no cap" : card->other_how);
        return;
    }
    g_autofree char *epsilon = dpcxr_format_epsilon(card->other_epsilon, 2);
    g_autofree char *delta = dpcxr_format_exact(card->other_delta);
    g_string_append_printf(text, "| %s level | epsilon %s at delta %s (%s) |\n", card->other_level, epsilon,
                           delta, card->other_how);
}

static void write_table(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *experiment = facts->experiment;
    g_string_append_printf(
        text, "\n| | |\n|---|---|\n| epsilon, delta | %s, %s |\n| unit | %s |\n| adjacency | %s |\n",
        card->epsilon_text, card->delta_text, dpcxr_ledger_unit(facts->ledger),
        dpcxr_adjacency_name(experiment->privacy.adjacency));
    write_other_level(text, card);
    g_string_append_printf(text, "| units (N, declared public) | %" G_GUINT64_FORMAT " |\n",
                           facts->population);
    const DpcxrPluginEntry *accountant = experiment->privacy.accountant.entry;
    g_string_append_printf(
        text, "| accountant | %s %s, of dpcxr %s |\n| sampling | %s, rate %.8g |\n",
        experiment->privacy.accountant.type,
        accountant && accountant->plugin && accountant->plugin->version ? accountant->plugin->version : "",
        DPCXR_VERSION, dpcxr_sampler_name(experiment->privacy.sampler), facts->sampling_rate);
    g_string_append_printf(text, "| noise | %s, multiplier %s, source os |\n| clipping | %s, %s |\n",
                           dpcxr_noise_type_names[experiment->privacy.noise_type], card->noise_text,
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

/* Of most people's curves only one point is known. */
static void write_curve(GString *text, const DpcxrCard *card)
{
    g_string_append(text, "\n## Other points of the same guarantee\n\nAll of these pairs hold at once.\n\n"
                          "| delta | epsilon |\n|---|---|\n");
    for (guint i = 0; i < card->curve->len; i++) {
        const DpcxrCardPoint *point = &g_array_index(card->curve, DpcxrCardPoint, i);
        g_autofree char *delta = dpcxr_format_exact(point->delta),
                        *epsilon = dpcxr_format_epsilon(point->epsilon, 2);
        g_string_append_printf(text, "| %s | %s |\n", delta, epsilon);
    }
    if (!isfinite(card->mu))
        return;
    g_autofree char *mu = dpcxr_card_number_up(card->mu);
    if (card->mu_exact)
        g_string_append_printf(text,
                               "\nExactly: %s-Gaussian differential privacy, as hard as telling N(0, 1) from "
                               "N(%s, 1) by one draw (Dong et al. 2019).\n",
                               mu, mu);
    else
        g_string_append_printf(
            text,
            "\nAbout %s-Gaussian differential privacy (Dong et al. 2019), by a central limit "
            "theorem: an approximation with an error of unknown sign, for comparison with other "
            "work, and not part of the claim.\n",
            mu);
}

static void write_reconstruction(GString *text, const DpcxrCard *card)
{
    const char *unit = dpcxr_ledger_unit(card->facts->ledger);
    gboolean sampled = card->sampling.samples > 0;
    g_string_append_printf(
        text,
        "\n## What this means for who wants to reconstruct a %s's data\n\nSomebody who knows all other "
        "records, and that this %s is among them, wants to know its data. *Success without* is the "
        "probability that the best answer from prior knowledge alone would be close enough, by any "
        "measure that was fixed beforehand: 10 %% for ten candidates that are equally likely. *Success "
        "with* these files, however they are used, is at most:\n\n"
        "| success without | success with, at most | certain bound |\n|---|---|---|\n",
        unit, unit);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        const DpcxrReconstruction *bound = &card->reconstruction[i];
        g_autofree char *at_most = dpcxr_card_number_up(100 * bound->at_most),
                        *curve = dpcxr_card_number_up(100 * bound->by_curve);
        g_string_append_printf(text, "| %g %% | %s %% | %s %% |\n", 100 * bound->prior, at_most, curve);
    }
    g_string_append_printf(text, "\nThe certain bound is from the privacy curve of the accountant `%s`. ",
                           card->facts->experiment->privacy.accountant.type);
    if (sampled)
        g_string_append_printf(text,
                               "The other one is the smaller of that and a Monte-Carlo limit (Hayes et al. "
                               "2023) from %" G_GUINT64_FORMAT
                               " draws of the privacy loss with public random numbers: the limits hold "
                               "together with confidence %g %%.\n",
                               card->sampling.samples, 100 * DPCXR_RECONSTRUCTION_CONFIDENCE);
    else
        g_string_append_printf(text, "No Monte-Carlo limit was made: %s.\n", card->sampling.none);
}

/* A list of Markdown; sentences for a table cell have no bars. */
static void write_touches(GString *text, const DpcxrCard *card)
{
    g_string_append(text, "\n## What was computed from data, and whether epsilon counts it\n\n"
                          "| | | |\n|---|---|---|\n");
    for (guint i = 0; i < card->touches->len; i++) {
        const DpcxrCardTouch *touch = &g_array_index(card->touches, DpcxrCardTouch, i);
        g_string_append_printf(text, "| %s | **%s** | %s |\n", touch->what,
                               dpcxr_touch_status_name(touch->status), touch->how);
    }
    g_string_append(
        text,
        "\nNo attack was tried on this model (no empirical lower bound of epsilon). How good the model is, "
        "over all and for groups of patients, is not in this card: such results are computed from test "
        "records, which no guarantee covers.\n");
}

static void write_assumptions(GString *text, const DpcxrCard *card)
{
    g_string_append(text, "\n## Assumed\n\n");
    for (guint i = 0; i < card->assumptions->len; i++)
        g_string_append_printf(text, "- %s\n", (const char *)g_ptr_array_index(card->assumptions, i));
}

static void write_appendix(GString *text, const DpcxrCard *card)
{
    g_string_append(text, "\n## What is published\n\n");
    for (gsize i = 0; dpcxr_card_file(i); i++)
        g_string_append_printf(text, "- %s: %s\n", dpcxr_card_file(i), dpcxr_card_file_contents(card, i));
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

char *dpcxr_card_markdown(const DpcxrCard *card)
{
    GString *text = g_string_new(NULL);
    dpcxr_card_write_statement(text, card);
    write_table(text, card);
    write_curve(text, card);
    write_attack(text, card);
    write_reconstruction(text, card);
    write_reports(text, card);
    write_touches(text, card);
    write_assumptions(text, card);
    write_appendix(text, card);
    dpcxr_card_write_references(text, card);
    return g_string_free(text, FALSE);
}
