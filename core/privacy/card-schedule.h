/* SPDX-License-Identifier: MIT
 * What a card says about noise and clip norms that change over the steps. */
#pragma once
#include "privacy/card-content.h"
#include <json-glib/json-glib.h>

/* "0.925082", or where it changes "1.2 to 0.6 on a linear schedule of at most 16 levels". (transfer full) */
char *dpcxr_card_noise_text(const DpcxrCardFacts *facts);
/* "norm 1.5", or "norm 1.5 to 0.75 on a linear schedule". (transfer full) */
char *dpcxr_card_clip_text(const DpcxrCardFacts *facts);
/* Members of "mechanism": noise_multiplier (null where it changes), noise_schedule, clip_schedule (null where constant). */
void dpcxr_card_put_schedules(JsonBuilder *json, const DpcxrCardFacts *facts);
/* Sentences for the list of assumptions, about schedules and augmented views. */
void dpcxr_card_assume_schedules(GPtrArray *assumptions, const DpcxrCardFacts *facts);
