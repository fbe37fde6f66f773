/* SPDX-License-Identifier: MIT
 * Names of adjacencies and samplers as configurations, ledgers and cards write them. */
#include <dpcxr/accountant.h>

const char *dpcxr_adjacency_name(DpcxrAdjacency adjacency)
{
    static const char *const names[DPCXR_N_ADJACENCIES] = {"zero_out", "add_remove", "replace_one"};
    g_return_val_if_fail((guint)adjacency < DPCXR_N_ADJACENCIES, "?");
    return names[adjacency];
}

const char *dpcxr_sampler_name(DpcxrSamplerKind sampler)
{
    static const char *const names[DPCXR_N_SAMPLERS] = {"poisson", "full", "truncated_poisson", "fixed",
                                                        "shuffle"};
    g_return_val_if_fail((guint)sampler < DPCXR_N_SAMPLERS, "?");
    return names[sampler];
}
