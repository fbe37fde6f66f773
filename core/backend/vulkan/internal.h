/* SPDX-License-Identifier: MIT
 * Shared by the files of core/backend/vulkan; nobody else includes this. */
#pragma once
#include "backend/vulkan/plan.h"
#include "backend/vulkan/recording.h"

/* What the host sends with a batch: one stretch of staging, and its twin on the device. */
typedef struct {
    VulkanSpan lists; /* struct Batch and its lists */
    VulkanSpan targets, mask, row_weights, pos_weight;
} VulkanInputs;

/* What the device sends back: spans of the device and their twins that the host reads. */
typedef struct {
    VulkanSpan losses, logits, squares, grams, lengths;
    VulkanSpan chunks; /* [plan.chunks] sums of squares of a bank, or of one gradient */
} VulkanResults;

/* What an operation over rows finds its batch and its feature maps by. */
typedef struct {
    const VulkanLayout *layout;
    VulkanSpan arena;
    VulkanSpan lists; /* struct Batch, and in training its lists; the device's */
} VulkanPass;

typedef struct {
    DpcxrProgram base;
    VulkanContext *context;
    VulkanMemory memory;
    VulkanPipelines pipelines;
    VulkanQueue queue;
    VulkanPlan plan;
    VulkanPass training, evaluation;
    const VulkanPass
        *pass; /* that is being recorded: training, but for the time of recording an evaluation */
    VulkanSpan douts;
    VulkanSpan parts;            /* [rows, plan.parts_row] */
    VulkanSpan row_gradients[2]; /* [rows, plan.row_gradient] of weight, of bias */
    VulkanSpan means;            /* [rows, groups, 2] of a norm's backward */
    VulkanSpan unit_parts;       /* [units, plan.unit_parts] */
    VulkanSpan scratch;          /* one gradient */
    VulkanSpan *slots;           /* [parameters] of [units, size] */
    VulkanSpan input_gradient;   /* [rows, image], and in f32 what the host reads; allocated on first use */
    VulkanSpan image_gradients_host;
    VulkanSpan wide_in, wide_out; /* [rows, image or outputs] of f32, between host and f16 */
    VulkanSpan staging, staged;   /* the whole of the inputs; host's, device's */
    VulkanInputs host, inputs;
    VulkanSpan images, output_gradient;         /* host's: [rows, image], [rows, outputs] */
    VulkanResults results, read;                /* device's, host's */
    VulkanSpan coefficients, coefficients_host; /* [groups, units]; doubles on a grid */
    guint64 coefficients_used;                  /* by this submission, last */
    VulkanSpan integers;                        /* [bank] of a grid */
    VulkanSpan grid_squares, grid_squares_host; /* doubles, as plan.squares */
    VulkanSpan banks[DPCXR_N_BANKS];            /* [plan.bank]; bytes 0: not there yet */
    VulkanSpan noise, noise_host;               /* [plan.bank]; settle: doubles, integers */
    VulkanSpan rule, flags, flags_host;
    VulkanSpan transfer;            /* host's, both ways: [plan.bank] */
    VulkanSpan single, single_host; /* struct Batch of one unit, for what is measured outright */
    VulkanSpan evaluated_host;      /* struct Batch of an evaluation */
    VulkanRecording *upload, *evaluate, *forward, *loss, *given, *backward[2],
        *norms; /* backward: without and with the images' */
    VulkanRecording *phase_b[DPCXR_N_BANKS], *zero[DPCXR_N_BANKS], *bank_norms[DPCXR_N_BANKS];
    VulkanRecording *fold, *update, *grid_measure, *grid_add;
    VulkanRecording **outright, **settle; /* [parameters] */
    gboolean update_has[DPCXR_N_BANKS];   /* what the update was recorded with */
    int *unit_offsets;                    /* [max_units + 1] of the last phase A */
    int image_gradients;                  /* whether the last phase A had them */
} VulkanProgram;

/* One operation over slices of rows and of units, none of which a shader would see too much of. */
typedef struct {
    VulkanSpan span;
    gsize row, unit; /* bytes of a row, or of a unit, where it is an array of these; else 0 */
} VulkanBinding;

typedef struct {
    VulkanKernel kernel;
    VulkanBinding bindings[VULKAN_MAX_BINDINGS];
    struct Push push;
    VulkanCount of;
    gint64 items, group, times; /* as in VulkanExtent */
    gint64 rounds; /* of loops that an invocation makes, all together; where there are lines, for one of them */
    int lines;     /* of positions of an image, where an invocation goes through all images: see struct Push */
} VulkanOperation;

/* Fills a recording that has begun. @which: a bank, a parameter or a flag, where it says which of several. */
typedef gboolean (*VulkanRecorder)(VulkanProgram *program, VulkanRecording *recording, int which,
                                   GError **error);
/* *@place <- what @record records, where there is nothing yet; and nothing where that fails. */
gboolean dpcxr_vulkan_need(VulkanProgram *program, VulkanRecording **place, const char *name,
                           VulkanRecorder record, int which, GError **error);

/* phase-a.c: records what every run needs, so that what the device cannot run is refused when it is compiled. */
gboolean dpcxr_vulkan_record_first(VulkanProgram *program, GError **error);

/* operation.c */
gboolean dpcxr_vulkan_record_operation(VulkanProgram *program, VulkanRecording *recording,
                                       const VulkanOperation *operation, GError **error);
/* Rows, at most @most, that bindings of @bytes [n] a row (0: not of rows) can show at once; 0: not even one, or
 * none at an offset that the device allows for all of them. */
int dpcxr_vulkan_slice(const VulkanContext *context, const gsize *bytes, guint n, int most);
VulkanBinding dpcxr_vulkan_whole(VulkanSpan span);
VulkanBinding dpcxr_vulkan_output(const VulkanProgram *program, int layer);
VulkanBinding dpcxr_vulkan_dout(const VulkanProgram *program, int layer);
VulkanBinding dpcxr_vulkan_saved(const VulkanProgram *program, int step);
/* Parameter @i of a bank, as a whole. */
VulkanBinding dpcxr_vulkan_bank(const VulkanProgram *program, DpcxrBank bank, int i);
VulkanBinding dpcxr_vulkan_slots(const VulkanProgram *program, int i);
/* A kernel of @shader for one invocation an element. */
VulkanKernel dpcxr_vulkan_kernel(const VulkanProgram *program, VulkanShader shader, int n,
                                 const gint32 *constants);

/* host-rows.c: rows of the host, f32, and of the device, in the type of @layer's output. @wide: a place for them in f32. */
VulkanBinding dpcxr_vulkan_wide(const VulkanProgram *program, VulkanSpan wide, int layer);
gboolean dpcxr_vulkan_record_convert(VulkanProgram *program, VulkanRecording *recording, VulkanShader shader,
                                     int layer, VulkanBinding from, VulkanBinding to, GError **error);
gboolean dpcxr_vulkan_record_from_host(VulkanProgram *program, VulkanRecording *recording, VulkanSpan host,
                                       int layer, VulkanBinding to, GError **error);
gboolean dpcxr_vulkan_record_to_host(VulkanProgram *program, VulkanRecording *recording, int layer,
                                     VulkanBinding from, VulkanSpan host, GError **error);
/* DPCXR_ERROR_USAGE: a device that f16 does not keep NaN and infinity on. */
gboolean dpcxr_vulkan_check_narrow(VulkanProgram *program, GError **error);
/* Of an image as the host has it. */
static inline gsize dpcxr_vulkan_image_bytes(const VulkanProgram *program)
{
    return dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, 0)->shape) * sizeof(float);
}
/* What gradients on the device are multiplied with, slots included: norms are divided by it and so are phase B's coefficients.
 * Banks hold gradients as they are. */
float dpcxr_vulkan_loss_scale(const VulkanProgram *program);

/* Says in *@error (nullable), which is set, that it is about step @s. */
void dpcxr_vulkan_blame(const VulkanProgram *program, int s, GError **error);

/* ops/: each records one step. @written: [layers] gradients that hold something already; the step sets what it writes. */
typedef struct {
    VulkanProgram *program;
    VulkanRecording *recording;
    gboolean *written;
    gboolean image_gradient; /* the gradient of layer 0 is wanted */
} VulkanBuild;

typedef struct {
    gboolean (*forward)(VulkanBuild *build, int step, GError **error);
    gboolean (*backward)(VulkanBuild *build, int step, GError **error);
} VulkanOps;

extern const VulkanOps dpcxr_vulkan_conv2d, dpcxr_vulkan_group_norm, dpcxr_vulkan_activation,
    dpcxr_vulkan_add, dpcxr_vulkan_max_pool2d, dpcxr_vulkan_average_pool;

/* Whether somebody wants the gradient of @layer; and whether it must be added to: it counts as written from then on. */
gboolean dpcxr_vulkan_wants(const VulkanBuild *build, int layer);
int dpcxr_vulkan_accumulate(VulkanBuild *build, int layer);
/* The gradients of all rows of a parameter, [rows, size], summed to units' slots. */
gboolean dpcxr_vulkan_record_unit_sums(VulkanBuild *build, int parameter, VulkanSpan rows, GError **error);
gboolean dpcxr_vulkan_record_squares(VulkanProgram *program, VulkanRecording *recording, VulkanBinding values,
                                     int parameter, VulkanSpan out, gsize at, GError **error);
/* conv2d.c: */
/* Rounds of loops of an invocation that sums a channel over the positions of @shape. */
gint64 dpcxr_vulkan_line_rounds(DpcxrShape shape);
gboolean dpcxr_vulkan_record_gram(VulkanProgram *program, VulkanRecording *recording, int step,
                                  GError **error);
gboolean dpcxr_vulkan_record_weight_sum(VulkanProgram *program, VulkanRecording *recording, int step,
                                        DpcxrBank bank, GError **error);
/* The gradient of the unit that program->single is about, to program->scratch. */
gboolean dpcxr_vulkan_record_outright(VulkanProgram *program, VulkanRecording *recording, int step,
                                      GError **error);

/* Runs a recording, one of its own, and waits. */
gboolean dpcxr_vulkan_run(VulkanProgram *program, VulkanRecording *recording, GError **error);

/* Roundings of the sum that a unit's share goes through after it was added: one for each later dispatch that adds to it, of which
 * a batch has a few, in thousands of batches a step. 5e-4 of the norm. */
enum { VULKAN_LATER = 4096 };
/* norms.c: norms2 of the batch from what the device has sent back. */
gboolean dpcxr_vulkan_norms(VulkanProgram *program, double *norms2, GError **error);
/* An upper bound of the squared norm of @size elements from the device's sums of squares of chunks; @slack: what phase B may
 * add, relative to the norm. */
double dpcxr_vulkan_norm2_bound(const VulkanPlan *plan, const float *chunks, int n, gsize size, double slack);

/* banks.c */
gboolean dpcxr_vulkan_need_bank(VulkanProgram *program, DpcxrBank bank, GError **error);

/* Entries of the class. */
gboolean dpcxr_vulkan_write(DpcxrProgram *base, DpcxrBank bank, int i, const float *values, GError **error);
gboolean dpcxr_vulkan_read(DpcxrProgram *base, DpcxrBank bank, int i, float *values, GError **error);
gboolean dpcxr_vulkan_zero(DpcxrProgram *base, DpcxrBank bank, GError **error);
gboolean dpcxr_vulkan_forward(DpcxrProgram *base, int rows, const float *images, float *outputs,
                              GError **error);
gboolean dpcxr_vulkan_phase_a(DpcxrProgram *base, const DpcxrBatch *batch, DpcxrBatchResult *result,
                              GError **error);
gboolean dpcxr_vulkan_phase_b(DpcxrProgram *base, DpcxrBank bank, const float *coefficients, GError **error);
gboolean dpcxr_vulkan_bank_norms(DpcxrProgram *base, DpcxrBank bank, double *norms2, GError **error);
gboolean dpcxr_vulkan_fold(DpcxrProgram *base, const float *coefficients, GError **error);
gboolean dpcxr_vulkan_update(DpcxrProgram *base, const DpcxrUpdate *update, GError **error);
gboolean dpcxr_vulkan_phase_b_grid(DpcxrProgram *base, const float *coefficients, double scale, double limit,
                                   gboolean *dropped, GError **error);
gboolean dpcxr_vulkan_read_grid(DpcxrProgram *base, int i, gint64 *values, GError **error);
gboolean dpcxr_vulkan_settle(DpcxrProgram *base, int i, const gint64 *noise, double spacing, GError **error);
