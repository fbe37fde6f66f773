/* SPDX-License-Identifier: MIT
 * What dpcxr eps and dpcxr sigma share: the steps of a training that is planned, from the command line, and the accountants
 * to ask about them. */
#pragma once
#include <math.h>
#include "accountants.h"

/* Values as given; NAN, -1 or NULL where they were not. */
typedef struct {
    double sampling_rate;
    gint64 steps, population, cap;
    char *accountant, *options, *sampler, *adjacency;
    gboolean json;
} DpcxrPlannedArguments;

#define DPCXR_PLANNED_ARGUMENTS_INIT {.sampling_rate = NAN, .steps = -1, .population = -1, .cap = -1}

/* Rows of a GOption table that fill @arguments. */
#define DPCXR_PLANNED_ENTRIES(arguments)                                                                             \
    {"sampling-rate", 'q', 0, G_OPTION_ARG_DOUBLE, &(arguments).sampling_rate, "Probability of a unit a step", "Q"}, \
    {"steps", 't', 0, G_OPTION_ARG_INT64, &(arguments).steps, "Steps", "T"},                                         \
    {"accountant", 'a', 0, G_OPTION_ARG_STRING, &(arguments).accountant, "Accountant (default rdp), or all", "NAME"},\
    {"options", 0, 0, G_OPTION_ARG_STRING, &(arguments).options,                                                     \
     "Options of the accountant, as YAML: \"{conversion: classic}\"", "MAP"},                                        \
    {"sampler", 0, 0, G_OPTION_ARG_STRING, &(arguments).sampler,                                                     \
     "poisson (default), full, truncated_poisson, fixed or shuffle", "NAME"},                                        \
    {"adjacency", 0, 0, G_OPTION_ARG_STRING, &(arguments).adjacency,                                                 \
     "zero_out (default), add_remove or replace_one", "A"},                                                          \
    {"population", 0, 0, G_OPTION_ARG_INT64, &(arguments).population, "Number of units, for samplers that need it",  \
     "N"},                                                                                                           \
    {"cap", 0, 0, G_OPTION_ARG_INT64, &(arguments).cap, "Units a step: at most (truncated_poisson) or exactly (fixed, shuffle)", "B"},        \
    {"json", 0, 0, G_OPTION_ARG_NONE, &(arguments).json, "Print JSON", NULL}

/* The same, checked. */
typedef struct {
    DpcxrAdjacency adjacency;
    DpcxrEvent event; /* noise_multiplier is left to the caller */
    GPtrArray *accountants; /* DpcxrFeature; broken plugins too, where all were asked for */
} DpcxrPlannedSteps;

void dpcxr_planned_arguments_clear(DpcxrPlannedArguments *arguments);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DpcxrPlannedArguments, dpcxr_planned_arguments_clear)
/* DPCXR_ERROR_USAGE: what is missing or wrong. */
gboolean dpcxr_planned_steps_init(DpcxrPlannedSteps *steps, const DpcxrPlannedArguments *arguments, GError **error);
void dpcxr_planned_steps_clear(DpcxrPlannedSteps *steps);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DpcxrPlannedSteps, dpcxr_planned_steps_clear)

/* A finite number @value > 0 that was given as --@name. */
gboolean dpcxr_planned_check_positive(const char *name, double value, GError **error);
