/* SPDX-License-Identifier: MIT
 * The folder of a run: release/ (covered by the guarantee), private/ (mode 0700), DONE. One process at a time. */
#pragma once
#include "config/experiment.h"

typedef struct {
    char *root;        /* runs/NAME */
    char *private_dir, *checkpoints, *release, *ledger, *planned, *config, *metrics, *label_weights, *done;
    int lock;          /* file descriptor, -1: none */
} DpcxrFolder;

/* Names only; touches nothing. @out: folder of runs, NULL for "runs". */
void dpcxr_folder_init(DpcxrFolder *folder, const char *out, const char *name);
void dpcxr_folder_clear(DpcxrFolder *folder); /* gives the lock back */

/* Whether dpcxr_folder_enter could do its work, as far as existence tells; for an early answer. */
gboolean dpcxr_folder_check(const DpcxrFolder *folder, gboolean resume, GError **error);

/* Makes a new run folder, or with @resume enters an existing one, takes the lock, and writes private/config.yaml or
 * compares it. DPCXR_ERROR_USAGE: it exists and @resume is FALSE, it does not exist and @resume is TRUE, another process
 * has it. DPCXR_ERROR_PRIVACY: a section that a resumed run must not change differs; the message names it. */
gboolean dpcxr_folder_enter(DpcxrFolder *folder, const DpcxrExperiment *experiment, gboolean resume, GError **error);

/* Whether a run that is there was started with @experiment, as far as a resumed run must not change it.
 * DPCXR_ERROR_PRIVACY: names the section that differs. */
gboolean dpcxr_folder_compare(const DpcxrFolder *folder, const DpcxrExperiment *experiment, GError **error);

/* SHA-256 over the sections that a resumed run must not change. (transfer full) */
char *dpcxr_folder_config_digest(const DpcxrExperiment *experiment);
