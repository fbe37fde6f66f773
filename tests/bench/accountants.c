/* SPDX-License-Identifier: MIT
 * How long accountants take and how wide their intervals are, over a grid: one line a case, as CSV.
 *
 *     DPCXR_PLUGIN_PATH=build/plugins build/tests/bench/bench-accountants rdp pld prv > accountants.csv
 *
 * Each case is asked once, in this process. Milliseconds are of the processor, so that other work does not count. */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include "config/options.h"
#include "privacy/accounting.h"

static DpcxrFeature feature_new(const char *type)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, type, &error);
    if (!entry)
        g_error("%s", error->message);
    DpcxrFeature feature = {.type = (char *)type, .entry = entry};
    feature.options = dpcxr_options_parse(entry->plugin->options, "", &error);
    g_assert_no_error(error);
    return feature;
}

static void ask(const DpcxrFeature *accountant, const DpcxrEvent *event, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, event, 1};
    DpcxrInterval e;
    clock_t start = clock();
    gboolean done = dpcxr_account_epsilon(accountant, &mechanism, delta, &e, &error);
    double ms = 1000 * (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%s,%g,%g,%g,%g,", accountant->type, event->sampling_rate, event->noise_multiplier,
           (double)event->count, delta);
    if (done)
        printf("%.9g,%.9g,%.2e,%.2f\n", e.lower, e.upper, (e.upper - e.lower) / e.upper, ms);
    else
        printf(",,,%.2f\n", ms);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const double rates[] = {1e-6, 1e-4, 1e-3, 1e-2, 0.1, 0.5}, noises[] = {0.5, 1, 3, 20},
                        counts[] = {1, 100, 1e4, 1e6}, deltas[] = {1e-2, 1e-5, 1e-8, 1e-12};
    dpcxr_registry_scan();
    printf("accountant,sampling_rate,noise_multiplier,steps,delta,lower,upper,relative_width,ms\n");
    for (int a = 1; a < argc; a++) {
        DpcxrFeature accountant = feature_new(argv[a]);
        for (gsize i = 0; i < G_N_ELEMENTS(rates) * G_N_ELEMENTS(noises) * G_N_ELEMENTS(counts) * 4; i++) {
            DpcxrEvent event = {.sampling_rate = rates[i / 64],
                                .noise_multiplier = noises[i / 16 % 4],
                                .count = (guint64)counts[i / 4 % 4]};
            ask(&accountant, &event, deltas[i % 4]);
        }
        dpcxr_options_free(accountant.options);
    }
    return 0;
}
