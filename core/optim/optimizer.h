/* SPDX-License-Identifier: MIT
 * Optimizers as scalars: what PyTorch's sgd, adam, adamw and nadam do at step t, reduced to a DpcxrUpdate that every
 * backend applies the same way. State across steps (t, NAdam's product of momenta) lives here and goes into checkpoints;
 * the moments themselves live in the program's banks. */
#pragma once
#include "backend/program.h"
#include <dpcxr/options.h>

typedef enum { DPCXR_SGD, DPCXR_ADAM, DPCXR_ADAMW, DPCXR_NADAM } DpcxrOptimizerType;

typedef struct {
    DpcxrOptimizerType type;
    double lr, weight_decay;
    double momentum, dampening; /* sgd */
    gboolean nesterov;          /* sgd */
    double beta1, beta2, eps;   /* adam, adamw, nadam */
    double momentum_decay;      /* nadam */
    guint64 step;               /* steps done */
    double mu_product;          /* nadam: product of the momenta so far */
} DpcxrOptimizer;

/* Option tables of `optimizer:` and `schedule:` by type; NULL for an unknown type. Names: NULL-terminated. */
const DpcxrOptionSpec *dpcxr_optimizer_options(const char *type);
const char *const *dpcxr_optimizer_types(void);
void dpcxr_optimizer_init(DpcxrOptimizer *optimizer, const char *type, const DpcxrOptions *options);
/* What a table cannot say: DPCXR_ERROR_USAGE where betas are not two numbers below 1, or nesterov is without momentum or
 * with dampening. Called by who resolves the experiment; init takes checked options only. */
gboolean dpcxr_optimizer_check(const char *type, const DpcxrOptions *options, GError **error);

/* Advances by one step and fills everything of @update but noise and scale. @lr_factor: of the schedule, >= 0. */
void dpcxr_optimizer_next(DpcxrOptimizer *optimizer, double lr_factor, DpcxrUpdate *update);
/* How many banks of moments the rule uses: 0, 1 (MOMENT1) or 2. */
int dpcxr_optimizer_moments(const DpcxrOptimizer *optimizer);
