/* SPDX-License-Identifier: MIT
 * The paragraph for the methods section of a paper, in complete sentences, and its references. What is said here is what a
 * reader needs to judge a claim (NIST SP 800-226; Ponomareva et al. 2023): the unit and the neighbours, epsilon and delta,
 * the mechanism with all its constants, the accountant, what is released, what is not covered. */
#include "privacy/card-text.h"
#include "privacy/clip.h"
#include <math.h>

static const char *adjacency_words(DpcxrAdjacency adjacency)
{
    static const char *const words[DPCXR_N_ADJACENCIES] = {
        "had contributed nothing", "had not been in the data, or had been there in addition",
        "had had other data"};
    return words[adjacency];
}

static void write_claim(GString *text, const DpcxrCard *card)
{
    const DpcxrExperiment *e = card->facts->experiment;
    const char *unit = dpcxr_ledger_unit(card->facts->ledger);
    g_string_append_printf(
        text,
        "The model was trained with differentially private stochastic gradient descent (Abadi et al. 2016) "
        "in dpcxr %s. "
        "It satisfies **(epsilon = %s, delta = %s)-differential privacy for every %s of the training data** "
        "(Dwork et al. "
        "2006) under %s adjacency: the published files would be about as likely if one %s %s. ",
        DPCXR_VERSION, card->epsilon_text, card->delta_text, unit, dpcxr_adjacency_name(e->privacy.adjacency),
        unit, adjacency_words(e->privacy.adjacency));
    g_autofree char *threshold = dpcxr_card_number_up(1 / (double)card->facts->population);
    if (e->privacy.unit == DPCXR_UNIT_PATIENT)
        g_string_append(text, "What is protected is everything that one patient contributed to training. ");
    g_string_append_printf(text, "Delta is %s 1/N = %s. ",
                           e->privacy.delta < 1 / (double)card->facts->population ? "below" : "**not below**",
                           threshold);
}

/* What a step did to choose units, as half a sentence. */
static void write_sampling(GString *text, const DpcxrCardFacts *facts)
{
    const DpcxrExperiment *e = facts->experiment;
    const char *unit = dpcxr_ledger_unit(facts->ledger);
    switch (e->privacy.sampler) {
    case DPCXR_SAMPLER_POISSON:
        g_string_append_printf(text, "drew every %s independently with probability %.6g (Poisson sampling)",
                               unit, facts->sampling_rate);
        break;
    case DPCXR_SAMPLER_TRUNCATED_POISSON:
        g_string_append_printf(text,
                               "drew every %s independently with probability %.6g and, of more than "
                               "%" G_GUINT64_FORMAT ", kept so many at random (truncated Poisson sampling)",
                               unit, facts->sampling_rate, facts->cap);
        break;
    case DPCXR_SAMPLER_FIXED:
        g_string_append_printf(
            text, "drew %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT " %ss without replacement",
            facts->cap, facts->population, unit);
        break;
    case DPCXR_SAMPLER_SHUFFLE:
        g_string_append_printf(text,
                               "took the next %" G_GUINT64_FORMAT
                               " %ss of a secret random order, a new one for "
                               "every epoch of %" G_GUINT64_FORMAT " steps (no amplification is claimed)",
                               facts->cap, unit, MAX(facts->record_steps, 1));
        break;
    default:
        g_string_append_printf(text, "took every %s", unit);
    }
    if (e->privacy.unit == DPCXR_UNIT_PATIENT && e->privacy.images_per_patient > 0)
        g_string_append_printf(text, ", used at most %d images of a drawn patient, chosen anew each step",
                               e->privacy.images_per_patient);
}

/* What happens to a unit's gradient, as half a sentence. */
static void write_clipping(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    const DpcxrExperiment *e = facts->experiment;
    const char *gradient =
        e->privacy.unit == DPCXR_UNIT_PATIENT ? "mean gradient of each patient" : "gradient of each image";
    switch (e->privacy.clip_type) {
    case DPCXR_CLIP_AUTOMATIC:
    case DPCXR_CLIP_NORMALISE:
        g_string_append_printf(text, "scaled the %s to the %s (%s clipping, Bu et al. 2023)",
                               gradient, card->clip_text, dpcxr_clip_name(e->privacy.clip_type));
        break;
    case DPCXR_CLIP_ADAPTIVE:
        g_string_append_printf(
            text,
            "clipped the %s to a norm that started at %g and followed a noisy count of the "
            "units below it (quantile %g, Andrew et al. 2021; gradient and count are one event)",
            gradient, facts->clip_norm, e->privacy.clip_quantile);
        break;
    default:
        g_string_append_printf(text, "clipped the %s to the %s (%s clipping)", gradient,
                               card->clip_text, dpcxr_clip_name(e->privacy.clip_type));
    }
}

static void write_mechanism(GString *text, const DpcxrCard *card)
{
    const DpcxrCardFacts *facts = card->facts;
    g_autofree char *divisor = dpcxr_format_exact(facts->divisor);
    g_string_append_printf(
        text, "The data were N = %" G_GUINT64_FORMAT " %ss. Each of %" G_GUINT64_FORMAT " recorded steps ",
        facts->population, dpcxr_ledger_unit(facts->ledger), card->steps_recorded);
    write_sampling(text, facts);
    g_string_append(text, ", ");
    write_clipping(text, card);
    g_string_append_printf(
        text,
        ", added %s with noise multiplier %s (standard deviation over L2 clip norm%s) to the sum, "
        "and divided it by "
        "the constant %s. Sampling and noise used a secret key of the operating system's random number "
        "generator, "
        "new at every start of the program. ",
        facts->experiment->privacy.noise_type == DPCXR_NOISE_GRID
            ? "Gaussian noise, rounded exactly onto an integer grid,"
            : "Gaussian noise",
        card->noise_text,
        facts->experiment->privacy.clip_type == DPCXR_CLIP_ADAPTIVE ? ", of gradient and count together" : "",
        divisor);
}

static void write_accounting(GString *text, const DpcxrCard *card)
{
    const DpcxrFeature *accountant = &card->facts->experiment->privacy.accountant;
    const DpcxrPlugin *plugin = accountant->entry ? accountant->entry->plugin : NULL;
    g_string_append_printf(
        text, "Epsilon is an upper bound over all of these steps%s%s, computed by the accountant `%s`",
        card->facts->steps_lost > 0 ? ", those that were lost and repeated included" : "",
        card->steps_claimed > card->steps_recorded
            ? " and over the planned steps that were left out when the run was stopped"
            : "",
        accountant->type);
    if (plugin && plugin->version)
        g_string_append_printf(text, " %s", plugin->version);
    if (plugin && plugin->reference)
        g_string_append_printf(text, " (%s)", plugin->reference);
    g_string_append(text, ", and rounded up. ");
    if (card->has_other) {
        g_autofree char *epsilon = dpcxr_format_epsilon(card->other_epsilon, 2);
        g_autofree char *delta = dpcxr_format_exact(card->other_delta);
        g_string_append_printf(text, "For a single %s it is epsilon = %s at the delta %s. ",
                               card->other_level, epsilon, delta);
    } else if (g_str_equal(card->other_level, "patient")) {
        g_string_append(text, "A patient with several images is protected for each image, not as a whole. ");
    }
}

static void write_meaning(GString *text, const DpcxrCard *card)
{
    const DpcxrReconstruction *reconstruction = &card->reconstruction[DPCXR_ATTACK_RATES - 1];
    const char *unit = dpcxr_ledger_unit(card->facts->ledger);
    g_autofree char *guess = dpcxr_attack_guess(card->facts->experiment->privacy.adjacency, unit);
    g_autofree char *rate = dpcxr_card_number_up(100 * card->attack.true_positive_rate[0]);
    g_autofree char *success = dpcxr_card_number_up(100 * reconstruction->at_most);
    g_string_append_printf(
        text,
        "It follows that whoever has the published files, knows all other records and guesses %s has a "
        "true-positive rate of at most %s %% at a false-positive rate of %g %% (Dong et al. 2019), and "
        "that an attempt to reconstruct one %s's data that would succeed with probability %g %% without "
        "these files succeeds with probability at most %s %% (Hayes et al. 2023%s). ",
        guess, rate, 100 * dpcxr_attack_false_positive_rate(0), unit, 100 * reconstruction->prior, success,
        reconstruction->by_samples < reconstruction->by_curve ? "; Monte-Carlo limit, confidence 99.9 %"
                                                              : "");
}

static void write_scope(GString *text, const DpcxrCard *card)
{
    const DpcxrExperiment *e = card->facts->experiment;
    g_string_append_printf(
        text,
        "The guarantee is about the published files, of which the %s of the last step %s the only model. "
        "It does not extend to validation and test data, to the choice of hyper-parameters, or to N, "
        "which is declared public%s.\n",
        e->train.release_ema ? "moving average" : "weights", e->train.release_ema ? "is" : "are",
        e->model.init && !e->model.init_ledger
            ? ", nor to the records that the initial weights were made from"
            : "");
}

void dpcxr_card_write_statement(GString *text, const DpcxrCard *card)
{
    g_string_append_printf(text, "# Privacy of %s\n\n", card->facts->experiment->name);
    write_claim(text, card);
    write_mechanism(text, card);
    write_accounting(text, card);
    write_meaning(text, card);
    write_scope(text, card);
}

void dpcxr_card_write_references(GString *text, const DpcxrCard *card)
{
    DpcxrClipType clip = card->facts->experiment->privacy.clip_type;
    g_string_append(text, "\n## References\n\n"
                          "- M. Abadi, A. Chu, I. Goodfellow, H. B. McMahan, I. Mironov, K. Talwar, L. "
                          "Zhang: Deep Learning with "
                          "Differential Privacy. CCS 2016, arXiv:1607.00133.\n");
    if (clip == DPCXR_CLIP_ADAPTIVE)
        g_string_append(
            text,
            "- G. Andrew, O. Thakkar, H. B. McMahan, S. Ramaswamy: Differentially Private Learning with "
            "Adaptive Clipping. NeurIPS 2021, arXiv:1905.03871.\n");
    if (clip == DPCXR_CLIP_AUTOMATIC || clip == DPCXR_CLIP_NORMALISE)
        g_string_append(
            text, "- Z. Bu, Y.-X. Wang, S. Zha, G. Karypis: Automatic Clipping: Differentially Private Deep "
                  "Learning Made Easier and Stronger. NeurIPS 2023, arXiv:2206.07136.\n");
    g_string_append(
        text,
        "- J. Dong, A. Roth, W. J. Su: Gaussian Differential Privacy. 2019, arXiv:1905.02383.\n"
        "- C. Dwork, F. McSherry, K. Nissim, A. Smith: Calibrating Noise to Sensitivity in Private Data "
        "Analysis. TCC 2006.\n"
        "- J. Hayes, S. Mahloujifar, B. Balle: Bounding Training Data Reconstruction in DP-SGD. NeurIPS "
        "2023, "
        "arXiv:2302.07225.\n"
        "- J. P. Near, D. Darais, N. Lefkovitz, G. S. Howarth: Guidelines for Evaluating Differential "
        "Privacy "
        "Guarantees. NIST SP 800-226, 2025. The items of this card follow it.\n");
}
