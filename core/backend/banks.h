/* SPDX-License-Identifier: MIT
 * Banks of host tensors in PyTorch's layout, for backends whose memory is the host's. */
#pragma once
#include "backend/program.h"

typedef struct {
    const DpcxrGraph *graph; /* borrowed */
    float **tensors[DPCXR_N_BANKS]; /* [parameters] each, zeroed and 64-byte aligned; NULL: not allocated yet */
} DpcxrBanks;

void dpcxr_banks_init(DpcxrBanks *banks, const DpcxrGraph *graph);
void dpcxr_banks_clear(DpcxrBanks *banks);
/* Allocates @bank (zeroed) unless it is there. DPCXR_ERROR_MEMORY. */
gboolean dpcxr_banks_need(DpcxrBanks *banks, DpcxrBank bank, GError **error);
/* The banks besides weights and sums that @update changes. */
gboolean dpcxr_banks_need_for(DpcxrBanks *banks, const DpcxrUpdate *update, GError **error);
gboolean dpcxr_banks_zero(DpcxrBanks *banks, DpcxrBank bank, GError **error);
/* Tensor @i of @bank, or NULL where the bank is not allocated. */
float *dpcxr_banks_tensor(const DpcxrBanks *banks, DpcxrBank bank, int i);
gsize dpcxr_banks_bytes(const DpcxrBanks *banks);
/* The error of an update whose noised sum of parameter @i is not finite. */
void dpcxr_banks_fail_not_finite(const DpcxrGraph *graph, int i, GError **error);
