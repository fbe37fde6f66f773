/* SPDX-License-Identifier: MIT
 * One graph through a backend and through the reference, with everything that can be compared compared. */
#pragma once
#include "backend/cpu/cpu.h"
#include "backend/ref/ref.h"
#include "backend/vulkan/vulkan.h"

/* What is held against the reference. */
typedef struct {
    const char *name;
    const DpcxrBackend *backend;
    const char *device; /* of the vulkan backend: an index; else NULL */
} CheckKind;

/* What DPCXR_OPCHECK asks for: "cpu" (the default), as it is and with either way of unit gradients everywhere; "vulkan":
 * every Vulkan device of this machine; "vulkan-f32": these without f16 of single operations. */
const CheckKind *check_kinds(guint *n);
gboolean check_narrow(void); /* FALSE with "vulkan-f32" */
/* Programs of the vulkan backend are for the device of @kind from here on. */
void check_begin(const CheckKind *kind);
const char *check_device(const DpcxrBackend *backend);

/* An array with a guard on both sides; check_guards() finds writes outside. */
typedef struct {
    float *values;
    gsize n;
} Guarded;

Guarded guarded_new(gsize n);
void guarded_check(const Guarded *array, const char *what);
void guarded_free(Guarded *array);

/* One batch with results of one program. Units: see harness.c. */
typedef struct {
    const DpcxrGraph *graph;
    int rows, units;
    int *offsets;
    Guarded images, output_gradient, targets, mask, row_weights;
} Batch;

typedef struct {
    DpcxrProgram *program;
    Guarded losses, logits, input_gradient;
    double *norms2; /* [parameters, units] */
} Side;

/* @rows_of: rows of each unit, ended by 0. Images and output gradients are normal with
 * standard deviation 1. */
Batch batch_new(const DpcxrGraph *graph, const int *rows_of, guint64 seed);
/* Takes bits off images and output gradients until they are bf16's, which fp16 has, too: the reference then sees what these
 * see. */
void batch_round(Batch *batch);
void batch_free(Batch *batch);

typedef struct {
    int threads, max_rows, n_groups;
    const int *group_of;
    const float *pos_weight;
    DpcxrPrecision precision; /* not for the reference */
} SideOptions;

/* What a program computes in, and how far from the reference tensors may be then, relative to their norm. */
typedef struct {
    const char *name;
    DpcxrPrecision in;
    double output, loss, gradient, norm, sum;
} Precision;

/* bf16 and f16 of one operation on a rounded batch, and of networks. */
extern const Precision check_f32, check_bf16, check_bf16_network, check_f16, check_f16_network;

/* FALSE, and skips the test at hand, where this processor, or the device at hand, cannot; the backend is asked. */
gboolean check_can(const Precision *precision);

/* A program with random weights of @seed, and room for results of @batch. Start-up check included. */
Side side_new(const DpcxrBackend *backend, const DpcxrGraph *graph, const Batch *batch, SideOptions options,
              guint64 seed);
void side_free(Side *side);
/* Phase A with the given output gradient, or with the loss. */
void side_phase_a(Side *side, const Batch *batch, gboolean loss);
/* SUM of parameter @i after phase B with @coefficients from zero. */
void side_phase_b(Side *side, const float *coefficients);
Guarded side_read(Side *side, DpcxrBank bank, int i);

double norm_of(const float *values, gsize n);
/* Fails the test unless ||got - wanted|| <= tolerance (||wanted|| + floor), not finite where
 * wanted is not. */
void check_close(const char *what, const float *got, const float *wanted, gsize n, double tolerance,
                 double floor);
void check_equal_bits(const char *what, const float *got, const float *wanted, gsize n);

/* Logits, input gradient, sums, unit norms and evaluation of @graph on @batch: backend against reference; the
 * same bits twice and with another number of threads. */
void check_graph(const DpcxrBackend *backend, const Precision *precision, const DpcxrGraph *graph, const Batch *batch,
                 gboolean loss);
/* Unit norms are upper bounds of what phase B adds for a unit, and at most @above too large (relative). */
void check_norms(Side *side, const Batch *batch, double above);
