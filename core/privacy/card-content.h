/* SPDX-License-Identifier: MIT
 * What a privacy card says, before it is JSON or Markdown: the numbers, and sentences for everything that is assumed or
 * not covered. */
#pragma once
#include "privacy/attack.h"
#include "privacy/card.h"

typedef struct {
    const char *accountant; /* borrowed */
    gboolean approximate;
    DpcxrInterval epsilon;
    char *refused; /* (nullable) why there is no number */
} DpcxrCardReport;

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
    DpcxrAttackBounds attack; /* by the claiming accountant */
    GArray *reports;        /* DpcxrCardReport: also_report */
    GPtrArray *assumptions, *not_covered; /* sentences */
    GPtrArray *plugins;     /* const DpcxrFeature *: everything that came from a plugin */
} DpcxrCard;

/* Computes all of it. DPCXR_ERROR_PRIVACY: as dpcxr_card_write. */
DpcxrCard *dpcxr_card_new(const DpcxrCardFacts *facts, GError **error);
void dpcxr_card_free(DpcxrCard *card);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrCard, dpcxr_card_free)

/* Three digits, rounded up. (transfer full) */
char *dpcxr_card_number_up(double value);
