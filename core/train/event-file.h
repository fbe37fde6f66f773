/* SPDX-License-Identifier: MIT
 * A file of records as TensorFlow writes them (TFRecord), named so that TensorBoard finds it:
 *     u64 length, u32 masked CRC-32C of the length, the bytes, u32 masked CRC-32C of the bytes
 * all little-endian; masked: rotated right by 15 bits, plus 0xa282ead8
 * (tensorflow/core/lib/hash/crc32c.h). */
#pragma once
#include <dpcxr/error.h>

typedef struct _DpcxrEventFile DpcxrEventFile;

/* A new file events.out.tfevents.SECONDS.NNNN in @folder, mode 0600. TensorBoard reads the files of a folder
 * in the order of their names; NNNN is above that of every file there. */
DpcxrEventFile *dpcxr_event_file_new(const char *folder, GError **error);
/* Buffered, for a few seconds at most while records keep coming. A write that fails is remembered. */
void dpcxr_event_file_append(DpcxrEventFile *file, const GByteArray *record);
/* Everything so far to the file; FALSE where any write has failed (a full disk). */
gboolean dpcxr_event_file_flush(DpcxrEventFile *file, GError **error);
void dpcxr_event_file_free(DpcxrEventFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrEventFile, dpcxr_event_file_free)
