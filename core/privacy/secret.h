/* SPDX-License-Identifier: MIT
 * The secret key and its streams: RFC 8439 ChaCha20, addressed by (purpose, rank, sequence number, tensor, element), so
 * that no two uses share a block. Everything a privacy proof calls random comes from here. The key lives in locked,
 * non-dumpable memory, is never written anywhere, and is wiped when freed. docs/randomness.md draws the address. */
#pragma once
#include <dpcxr/error.h>

typedef struct _DpcxrSecret DpcxrSecret;

typedef enum {
    DPCXR_PURPOSE_SELF_TEST = 1, /* start-up test of the noise; its draws are used for nothing else */
    DPCXR_PURPOSE_SAMPLING,      /* which units are in a step */
    DPCXR_PURPOSE_IMAGES,        /* which images of a drawn patient */
    DPCXR_PURPOSE_NOISE,
    DPCXR_PURPOSE_COUNT_NOISE, /* private counts */
    DPCXR_PURPOSE_PERMUTATION,
    DPCXR_N_PURPOSES /* one more than the last */
} DpcxrPurpose;

typedef struct {
    DpcxrPurpose purpose;
    guint16 rank;     /* process of a distributed run; 0 */
    guint64 sequence; /* ledger sequence number (below 2^48); in seeded mode the step */
    guint32 tensor;   /* below 2^24 */
} DpcxrAddress;

/* Words of 64 bits at one address: 2^32 blocks of 8. */
#define DPCXR_SECRET_WORDS (G_GUINT64_CONSTANT(1) << 35)

/* A fresh 256-bit key from the operating system. DPCXR_ERROR_FAILED: no entropy, or memory that cannot be locked. */
DpcxrSecret *dpcxr_secret_new(GError **error);
/* A key made from a number: reproducible, so it voids every claim. For tests. */
DpcxrSecret *dpcxr_secret_new_seeded(guint64 seed);
void dpcxr_secret_free(DpcxrSecret *secret); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrSecret, dpcxr_secret_free)
gboolean dpcxr_secret_is_seeded(const DpcxrSecret *secret);

/* Words @offset .. @offset+@n-1 of the stream at @address, the same on every machine. Thread-safe. An address out of
 * range, words beyond DPCXR_SECRET_WORDS, or a key lost to a fork are bugs that would repeat noise: they abort. */
void dpcxr_secret_fill(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 offset, guint64 *words, gsize n);

/* The 96-bit nonce of an address: purpose 8 bits, rank 16, tensor 24, sequence 48; each little-endian. */
void dpcxr_secret_nonce(const DpcxrAddress *address, guint8 nonce[12]);
/* Words of ChaCha20 itself: little-endian 64-bit words @offset .. of the key stream that starts at block 0. @key: 32
 * bytes. For known-answer tests. */
void dpcxr_secret_words(const guint8 *key, const guint8 nonce[12], guint64 offset, guint64 *words, gsize n);

/* No core dumps and no debugger of the same user from here on: while a stream is made, copies of the key are on the
 * stacks of workers, where DONTDUMP does not reach. A program calls it once, before it makes a secret; not under
 * sanitizers, which need to trace the process. DPCXR_ERROR_FAILED. */
gboolean dpcxr_secret_protect_process(GError **error);
