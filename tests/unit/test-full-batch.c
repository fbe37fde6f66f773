/* SPDX-License-Identifier: MIT
 * The accountants of full batches, gaussian and zcdp, and the approximate gdp, through the public interface:
 * against 60-digit values, published rows and each other. Where the stored values come from:
 * tests/golden/accounting. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"

typedef enum { GAUSSIAN, ZCDP, GDP, RDP, N_ACCOUNTANTS } Name;
static const char *const names[N_ACCOUNTANTS] = {"gaussian", "zcdp", "gdp", "rdp"};

typedef struct {
    DpcxrFeature features[N_ACCOUNTANTS], classic; /* classic: zcdp by Bun & Steinke */
} Fixture;

static DpcxrFeature feature_new(const char *name, const char *options)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, &error);
    g_assert_no_error(error);
    DpcxrFeature feature = {.type = (char *)name, .entry = entry};
    feature.options = dpcxr_options_parse(entry->plugin->options, options, &error);
    g_assert_no_error(error);
    return feature;
}

static void setup(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < N_ACCOUNTANTS; i++)
        f->features[i] = feature_new(names[i], "");
    f->classic = feature_new("zcdp", "{conversion: classic}");
}

static void teardown(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < N_ACCOUNTANTS; i++)
        dpcxr_options_free(f->features[i].options);
    dpcxr_options_free(f->classic.options);
}

typedef gboolean (*Account)(const DpcxrFeature *, const DpcxrMechanism *, double, DpcxrInterval *, GError **);

static DpcxrInterval ask(Account account, const DpcxrFeature *feature, const DpcxrMechanism *mechanism,
                         double given)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval interval;
    gboolean done = account(feature, mechanism, given, &interval, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return interval;
}

static DpcxrInterval epsilon_of(const DpcxrFeature *feature, const DpcxrEvent *event, double delta)
{
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, event, 1};
    return ask(dpcxr_account_epsilon, feature, &mechanism, delta);
}

static DpcxrEvent full(double noise_multiplier, guint64 count)
{
    return (DpcxrEvent){DPCXR_SAMPLER_FULL, 1, noise_multiplier, count, 0, 0};
}

static GStrv golden_rows(const char *name)
{
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SOURCE"), "tests/golden/accounting", name, NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *rows = g_ptr_array_new();
    gboolean heading = TRUE;
    for (char **line = lines; *line; line++) {
        if (**line == '\0' || **line == '#')
            continue;
        if (!heading)
            g_ptr_array_add(rows, g_strdup(*line));
        heading = FALSE;
    }
    g_ptr_array_add(rows, NULL);
    return (GStrv)g_ptr_array_free(rows, FALSE);
}

/* @text as a double; where it underflows, the smallest normal one: what an upper end has to reach. */
static double number(const char *text)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    g_assert_cmpstr(end, ==, "");
    return value;
}

/* Ends enclose the stored value, up to its own rounding to a double, and are no further apart than @width. */
static void assert_encloses(const char *row, DpcxrInterval interval, double exact, double width)
{
    double ulp = 4e-16 * exact;
    if (!(interval.lower <= exact + ulp && interval.upper >= exact - ulp &&
          interval.upper - interval.lower <= width * exact + 1e-300))
        g_error("%s: got %.17g to %.17g for %.17g", row, interval.lower, interval.upper, exact);
}

static void assert_above(const char *row, DpcxrInterval interval, double exact, double width)
{
    interval.lower = exact;
    assert_encloses(row, interval, exact, width);
}

static void test_oracle(Fixture *f, gconstpointer data)
{
    g_auto(GStrv) rows = golden_rows("gaussian-oracle.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 180);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        DpcxrEvent event = full(number(cells[0]), (guint64)number(cells[1]));
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
        gboolean inverse = g_str_equal(cells[2], "delta");
        Account account = inverse ? dpcxr_account_epsilon : dpcxr_account_delta;
        /* delta below DBL_MIN: the upper ends stay above 0 */
        double exact = MAX(number(cells[4]), inverse ? 0 : 2e-308), width = inverse ? 1e-7 : 1e-6;
        if (!inverse && number(cells[4]) < 1e-307)
            width = 1;
        DpcxrInterval gaussian = ask(account, &f->features[GAUSSIAN], &mechanism, number(cells[3]));
        DpcxrInterval zcdp = ask(account, &f->features[ZCDP], &mechanism, number(cells[3]));
        assert_encloses(*row, gaussian, exact, width);
        assert_above(*row, zcdp, MAX(number(cells[5]), inverse ? 0 : 2e-308), MAX(width, 1e-6));
        g_assert_true(gaussian.lower >= 0 && zcdp.upper >= gaussian.upper);
    }
}

/* Rows of other projects: their value, up to the digits they print. */
static void test_reference(Fixture *f, gconstpointer data)
{
    g_auto(GStrv) rows = golden_rows("gaussian-reference.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 12);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", 8);
        const DpcxrFeature feature = feature_new(cells[0], "");
        DpcxrEvent event = full(number(cells[2]), (guint64)number(cells[3]));
        event.sampling_rate = number(cells[1]);
        if (event.sampling_rate < 1)
            event.sampler = DPCXR_SAMPLER_POISSON;
        double ours = epsilon_of(&feature, &event, number(cells[4])).estimate;
        if (!(fabs(ours - number(cells[5])) <= number(cells[6])))
            g_error("%s: got %.12g", *row, ours);
        dpcxr_options_free(feature.options);
    }
}

/* The truth is below every bound; more steps, less noise and a smaller delta cost more. */
static void test_order(Fixture *f, gconstpointer data)
{
    static const double noises[] = {0.05, 0.3, 1, 7, 90, 3000}, deltas[] = {1e-18, 1e-10, 1e-5, 1e-2, 0.5};
    static const guint64 counts[] = {1, 17, 1000, 1000000, 10000000};
    for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
        for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
            DpcxrEvent event = full(noises[n], counts[c]), more = full(noises[n], counts[c] + 1),
                       louder = full(noises[n] * 1.01, counts[c]);
            DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
            double previous = INFINITY;
            for (gsize d = 0; d < G_N_ELEMENTS(deltas); d++) {
                DpcxrInterval exact = epsilon_of(&f->features[GAUSSIAN], &event, deltas[d]);
                double zcdp = epsilon_of(&f->features[ZCDP], &event, deltas[d]).upper;
                double rdp = epsilon_of(&f->features[RDP], &event, deltas[d]).upper;
                g_assert_cmpfloat(exact.upper, <=, previous);
                g_assert_cmpfloat(exact.upper, <=, zcdp * (1 + 1e-12));
                g_assert_cmpfloat(exact.lower, <=, rdp);
                g_assert_cmpfloat(zcdp, <=, epsilon_of(&f->classic, &event, deltas[d]).upper);
                if (rdp > 0) /* the same bound; rdp knows of the total variation, too */
                    g_assert_cmpfloat_with_epsilon(zcdp / rdp, 1, 1e-6);
                for (int a = 0; a < GDP; a++) {
                    DpcxrInterval here = epsilon_of(&f->features[a], &event, deltas[d]);
                    g_assert_cmpfloat(epsilon_of(&f->features[a], &more, deltas[d]).upper, >=, here.lower);
                    g_assert_cmpfloat(epsilon_of(&f->features[a], &louder, deltas[d]).lower, <=, here.upper);
                }
                DpcxrInterval back =
                    ask(dpcxr_account_delta, &f->features[GAUSSIAN], &mechanism, exact.upper);
                g_assert_cmpfloat(back.lower, <=, deltas[d]);
                previous = exact.upper;
            }
        }
    }
}

static void test_compose(Fixture *f, gconstpointer data)
{
    const DpcxrEvent parts[] = {full(2, 7), full(0.5, 1), full(30, 1000), full(2, 0)};
    const DpcxrEvent reversed[] = {parts[3], parts[2], parts[1], parts[0]};
    double mu_squared = 7 / 4. + 4 + 1000 / 900.;
    DpcxrEvent one = full(1 / sqrt(mu_squared), 1);
    DpcxrMechanism a = {DPCXR_ADJACENCY_ZERO_OUT, parts, 4}, b = {DPCXR_ADJACENCY_ZERO_OUT, reversed, 4};
    for (int i = 0; i < N_ACCOUNTANTS; i++) {
        double expected = epsilon_of(&f->features[i], &one, 1e-6).estimate;
        g_assert_cmpfloat_with_epsilon(ask(dpcxr_account_epsilon, &f->features[i], &a, 1e-6).estimate,
                                       expected, 1e-9 * expected);
        g_assert_cmpfloat_with_epsilon(ask(dpcxr_account_epsilon, &f->features[i], &b, 1e-6).estimate,
                                       expected, 1e-9 * expected);
    }
}

/* Exchanging a unit is like halving the noise; a Poisson sample of rate 1 is a full batch. */
static void test_equivalent(Fixture *f, gconstpointer data)
{
    DpcxrEvent wide = full(6, 4), narrow = full(3, 4), everyone = full(3, 4);
    DpcxrMechanism replaced = {DPCXR_ADJACENCY_REPLACE_ONE, &wide, 1};
    everyone.sampler = DPCXR_SAMPLER_POISSON;
    for (int i = 0; i < N_ACCOUNTANTS; i++) {
        double expected = epsilon_of(&f->features[i], &narrow, 1e-6).estimate;
        g_assert_cmpfloat_with_epsilon(ask(dpcxr_account_epsilon, &f->features[i], &replaced, 1e-6).estimate,
                                       expected, 1e-9);
        g_assert_cmpfloat_with_epsilon(epsilon_of(&f->features[i], &everyone, 1e-6).estimate, expected, 1e-9);
    }
}

/* gdp is the exact curve of mu^2 = sum of q^2 T (e^(1/sigma^2) - 1), and full batches beside that exactly. */
static void test_gdp(Fixture *f, gconstpointer data)
{
    const DpcxrEvent events[] = {{DPCXR_SAMPLER_POISSON, 0.01, 1.1, 3000, 0, 0},
                                 {DPCXR_SAMPLER_POISSON, 0.02, 0.9, 200, 0, 0},
                                 full(8, 5)};
    double mu_squared = 0.3 * expm1(1 / 1.21) + 0.08 * expm1(1 / 0.81) + 5 / 64.;
    DpcxrEvent equal = full(1 / sqrt(mu_squared), 1);
    DpcxrMechanism all = {DPCXR_ADJACENCY_ADD_REMOVE, events, 3},
                   one = {DPCXR_ADJACENCY_ADD_REMOVE, &equal, 1};
    DpcxrInterval ours = ask(dpcxr_account_epsilon, &f->features[GDP], &all, 1e-5);
    g_assert_cmpfloat_with_epsilon(
        ours.estimate, ask(dpcxr_account_epsilon, &f->features[GAUSSIAN], &one, 1e-5).estimate, 1e-9);
    g_assert_true(ours.lower == -INFINITY && ours.upper == INFINITY);
    g_assert_cmpfloat_with_epsilon(ask(dpcxr_account_delta, &f->features[GDP], &all, 1).estimate,
                                   ask(dpcxr_account_delta, &f->features[GAUSSIAN], &one, 1).estimate, 1e-12);

    g_autoptr(GError) error = NULL; /* and it is no bound */
    g_assert_false(dpcxr_account_claim(&f->features[GDP], &all, 1e-5, &ours, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

static void test_extremes(Fixture *f, gconstpointer data)
{
    static const double noises[] = {0.01, 0.05, 1, 1e5}, deltas[] = {1e-300, 1e-18, 0.5, 0.999999},
                        epsilons[] = {0, 1e-300, 1e-6, 1, 1000, 1e300};
    static const guint64 counts[] = {0, 1, 10000000, G_GUINT64_CONSTANT(1) << 47};
    for (gsize i = 0; i < G_N_ELEMENTS(noises) * G_N_ELEMENTS(counts) * GDP * 2; i++) {
        DpcxrEvent event = full(noises[i % 4], counts[i / 4 % 4]);
        const DpcxrFeature *feature = &f->features[i / 16 % 3];
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
        if (i >= 48 && feature == &f->features[GDP])
            event.sampler = DPCXR_SAMPLER_POISSON, event.sampling_rate = 1e-3;
        for (gsize k = 0; k < G_N_ELEMENTS(deltas); k++) {
            DpcxrInterval epsilon = ask(dpcxr_account_epsilon, feature, &mechanism, deltas[k]);
            g_assert_true(epsilon.estimate >= 0 && (isfinite(epsilon.estimate) || noises[i % 4] < 0.05));
            g_assert_true(event.count > 0 || epsilon.estimate == 0);
        }
        for (gsize k = 0; k < G_N_ELEMENTS(epsilons); k++) {
            DpcxrInterval delta = ask(dpcxr_account_delta, feature, &mechanism, epsilons[k]);
            g_assert_true(delta.estimate >= 0 && delta.estimate <= 1);
        }
    }
}

/* A shuffled epoch is one full batch to every one of them, a part of one a whole one. */
static void test_epochs(Fixture *f, gconstpointer data)
{
    DpcxrEvent shuffle = {DPCXR_SAMPLER_SHUFFLE, 0.3, 4, 9, 10, 3}, full_batches = full(4, 3);
    for (int name = GAUSSIAN; name < N_ACCOUNTANTS; name++) {
        for (int a = DPCXR_ADJACENCY_ZERO_OUT; a <= DPCXR_ADJACENCY_REPLACE_ONE; a += 2) {
            DpcxrMechanism of_shuffle = {a, &shuffle, 1}, of_full = {a, &full_batches, 1};
            DpcxrInterval x = ask(dpcxr_account_epsilon, &f->features[name], &of_shuffle, 1e-5);
            DpcxrInterval y = ask(dpcxr_account_epsilon, &f->features[name], &of_full, 1e-5);
            g_assert_true(x.estimate == y.estimate && x.upper == y.upper && x.lower == y.lower && x.estimate > 0);
        }
    }
}

static void test_refusals(Fixture *f, gconstpointer data)
{
    static const struct {
        Name name;
        DpcxrAdjacency adjacency;
        DpcxrEvent event;
        const char *says;
    } refused[] = {
        {GAUSSIAN, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "or accountant rdp"},
        {ZCDP, DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "no amplification"},
        {ZCDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FIXED, 0.1, 1, 1, 100, 10}, "use sampler full"},
        {GAUSSIAN, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 1, 0, 0}, "sampler shuffle"},
        {GAUSSIAN, DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 10, 100, 10}, "zero_out or replace_one"},
        {GAUSSIAN, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 20}, "accountant rdp, which covers Poisson"},
        {GDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FIXED, 0.1, 1, 1, 100, 10}, "accountant rdp, which covers samples of a fixed size"},
        {GAUSSIAN, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 0.1, 1, 1, 0, 0}, "rate is 1"},
        {ZCDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 1, 1e-3, 1, 0, 0}, "0.001"},
        {GDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 1, 1e6, 1, 0, 0}, "1e+06"},
        {GDP, DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "use adjacency"},
        {GDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 20}, "truncated"},
        {GDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 1e-13, 1, 1, 0, 0}, "1e-13"},
        {GDP, DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1e-3, 1, 0, 0}, "0.001"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrInterval epsilon;
        const DpcxrEvent events[] = {full(1, 1), refused[i].event};
        DpcxrMechanism mechanism = {refused[i].adjacency, events, 2};
        g_assert_false(
            dpcxr_account_epsilon(&f->features[refused[i].name], &mechanism, 1e-5, &epsilon, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        if (!strstr(error->message, refused[i].says) ||
            !g_str_has_prefix(error->message, names[refused[i].name]))
            g_error("\"%s\" does not say \"%s\"", error->message, refused[i].says);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < N_ACCOUNTANTS; i++) {
        g_autofree char *file = g_strdup_printf("dpcxr-accountant-%s.so", names[i]);
        g_autofree char *plugin = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
        g_assert_true(dpcxr_registry_add(plugin, NULL));
    }
    g_test_add("/full-batch/oracle", Fixture, NULL, setup, test_oracle, teardown);
    g_test_add("/full-batch/reference", Fixture, NULL, setup, test_reference, teardown);
    g_test_add("/full-batch/order", Fixture, NULL, setup, test_order, teardown);
    g_test_add("/full-batch/compose", Fixture, NULL, setup, test_compose, teardown);
    g_test_add("/full-batch/equivalent", Fixture, NULL, setup, test_equivalent, teardown);
    g_test_add("/full-batch/gdp", Fixture, NULL, setup, test_gdp, teardown);
    g_test_add("/full-batch/extremes", Fixture, NULL, setup, test_extremes, teardown);
    g_test_add("/full-batch/epochs", Fixture, NULL, setup, test_epochs, teardown);
    g_test_add("/full-batch/refusals", Fixture, NULL, setup, test_refusals, teardown);
    return g_test_run();
}
