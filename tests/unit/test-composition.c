/* SPDX-License-Identifier: MIT
 * Runs composed from disk: what counts as a run, what is added up, and what is refused. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include "base/files.h"
#include "privacy/composition.h"
#include "privacy/planned.h"

typedef struct {
    char *folder;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("dpcxr-composition-XXXXXX", NULL);
}

static void remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        remove_all(inside);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void teardown(Fixture *f, gconstpointer data)
{
    remove_all(f->folder);
    g_free(f->folder);
}

static char *in(const Fixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

typedef struct {
    DpcxrAdjacency adjacency;
    const char *unit;
    guint64 population, steps;
} Run;

static const Run usual = {DPCXR_ADJACENCY_ZERO_OUT, "patient", 1000, 100};

/* A ledger in @name (RUN/release, RUN/private); (transfer full) its head. */
static char *make_ledger(const Fixture *f, const char *name, const Run *run)
{
    g_autofree char *folder = in(f, name), *path = g_build_filename(folder, "ledger.jsonl", NULL);
    guint64 sequence;
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_autoptr(DpcxrLedger) ledger =
        dpcxr_ledger_create(path, run->adjacency, run->unit, run->population, &error);
    g_assert_no_error(error);
    DpcxrEvent event = {DPCXR_SAMPLER_POISSON, 0.0625, 1.5, run->steps, run->population, 0};
    g_assert_true(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &event, &sequence, &error));
    return g_strdup(dpcxr_ledger_head(ledger));
}

static void make_run(const Fixture *f, const char *name, const Run *run)
{
    g_autofree char *head = make_ledger(f, name, run);
    g_assert_cmpuint(strlen(head), ==, 64);
}

static void write_text(const Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = in(f, name);
    g_assert_true(dpcxr_write_file(path, text, -1, 0600, NULL));
}

static void make_card(const Fixture *f, const char *run, const char *head, double delta, guint64 claimed,
                      const char *initial)
{
    g_autofree char *name = g_strdup_printf("%s/privacy.json", run);
    g_autofree char *text = g_strdup_printf(
        "{\"claim\": {\"delta\": %g}, \"mechanism\": {\"sampler\": \"poisson\", \"sampling_rate\": 0.0625, "
        "\"noise_multiplier\": 1.5}, \"steps\": {\"recorded\": 100, \"claimed\": %" G_GUINT64_FORMAT
        "}, \"ledger_head\": \"%s\", \"initial_ledger_head\": %s}",
        delta, claimed, head, initial);
    write_text(f, name, text);
}

static DpcxrComposition *read_runs(const Fixture *f, const char *a, const char *b, GError **error)
{
    g_autofree char *first = in(f, a), *second = b ? in(f, b) : NULL;
    const char *const paths[] = {first, second, NULL};
    return dpcxr_composition_read(paths, error);
}

static DpcxrComposition *composed(const Fixture *f, const char *a, const char *b)
{
    g_autoptr(GError) error = NULL;
    DpcxrComposition *composition = read_runs(f, a, b, &error);
    g_assert_no_error(error);
    return composition;
}

static void assert_refused(const Fixture *f, const char *a, const char *b, int code, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrComposition) composition = read_runs(f, a, b, &error);
    g_assert_null(composition);
    g_assert_error(error, DPCXR_ERROR, code);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static guint64 steps_of(const DpcxrComposition *composition)
{
    guint64 steps = 0;
    for (gsize i = 0; i < composition->mechanism.n_events; i++)
        steps += composition->mechanism.events[i].count;
    return steps;
}

static const DpcxrComposedRun *run_of(const DpcxrComposition *composition, guint i)
{
    return g_ptr_array_index(composition->runs, i);
}

/* A run folder, one of its drawers, or the file. */
static void test_places(Fixture *f, gconstpointer data)
{
    make_run(f, "a/private", &usual);
    static const char *const names[] = {"a", "a/private", "a/private/ledger.jsonl"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(DpcxrComposition) composition = composed(f, names[i], NULL);
        g_assert_cmpuint(steps_of(composition), ==, 100);
        g_assert_cmpuint(composition->population, ==, 1000);
        g_assert_cmpstr(composition->unit, ==, "patient");
        g_assert_true(isnan(composition->delta));
        g_assert_nonnull(strstr(run_of(composition, 0)->note, "has not ended"));
    }
    write_text(f, "a/DONE", "RESULT epsilon=none\n");
    g_autoptr(DpcxrComposition) done = composed(f, "a", NULL);
    g_assert_nonnull(strstr(run_of(done, 0)->note, "without a claim"));
    g_autofree char *empty = in(f, "empty");
    g_assert_cmpint(g_mkdir(empty, 0700), ==, 0);
    assert_refused(f, "empty", NULL, DPCXR_ERROR_USAGE, "has no ledger");
    assert_refused(f, "nowhere", NULL, DPCXR_ERROR_USAGE, "nowhere");
    write_text(f, "text", "no ledger\n");
    assert_refused(f, "text", NULL, DPCXR_ERROR_PRIVACY, "not a line of a ledger");
}

static void test_sum(Fixture *f, gconstpointer data)
{
    Run more = usual;
    more.steps = 11;
    make_run(f, "a/private", &usual);
    make_run(f, "b/private", &more);
    g_autoptr(DpcxrComposition) composition = composed(f, "a", "b");
    g_assert_cmpuint(steps_of(composition), ==, 111);
    g_assert_cmpuint(composition->runs->len, ==, 2);
    assert_refused(f, "a", "a/private/ledger.jsonl", DPCXR_ERROR_USAGE, "the same run");
}

static void test_disagreement(Fixture *f, gconstpointer data)
{
    Run image = usual, other = usual, larger = usual;
    image.unit = "image";
    other.adjacency = DPCXR_ADJACENCY_ADD_REMOVE;
    larger.population = 1001;
    make_run(f, "a/private", &usual);
    make_run(f, "image/private", &image);
    make_run(f, "other/private", &other);
    make_run(f, "larger/private", &larger);
    assert_refused(f, "a", "image", DPCXR_ERROR_PRIVACY, "unit patient");
    assert_refused(f, "a", "other", DPCXR_ERROR_PRIVACY, "adjacency zero_out");
    assert_refused(f, "a", "larger", DPCXR_ERROR_PRIVACY, "population 1000");
}

/* Steps that were planned and are claimed count; a card of another ledger does not. */
static void test_card(Fixture *f, gconstpointer data)
{
    g_autofree char *a = make_ledger(f, "a/release", &usual), *b = make_ledger(f, "b/release", &usual);
    make_card(f, "a/release", a, 1e-5, 100, "null");
    make_card(f, "b/release", b, 1e-5, 140, "null");
    g_autoptr(DpcxrComposition) composition = composed(f, "a", "b");
    g_assert_cmpuint(steps_of(composition), ==, 240);
    g_assert_cmpfloat(composition->delta, ==, 1e-5);
    g_assert_cmpuint(run_of(composition, 0)->rest, ==, 0);
    g_assert_cmpuint(run_of(composition, 1)->rest, ==, 40);
    g_assert_null(run_of(composition, 1)->note);
    g_autofree char *to = in(f, "b/private");
    g_autofree char *from = in(f, "b/release/ledger.jsonl"), *copy = in(f, "b/private/ledger.jsonl"),
                    *text = NULL;
    g_assert_cmpint(g_mkdir(to, 0700), ==, 0);
    g_assert_true(g_file_get_contents(from, &text, NULL, NULL) && g_file_set_contents(copy, text, -1, NULL));
    g_autoptr(DpcxrComposition) other_drawer = composed(f, "b/private/ledger.jsonl", NULL);
    g_assert_cmpuint(steps_of(other_drawer), ==, 140);
    make_card(f, "b/release", b, 1e-6, 140, "null");
    g_autoptr(DpcxrComposition) two_deltas = composed(f, "a", "b");
    g_assert_true(isnan(two_deltas->delta));
    make_card(f, "b/release", a, 1e-5, 100, "null");
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "not about the ledger");
    write_text(f, "b/release/privacy.json", "[]");
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "not a privacy card");
    write_text(f, "b/release/privacy.json", "{");
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "privacy.json");
}

static double noise_of(const DpcxrComposition *composition, gsize i)
{
    g_assert_cmpuint(i, <, composition->mechanism.n_events);
    return composition->mechanism.events[i].noise_multiplier;
}

/* Unequal steps that a card claims, one by one. */
static void test_unfinished(Fixture *f, gconstpointer data)
{
    static const char card[] =
        "{\"claim\": {\"delta\": 1e-4}, \"mechanism\": {\"noise_multiplier\": null}, \"steps\": {\"recorded\": 100, "
        "\"claimed\": %d, \"unfinished\": [{\"count\": 8, \"sampler\": \"poisson\", \"sampling_rate\": 0.0625, "
        "\"noise_multiplier\": 1.25, \"population\": %d, \"cap\": 0}, {\"count\": 4, \"sampler\": \"poisson\", "
        "\"sampling_rate\": 0.0625, \"noise_multiplier\": %s, \"population\": 1000, \"cap\": 0}]}, "
        "\"ledger_head\": \"%s\"}";
    g_autofree char *head = make_ledger(f, "a/release", &usual);
    g_autofree char *good = g_strdup_printf(card, 112, 1000, "0.75", head);
    write_text(f, "a/release/privacy.json", good);
    g_autoptr(DpcxrComposition) composition = composed(f, "a", NULL);
    g_assert_cmpuint(run_of(composition, 0)->rest, ==, 12);
    g_assert_cmpuint(steps_of(composition), ==, 112);
    g_assert_cmpfloat(noise_of(composition, 1), ==, 1.25);
    g_assert_cmpfloat(noise_of(composition, 2), ==, 0.75);
    char *bad[] = {g_strdup_printf(card, 111, 1000, "0.75", head), g_strdup_printf(card, 113, 1000, "0.75", head),
                   g_strdup_printf(card, 112, 1001, "0.75", head), g_strdup_printf(card, 112, 1000, "0", head),
                   g_strdup_printf(card, 112, 1000, "\"1\"", head)};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        write_text(f, "a/release/privacy.json", bad[i]);
        assert_refused(f, "a", NULL, DPCXR_ERROR_PRIVACY, "of a kind that is not on the ledger");
        g_free(bad[i]);
    }
}

static void plan(const Fixture *f, const char *run, const DpcxrEvent *steps, guint n)
{
    g_autofree char *name = g_strdup_printf("%s/" DPCXR_PLANNED_FILE, run), *path = in(f, name);
    g_autofree char *ledger_name = g_strdup_printf("%s/ledger.jsonl", run), *ledger_path = in(f, ledger_name);
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(ledger_path, NULL);
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    g_array_append_vals(array, steps, n);
    g_assert_true(dpcxr_planned_write(path, ledger, array, NULL));
}

/* A run without a card claims what its last process set out to do, less what it did; never less than its ledger. */
static void test_planned(Fixture *f, gconstpointer data)
{
    const DpcxrEvent steps[] = {{DPCXR_SAMPLER_POISSON, 0.0625, 1.5, 20, 1000, 0},
                                {DPCXR_SAMPLER_POISSON, 0.0625, 0.75, 30, 1000, 0}};
    make_run(f, "a/private", &usual);
    plan(f, "a/private", steps, 2);
    g_autoptr(DpcxrComposition) before = composed(f, "a", NULL);
    g_assert_cmpuint(run_of(before, 0)->rest, ==, 50);
    g_assert_nonnull(strstr(run_of(before, 0)->note, "whoever stops a run"));
    g_autofree char *path = in(f, "a/private/ledger.jsonl");
    DpcxrEvent done = steps[0];
    guint64 sequence;
    done.count = 15;
    for (int i = 0; i < 2; i++) { /* 15 of the first 20, then the rest of them and 10 more */
        g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_resume(path, NULL);
        g_assert_true(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &done, &sequence, NULL));
        g_clear_pointer(&ledger, dpcxr_ledger_free);
        g_autoptr(DpcxrComposition) later = composed(f, "a", NULL);
        g_assert_cmpuint(run_of(later, 0)->rest, ==, i == 0 ? 35 : 20);
        g_assert_cmpuint(steps_of(later), ==, 150);
        g_assert_cmpfloat(noise_of(later, later->mechanism.n_events - 1), ==, 0.75);
    }
    make_run(f, "b/private", &usual);
    g_autofree char *from = in(f, "a/private/" DPCXR_PLANNED_FILE), *to = in(f, "b/private/" DPCXR_PLANNED_FILE);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "not about the ledger beside them");
    write_text(f, "b/private/" DPCXR_PLANNED_FILE, "{\"format\": \"dpcxr planned steps\"}");
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "is not a file of planned steps");
    write_text(f, "b/private/" DPCXR_PLANNED_FILE, "[[[[[[[[");
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, "is not a file of planned steps");
}

/* A run from the weights of another one costs nothing less with that one left out. */
static void test_initial(Fixture *f, gconstpointer data)
{
    g_autofree char *a = make_ledger(f, "a/release", &usual), *b = make_ledger(f, "b/release", &usual);
    g_autofree char *initial = g_strdup_printf("\"%s\"", a);
    make_card(f, "b/release", b, 1e-5, 100, initial);
    assert_refused(f, "b", NULL, DPCXR_ERROR_PRIVACY, a);
    g_autoptr(DpcxrComposition) both = composed(f, "b", "a");
    g_assert_cmpuint(steps_of(both), ==, 200);
}

static void test_configuration(Fixture *f, gconstpointer data)
{
    make_run(f, "a/private", &usual);
    make_run(f, "b/private", &usual);
    write_text(f, "a/private/config.yaml", "name: x\nprivacy: {epsilon: 1, delta: 1e-6}\n");
    g_autoptr(DpcxrComposition) one = composed(f, "a", "b");
    g_assert_cmpfloat(one->delta, ==, 1e-6);
    write_text(f, "a/private/config.yaml", "{{{");
    g_autoptr(DpcxrComposition) broken = composed(f, "a", NULL);
    g_assert_true(isnan(broken->delta));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/composition/places", Fixture, NULL, setup, test_places, teardown);
    g_test_add("/composition/sum", Fixture, NULL, setup, test_sum, teardown);
    g_test_add("/composition/disagreement", Fixture, NULL, setup, test_disagreement, teardown);
    g_test_add("/composition/card", Fixture, NULL, setup, test_card, teardown);
    g_test_add("/composition/unfinished", Fixture, NULL, setup, test_unfinished, teardown);
    g_test_add("/composition/planned", Fixture, NULL, setup, test_planned, teardown);
    g_test_add("/composition/initial", Fixture, NULL, setup, test_initial, teardown);
    g_test_add("/composition/configuration", Fixture, NULL, setup, test_configuration, teardown);
    return g_test_run();
}
