/* SPDX-License-Identifier: MIT
 * Optimizer steps as scalars. Formulas and defaults are those of torch.optim in PyTorch 1.13 (SGD, Adam,
 * AdamW, NAdam, each with foreach=None), checked against its stored
 * results in tests/unit/test-optimizer.c. */
#include "optim/optimizer.h"
#include <math.h>
#include <string.h>

#define LR "Learning rate, before the schedule."
#define L2 "L2 penalty, added to the gradient after clipping and noise."
#define BETAS "Decay of the running means of the gradient and of its square, both below 1."
#define EPS "Added to the root in the denominator."

static const DpcxrOptionSpec sgd_options[] = {
    {"lr", DPCXR_OPTION_NUMBER, "5e-4", 0, 1e6, NULL, NULL, LR},
    {"weight_decay", DPCXR_OPTION_NUMBER, "0", 0, 1e6, NULL, NULL, L2},
    {"momentum", DPCXR_OPTION_NUMBER, "0", 0, 1, NULL, NULL, "Factor on the running sum of gradients."},
    {"dampening", DPCXR_OPTION_NUMBER, "0", 0, 1, NULL, NULL, "Part of a gradient kept out of that sum."},
    {"nesterov", DPCXR_OPTION_BOOL, "false", 0, 0, NULL, NULL, "Look ahead by one step of momentum."},
    {NULL},
};
static const DpcxrOptionSpec adam_options[] = {
    {"lr", DPCXR_OPTION_NUMBER, "5e-4", 0, 1e6, NULL, NULL, LR},
    {"weight_decay", DPCXR_OPTION_NUMBER, "0", 0, 1e6, NULL, NULL, L2},
    {"betas", DPCXR_OPTION_NUMBERS, "[0.9, 0.999]", 0, 1, NULL, NULL, BETAS},
    {"eps", DPCXR_OPTION_NUMBER, "1e-8", 0, 1, NULL, NULL, EPS},
    {NULL},
};
static const DpcxrOptionSpec adamw_options[] = {
    {"lr", DPCXR_OPTION_NUMBER, "5e-4", 0, 1e6, NULL, NULL, LR},
    {"weight_decay", DPCXR_OPTION_NUMBER, "0.01", 0, 1e6, NULL, NULL,
     "Decoupled from the gradient: each step shrinks the weights by lr times this."},
    {"betas", DPCXR_OPTION_NUMBERS, "[0.9, 0.999]", 0, 1, NULL, NULL, BETAS},
    {"eps", DPCXR_OPTION_NUMBER, "1e-8", 0, 1, NULL, NULL, EPS},
    {NULL},
};
static const DpcxrOptionSpec nadam_options[] = {
    {"lr", DPCXR_OPTION_NUMBER, "5e-4", 0, 1e6, NULL, NULL, LR},
    {"weight_decay", DPCXR_OPTION_NUMBER, "0", 0, 1e6, NULL, NULL, L2},
    {"betas", DPCXR_OPTION_NUMBERS, "[0.9, 0.999]", 0, 1, NULL, NULL, BETAS},
    {"eps", DPCXR_OPTION_NUMBER, "1e-8", 0, 1, NULL, NULL, EPS},
    {"momentum_decay", DPCXR_OPTION_NUMBER, "0.004", 0, 1e6, NULL, NULL, "How fast the momentum warms up."},
    {NULL},
};

static const struct {
    const char *name;
    const DpcxrOptionSpec *options;
    int moments;
} types[] = {
    [DPCXR_SGD] = {"sgd", sgd_options, 1},
    [DPCXR_ADAM] = {"adam", adam_options, 2},
    [DPCXR_ADAMW] = {"adamw", adamw_options, 2},
    [DPCXR_NADAM] = {"nadam", nadam_options, 2},
};

static int find_type(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(name, types[i].name) == 0)
            return (int)i;
    return -1;
}

const DpcxrOptionSpec *dpcxr_optimizer_options(const char *type)
{
    int i = find_type(type);

    return i < 0 ? NULL : types[i].options;
}

const char *const *dpcxr_optimizer_types(void)
{
    static const char *const names[] = {"sgd", "adam", "adamw", "nadam", NULL};

    return names;
}

gboolean dpcxr_optimizer_check(const char *type, const DpcxrOptions *options, GError **error)
{
    gboolean sgd = find_type(type) == DPCXR_SGD;
    gsize n = 2;
    const double *betas = sgd ? NULL : dpcxr_options_get_numbers(options, "betas", &n);

    if (betas && (n != 2 || betas[0] >= 1 || betas[1] >= 1)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: betas: two numbers in [0, 1), e.g. [0.9, 0.999]",
                    dpcxr_options_where(options, "betas"));
        return FALSE;
    }
    if (sgd && dpcxr_options_get_bool(options, "nesterov") &&
        (dpcxr_options_get_number(options, "momentum") == 0 ||
         dpcxr_options_get_number(options, "dampening") != 0)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: nesterov needs momentum above 0 and dampening 0",
                    dpcxr_options_where(options, "nesterov"));
        return FALSE;
    }
    return TRUE;
}

static void read_adaptive(DpcxrOptimizer *optimizer, const DpcxrOptions *options)
{
    gsize n;
    const double *betas = dpcxr_options_get_numbers(options, "betas", &n);

    g_return_if_fail(n == 2);
    optimizer->beta1 = betas[0];
    optimizer->beta2 = betas[1];
    optimizer->eps = dpcxr_options_get_number(options, "eps");
}

void dpcxr_optimizer_init(DpcxrOptimizer *optimizer, const char *type, const DpcxrOptions *options)
{
    int i = find_type(type);

    g_return_if_fail(i >= 0 && dpcxr_optimizer_check(type, options, NULL));
    *optimizer = (DpcxrOptimizer){
        .type = (DpcxrOptimizerType)i,
        .lr = dpcxr_options_get_number(options, "lr"),
        .weight_decay = dpcxr_options_get_number(options, "weight_decay"),
        .mu_product = 1,
    };
    if (i != DPCXR_SGD)
        read_adaptive(optimizer, options);
    if (i == DPCXR_SGD) {
        optimizer->momentum = dpcxr_options_get_number(options, "momentum");
        optimizer->dampening = dpcxr_options_get_number(options, "dampening");
        optimizer->nesterov = dpcxr_options_get_bool(options, "nesterov");
    } else if (i == DPCXR_NADAM) {
        optimizer->momentum_decay = dpcxr_options_get_number(options, "momentum_decay");
    }
}

/* NAdam's momentum at step @t, which warms up from about beta1 / 2 to beta1 (Dozat 2016). */
static double nadam_momentum(const DpcxrOptimizer *optimizer, double t)
{
    return optimizer->beta1 * (1 - 0.5 * pow(0.96, t * optimizer->momentum_decay));
}

/* The look-ahead product holds mu_t twice in PyTorch 1.13 (later releases multiply it in once), and equal
 * results with 1.13 are what is promised; the difference fades with the product, within some ten steps. */
static void nadam_rates(DpcxrOptimizer *optimizer, double lr, DpcxrUpdate *update)
{
    double mu = nadam_momentum(optimizer, (double)optimizer->step);
    double mu_next = nadam_momentum(optimizer, (double)optimizer->step + 1);

    optimizer->mu_product *= mu;
    update->gradient_rate = lr * (1 - mu) / (1 - optimizer->mu_product);
    update->moment_rate = lr * mu_next / (1 - optimizer->mu_product * mu * mu_next);
}

void dpcxr_optimizer_next(DpcxrOptimizer *optimizer, double lr_factor, DpcxrUpdate *update)
{
    double lr = optimizer->lr * lr_factor, t = (double)++optimizer->step;

    *update = (DpcxrUpdate){
        .rule = optimizer->type == DPCXR_SGD ? DPCXR_RULE_SGD : DPCXR_RULE_ADAPTIVE,
        .noise = update->noise,
        .scale = update->scale,
        .lr = lr,
        .weight_decay = optimizer->type == DPCXR_ADAMW ? 0 : optimizer->weight_decay,
        .momentum = optimizer->momentum,
        .dampening = optimizer->dampening,
        .nesterov = optimizer->nesterov,
        .first = optimizer->step == 1,
        .beta1 = optimizer->beta1,
        .beta2 = optimizer->beta2,
        .eps = optimizer->eps,
        .v_root = sqrt(1 - pow(optimizer->beta2, t)),
    };
    if (optimizer->type == DPCXR_NADAM)
        nadam_rates(optimizer, lr, update);
    else
        update->moment_rate = lr / (1 - pow(optimizer->beta1, t));
    if (optimizer->type == DPCXR_ADAMW)
        update->decay = lr * optimizer->weight_decay;
}

int dpcxr_optimizer_moments(const DpcxrOptimizer *optimizer)
{
    if (optimizer->type == DPCXR_SGD && optimizer->momentum == 0)
        return 0;
    return types[optimizer->type].moments;
}
