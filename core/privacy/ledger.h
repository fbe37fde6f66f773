/* SPDX-License-Identifier: MIT
 * The append-only, hash-chained record of every mechanism that touched the training data of a run (ledger.jsonl).
 * An event is on disk before anything computed from its noise is used. No wall time, no realised sizes. */
#pragma once
#include <dpcxr/accountant.h>

typedef struct _DpcxrLedger DpcxrLedger;

/* What one event is for; the mechanism itself is the DpcxrEvent. */
typedef enum { DPCXR_LEDGER_STEPS, DPCXR_LEDGER_COUNTS } DpcxrLedgerKind;

/* Starts a new ledger at @path (must not exist) with the constants of the run. */
DpcxrLedger *dpcxr_ledger_create(const char *path, DpcxrAdjacency adjacency, const char *unit, guint64 population,
                                 GError **error);
/* Opens an existing one to go on: verifies the chain, drops a cut last line that was never acknowledged, takes a lock
 * (DPCXR_ERROR_USAGE: another process has it), and writes a new process start with a fresh id. */
DpcxrLedger *dpcxr_ledger_resume(const char *path, GError **error);
/* Reads without locking, for accounting. DPCXR_ERROR_PRIVACY: the chain does not hold, with the line. */
DpcxrLedger *dpcxr_ledger_read(const char *path, GError **error);
void dpcxr_ledger_free(DpcxrLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrLedger, dpcxr_ledger_free)

/* Appends event->count steps that are about to be done and syncs; of SHUFFLE, whole epochs only. *sequence: number of the first of them; every step has
 * a number of its own, never used twice in a ledger. Only after TRUE may their noise be used. */
gboolean dpcxr_ledger_append(DpcxrLedger *ledger, DpcxrLedgerKind kind, const DpcxrEvent *event, guint64 *sequence,
                             GError **error);

/* The number that the first step of the next append will get. */
guint64 dpcxr_ledger_next_sequence(const DpcxrLedger *ledger);

/* Adds @event to @events (DpcxrEvent), to the count of an equal one where there is one: how a ledger merges. */
void dpcxr_events_add(GArray *events, const DpcxrEvent *event);

/* Everything so far, equal events merged. Valid until the next append. */
const DpcxrMechanism *dpcxr_ledger_mechanism(DpcxrLedger *ledger);
guint64 dpcxr_ledger_steps(const DpcxrLedger *ledger);     /* training steps on record */
guint64 dpcxr_ledger_processes(const DpcxrLedger *ledger); /* process starts */
guint64 dpcxr_ledger_population(const DpcxrLedger *ledger);
const char *dpcxr_ledger_unit(const DpcxrLedger *ledger);
/* Hash of the last line, hex; checkpoints carry it. */
const char *dpcxr_ledger_head(const DpcxrLedger *ledger);
/* Whether @head is the hash of some line of this ledger: a ledger shorter than its checkpoint is not. */
gboolean dpcxr_ledger_contains(const DpcxrLedger *ledger, const char *head);
