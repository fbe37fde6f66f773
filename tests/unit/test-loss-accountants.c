/* SPDX-License-Identifier: MIT
 * The accountants that follow the privacy loss, pld and prv, through the public interface: against exact values and
 * contour integrals of the moment generating function, published values, the bounds of rdp, each other, and what any
 * accountant has to do. Where the stored values come from: tests/golden/accounting. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/group.h"
#include "privacy/loss/bounds.h"
#include "privacy/loss/inversion.h"

static DpcxrFeature feature_new(const char *type)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, type, &error);
    g_assert_no_error(error);
    DpcxrFeature feature = {.type = (char *)type, .entry = entry};
    feature.options = dpcxr_options_parse(entry->plugin->options, "", &error);
    g_assert_no_error(error);
    return feature;
}

static DpcxrInterval epsilon_by(const char *type, const DpcxrEvent *events, gsize n, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(type);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, events, n};
    DpcxrInterval epsilon;
    gboolean done = dpcxr_account_epsilon(&feature, &mechanism, delta, &epsilon, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return epsilon;
}

static const char *asked; /* pld or prv: whom the tests below ask */

static DpcxrInterval epsilon_of(const DpcxrEvent *events, gsize n, double delta)
{
    return epsilon_by(asked, events, n, delta);
}

static DpcxrInterval delta_of(const DpcxrEvent *events, gsize n, double epsilon)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(asked);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, events, n};
    DpcxrInterval delta;
    gboolean done = dpcxr_account_delta(&feature, &mechanism, epsilon, &delta, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return delta;
}

static DpcxrEvent poisson(double rate, double noise_multiplier, guint64 count)
{
    return (DpcxrEvent){.sampling_rate = rate, .noise_multiplier = noise_multiplier, .count = count};
}

/* Rows of a stored table without comments and heading. (transfer full) */
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

static double number(const char *text)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    g_assert_cmpstr(end, ==, "");
    return value;
}

/* lower <= truth <= upper, both for epsilon and for delta; the stored digits leave 1e-9. */
static void test_oracle(gconstpointer accountant)
{
    asked = accountant;
    g_auto(GStrv) rows = golden_rows("pld-oracle.csv");
    g_assert_cmpuint(g_strv_length(rows), >=, 20);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        g_auto(GStrv) texts = g_strsplit(cells[2], ";", -1);
        DpcxrEvent events[4];
        gsize n = g_strv_length(texts);
        g_assert_cmpuint(n, <=, G_N_ELEMENTS(events));
        for (gsize i = 0; i < n; i++) {
            g_auto(GStrv) words = g_strsplit(texts[i], " ", 3);
            events[i] = poisson(number(words[0]), number(words[1]), (guint64)number(words[2]));
        }
        double epsilon = number(cells[0]), delta = number(cells[1]);
        DpcxrInterval e = epsilon_of(events, n, delta), d = delta_of(events, n, epsilon);
        if (!(e.lower <= epsilon * (1 + 1e-9) && e.upper >= epsilon * (1 - 1e-9)))
            g_error("%s: epsilon in %.12g to %.12g", *row, e.lower, e.upper);
        if (!(e.upper - e.lower <= 1e-3 * epsilon))
            g_error("%s: epsilon in %.12g to %.12g is too wide", *row, e.lower, e.upper);
        if (!(d.lower <= delta * (1 + 1e-7) && d.upper >= delta * (1 - 1e-7) &&
              d.upper - d.lower <= 5e-3 * delta))
            g_error("%s: delta in %.12g to %.12g", *row, d.lower, d.upper);
    }
}

/* The same Gaussian mechanism in many small steps, sampled at a rate that is 1 but for the last bits, so that
 * it goes all the way through composition: epsilon is that of one step. */
static void test_nearly_gaussian(gconstpointer accountant)
{
    asked = accountant;
    static const guint64 counts[] = {7, 1000, 1000000, 10000000};
    DpcxrEvent one = poisson(1, 1, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (double delta = 0.3; delta > 1e-18; delta *= 1e-4) {
            DpcxrEvent many = poisson(nextafter(1, 0), sqrt((double)counts[i]), counts[i]);
            DpcxrInterval a = epsilon_of(&one, 1, delta), b = epsilon_of(&many, 1, delta);
            g_assert_cmpfloat(a.lower, <=, b.upper * (1 + 1e-9));
            g_assert_cmpfloat(b.lower, <=, a.upper * (1 + 1e-9));
            g_assert_cmpfloat(b.upper - b.lower, <=, 1e-3 * b.upper);
        }
    }
}

/* An estimate of a published accountant: at most so far above the truth, and (with what it says of itself)
 * not below. */
static void test_reference(gconstpointer accountant)
{
    asked = accountant;
    g_auto(GStrv) rows = golden_rows("pld-reference.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 40);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", 7);
        DpcxrEvent event = poisson(number(cells[1]), number(cells[2]), (guint64)number(cells[3]));
        double delta = number(cells[4]), epsilon = number(cells[5]);
        if (g_str_equal(cells[0], "PLD-Fourier")) {
            DpcxrInterval d = delta_of(&event, 1, epsilon);
            /* 2e-4: their discretisation; a contour integral in 34 digits gives 0.239143 for the row that is off most */
            if (!(d.lower <= delta * (1 + 2e-4) && d.upper >= delta * (1 - 2e-4)))
                g_error("%s: delta in %.12g to %.12g", *row, d.lower, d.upper);
            continue;
        }
        DpcxrInterval e = epsilon_of(&event, 1, delta);
        gboolean exact = g_str_equal(cells[0], "exact-Gaussian");
        double printed = exact ? 5e-6 * epsilon : 2e-3 + 1e-3 * epsilon;
        if (!(e.upper - e.lower <= 2e-3 * e.upper) || !(e.lower <= epsilon + printed) ||
            (exact && !(e.upper >= epsilon - printed)) || !(epsilon <= e.upper * 1.02 + 0.011))
            g_error("%s: epsilon in %.12g to %.12g", *row, e.lower, e.upper);
    }
}

/* What another program computed as lower bounds, and rdp as upper ones. */
static void test_other_bounds(gconstpointer accountant)
{
    asked = accountant;
    g_auto(GStrv) rows = golden_rows("lower-bound.csv");
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        DpcxrEvent event = poisson(number(cells[0]), number(cells[1]), (guint64)number(cells[2]));
        double delta = number(cells[3]), bound = number(cells[4]);
        DpcxrInterval e = epsilon_of(&event, 1, delta);
        double rdp = epsilon_by("rdp", &event, 1, delta).upper;
        if (!(e.upper >= bound && e.lower <= rdp))
            g_error("%s: epsilon in %.12g to %.12g, rdp %.12g", *row, e.lower, e.upper, rdp);
    }
}

/* For more steps, a higher rate, less noise or a smaller delta, epsilon is larger: the new upper end is not
 * below the old lower end. */
static void test_monotone(gconstpointer accountant)
{
    asked = accountant;
    static const double rates[] = {0.001, 0.1, 0.9, 1}, noises[] = {50, 2, 0.7},
                        deltas[] = {0.3, 1e-5, 1e-15};
    static const guint64 counts[] = {1, 30, 1000, 20000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            DpcxrEvent event = poisson(rates[r], noises[n], counts[2]);
            double here = epsilon_of(&event, 1, 1e-5).lower, previous = 0;
            for (gsize d = 0; d < G_N_ELEMENTS(deltas); d++) {
                DpcxrInterval e = epsilon_of(&event, 1, deltas[d]);
                g_assert_cmpfloat(e.upper, >=, previous);
                previous = e.lower;
                g_assert_cmpfloat(e.lower, <=, epsilon_by("rdp", &event, 1, deltas[d]).upper);
            }
            previous = 0;
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                event.count = counts[c];
                DpcxrInterval e = epsilon_of(&event, 1, 1e-5);
                g_assert_cmpfloat(e.upper, >=, previous);
                previous = e.lower;
            }
            event.count = counts[2];
            if (n + 1 < G_N_ELEMENTS(noises)) {
                event.noise_multiplier = noises[n + 1];
                g_assert_cmpfloat(epsilon_of(&event, 1, 1e-5).upper, >=, here);
                event.noise_multiplier = noises[n];
            }
            if (r + 1 < G_N_ELEMENTS(rates)) {
                event.sampling_rate = rates[r + 1];
                g_assert_cmpfloat(epsilon_of(&event, 1, 1e-5).upper, >=, here);
            }
        }
    }
}

static void test_order(gconstpointer accountant)
{
    asked = accountant;
    const DpcxrEvent one[] = {poisson(0.01, 1, 400), poisson(1, 20, 1), poisson(0.03, 2, 77),
                              poisson(0.01, 1, 600)};
    const DpcxrEvent other[] = {poisson(0.03, 2, 77), poisson(0.01, 1, 1000), poisson(1, 20, 1),
                                poisson(0.5, 3, 0)};
    DpcxrInterval a = epsilon_of(one, 4, 1e-7), b = epsilon_of(other, 4, 1e-7);
    g_assert_cmpfloat(a.lower, ==, b.lower);
    g_assert_cmpfloat(a.upper, ==, b.upper);
    g_assert_cmpfloat(a.lower, >, epsilon_of(one, 3, 1e-7).upper);
}

/* Many different events of one step each, as a schedule of the noise makes them: between all at the least
 * noise and all at the most. */
static void test_schedule(gconstpointer accountant)
{
    asked = accountant;
    DpcxrEvent events[200];
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
        events[i] = poisson(0.05, 1 + 0.001 * (double)i, 1);
    DpcxrEvent most = poisson(0.05, 1, 200), least = poisson(0.05, 1.2, 200),
               middle = poisson(0.05, 1.1, 200);
    DpcxrInterval e = epsilon_of(events, G_N_ELEMENTS(events), 1e-6);
    g_assert_cmpfloat(e.upper - e.lower, <=, 1e-3 * e.upper);
    g_assert_cmpfloat(e.upper, <, epsilon_of(&most, 1, 1e-6).lower);
    g_assert_cmpfloat(e.lower, >, epsilon_of(&least, 1, 1e-6).upper);
    g_assert_cmpfloat_with_epsilon(e.estimate, epsilon_of(&middle, 1, 1e-6).estimate, 0.1);
}

/* Exchanging a unit is like halving the noise. */
static void test_replace_one(gconstpointer accountant)
{
    asked = accountant;
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(asked);
    DpcxrEvent full = {.sampler = DPCXR_SAMPLER_FULL, 1, 6, 4, 0, 0}, half = poisson(1, 3, 4);
    DpcxrMechanism replace = {DPCXR_ADJACENCY_REPLACE_ONE, &full, 1};
    DpcxrInterval e;
    g_assert_true(dpcxr_account_epsilon(&feature, &replace, 1e-5, &e, &error));
    g_assert_cmpfloat(e.upper, ==, epsilon_of(&half, 1, 1e-5).upper);
    dpcxr_options_free(feature.options);
}

/* A unit never takes part with probability (1-q)^T: at that delta, epsilon is 0. */
static void test_trivial(gconstpointer accountant)
{
    asked = accountant;
    if (g_str_equal(asked, "pld")) { /* prv has too much work with it */
        DpcxrEvent event = poisson(1e-6, 0.1, 100);
        DpcxrInterval e = epsilon_of(&event, 1, 1e-4), d = delta_of(&event, 1, 0);
        g_assert_cmpfloat(e.lower, ==, 0);
        g_assert_cmpfloat(e.upper, <=, 1e-3);
        g_assert_cmpfloat(d.lower, <=, 1e-4);
        g_assert_cmpfloat(d.upper, >, 0.99e-4);
    }
    DpcxrEvent one = poisson(1, 1, 1); /* erf(1 / sqrt 8) = 0.3829 */
    g_assert_cmpfloat(epsilon_of(&one, 1, 0.383).upper, ==, 0);
    g_assert_cmpfloat(epsilon_of(&one, 1, 0.3829).lower, >, 0);
}

/* prv says so where the work would be too much; then FALSE. */
static gboolean may_refuse(const DpcxrEvent *event, double delta, DpcxrInterval *epsilon)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(asked);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, event, 1};
    gboolean done = dpcxr_account_epsilon(&feature, &mechanism, delta, epsilon, &error);
    dpcxr_options_free(feature.options);
    if (!done) {
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_assert_cmpstr(asked, ==, "prv");
        g_assert_nonnull(strstr(error->message, "more work"));
    }
    return done;
}

/* Corners of what it is made for: an interval, of sensible numbers, never above what is known otherwise. */
static void test_extremes(gconstpointer accountant)
{
    asked = accountant;
    static const double rates[] = {1e-6, 1e-3, 0.5, 1}, noises[] = {0.2, 1, 200},
                        deltas[] = {1e-18, 1e-7, 0.5};
    static const guint64 counts[] = {1, 3000, 10000000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                DpcxrEvent event = poisson(rates[r], noises[n], counts[c]);
                double delta = deltas[(r + n + c) % G_N_ELEMENTS(deltas)];
                DpcxrInterval e;
                if (!may_refuse(&event, delta, &e))
                    continue;
                g_test_message("%g %g %" G_GUINT64_FORMAT " %g: %.9g to %.9g", rates[r], noises[n], counts[c],
                               delta, e.lower, e.upper);
                g_assert_true(e.lower >= 0 && e.lower <= e.upper && isfinite(e.upper));
                g_assert_cmpfloat(e.lower, <=, epsilon_by("rdp", &event, 1, delta).upper * (1 + 1e-9));
            }
        }
    }
}

static void test_refusals(gconstpointer accountant)
{
    asked = accountant;
    static const struct {
        DpcxrAdjacency adjacency;
        DpcxrEvent event;
        const char *says;
    } refused[] = {
        {DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "replace_one"},
        {DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 20}, "truncated"},
        {DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_FIXED, 0.1, 1, 1, 100, 10}, "fixed"},
        {DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 10, 100, 10}, "shuffle"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 0.1, 1, 1, 0, 0}, "rate is 1"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1e-3, 1, 0, 0}, "0.001"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 1e-13, 1, 1, 0, 0}, "1e-13"},
        {DPCXR_ADJACENCY_ZERO_OUT,
         {DPCXR_SAMPLER_POISSON, 0.1, 1, G_GUINT64_CONSTANT(1) << 47, 0, 0},
         "steps"},
    };
    DpcxrFeature feature = feature_new(asked);
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrInterval epsilon;
        const DpcxrEvent events[] = {{DPCXR_SAMPLER_FULL, 1, 1, 1, 0, 0}, refused[i].event};
        DpcxrMechanism mechanism = {refused[i].adjacency, events, 2};
        g_assert_false(dpcxr_account_epsilon(&feature, &mechanism, 1e-5, &epsilon, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_assert_nonnull(strstr(error->message, refused[i].says));
    }
    dpcxr_options_free(feature.options);
}

/* Two ways to the same numbers: the intervals share a point, wherever both answer. */
static void test_overlap(void)
{
    GRand *rand = g_rand_new_with_seed(11);
    for (int i = 0; i < 120; i++) {
        DpcxrEvent event = poisson(exp(g_rand_double_range(rand, log(1e-4), 0)),
                                   exp(g_rand_double_range(rand, log(0.6), log(200))),
                                   (guint64)exp(g_rand_double_range(rand, 0, log(1e7))));
        double delta = exp(g_rand_double_range(rand, log(1e-18), log(0.5)));
        DpcxrInterval of[2];
        gboolean both = TRUE;
        for (int a = 0; a < 2; a++) {
            asked = a ? "prv" : "pld";
            both = both && may_refuse(&event, delta, &of[a]);
        }
        if (both && !(MAX(of[0].lower, of[1].lower) <= MIN(of[0].upper, of[1].upper) * (1 + 1e-9)))
            g_error("%.17g %.17g %" G_GUINT64_FORMAT " %.17g: pld %.9g to %.9g, prv %.9g to %.9g", event.sampling_rate,
                    event.noise_multiplier, event.count, delta, of[0].lower, of[0].upper, of[1].lower, of[1].upper);
    }
    g_rand_free(rand);
}

/* delta of groups and of other samplers from loss-oracle.py, in 34 digits. */
static void test_groups(void)
{
    static const struct {
        DpcxrEvent event;
        guint64 units;
        double epsilon, delta;
    } rows[] = {
        {{DPCXR_SAMPLER_POISSON, 0.02048, 4, 10000, 0, 0}, 2, 4.604654, 9.9939989757195e-6},
        {{DPCXR_SAMPLER_POISSON, 0.0064, 1, 782, 0, 0}, 3, 4, 7.624825651e-7},
        {{DPCXR_SAMPLER_POISSON, 0.0064, 1, 782, 0, 0}, 8, 12, 8.114524146e-7},
        {{DPCXR_SAMPLER_POISSON, 0.05, 6, 400, 0, 0}, 30, 20, 0.0554237981},
    };
    DpcxrFeature prv = feature_new("prv");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &rows[i].event, 1};
        DpcxrInterval delta, epsilon, one;
        g_assert_cmpint(dpcxr_group_method(&prv, &mechanism, rows[i].units), ==, DPCXR_GROUP_MIXTURE);
        g_assert_true(dpcxr_group_delta(&prv, &mechanism, rows[i].units, rows[i].epsilon, &delta, &error));
        g_assert_cmpfloat(delta.lower, <=, rows[i].delta * (1 + 1e-9));
        g_assert_cmpfloat(delta.upper, >=, rows[i].delta * (1 - 1e-9));
        g_assert_cmpfloat(delta.upper - delta.lower, <=, 2e-3 * rows[i].delta);
        g_assert_true(dpcxr_group_epsilon(&prv, &mechanism, rows[i].units, rows[i].delta, &epsilon, &error));
        g_assert_cmpfloat(epsilon.lower, <=, rows[i].epsilon * (1 + 1e-9));
        g_assert_cmpfloat(epsilon.upper, >=, rows[i].epsilon * (1 - 1e-9));
        g_assert_true(dpcxr_account_epsilon(&prv, &mechanism, rows[i].delta, &one, &error));
        g_assert_cmpfloat(one.upper, <, epsilon.lower);
    }
    dpcxr_options_free(prv.options);
}

/* Q against P alone, which is never the larger one here: each engine by itself. From loss-oracle.py. */
static void test_reverse(void)
{
    const DpcxrEvent event = poisson(0.02048, 4, 10000);
    const DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
    const double epsilon = 2, delta = 1.7345370617461e-5;
    for (int a = 0; a < 2; a++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) laws = dpcxr_loss_laws(&mechanism, 1, TRUE, NULL);
        DpcxrInterval found;
        g_assert_true((a ? dpcxr_loss_inversion_log_delta : dpcxr_loss_lattice_log_delta)(laws, epsilon, 1e-3, &found, &error));
        g_assert_cmpfloat(exp(found.lower), <=, delta * (1 + 1e-9));
        g_assert_cmpfloat(exp(found.upper), >=, delta * (1 - 1e-9));
        g_assert_cmpfloat(found.upper - found.lower, <=, 2e-3);
        g_assert_true((a ? dpcxr_loss_inversion_epsilon : dpcxr_loss_lattice_epsilon)(laws, log(delta), 1e-3, &found, &error));
        g_assert_cmpfloat(found.lower, <=, epsilon * (1 + 1e-9));
        g_assert_cmpfloat(found.upper, >=, epsilon * (1 - 1e-9));
        g_assert_cmpfloat(found.upper - found.lower, <=, 2e-3 * epsilon);
    }
}

/* Samplers whose laws are bounds have no lower end. Fixed size: from loss-oracle.py. A cap that is never met costs nothing;
 * a shuffled epoch is a full batch. */
static void test_samplers(void)
{
    static const DpcxrEvent fixed = {DPCXR_SAMPLER_FIXED, 0.1, 3, 100, 1000, 100},
                            half = {DPCXR_SAMPLER_FIXED, 0.5, 10, 40, 1000, 500},
                            capped = {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.02, 1, 1000, 10000, 320},
                            shuffled = {DPCXR_SAMPLER_SHUFFLE, 0.1, 4, 200, 1000, 100},
                            batches = {DPCXR_SAMPLER_FULL, 1, 4, 20, 0, 0}, free = {DPCXR_SAMPLER_POISSON, 0.02, 1, 1000, 0, 0};
    for (int a = 0; a < 2; a++) {
        asked = a ? "prv" : "pld";
        const struct {
            const DpcxrEvent *event;
            double epsilon, delta;
        } rows[] = {{&fixed, 4, 6.195327125e-6}, {&half, 1.5, 0.005207819541}};
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
            DpcxrInterval delta = delta_of(rows[i].event, 1, rows[i].epsilon);
            g_assert_true(delta.lower == -INFINITY);
            g_assert_cmpfloat(delta.upper, >=, rows[i].delta * (1 - 1e-9));
            g_assert_cmpfloat(delta.upper, <=, rows[i].delta * (1 + 2e-3));
        }
        DpcxrFeature feature = feature_new(asked);
        DpcxrInterval e, f;
        DpcxrMechanism of_capped = {DPCXR_ADJACENCY_ZERO_OUT, &capped, 1}, of_shuffled = {DPCXR_ADJACENCY_ZERO_OUT, &shuffled, 1};
        g_assert_true(dpcxr_account_epsilon(&feature, &of_capped, 1e-6, &e, NULL));
        f = epsilon_of(&free, 1, 1e-6);
        g_assert_true(e.lower == -INFINITY);
        g_assert_cmpfloat(e.upper, >=, f.lower);
        g_assert_cmpfloat(e.upper, <=, f.upper * 1.002);
        g_assert_true(dpcxr_account_epsilon(&feature, &of_shuffled, 1e-6, &e, NULL));
        f = epsilon_of(&batches, 1, 1e-6);
        g_assert_true(e.lower == -INFINITY);
        g_assert_cmpfloat_with_epsilon(e.upper, f.upper, 1e-9);
        dpcxr_options_free(feature.options);
    }
}

static gboolean toy_covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    return TRUE;
}

static gboolean toy_epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                            DpcxrInterval *epsilon, GError **error)
{
    *epsilon = (DpcxrInterval){-INFINITY, 2.4, 2.4};
    return TRUE;
}

/* A claim below the lower end is refused, whoever makes it; one above is not, and neither is what pld does
 * not cover. */
static void test_claim(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrAccountant accountant = {.covers = toy_covers, .epsilon = toy_epsilon};
    const DpcxrPlugin plugin = {.name = "toy", .feature = &accountant};
    const DpcxrPluginEntry entry = {.plugin = &plugin};
    DpcxrFeature toy = {.type = (char *)"toy", .entry = &entry};
    DpcxrEvent event = poisson(0.01, 0.7, 120); /* 2.461 */
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
    DpcxrInterval epsilon;
    g_assert_false(dpcxr_account_claim(&toy, &mechanism, 1e-5, &epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(strstr(error->message, "toy"));
    g_assert_nonnull(strstr(error->message, "at least 2.46"));
    g_clear_error(&error);
    g_assert_true(dpcxr_account_epsilon(&toy, &mechanism, 1e-5, &epsilon, &error));
    g_assert_true(dpcxr_account_claim(&toy, &mechanism, 2e-5, &epsilon, &error)); /* 2.2 */
    event.sampler = DPCXR_SAMPLER_SHUFFLE;
    g_assert_true(dpcxr_account_claim(&toy, &mechanism, 1e-5, &epsilon, &error));
}

static void load(const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *plugin = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
    g_assert_true(dpcxr_registry_add(plugin, &error));
}

static void add(const char *name, const char *accountant, GTestDataFunc test)
{
    g_autofree char *path = g_strdup_printf("/%s/%s", accountant, name);
    g_test_add_data_func(path, accountant, test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    load("dpcxr-accountant-pld.so");
    load("dpcxr-accountant-prv.so");
    load("dpcxr-accountant-rdp.so");
    for (int i = 0; i < 2; i++) {
        const char *accountant = i ? "prv" : "pld";
        add("oracle", accountant, test_oracle);
        add("nearly-gaussian", accountant, test_nearly_gaussian);
        add("reference", accountant, test_reference);
        add("other-bounds", accountant, test_other_bounds);
        add("monotone", accountant, test_monotone);
        add("order", accountant, test_order);
        add("schedule", accountant, test_schedule);
        add("replace-one", accountant, test_replace_one);
        add("trivial", accountant, test_trivial);
        add("extremes", accountant, test_extremes);
        add("refusals", accountant, test_refusals);
    }
    g_test_add_func("/loss/overlap", test_overlap);
    g_test_add_func("/loss/groups", test_groups);
    g_test_add_func("/loss/reverse", test_reverse);
    g_test_add_func("/loss/samplers", test_samplers);
    g_test_add_func("/pld/claim", test_claim);
    return g_test_run();
}
