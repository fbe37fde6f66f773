/* SPDX-License-Identifier: MIT
 * The seam between dpcxr and a device. A backend compiles a whole graph into a program; a program runs the two phases
 * of a private step and keeps weights, sums and optimizer state wherever it likes. No pointer into device memory leaves
 * it: everything here is host memory in canonical layout (images NHWC, parameters as PyTorch stores them, f32).
 *
 * One logical step:
 *     zero(SUM)
 *     for each physical batch:   phase_a(rows) -> norms;  coefficients = clip(norms);  phase_b(SUM, coefficients)
 *     update(noise, rule)        weights <- rule(weights, (SUM + noise) * scale)
 *
 * A unit with more rows than max_rows goes through the UNIT bank: zero(UNIT); for each piece phase_a, phase_b(UNIT,
 * ones); bank_norms(UNIT) -> coefficients; fold(coefficients): SUM += c * UNIT.
 *
 * On a grid (options.grid) units are added as integers, so that nothing is rounded that depends on who else is there:
 *     zero(SUM)
 *     for each physical batch:   phase_a(rows) -> norms;  coefficients = clip(norms);  phase_b_grid(coefficients, ..)
 *     for each parameter:        settle(noise, spacing)    SUM = (integers + noise) * spacing, as floats
 *     update(no noise, rule)
 * and a unit with more rows than max_rows comes as a first piece and further pieces, of which only the last is followed by
 * phase_b_grid. A unit's norms and integers have the same bits alone, in any batch, in pieces of any size, and with any
 * number of threads.
 *
 * Programs are used by one thread at a time. */
#pragma once
#include "base/precision.h"
#include "graph/layers.h"
#include <dpcxr/error.h>

typedef struct _DpcxrProgram DpcxrProgram;

/* Named sets of one tensor per parameter. */
typedef enum {
    DPCXR_BANK_WEIGHT,
    DPCXR_BANK_SUM,     /* sum over units of coefficient * unit gradient, of the current logical step */
    DPCXR_BANK_UNIT,    /* gradient of one unit larger than a physical batch; allocated on first use */
    DPCXR_BANK_MOMENT1, /* optimizer state; zero at first; allocated on first use */
    DPCXR_BANK_MOMENT2,
    DPCXR_BANK_AVERAGE, /* moving average of the weights; allocated on first use */
    DPCXR_N_BANKS
} DpcxrBank;

typedef struct {
    int max_rows;  /* images in one physical batch, at least 1 */
    int max_units; /* units in one physical batch, at least 1 */
    int threads;   /* 0: all processors */
    const char *device; /* (nullable: the best) which of the backend's devices: index, UUID or name; borrowed by compile */
    const char *tuning; /* (nullable: the backend's own) how it is to go about its work, in its own words (vulkan: tiles, see
                           core/backend/vulkan/tuning.h); for measurements; borrowed by compile */
    DpcxrPrecision precision; /* a backend, device or model without it is refused (DPCXR_ERROR_USAGE) */
    gboolean training; /* FALSE: forward only, no gradient memory */
    gboolean norms;    /* FALSE: phase_a leaves out norms (training without privacy) */
    gboolean grid;     /* units are added as integers; needs training and norms */
    const float *pos_weight; /* (nullable) [outputs], copied */
    int n_groups;            /* clipping groups; flat clipping: 1 */
    const int *group_of;     /* (nullable: all 0) [parameters], copied */
} DpcxrProgramOptions;

/* Pieces of a unit that is larger than a physical batch, so of at least two rows; only with options.grid. */
typedef enum {
    DPCXR_WHOLE_UNITS,
    DPCXR_FIRST_PIECE, /* one unit, of which these are the first rows */
    DPCXR_NEXT_PIECE   /* the unit of the last phase A goes on; what phase A and phase_b_grid say is about all its rows */
} DpcxrPiece;

/* Rows of one physical batch. A unit's rows are adjacent: unit u has rows unit_offsets[u] .. unit_offsets[u+1]-1. */
typedef struct {
    int rows;                 /* 0 .. max_rows */
    const float *images;      /* [rows, height, width, channels] */
    const float *targets;     /* [rows, outputs] in [0, 1] */
    const float *mask;        /* [rows, outputs] 1: known, 0: leaves the row's loss */
    const float *row_weights; /* [rows] factor of a row's loss gradient within its unit: 1 / images of the unit */
    int units;                /* 0 .. max_units */
    const int *unit_offsets;  /* [units + 1] */
    DpcxrPiece piece;         /* other than WHOLE_UNITS: units is 1 */
    const float *output_gradient; /* (nullable) [rows, output shape]: replaces the loss; tests of single layers */
} DpcxrBatch;

/* Host buffers for what phase A finds out. */
typedef struct {
    float *losses;  /* [rows] BCE with logits, mean over known labels (0 where none is known), unweighted by row */
    float *logits;  /* [rows, outputs] */
    double *norms2; /* [parameters, units] squared L2 norm of the unit's gradient: an upper bound, rounding of both phases
                       included; INFINITY where anything of the unit is not finite. Only with options.norms. */
    float *input_gradient; /* (nullable) [rows, height, width, channels]; tests only, costs time */
} DpcxrBatchResult;

typedef enum { DPCXR_RULE_SGD, DPCXR_RULE_ADAPTIVE } DpcxrUpdateRule;

/* One optimizer step as scalars; g = (SUM + noise) * scale, element by element, in f32 with the order given here.
 * SGD: g += weight_decay * w; if momentum != 0: m = first ? g : momentum * m + (1 - dampening) * g,
 *      g = nesterov ? g + momentum * m : m; w -= lr * g.
 * ADAPTIVE (Adam, AdamW, NAdam): w *= 1 - decay; g += weight_decay * w; m = beta1 * m + (1 - beta1) * g;
 *      v = beta2 * v + (1 - beta2) * g * g; w -= (gradient_rate * g + moment_rate * m) / (sqrt(v) / v_root + eps). */
typedef struct {
    DpcxrUpdateRule rule;
    const float *const *noise; /* (nullable) [parameters] arrays of the parameter's size, already at full scale */
    double scale;              /* 1 / divisor: public, never the realised count */
    double weight_decay;       /* added to the gradient */
    double lr, momentum, dampening;
    gboolean nesterov, first;
    double decay; /* decoupled weight decay, times lr */
    double beta1, beta2, gradient_rate, moment_rate, v_root, eps;
    double average_rate; /* after the rule: AVERAGE += average_rate * (w - AVERAGE); 0: no average is kept */
} DpcxrUpdate;

typedef struct {
    const char *name; /* "ref", "cpu", "vulkan" */
    const char *summary;
    /* (nullable result) NULL where the backend can run here, else a sentence why not. */
    const char *(*unavailable)(void);
    /* (nullable: always) whether `auto` may take it here for a program with @options (nullable: any). */
    gboolean (*automatic)(const DpcxrProgramOptions *options);
    DpcxrProgram *(*compile)(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error);
    /* (nullable: any) The most rows, at most @most, that a program may have at once here; options->max_rows is what would be
     * usual, and more only where it is faster. -1: error set. */
    int (*largest_batch)(const DpcxrGraph *graph, const DpcxrProgramOptions *options, int most, GError **error);
} DpcxrBackend;

/* What a backend implements; each entry has the contract of the wrapper below. */
typedef struct {
    void (*free)(DpcxrProgram *program);
    gboolean (*write)(DpcxrProgram *program, DpcxrBank bank, int parameter, const float *values, GError **error);
    gboolean (*read)(DpcxrProgram *program, DpcxrBank bank, int parameter, float *values, GError **error);
    gboolean (*zero)(DpcxrProgram *program, DpcxrBank bank, GError **error);
    gboolean (*forward)(DpcxrProgram *program, int rows, const float *images, float *outputs, GError **error);
    gboolean (*phase_a)(DpcxrProgram *program, const DpcxrBatch *batch, DpcxrBatchResult *result, GError **error);
    gboolean (*phase_b)(DpcxrProgram *program, DpcxrBank bank, const float *coefficients, GError **error);
    gboolean (*bank_norms)(DpcxrProgram *program, DpcxrBank bank, double *norms2, GError **error);
    gboolean (*fold)(DpcxrProgram *program, const float *coefficients, GError **error);
    gboolean (*update)(DpcxrProgram *program, const DpcxrUpdate *update, GError **error);
    gsize (*memory)(const DpcxrProgram *program); /* bytes reserved, for --dry-run */
    const char *(*device)(const DpcxrProgram *program); /* (nullable) */
    gboolean (*phase_b_grid)(DpcxrProgram *program, const float *coefficients, double scale, double limit,
                             gboolean *dropped, GError **error);
    gboolean (*read_grid)(DpcxrProgram *program, int parameter, gint64 *values, GError **error);
    gboolean (*settle)(DpcxrProgram *program, int parameter, const gint64 *noise, double spacing, GError **error);
} DpcxrProgramClass;

/* First member of every backend's program. */
struct _DpcxrProgram {
    const DpcxrProgramClass *class;
    const DpcxrBackend *backend;
    const DpcxrGraph *graph; /* borrowed: outlives the program */
    DpcxrProgramOptions options; /* pos_weight and group_of owned here; group_of never NULL */
    int n_parameters, n_outputs;
    int rows, units; /* of the last phase_a, for phase_b */
    DpcxrPiece piece;
};

/* Finds a backend: "ref", "cpu", "vulkan", or "auto": vulkan where @options (nullable) names a device, or where there is a GPU
 * that can do what they ask for, else cpu. DPCXR_ERROR_USAGE: no such backend, or it cannot run here. */
const DpcxrBackend *dpcxr_backend_find(const char *name, const DpcxrProgramOptions *options, GError **error);

/* Compiles @graph (finished; borrowed). On success weights are all zero: write them before use. Where options.training,
 * the kernels of the program are checked against `ref` on two images (DPCXR_ERROR_FAILED names the layer that is off). */
DpcxrProgram *dpcxr_program_new(const DpcxrBackend *backend, const DpcxrGraph *graph,
                                const DpcxrProgramOptions *options, GError **error);
void dpcxr_program_free(DpcxrProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrProgram, dpcxr_program_free)

/* Replaces the weights of positive labels in the loss, [outputs], copied. */
void dpcxr_program_set_pos_weight(DpcxrProgram *program, const float *pos_weight);

/* One tensor of a bank, in the parameter's PyTorch layout and size. */
gboolean dpcxr_program_write(DpcxrProgram *program, DpcxrBank bank, int parameter, const float *values, GError **error);
gboolean dpcxr_program_read(DpcxrProgram *program, DpcxrBank bank, int parameter, float *values, GError **error);
gboolean dpcxr_program_zero(DpcxrProgram *program, DpcxrBank bank, GError **error);

/* Evaluation. @outputs: [rows, output shape]. rows may exceed max_rows here. */
gboolean dpcxr_program_forward(DpcxrProgram *program, int rows, const float *images, float *outputs, GError **error);
/* Forward, loss, backward; keeps what phase B needs until the next phase A. Arrays of @result are caller's. */
gboolean dpcxr_program_phase_a(DpcxrProgram *program, const DpcxrBatch *batch, DpcxrBatchResult *result, GError **error);
/* @bank (SUM or UNIT) += sum over the units of the last phase A of coefficient * gradient.
 * @coefficients: [n_groups, units], finite, >= 0. A unit whose coefficient is 0 in a group is left out, not multiplied
 * (0 * NaN is NaN). */
gboolean dpcxr_program_phase_b(DpcxrProgram *program, DpcxrBank bank, const float *coefficients, GError **error);
/* @norms2: [parameters] squared norms of the bank's tensors as upper bounds, INFINITY where not finite. */
gboolean dpcxr_program_bank_norms(DpcxrProgram *program, DpcxrBank bank, double *norms2, GError **error);
/* SUM += coefficients[group of the parameter] * UNIT; a group with 0 is left out. */
gboolean dpcxr_program_fold(DpcxrProgram *program, const float *coefficients, GError **error);
/* On a grid. Every unit of the last phase A becomes integers v = coefficient * gradient * scale, rounded toward zero element
 * by element, which are added to those of SUM, modulo 2^64. What makes a bound of it: where the sum of v^2 over all of the
 * unit's elements is not certainly at most @limit, or where an element is not finite or not below 2^52, nothing of the unit
 * is added and @dropped [units] says so. @coefficients as in phase B; a unit with 0 in a group has 0 there. */
gboolean dpcxr_program_phase_b_grid(DpcxrProgram *program, const float *coefficients, double scale, double limit,
                                    gboolean *dropped, GError **error);
/* The integers of SUM of one parameter; tests. */
gboolean dpcxr_program_read_grid(DpcxrProgram *program, int parameter, gint64 *values, GError **error);
/* SUM of @parameter <- (integers + noise) * spacing, modulo 2^64 up to the product. @noise: [the parameter's size], in
 * PyTorch's layout; NULL in tests only. Until all parameters are settled, SUM as floats is not to be used. */
gboolean dpcxr_program_settle(DpcxrProgram *program, int parameter, const gint64 *noise, double spacing, GError **error);
/* weights <- rule(weights, (SUM + noise) * scale). DPCXR_ERROR_FAILED and unchanged weights where the noised sum is not
 * finite. */
gboolean dpcxr_program_update(DpcxrProgram *program, const DpcxrUpdate *update, GError **error);
gsize dpcxr_program_memory(const DpcxrProgram *program);
/* The name of the device that computes; NULL where the backend has but one. (nullable) (transfer none) */
const char *dpcxr_program_device(const DpcxrProgram *program);
