/* SPDX-License-Identifier: MIT
 * The secret key and its streams: RFC 8439 ChaCha20, addressed by (purpose, rank, sequence number, tensor, element), so
 * that no two uses share a block. Everything a privacy proof calls random comes from here. The key lives in locked,
 * non-dumpable memory, is never written anywhere, and is wiped when freed. */
#pragma once
#include <dpcxr/error.h>

typedef struct _DpcxrSecret DpcxrSecret;

typedef enum {
    DPCXR_PURPOSE_SELF_TEST = 1, /* start-up test of the noise; its draws are used for nothing else */
    DPCXR_PURPOSE_SAMPLING,      /* which units are in a step */
    DPCXR_PURPOSE_IMAGES,        /* which images of a drawn patient */
    DPCXR_PURPOSE_NOISE,
    DPCXR_PURPOSE_NOISE_TAIL,    /* further bits of noise draws beyond 2^-64 */
    DPCXR_PURPOSE_COUNT_NOISE,   /* private counts */
    DPCXR_PURPOSE_PERMUTATION,
} DpcxrPurpose;

typedef struct {
    DpcxrPurpose purpose;
    guint16 rank;     /* process of a distributed run; 0 */
    guint64 sequence; /* ledger sequence number (below 2^48); in seeded mode the step */
    guint32 tensor;   /* below 2^24 */
} DpcxrAddress;

/* A fresh 256-bit key from the operating system. DPCXR_ERROR_FAILED. */
DpcxrSecret *dpcxr_secret_new(GError **error);
/* A key made from a number: reproducible, so it voids every claim. For tests. */
DpcxrSecret *dpcxr_secret_new_seeded(guint64 seed);
void dpcxr_secret_free(DpcxrSecret *secret); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrSecret, dpcxr_secret_free)
gboolean dpcxr_secret_is_seeded(const DpcxrSecret *secret);

/* Words @offset .. @offset+@n-1 of the stream at @address (at most 2^35 words). Thread-safe. */
void dpcxr_secret_fill(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 offset, guint64 *words, gsize n);
