/* SPDX-License-Identifier: MIT
 * What an event is worth: mixtures against exact arithmetic (tests/golden/accounting/sampling-oracle.py), full
 * batches, and what is refused. */
#include "privacy/binomial.h"
#include <dpcxr/sampling.h>
#include <math.h>
#include <string.h>

static double number(const char *text)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    g_assert_cmpstr(end, ==, "");
    return value;
}

/* @value is the exact one, rounded to @side by no more than 2e-8 of it. */
static void assert_outward(const char *row, double value, double exact, int side)
{
    double low = side > 0 ? exact * (1 - 1e-15) : exact * (1 - 2e-8),
           high = side > 0 ? exact * (1 + 2e-8) : exact * (1 + 1e-15);
    if (!(value >= low && value <= high + 2e-290))
        g_error("%s: got %.17g for %.17g, to be rounded %s", row, value, exact, side > 0 ? "up" : "down");
}

static void check_row(const char *row)
{
    g_auto(GStrv) cells = g_strsplit(row, ",", -1);
    DpcxrEvent event = {.sampler = DPCXR_SAMPLER_TRUNCATED_POISSON,
                        .sampling_rate = number(cells[1]),
                        .noise_multiplier = 3,
                        .count = 7,
                        .population = (guint64)number(cells[0]),
                        .cap = (guint64)number(cells[2])};
    double last = number(cells[3]), none = number(cells[4]), rate = number(cells[5]), tail = number(cells[6]),
           ratio;
    DpcxrMixture mixture;
    double ours = dpcxr_binomial_tail(event.population, event.sampling_rate, event.cap, &ratio);
    g_assert_cmpfloat_with_epsilon(ours / tail, 1, DPCXR_BINOMIAL_ERROR);
    g_assert_true(dpcxr_event_mixture(&event, DPCXR_ADJACENCY_ZERO_OUT, &mixture));
    g_assert_cmpuint(mixture.count, ==, 7);
    if (event.cap == event.population) { /* nothing is cut */
        g_assert_cmpuint(mixture.n, ==, 1);
        g_assert_cmpfloat(mixture.components[0].sampling_rate, ==, event.sampling_rate);
    } else {
        const DpcxrComponent *c = mixture.components;
        g_assert_cmpuint(mixture.n, ==, 3);
        g_assert_cmpfloat(c[0].sampling_rate, ==, event.sampling_rate);
        g_assert_cmpfloat(c[2].sampling_rate, ==, 0);
        assert_outward(row, c[1].weight, last, 1);
        assert_outward(row, c[2].weight, none, -1);
        assert_outward(row, c[1].sampling_rate, rate, 1);
        g_assert_cmpfloat(fabs(c[0].weight + c[1].weight + c[2].weight - 1), <, 1e-15);
        for (int i = 0; i < 3; i++)
            g_assert_true(c[i].weight >= 0 && c[i].noise_multiplier == 3 && c[i].sampling_rate <= 1);
    }
    g_assert_true(dpcxr_event_mixture(&event, DPCXR_ADJACENCY_ADD_REMOVE, &mixture));
    g_assert_cmpuint(mixture.n, ==, 2);
    assert_outward(row, mixture.components[1].weight, tail, 1);
    g_assert_cmpfloat(mixture.components[1].sampling_rate, ==, event.sampling_rate);
    g_assert_cmpfloat(mixture.components[1].noise_multiplier, ==, 1.5);
    g_assert_cmpfloat(mixture.components[0].noise_multiplier, ==, 3);
}

static void test_oracle(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests/golden/accounting/sampling-oracle.csv", NULL);
    g_autofree char *text = NULL;
    int rows = 0;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines + 2; *line && **line; line++, rows++)
        check_row(*line);
    g_assert_cmpint(rows, ==, 19);
}

/* Far out, where probabilities are no numbers any more: nothing is lost, and nothing overflows. */
static void test_extremes(void)
{
    static const double rates[] = {1e-12, 1e-4, 0.3, 0.999, 1};
    static const guint64 populations[] = {2, 1000, 100000000}, parts[] = {1000, 20, 3, 1};
    for (gsize i = 0; i < G_N_ELEMENTS(rates) * 3 * 4; i++) {
        guint64 n = populations[i / 4 % 3], cap = MAX(1, n / parts[i % 4]);
        DpcxrEvent event = {DPCXR_SAMPLER_TRUNCATED_POISSON, rates[i / 12], 1, 1, n, cap};
        DpcxrMixture mixture;
        double sum = 0, in = 0;
        g_assert_true(dpcxr_event_mixture(&event, DPCXR_ADJACENCY_ZERO_OUT, &mixture));
        for (gsize c = 0; c < mixture.n; c++) {
            g_assert_true(mixture.components[c].weight >= 0);
            g_assert_true(mixture.components[c].sampling_rate >= 0 &&
                          mixture.components[c].sampling_rate <= 1);
            sum += mixture.components[c].weight;
            in += mixture.components[c].weight * mixture.components[c].sampling_rate;
        }
        g_assert_cmpfloat_with_epsilon(sum, 1, 1e-15);
        /* a unit is in with the mean of min(size, cap) over n: above none of these, and near the smaller one */
        double bound = MIN(rates[i / 12], (double)cap / (double)n);
        g_assert_cmpfloat(
            in, <=, bound * (1 + 3e-8) + 1e-8 * rates[i / 12]); /* rounding up may add to either weight */
        if (cap < n)
            g_assert_cmpfloat(in, >=, 0.2 * bound);
    }
}

static void test_full_batches(void)
{
    static const struct {
        DpcxrEvent event;
        guint64 steps; /* 0: it is sampled */
    } cases[] = {{{DPCXR_SAMPLER_FULL, 1, 1, 9, 0, 0}, 9},
                 {{DPCXR_SAMPLER_POISSON, 1, 1, 9, 0, 0}, 9},
                 {{DPCXR_SAMPLER_POISSON, 0.5, 1, 9, 0, 0}, 0},
                 {{DPCXR_SAMPLER_FIXED, 1, 1, 9, 10, 10}, 9},
                 {{DPCXR_SAMPLER_FIXED, 0.9, 1, 9, 10, 9}, 0},
                 {{DPCXR_SAMPLER_TRUNCATED_POISSON, 1, 1, 9, 10, 11}, 9},
                 {{DPCXR_SAMPLER_TRUNCATED_POISSON, 1, 1, 9, 10, 10}, 0},
                 {{DPCXR_SAMPLER_SHUFFLE, 0.3, 1, 8, 10, 3}, 2},
                 {{DPCXR_SAMPLER_SHUFFLE, 0.3, 1, 9, 10, 3}, 3},
                 {{DPCXR_SAMPLER_SHUFFLE, 0.3, 1, 1, 10, 3}, 1},
                 {{DPCXR_SAMPLER_SHUFFLE, 1, 1, 5, 10, 10}, 5}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint64 steps;
        DpcxrMixture mixture;
        g_assert_cmpint(dpcxr_event_full_batches(&cases[i].event, &steps), ==, cases[i].steps > 0);
        if (cases[i].steps == 0)
            continue;
        g_assert_cmpuint(steps, ==, cases[i].steps);
        g_assert_true(dpcxr_event_mixture(&cases[i].event, DPCXR_ADJACENCY_REPLACE_ONE, &mixture));
        g_assert_true(mixture.count == steps && mixture.n == 1 && mixture.components[0].sampling_rate == 1);
        g_assert_cmpfloat(mixture.components[0].noise_multiplier, ==, 0.5);
    }
    DpcxrMixture mixture;
    g_assert_false(dpcxr_event_mixture(&(DpcxrEvent){DPCXR_SAMPLER_FIXED, 0.1, 1, 9, 10, 1},
                                       DPCXR_ADJACENCY_ZERO_OUT, &mixture));
    g_assert_cmpuint(dpcxr_epoch_steps(10, 3), ==, 4);
    g_assert_cmpuint(dpcxr_epoch_steps(9, 3), ==, 3);
    g_assert_cmpuint(dpcxr_epoch_steps(1, 3), ==, 1);
}

/* Which sampler goes with which adjacency: rows zero_out, add_remove, replace_one. */
static void test_adjacencies(void)
{
    static const gboolean fits[DPCXR_N_ADJACENCIES][DPCXR_N_SAMPLERS] = {
        {TRUE, TRUE, TRUE, TRUE, TRUE}, {TRUE, TRUE, TRUE, FALSE, FALSE}, {FALSE, TRUE, FALSE, TRUE, TRUE}};
    for (int a = 0; a < DPCXR_N_ADJACENCIES; a++) {
        for (int s = 0; s < DPCXR_N_SAMPLERS; s++) {
            DpcxrEvent event = {s, s == DPCXR_SAMPLER_FULL ? 1 : 0.1, 1, 10, 100, 10};
            g_autoptr(GError) error = NULL;
            g_assert_cmpint(dpcxr_event_check("us", &event, a, &error), ==, fits[a][s]);
            if (fits[a][s])
                continue;
            g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
            g_assert_true(g_str_has_prefix(error->message, "us: "));
            g_assert_nonnull(strstr(error->message, "use adjacency zero_out or "));
        }
    }
}

static void test_refusals(void)
{
    static const struct {
        DpcxrEvent event;
        const char *says;
    } refused[] = {
        {{DPCXR_SAMPLER_FULL, 0.5, 1, 1, 0, 0}, "its sampling rate is 1, not 0.5"},
        {{DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 0, 5}, "needs the number of units"},
        {{DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 0}, "cap of at least 1"},
        {{DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, G_GUINT64_CONSTANT(1) << 36, 9}, "up to 2^35"},
        {{DPCXR_SAMPLER_FIXED, 1, 1, 1, 100, 101}, "101 units a step, which is more than the 100"},
        {{DPCXR_SAMPLER_FIXED, 0.333333333333, 1, 1, 3, 1}, "takes 1 of 3 units a step"},
        {{DPCXR_SAMPLER_SHUFFLE, 0.01, 1, 1, 100, 10}, "its sampling rate is 0.1"},
        {{DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 1, 100, 0}, "cap of at least 1"},
        {{DPCXR_N_SAMPLERS, 0.1, 1, 1, 100, 10}, "unknown sampler"}};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(dpcxr_event_check("us", &refused[i].event, DPCXR_ADJACENCY_ZERO_OUT, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_assert_nonnull(strstr(error->message, refused[i].says));
    }
    /* a quotient that was rounded down is taken, and counted as rounded up */
    DpcxrEvent third = {DPCXR_SAMPLER_FIXED, 0.33333333333333331, 1, 1, 3, 1};
    DpcxrMixture mixture;
    g_assert_true(dpcxr_event_check("us", &third, DPCXR_ADJACENCY_ZERO_OUT, NULL));
    g_assert_false(dpcxr_event_mixture(&third, DPCXR_ADJACENCY_ZERO_OUT, &mixture));
    g_assert_cmpfloat(fma(mixture.components[0].sampling_rate, 3, -1), >=, 0);
    g_assert_cmpfloat(mixture.components[0].noise_multiplier, ==, 0.5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampling/oracle", test_oracle);
    g_test_add_func("/sampling/extremes", test_extremes);
    g_test_add_func("/sampling/full-batches", test_full_batches);
    g_test_add_func("/sampling/adjacencies", test_adjacencies);
    g_test_add_func("/sampling/refusals", test_refusals);
    return g_test_run();
}
