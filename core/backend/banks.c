/* SPDX-License-Identifier: MIT */
#include "backend/banks.h"
#include <stdlib.h>
#include <string.h>

void dpcxr_banks_init(DpcxrBanks *banks, const DpcxrGraph *graph)
{
    *banks = (DpcxrBanks){.graph = graph};
}

static void clear_bank(DpcxrBanks *banks, DpcxrBank bank)
{
    for (int i = 0; banks->tensors[bank] && i < dpcxr_graph_n_parameters(banks->graph); i++)
        free(banks->tensors[bank][i]);
    g_clear_pointer(&banks->tensors[bank], g_free);
}

void dpcxr_banks_clear(DpcxrBanks *banks)
{
    for (int bank = 0; bank < DPCXR_N_BANKS; bank++)
        clear_bank(banks, (DpcxrBank)bank);
}

/* Rounded up to whole cache lines, as aligned_alloc wants it. */
static gsize tensor_bytes(const DpcxrGraph *graph, int i)
{
    return (dpcxr_graph_parameter(graph, i)->size * sizeof(float) + 63) & ~(gsize)63;
}

gboolean dpcxr_banks_need(DpcxrBanks *banks, DpcxrBank bank, GError **error)
{
    if (banks->tensors[bank])
        return TRUE;
    int n = dpcxr_graph_n_parameters(banks->graph);
    banks->tensors[bank] = g_new0(float *, n);
    for (int i = 0; i < n; i++) {
        gsize bytes = tensor_bytes(banks->graph, i);
        banks->tensors[bank][i] = aligned_alloc(64, bytes);
        if (!banks->tensors[bank][i]) {
            clear_bank(banks, bank);
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "not enough memory for the parameters (%zu bytes for %s)",
                        bytes, dpcxr_graph_parameter(banks->graph, i)->name);
            return FALSE;
        }
        memset(banks->tensors[bank][i], 0, bytes);
    }
    return TRUE;
}

gboolean dpcxr_banks_need_for(DpcxrBanks *banks, const DpcxrUpdate *update, GError **error)
{
    gboolean first = update->rule == DPCXR_RULE_ADAPTIVE || update->momentum != 0;
    gboolean second = update->rule == DPCXR_RULE_ADAPTIVE;
    return (!first || dpcxr_banks_need(banks, DPCXR_BANK_MOMENT1, error)) &&
           (!second || dpcxr_banks_need(banks, DPCXR_BANK_MOMENT2, error)) &&
           (update->average_rate == 0 || dpcxr_banks_need(banks, DPCXR_BANK_AVERAGE, error));
}

gboolean dpcxr_banks_zero(DpcxrBanks *banks, DpcxrBank bank, GError **error)
{
    if (!dpcxr_banks_need(banks, bank, error))
        return FALSE;
    for (int i = 0; i < dpcxr_graph_n_parameters(banks->graph); i++)
        memset(banks->tensors[bank][i], 0, tensor_bytes(banks->graph, i));
    return TRUE;
}

float *dpcxr_banks_tensor(const DpcxrBanks *banks, DpcxrBank bank, int i)
{
    return banks->tensors[bank] ? banks->tensors[bank][i] : NULL;
}

gsize dpcxr_banks_bytes(const DpcxrBanks *banks)
{
    gsize bytes = 0;
    for (int bank = 0; bank < DPCXR_N_BANKS; bank++)
        for (int i = 0; banks->tensors[bank] && i < dpcxr_graph_n_parameters(banks->graph); i++)
            bytes += tensor_bytes(banks->graph, i);
    return bytes;
}

void dpcxr_banks_fail_not_finite(const DpcxrGraph *graph, int i, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                "the noised gradient of %s is not finite, so the step was not taken; training diverged: lower "
                "optimizer.lr",
                dpcxr_graph_parameter(graph, i)->name);
}
