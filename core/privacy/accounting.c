/* SPDX-License-Identifier: MIT
 * Between the core and the accountant plugins: what goes in is checked, what comes out is checked, and
 * calibration treats an accountant as a function that falls with the noise and grows with the steps. A
 * calibrated value is always one whose own epsilon was computed and found to be at most the target. */
#include "privacy/accounting.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "config/options.h"
#include "privacy/ledger.h"

/* Calibration looks in here; no smaller noise is worth a claim, no larger one trains anything. */
#define CALIBRATED_NOISE_MIN 0.01
#define CALIBRATED_NOISE_MAX 1e5
#define NOISE_DIGITS 6

static const DpcxrAccountant *accountant_get(const DpcxrFeature *feature, GError **error)
{
    if (feature->entry && feature->entry->plugin)
        return feature->entry->plugin->feature;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "accountant '%s' is not loaded", feature->type);
    return NULL;
}

gboolean dpcxr_account_is_approximate(const DpcxrFeature *feature)
{
    const DpcxrAccountant *accountant = accountant_get(feature, NULL);
    return accountant && accountant->approximate;
}

static gboolean check_event(const DpcxrEvent *event, GError **error)
{
    if (!(event->noise_multiplier > 0) || !isfinite(event->noise_multiplier)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "a noise multiplier of %g has no finite epsilon; it has to be above 0",
                    event->noise_multiplier);
        return FALSE;
    }
    if (!(event->sampling_rate > 0 && event->sampling_rate <= 1)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "a sampling rate of %g is not in (0, 1]",
                    event->sampling_rate);
        return FALSE;
    }
    return TRUE;
}

static const DpcxrAccountant *accountant_for(const DpcxrFeature *feature, const DpcxrMechanism *mechanism,
                                             GError **error)
{
    const DpcxrAccountant *accountant = accountant_get(feature, error);
    if (!accountant)
        return NULL;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (!check_event(&mechanism->events[i], error))
            return NULL;
    }
    return accountant->covers(feature->options, mechanism, error) ? accountant : NULL;
}

/* A plugin that breaks its contract must not end up as somebody's privacy guarantee. */
static gboolean check_interval(const DpcxrFeature *feature, const char *what, const DpcxrInterval *interval,
                               GError **error)
{
    if (interval->lower <= interval->estimate && interval->estimate <= interval->upper &&
        interval->estimate >= 0)
        return TRUE;
    g_set_error(
        error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
        "accountant '%s' (%s) returned %s lower %g, estimate %g, upper %g, which cannot be; it is broken",
        feature->type, feature->entry->file ? feature->entry->file : "built in", what, interval->lower,
        interval->estimate, interval->upper);
    return FALSE;
}

gboolean dpcxr_account_epsilon(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double delta,
                               DpcxrInterval *epsilon, GError **error)
{
    if (!(delta > 0 && delta < 1)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "delta is %g; it has to be above 0 and below 1",
                    delta);
        return FALSE;
    }
    const DpcxrAccountant *accountant = accountant_for(feature, mechanism, error);
    if (!accountant)
        return FALSE;
    *epsilon = (DpcxrInterval){0, 0, 0};
    if (mechanism->n_events == 0)
        return TRUE;
    return accountant->epsilon(feature->options, mechanism, delta, epsilon, error) &&
           check_interval(feature, "epsilon", epsilon, error);
}

gboolean dpcxr_account_delta(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double epsilon,
                             DpcxrInterval *delta, GError **error)
{
    if (!(epsilon >= 0) || !isfinite(epsilon)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "epsilon is %g; it has to be a number not below 0",
                    epsilon);
        return FALSE;
    }
    const DpcxrAccountant *accountant = accountant_for(feature, mechanism, error);
    if (!accountant)
        return FALSE;
    *delta = (DpcxrInterval){0, 0, 0};
    if (mechanism->n_events == 0)
        return TRUE;
    return accountant->delta(feature->options, mechanism, epsilon, delta, error) &&
           check_interval(feature, "delta", delta, error);
}

gboolean dpcxr_account_group_epsilon(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, guint64 units,
                                     double delta, DpcxrInterval *epsilon, GError **error)
{
    const DpcxrAccountant *accountant = accountant_for(feature, mechanism, error);
    return accountant && accountant->group_epsilon(feature->options, mechanism, units, delta, epsilon, error) &&
           check_interval(feature, "epsilon", epsilon, error);
}

gboolean dpcxr_account_group_delta(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, guint64 units,
                                   double epsilon, DpcxrInterval *delta, GError **error)
{
    const DpcxrAccountant *accountant = accountant_for(feature, mechanism, error);
    return accountant && accountant->group_delta(feature->options, mechanism, units, epsilon, delta, error) &&
           check_interval(feature, "delta", delta, error);
}

static gboolean refuse_approximate(const DpcxrFeature *feature, GError **error)
{
    const DpcxrAccountant *accountant = accountant_get(feature, error);
    if (!accountant)
        return FALSE;
    if (accountant->approximate) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "accountant '%s' is an approximation, not a bound: it may stand in "
                    "privacy.accountant.also_report, "
                    "but a claim needs another one, 'rdp' for instance",
                    feature->type);
        return FALSE;
    }
    return TRUE;
}

/* What an accountant claims cannot be below the truth, and so not below a lower bound of it: that of pld or, for pld
 * itself, of prv. Where that is not there, or does not cover the events, nothing is checked. */
static gboolean check_claim(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double delta,
                            double upper, GError **error)
{
    const char *name = g_str_equal(feature->type, "pld") ? "prv" : "pld";
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, NULL);
    if (!entry || !entry->plugin)
        return TRUE;
    g_autoptr(DpcxrOptions) values = dpcxr_options_parse(entry->plugin->options, "", error);
    if (!values)
        return FALSE;
    DpcxrFeature other = {.type = (char *)name, .entry = entry, .options = values};
    DpcxrInterval epsilon;
    g_autoptr(GError) refused = NULL;
    if (!dpcxr_account_epsilon(&other, mechanism, delta, &epsilon, &refused)) {
        if (g_error_matches(refused, DPCXR_ERROR, DPCXR_ERROR_PRIVACY))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    if (upper >= epsilon.lower)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "accountant '%s' says epsilon %.9g at delta %g, but it is at least %.9g: that is the lower "
                "end of '%s'. One of the two is wrong, so nothing is claimed",
                feature->type, upper, delta, epsilon.lower, name);
    return FALSE;
}

gboolean dpcxr_account_claim(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double delta,
                             DpcxrInterval *epsilon, GError **error)
{
    return refuse_approximate(feature, error) &&
           dpcxr_account_epsilon(feature, mechanism, delta, epsilon, error) &&
           check_claim(feature, mechanism, delta, epsilon->upper, error);
}

/* What is fixed, and steps whose noise or number is being looked for. */
typedef struct {
    const DpcxrFeature *feature;
    const DpcxrMechanism *before; /* (nullable) */
    const DpcxrEvent *steps;      /* noise multipliers are relative to the factor that is tried */
    gsize n_steps;
    GArray *events; /* scratch */
    DpcxrAdjacency adjacency;
    double delta, target;
} Search;

static void search_init(Search *search, const DpcxrFeature *feature, const DpcxrMechanism *before,
                        const DpcxrEvent *steps, gsize n_steps, DpcxrAdjacency adjacency, double target, double delta)
{
    *search = (Search){feature,   before, steps, n_steps, g_array_new(FALSE, FALSE, sizeof(DpcxrEvent)),
                       adjacency, delta,  target};
}

/* The first @count steps at @factor after what is fixed, merged in the order in which a ledger would. */
static void search_events(Search *search, double factor, guint64 count)
{
    g_array_set_size(search->events, 0);
    if (search->before && search->before->n_events > 0)
        g_array_append_vals(search->events, search->before->events, (guint)search->before->n_events);
    for (gsize i = 0; i < search->n_steps && count > 0; i++) {
        DpcxrEvent event = search->steps[i];
        event.noise_multiplier *= factor;
        event.count = MIN(event.count, count);
        count -= event.count;
        if (event.count > 0)
            dpcxr_events_add(search->events, &event);
    }
}

static gboolean search_epsilon(Search *search, double factor, guint64 count, double *epsilon, GError **error)
{
    search_events(search, factor, count);
    DpcxrMechanism mechanism = {search->adjacency, (const DpcxrEvent *)(void *)search->events->data,
                                search->events->len};
    DpcxrInterval interval;
    if (!refuse_approximate(search->feature, error) ||
        !dpcxr_account_epsilon(search->feature, &mechanism, search->delta, &interval, error))
        return FALSE;
    *epsilon = interval.upper;
    return TRUE;
}

static guint64 search_count(const Search *search)
{
    guint64 count = 0;
    for (gsize i = 0; i < search->n_steps; i++)
        count += search->steps[i].count;
    return count;
}

/* The target is a sensible number, the adjacency that of @before, and @before leaves room. */
static gboolean search_check(Search *search, const DpcxrMechanism *before, GError **error)
{
    double spent;
    if (!(search->target > 0) || !isfinite(search->target)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "the target epsilon is %g; it has to be above 0",
                    search->target);
        return FALSE;
    }
    if (before && before->adjacency != search->adjacency) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "events under %s and steps under %s cannot be composed",
                    dpcxr_adjacency_name(before->adjacency), dpcxr_adjacency_name(search->adjacency));
        return FALSE;
    }
    if (!search_epsilon(search, 1, 0, &spent, error))
        return FALSE;
    if (spent <= search->target)
        return TRUE;
    g_set_error(
        error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
        "what is on record before these steps alone costs epsilon %.6g at delta %g, more than the target %g",
        spent, search->delta, search->target);
    return FALSE;
}

/* The factors between which every step keeps a noise multiplier that calibration looks at. */
static void search_limits(const Search *search, double *least, double *most)
{
    double smallest = INFINITY, largest = 0;
    for (gsize i = 0; i < search->n_steps; i++) {
        smallest = MIN(smallest, search->steps[i].noise_multiplier);
        largest = MAX(largest, search->steps[i].noise_multiplier);
    }
    *least = CALIBRATED_NOISE_MIN / smallest;
    *most = MAX(*least, CALIBRATED_NOISE_MAX / largest);
}

/* A noise multiplier, or factor of them, and what epsilon it gives. */
typedef struct {
    double noise, epsilon;
} Point;

/* Finds low and high, a factor of 2 apart, with epsilon(low) > target >= epsilon(high); or low = high at the
 * least noise there is. */
static gboolean bracket_noise(Search *search, guint64 count, Point *low, Point *high, GError **error)
{
    double least, most;
    search_limits(search, &least, &most);
    /* the least noisy step has multiplier 1 */
    low->noise = high->noise = CLAMP(least / CALIBRATED_NOISE_MIN, least, most);
    if (!search_epsilon(search, high->noise, count, &high->epsilon, error))
        return FALSE;
    if (high->epsilon > search->target) {
        while (high->epsilon > search->target && high->noise < most) {
            *low = *high;
            high->noise = MIN(2 * high->noise, most);
            if (!search_epsilon(search, high->noise, count, &high->epsilon, error))
                return FALSE;
        }
        if (high->epsilon <= search->target)
            return TRUE;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "epsilon %g at delta %g cannot be reached: even a noise multiplier of %g gives %.6g; "
                    "take fewer steps, a lower sampling rate, a larger delta or a larger epsilon",
                    search->target, search->delta, CALIBRATED_NOISE_MAX, high->epsilon);
        return FALSE;
    }
    *low = *high;
    while (low->epsilon <= search->target && high->noise > least) {
        low->noise = MAX(high->noise / 2, least);
        if (!search_epsilon(search, low->noise, count, &low->epsilon, error))
            return FALSE;
        if (low->epsilon <= search->target)
            *high = *low;
    }
    return TRUE;
}

/* Where epsilon meets the target if log epsilon is linear in log noise, kept off the ends of the bracket; its middle where
 * there is no such line. */
static double interpolate(const Search *search, const Point *low, const Point *high)
{
    double width = log(high->noise / low->noise), rise = log(low->epsilon / high->epsilon);
    double part = log(low->epsilon / search->target) / rise;
    if (!isfinite(part))
        part = 0.5;
    return low->noise * exp(width * CLAMP(part, 0.001, 0.999));
}

double dpcxr_round_up(double value, double *unit)
{
    char text[32];
    g_snprintf(text, sizeof text, "1e%d", (int)floor(log10(value)) - NOISE_DIGITS + 1);
    *unit = g_ascii_strtod(text, NULL);
    double digits = ceil(value / *unit * (1 - 1e-12));
    g_snprintf(text, sizeof text, "%.0fe%d", digits, (int)floor(log10(value)) - NOISE_DIGITS + 1);
    return g_ascii_strtod(text, NULL);
}

static gboolean calibrate_noise(Search *search, guint64 count, double *noise_multiplier, GError **error)
{
    Point low, high;
    double epsilon, unit;
    if (!bracket_noise(search, count, &low, &high, error))
        return FALSE;
    for (int i = 0; high.noise > low.noise * (1 + 1e-7); i++) {
        /* what interpolation has not made half as wide, halving does */
        Point next = {i % 3 < 2 ? interpolate(search, &low, &high) : sqrt(low.noise * high.noise)};
        if (!search_epsilon(search, next.noise, count, &next.epsilon, error))
            return FALSE;
        *(next.epsilon <= search->target ? &high : &low) = next;
    }
    /* nothing below low is enough; numerical accountants may go up and down a little on the way to what is */
    *noise_multiplier = dpcxr_round_up(low.noise, &unit);
    for (int i = 0; i < 100; i++, *noise_multiplier += unit * ldexp(1, i / 8)) {
        if (!search_epsilon(search, *noise_multiplier, count, &epsilon, error))
            return FALSE;
        if (epsilon <= search->target)
            return TRUE;
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                "accountant '%s' is not monotone: epsilon is %.9g at noise multiplier %g and was at most %g "
                "just below",
                search->feature->type, epsilon, *noise_multiplier, search->target);
    return FALSE;
}

gboolean dpcxr_calibrate_noise_factor(const DpcxrFeature *feature, const DpcxrMechanism *before,
                                      const DpcxrEvent *steps, gsize n_steps, DpcxrAdjacency adjacency, double target,
                                      double delta, double *factor, GError **error)
{
    Search search;
    search_init(&search, feature, before, steps, n_steps, adjacency, target, delta);
    gboolean found =
        search_check(&search, before, error) && calibrate_noise(&search, search_count(&search), factor, error);
    g_array_unref(search.events);
    return found;
}

gboolean dpcxr_calibrate_noise(const DpcxrFeature *feature, const DpcxrMechanism *before,
                               const DpcxrEvent *steps, DpcxrAdjacency adjacency, double target, double delta,
                               double *noise_multiplier, GError **error)
{
    DpcxrEvent unscaled = *steps;
    unscaled.noise_multiplier = 1;
    return dpcxr_calibrate_noise_factor(feature, before, &unscaled, 1, adjacency, target, delta, noise_multiplier, error);
}

static gboolean calibrate_steps(Search *search, guint64 most, guint64 *count, GError **error)
{
    guint64 low = 0, high = most;
    double epsilon;
    if (!search_epsilon(search, 1, most, &epsilon, error))
        return FALSE;
    if (epsilon <= search->target)
        low = most;
    while (high - low > 1 && low < most) {
        guint64 middle = low + (high - low) / 2;
        if (!search_epsilon(search, 1, middle, &epsilon, error))
            return FALSE;
        *(epsilon <= search->target ? &low : &high) = middle;
    }
    *count = low;
    return TRUE;
}

gboolean dpcxr_calibrate_first_steps(const DpcxrFeature *feature, const DpcxrMechanism *before,
                                     const DpcxrEvent *steps, gsize n_steps, DpcxrAdjacency adjacency, double target,
                                     double delta, guint64 *count, GError **error)
{
    Search search;
    search_init(&search, feature, before, steps, n_steps, adjacency, target, delta);
    gboolean found =
        search_check(&search, before, error) && calibrate_steps(&search, search_count(&search), count, error);
    g_array_unref(search.events);
    return found;
}

gboolean dpcxr_calibrate_steps(const DpcxrFeature *feature, const DpcxrMechanism *before,
                               const DpcxrEvent *steps, DpcxrAdjacency adjacency, double target, double delta,
                               guint64 *count, GError **error)
{
    return dpcxr_calibrate_first_steps(feature, before, steps, 1, adjacency, target, delta, count, error);
}

/* Adds one to the last digit of a decimal number >= 0. (transfer full) */
static char *decimal_increment(const char *text)
{
    g_autofree char *digits = g_strdup(text);
    for (gsize i = strlen(digits); i-- > 0;) {
        if (digits[i] == '.')
            continue;
        if (digits[i]++ != '9')
            return g_steal_pointer(&digits);
        digits[i] = '0';
    }
    return g_strconcat("1", digits, NULL);
}

char *dpcxr_format_epsilon(double epsilon, int digits)
{
    if (isnan(epsilon) || epsilon == INFINITY)
        return g_strdup("inf");
    char format[16], text[512];
    g_snprintf(format, sizeof format, "%%.%df", CLAMP(digits, 0, 17));
    g_ascii_formatd(text, sizeof text, format, MAX(epsilon, 0));
    return g_ascii_strtod(text, NULL) < epsilon ? decimal_increment(text) : g_strdup(text);
}

char *dpcxr_format_exact(double value)
{
    char format[8], text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int digits = 6; digits <= 17; digits++) { /* %g drops trailing zeros */
        g_snprintf(format, sizeof format, "%%.%dg", digits);
        g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    return g_strdup(text);
}
