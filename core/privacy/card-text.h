/* SPDX-License-Identifier: MIT
 * The parts of privacy.md. */
#pragma once
#include "privacy/accounting.h"
#include "privacy/card-content.h"

/* Title, and the paragraph that can be pasted into a paper. */
void dpcxr_card_write_statement(GString *text, const DpcxrCard *card);
/* The works that it names. */
void dpcxr_card_write_references(GString *text, const DpcxrCard *card);

/* All of privacy.md. (transfer full) */
char *dpcxr_card_markdown(const DpcxrCard *card);

extern const char *const dpcxr_noise_type_names[]; /* "gaussian", "grid" */

/* Files of release/ and what stands in them; NULL behind the last one. */
const char *dpcxr_card_file(gsize i);
const char *dpcxr_card_file_contents(const DpcxrCard *card, gsize i);
