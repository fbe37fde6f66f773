/* SPDX-License-Identifier: MIT
 * Checkpoints: everything that a step changes (weights, moments, the optimizer's scalars, the step), and what ties them
 * to their run (head of the ledger, digests of data and configuration). Never a key, never a state of secret streams.
 * One safetensors file each, private/checkpoints/step-NNNNNNNN.safetensors, mode 0600, written atomically. */
#pragma once
#include "backend/program.h"
#include "optim/optimizer.h"

typedef struct {
    guint64 step;        /* steps done */
    double clip_norm;    /* of the next step */
    char *ledger_head;   /* (nullable) hash of the ledger's line that the last step was charged with */
    char *data_digest;   /* of the index */
    char *config_digest; /* of the sections that a resumed run must not change */
} DpcxrCheckpointInfo;

void dpcxr_checkpoint_info_clear(DpcxrCheckpointInfo *info);

/* Writes a checkpoint into @folder, then deletes all but the newest @keep. @average: whether a moving average of the
 * weights is part of the state. */
gboolean dpcxr_checkpoint_save(const char *folder, DpcxrProgram *program, const DpcxrOptimizer *optimizer,
                               gboolean average, const DpcxrCheckpointInfo *info, int keep, GError **error);
/* Path of the newest checkpoint in @folder, or NULL where there is none. (transfer full) */
char *dpcxr_checkpoint_newest(const char *folder);
/* Reads what belongs to the run, without tensors. DPCXR_ERROR_DATA: not a checkpoint of this version. */
gboolean dpcxr_checkpoint_read_info(const char *path, DpcxrCheckpointInfo *info, GError **error);
/* Puts weights, moments, average and optimizer state back. DPCXR_ERROR_DATA names what does not fit. */
gboolean dpcxr_checkpoint_load(const char *path, DpcxrProgram *program, DpcxrOptimizer *optimizer, gboolean average,
                               GError **error);
