/* SPDX-License-Identifier: MIT
 * What a privacy card says, before it is JSON or Markdown: the numbers, and sentences for everything that is assumed or
 * not covered. */
#pragma once
#include "privacy/attack.h"
#include "privacy/card.h"
#include "privacy/reconstruction.h"

#define DPCXR_CARD_SAMPLE_BUDGET 2500000 /* normals: a tenth of a second */

typedef struct {
    const char *accountant, *version; /* borrowed */
    gboolean approximate;
    DpcxrInterval epsilon;
    char *refused; /* (nullable) why there is no number */
} DpcxrCardReport;

typedef struct {
    double delta, epsilon; /* epsilon: upper end */
} DpcxrCardPoint;

typedef enum { DPCXR_TOUCH_COVERED, DPCXR_TOUCH_PUBLIC, DPCXR_TOUCH_NOT_COVERED } DpcxrTouchStatus;

/* Something that was computed from records, or could have been. */
typedef struct {
    DpcxrTouchStatus status;
    const char *what;
    char *how; /* sentences */
} DpcxrCardTouch;

typedef struct {
    const DpcxrCardFacts *facts; /* borrowed */
    double epsilon;
    char *epsilon_text; /* rounded up */
    char *delta_text, *noise_text; /* delta and noise multiplier, every digit of them */
    char *clip_text;               /* "norm 1.5" */
    /* The level beside the unit: images where patients are protected, and the other way round. */
    const char *other_level;
    gboolean has_other;
    double other_epsilon, other_delta;
    char *other_how;        /* where the number comes from, or why there is none */
    guint64 steps_recorded; /* steps on the ledger */
    guint64 steps_claimed;  /* with those that were planned, not done, and are claimed */
    GArray *unfinished;     /* DpcxrEvent: those planned steps */
    char *initial_head;     /* (nullable) of the ledger of private initial weights */
    GArray *curve;            /* DpcxrCardPoint, by the claiming accountant, delta falling and below 1/N */
    double mu;                /* of Gaussian differential privacy; NAN where there is no number */
    gboolean mu_exact;        /* else by a central limit theorem, and no bound */
    DpcxrAttackBounds attack; /* by the claiming accountant */
    DpcxrReconstruction reconstruction[DPCXR_ATTACK_RATES]; /* priors: dpcxr_attack_false_positive_rate(i) */
    DpcxrReconstructionSampling sampling;
    GArray *reports;        /* DpcxrCardReport: also_report, then all other accountants there are */
    GPtrArray *others;      /* DpcxrFeature *: those others */
    GPtrArray *assumptions; /* sentences */
    GArray *touches;        /* DpcxrCardTouch, by status */
    GPtrArray *plugins;     /* const DpcxrFeature *: everything that came from a plugin */
} DpcxrCard;

/* Computes all of it. DPCXR_ERROR_PRIVACY: as dpcxr_card_write. */
DpcxrCard *dpcxr_card_new(const DpcxrCardFacts *facts, GError **error);
void dpcxr_card_free(DpcxrCard *card);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrCard, dpcxr_card_free)

/* For card-content.c: fills card->touches, which is empty. */
void dpcxr_card_list_touches(DpcxrCard *card);
const char *dpcxr_touch_status_name(DpcxrTouchStatus status); /* "covered", "public", "not covered" */

/* Three digits, rounded up. (transfer full) */
char *dpcxr_card_number_up(double value);
