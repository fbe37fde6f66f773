/* SPDX-License-Identifier: MIT
 * Shared by the files of core/backend/cpu; nobody else includes this. */
#pragma once
#include "backend/banks.h"
#include "backend/cpu/onednn.h"
#include "backend/cpu/plan.h"
#include "backend/program.h"
#include "base/workers.h"

typedef struct _CpuConv CpuConv;           /* conv2d.c: primitives and packed weights of a layer */
typedef struct _CpuConvCalls CpuConvCalls; /* conv2d.c: a worker's arguments for them */

/* Rows of one product in phase B: the longest chain of f32 sums that a norm's bound has to cover. */
enum { CPU_PRODUCT_ROWS = 512 };

/* What a worker thread has for itself. */
typedef struct {
    char *scratch; /* [plan.block] tensors of a row */
    float *spare;  /* one tensor: a gradient to be added to another, a conv gradient to be added to a slot */
    float *output_gradient; /* the loss's, f32 */
    float *wide;     /* f32 copies of bf16 tensors: two rows' x and dy of a Gram layer, x of a linear one */
    float *gathered; /* CPU_PRODUCT_ROWS rows of x and of dy */
    float *gram;     /* Gram matrices of one pair of rows; norms of pixels */
    float *outright; /* one whole weight gradient, where its Gram norm is too uncertain */
    const float **pointers; /* rows of a Gram matrix, two lists */
    float *tile;            /* on a grid: a part of one unit's Gram gradient */
    float *turned;          /* a part of a Gram gradient in PyTorch's layout */
    double *sums;           /* two of the most channels */
    void *scratchpad;       /* oneDNN's */
    gboolean *written;      /* [plan.block, layers] gradients of a row that hold something already */
    dnnl_stream_t stream;
    CpuConvCalls **convs; /* [steps] */
    GError *error;        /* the first, of the job at hand */
} CpuWorker;

typedef struct {
    DpcxrProgram base;
    CpuPlan plan;
    const CpuKernels *kernels;             /* of f32 elements: parameters, their gradients, the head */
    const CpuKernels *tables[CPU_N_TYPES]; /* by a tensor's type; bf16 NULL where not asked for */
    DpcxrWorkers *pool;
    int threads;
    CpuWorker *workers; /* [threads] */
    dnnl_engine_t engine;
    CpuConv **convs;                    /* [steps]; NULL where not a conv2d */
    gsize scratchpad;                   /* bytes: the most that a primitive wants */
    DpcxrBanks banks;                   /* weights and moments, PyTorch's layout */
    float *sums[DPCXR_N_BANKS];         /* SUM, UNIT: [plan.bank]; UNIT is NULL until used */
    gboolean sums_clear[DPCXR_N_BANKS]; /* counts as zero, whatever is in it */
    gint64 *integers;                   /* [plan.bank] SUM on a grid; NULL without */
    gboolean integers_clear;            /* counts as zero, whatever is in it */
    double *squares;                    /* on a grid: [jobs, max_units] */
    guint32 **places;  /* on a grid: [parameters] where oneDNN has an element of PyTorch's; NULL: in place */
    gboolean packed;   /* oneDNN's copies of the weights are current */
    char *kept;        /* [max_rows, plan.training.kept] */
    float *slots;      /* [max_units, plan.slot] */
    float *unpacked;   /* direct conv gradients in PyTorch's layout, for update */
    int *unit_offsets; /* [max_units + 1] of the last phase A */
    int *groups;       /* [max_units + 1] first units of its jobs */
    gsize bytes;       /* allocated */
} CpuProgram;

/* One row on one worker. */
typedef struct {
    CpuProgram *program;
    CpuWorker *worker;
    const CpuLayout *layout;
    char *scratch;     /* this row's, of the worker's */
    gboolean *written; /* likewise */
    const float *image;
    float *image_gradient; /* nullable */
    int row, unit;
    gboolean first; /* of its unit: overwrite the slot, later rows add */
} CpuRow;

/* An operation on one row. FALSE: error set (only libraries fail). */
typedef struct {
    gboolean (*forward)(CpuRow *row, int step, GError **error);
    gboolean (*backward)(CpuRow *row, int step, GError **error);
} CpuOperation;

extern const CpuOperation dpcxr_cpu_conv2d, dpcxr_cpu_group_norm, dpcxr_cpu_linear, dpcxr_cpu_activation,
    dpcxr_cpu_add, dpcxr_cpu_max_pool2d, dpcxr_cpu_global_average_pool;

/* row.c: tensors of a row, elements of their layer's type, and rows themselves. */
void *dpcxr_cpu_output(const CpuRow *row, int layer);
void *dpcxr_cpu_gradient(const CpuRow *row, int layer);
void *dpcxr_cpu_saved(const CpuRow *row, int step);
/* The kernels for tensors of @layer. */
const CpuKernels *dpcxr_cpu_kernels_of(const CpuRow *row, int layer);
gboolean dpcxr_cpu_wants(const CpuRow *row, int layer);
/* Where a backward pass writes the gradient of @layer whole: its place, or a spare where somebody has written
 * before. */
void *dpcxr_cpu_gradient_begin(const CpuRow *row, int layer);
void dpcxr_cpu_gradient_end(const CpuRow *row, int layer);
/* gradient of @layer += elements, unless nobody wants it. */
void dpcxr_cpu_gradient_add(const CpuRow *row, int layer, const void *elements);
/* The place of parameter @i in the unit's slot. */
float *dpcxr_cpu_slot(const CpuRow *row, int parameter);
const float *dpcxr_cpu_weight(const CpuRow *row, int parameter);
/* slot of @parameter (+)= values */
void dpcxr_cpu_slot_add(const CpuRow *row, int parameter, const double *values);
/* A row at @place of its worker's block; image, row, unit and first are left to the caller. */
CpuRow dpcxr_cpu_row(CpuProgram *program, CpuWorker *worker, const CpuLayout *layout, int place);
/* @n rows of one block through the graph; and back, from the gradients of their outputs, already in place. */
gboolean dpcxr_cpu_rows_forward(CpuRow *rows, int n, GError **error);
gboolean dpcxr_cpu_rows_backward(CpuRow *rows, int n, GError **error);

/* conv2d.c */
gboolean dpcxr_cpu_conv2d_compile(CpuProgram *program, int step, GError **error);
void dpcxr_cpu_conv2d_free(CpuConv *conv);
CpuConvCalls *dpcxr_cpu_conv2d_calls_new(CpuProgram *program, CpuWorker *worker, int step, GError **error);
void dpcxr_cpu_conv2d_calls_free(CpuConvCalls *calls);
/* Brings oneDNN's copies of all weights up to date. */
gboolean dpcxr_cpu_conv2d_pack(CpuProgram *program, GError **error);
/* A direct gradient between oneDNN's layout and PyTorch's. */
gboolean dpcxr_cpu_conv2d_unpack(CpuProgram *program, CpuWorker *worker, int step, float *packed,
                                 float *values, GError **error);
gboolean dpcxr_cpu_conv2d_repack(CpuProgram *program, CpuWorker *worker, int step, const float *values,
                                 float *packed, GError **error);

/* gram.c: squared norm of the unit's weight gradient, an upper bound that covers the rounding of phase B. */
double dpcxr_cpu_gram_norm2(CpuProgram *program, CpuWorker *worker, int step, int unit);
gsize dpcxr_cpu_gram_scratch(const CpuWindow *window);
/* Floats for f32 copies of x and dy of two rows. */
gsize dpcxr_cpu_gram_wide(const CpuWindow *window);

/* product.c: weight[outputs first .. end-1, tap] (+)= sum over rows of units of c[unit] dy x^T.
 * @coefficients: by unit, from @unit on; NULL: ones. A unit with 0 is not read. @clear: overwrite. */
void dpcxr_cpu_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first, int end,
                       int unit, int units, const float *coefficients, float *weight, gboolean clear);

/* The same for rows @row .. @last-1 of one unit, one after the other, to the worker's tile, [outputs, in]. The bits are those
 * of a unit that comes in pieces: rows are added one by one, and always in the same place, since a library's may depend
 * on where a result lies. */
void dpcxr_cpu_unit_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first,
                            int end, int row, int last, gboolean clear);

/* grid.c */
enum { CPU_GRID_OUTPUTS = 64 }; /* of one job: its integers and floats stay in a second-level cache */
gboolean dpcxr_cpu_grid_allocate(CpuProgram *program, GError **error);
void dpcxr_cpu_grid_free(CpuProgram *program);
/* Squared norm, an upper bound, of the Gram gradient of @parameter of a unit with rows @row .. @last-1, in the
 * bits in which phase B on a grid will form it. */
double dpcxr_cpu_grid_norm2(CpuProgram *program, CpuWorker *worker, int parameter, int row, int last);
/* Gram gradients of the rows of the last phase A, a piece of a unit, to those of its earlier rows. */
gboolean dpcxr_cpu_grid_add_piece(CpuProgram *program, GError **error);
/* As dpcxr_cpu_grid_norm2, of the unit that came in pieces so far; the same bits as if it had come whole. */
double dpcxr_cpu_grid_piece_norm2(CpuProgram *program, int parameter);
gboolean dpcxr_cpu_phase_b_grid(DpcxrProgram *base, const float *coefficients, double scale, double limit,
                                gboolean *dropped, GError **error);
gboolean dpcxr_cpu_read_grid(DpcxrProgram *base, int i, gint64 *values, GError **error);
gboolean dpcxr_cpu_settle(DpcxrProgram *base, int i, const gint64 *noise, double spacing, GError **error);

/* phase-a.c, phase-b.c, sums.c, update.c: entries of the class. */
gboolean dpcxr_cpu_phase_a(DpcxrProgram *base, const DpcxrBatch *batch, DpcxrBatchResult *result,
                           GError **error);
gboolean dpcxr_cpu_forward(DpcxrProgram *base, int rows, const float *images, float *outputs, GError **error);
gboolean dpcxr_cpu_phase_b(DpcxrProgram *base, DpcxrBank bank, const float *coefficients, GError **error);
gboolean dpcxr_cpu_write(DpcxrProgram *base, DpcxrBank bank, int i, const float *values, GError **error);
gboolean dpcxr_cpu_read(DpcxrProgram *base, DpcxrBank bank, int i, float *values, GError **error);
gboolean dpcxr_cpu_zero(DpcxrProgram *base, DpcxrBank bank, GError **error);
gboolean dpcxr_cpu_bank_norms(DpcxrProgram *base, DpcxrBank bank, double *norms2, GError **error);
gboolean dpcxr_cpu_fold(DpcxrProgram *base, const float *coefficients, GError **error);
gboolean dpcxr_cpu_update(DpcxrProgram *base, const DpcxrUpdate *update, GError **error);

/* sums.c: the bank's gradients, allocated; NULL: error set. Where it counts as zero it is so from here on. */
float *dpcxr_cpu_sums(CpuProgram *program, DpcxrBank bank, GError **error);
gboolean dpcxr_cpu_sums_need(CpuProgram *program, DpcxrBank bank, GError **error);
/* Output channels first .. end-1 of a conv2d's Gram gradient from [out, tap, in] to PyTorch's
 * [out, in, tap]. */
void dpcxr_cpu_to_oihw(const CpuWindow *window, const float *sums, int first, int end, float *values);
double dpcxr_cpu_norm2_bound(const CpuKernels *kernels, const float *x, gsize n, double slack);

/* program.c: runs task over 0 .. n-1; the first error of a worker becomes the job's. */
gboolean dpcxr_cpu_run(CpuProgram *program, int n, DpcxrTask task, gpointer data, GError **error);
/* @pointer: of a pointer. @n elements of @size bytes, 64-byte aligned, counted in program->bytes; n 0: NULL
 * and fine. */
gboolean dpcxr_cpu_allocate(CpuProgram *program, gpointer pointer, gsize n, gsize size, const char *what,
                            GError **error);
/* Whether the gradient of parameter @i is in oneDNN's layout: a direct convolution's weights. */
gboolean dpcxr_cpu_is_packed(const CpuProgram *program, int i);
