/* SPDX-License-Identifier: MIT
 * oneDNN as dpcxr uses it: batch-1 primitives that run on the calling thread. oneDNN is built with OpenMP,
 * and a primitive made for one number of threads and run with another returns success and wrong numbers; so
 * every thread that makes or runs one says dpcxr_onednn_enter() first. */
#pragma once
#include <dpcxr/error.h>
#include <dnnl.h>

/* Sets OpenMP to one thread in the calling thread, and makes sure. */
void dpcxr_onednn_enter(void);

/* TRUE for dnnl_success; else the error says @what was asked of oneDNN and what it answered. */
gboolean dpcxr_onednn_check(dnnl_status_t status, const char *what, GError **error);

/* Whether convolutions in bf16 run on instructions for it. */
gboolean dpcxr_onednn_has_bf16(void);

/* A primitive with what describes it. Its scratchpad is the caller's (dnnl_scratchpad_mode_user). */
typedef struct {
    dnnl_primitive_desc_t description; /* owned */
    dnnl_primitive_t primitive;        /* owned; NULL: not made */
} DpcxrOnednnPrimitive;

/* @operation: an operation descriptor, e.g. dnnl_convolution_desc_t; @hint: forward description for backward,
 * or NULL. */
gboolean dpcxr_onednn_primitive_init(DpcxrOnednnPrimitive *p, const void *operation, dnnl_engine_t engine,
                                     const DpcxrOnednnPrimitive *hint, const char *what, GError **error);
gboolean dpcxr_onednn_reorder_init(DpcxrOnednnPrimitive *p, const dnnl_memory_desc_t *from,
                                   const dnnl_memory_desc_t *to, dnnl_engine_t engine, const char *what,
                                   GError **error);
void dpcxr_onednn_primitive_clear(DpcxrOnednnPrimitive *p);
/* c [m, n] (+)= a^T b in f32, on the calling thread; a [k, m] and b [k, n] without gaps, rows of c @ld apart; @clear:
 * overwrite. oneDNN's product makes its kernels for the processor at hand; OpenBLAS chooses among those it was built with, and
 * an older one gives a processor that it does not know kernels of half the speed. */
gboolean dpcxr_onednn_product(int m, int n, int k, const float *a, const float *b, float *c, int ld,
                              gboolean clear, GError **error);
/* Borrowed layout of one argument: dnnl_query_weights_md, dnnl_query_scratchpad_md, .. */
const dnnl_memory_desc_t *dpcxr_onednn_layout(const DpcxrOnednnPrimitive *p, dnnl_query_t what);
