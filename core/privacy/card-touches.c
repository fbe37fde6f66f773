/* SPDX-License-Identifier: MIT
 * Everything that was, or could have been, computed from records, and whether epsilon counts it: the list that reviewers
 * ask for (NIST SP 800-226; Ponomareva et al. 2023, section 5.3). Leaving a line out would let a reader believe more than
 * was done. */
#include "privacy/card-content.h"

const char *dpcxr_touch_status_name(DpcxrTouchStatus status)
{
    static const char *const names[] = {"covered", "public", "not covered"};
    return names[status];
}

static void touch(DpcxrCard *card, DpcxrTouchStatus status, const char *what, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static void touch(DpcxrCard *card, DpcxrTouchStatus status, const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    DpcxrCardTouch one = {status, what, g_strdup_vprintf(format, arguments)};
    va_end(arguments);
    g_array_append_val(card->touches, one);
}

static void covered(DpcxrCard *card)
{
    const DpcxrExperiment *e = card->facts->experiment;
    touch(card, DPCXR_TOUCH_COVERED, "Gradients of training images",
          "Clipped for each %s, summed, and released with noise only; steps that were lost and done again "
          "count twice.",
          dpcxr_ledger_unit(card->facts->ledger));
    if (e->privacy.clip_type == DPCXR_CLIP_ADAPTIVE)
        touch(card, DPCXR_TOUCH_COVERED, "Clip norm",
              "Follows a noisy count of the units below it; count and gradient are one event.");
    if (e->loss.pos_weight_type == DPCXR_POS_WEIGHT_PRIVATE_COUNTS)
        touch(card, DPCXR_TOUCH_COVERED, "Label weights",
              "From label counts with noise; that event is part of epsilon.");
    if (e->model.init && e->model.init_ledger)
        touch(
            card, DPCXR_TOUCH_COVERED, "Initial weights",
            "Trained privately; the events of their ledger are part of epsilon, as if on the same records.");
    if (e->data.n_augment > 0)
        touch(card, DPCXR_TOUCH_COVERED, "Augmentation",
              "A function of one image and of public random numbers, before its gradient.");
    if (e->train.ema > 0)
        touch(card, DPCXR_TOUCH_COVERED, "Average of the weights",
              "Computed from weights that are released anyway, so it costs nothing.");
    touch(card, DPCXR_TOUCH_COVERED, "Number of steps",
          "Fixed beforehand; no early stopping. Where a person stopped the run, the planned steps that fit "
          "the target "
          "are claimed.");
}

static void public_inputs(DpcxrCard *card)
{
    const DpcxrExperiment *e = card->facts->experiment;
    touch(card, DPCXR_TOUCH_PUBLIC, "N",
          "N itself, %" G_GUINT64_FORMAT " %ss, is declared public; sampling rate and divisor follow from constants only.",
          card->facts->population, dpcxr_ledger_unit(card->facts->ledger));
    touch(card, DPCXR_TOUCH_PUBLIC, "Normalisation of images", "%s",
          e->data.normalise == DPCXR_NORMALISE_IMAGENET
              ? "Mean and deviation of ImageNet, not of these images."
              : "Constants of the pixel range, no mean or deviation of the data.");
    if (!e->model.init)
        touch(card, DPCXR_TOUCH_PUBLIC, "Initial weights", "Drawn from a public seed; no pretraining.");
    else if (!e->model.init_ledger)
        touch(card, DPCXR_TOUCH_PUBLIC, "Initial weights",
              "Pretrained; declared to be made without these records.");
    if (e->loss.pos_weight_type == DPCXR_POS_WEIGHT_PUBLIC)
        touch(card, DPCXR_TOUCH_PUBLIC, "Label weights", "Declared public constants.");
    if (e->loss.pos_weight_type == DPCXR_POS_WEIGHT_NONE)
        touch(card, DPCXR_TOUCH_PUBLIC, "Label weights", "None; label counts were not used.");
    touch(card, DPCXR_TOUCH_PUBLIC, "Names", "Of labels and of groups.");
}

static void not_covered(DpcxrCard *card)
{
    const DpcxrExperiment *e = card->facts->experiment;
    const char *unit = dpcxr_ledger_unit(card->facts->ledger);
    touch(card, DPCXR_TOUCH_NOT_COVERED, "Validation and test records",
          "They have no guarantee. All that is computed from them (curves, decision thresholds, metrics, "
          "results of "
          "groups, predictions) is in private/ and not published here.");
    touch(card, DPCXR_TOUCH_NOT_COVERED, "Hyper-parameters",
          "Model, learning rate, clip norm, batch, steps, augmentation, and the choice of this run among "
          "others, as far as "
          "results on private data were looked at. How many runs there were on these records is not known "
          "here: their "
          "costs add up (`dpcxr account RUN RUN...`).");
    touch(card, DPCXR_TOUCH_NOT_COVERED, "Choice of training records",
          "How records came to be in the training split (data.type %s): exclusions, stratified splits and "
          "the removal of "
          "duplicates look at more than one record.",
          e->data.dataset.type);
    touch(card, DPCXR_TOUCH_NOT_COVERED, "Unreadable files",
          "Files are checked before the first step, and a run on broken files does not start. An image that "
          "cannot be "
          "read during training contributes zero; its name is noted in private/.");
    touch(card, DPCXR_TOUCH_NOT_COVERED, "Numerical failures",
          "A %s whose gradient is not finite contributes zero; how many did is not published.", unit);
    if (e->privacy.unit == DPCXR_UNIT_IMAGE)
        touch(card, DPCXR_TOUCH_NOT_COVERED, "Patients", "Several images of one person are several units.");
    else
        touch(card, DPCXR_TOUCH_NOT_COVERED, "Other traces of a patient",
              "Whatever identifies a patient outside of the training images and labels, and images of the "
              "same person "
              "under another id.");
}

void dpcxr_card_list_touches(DpcxrCard *card)
{
    covered(card);
    public_inputs(card);
    not_covered(card);
}
