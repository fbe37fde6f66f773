/* SPDX-License-Identifier: MIT
 * safetensors files (little-endian u64 header size, JSON header, raw data): weights and checkpoints. The reader
 * believes nothing: sizes, offsets, overlaps, holes, depth and duplicate names are checked, and the file is memory-mapped
 * (so nobody may cut it while it is open; files of dpcxr are replaced whole). */
#pragma once
#include <dpcxr/error.h>

typedef enum { DPCXR_F32, DPCXR_F64, DPCXR_I64, DPCXR_U8, DPCXR_F16, DPCXR_BF16 } DpcxrDtype;

typedef struct {
    const char *name;
    DpcxrDtype dtype;
    int n_dims;
    gint64 dims[8];
    const void *data; /* of a file: borrowed, not aligned; to write: borrowed until the write returns */
    gsize bytes;
} DpcxrNamedTensor;

typedef struct _DpcxrSafetensors DpcxrSafetensors;

/* DPCXR_ERROR_DATA names the file and what is wrong. */
DpcxrSafetensors *dpcxr_safetensors_open(const char *path, GError **error);
/* The same from memory; @path is for messages. Tests and the fuzzer. */
DpcxrSafetensors *dpcxr_safetensors_from_bytes(GBytes *bytes, const char *path, GError **error);
void dpcxr_safetensors_free(DpcxrSafetensors *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrSafetensors, dpcxr_safetensors_free)
/* Tensors in the order of their data. */
gsize dpcxr_safetensors_count(const DpcxrSafetensors *file);
const DpcxrNamedTensor *dpcxr_safetensors_get(const DpcxrSafetensors *file, gsize i);
const DpcxrNamedTensor *dpcxr_safetensors_find(const DpcxrSafetensors *file, const char *name); /* NULL: none */
const char *dpcxr_safetensors_metadata(const DpcxrSafetensors *file, const char *key);          /* NULL: none */
/* Copies tensor @name as f32 into @out of @n elements; f32, f16, bf16 and f64 are converted. @dims must agree.
 * DPCXR_ERROR_DATA: missing, another shape (both are named), an integer type. */
gboolean dpcxr_safetensors_copy_f32(const DpcxrSafetensors *file, const char *name, const int *dims, int n_dims,
                                    float *out, GError **error);

/* Writes atomically (base/files.h), tensors in the order given. @metadata: (nullable) key, value, ..., NULL.
 * DPCXR_ERROR_FAILED: the write, two tensors of one name, bytes that are not what the shape asks for. */
gboolean dpcxr_safetensors_write(const char *path, int mode, const DpcxrNamedTensor *tensors, gsize n,
                                 const char *const *metadata, GError **error);
