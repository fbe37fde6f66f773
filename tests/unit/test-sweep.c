/* SPDX-License-Identifier: MIT
 * Sweeps as they are put together: names, command lines, points, choices. What comes of the processes is in
 * tests/tools/sweep.sh. */
#include "../integration/temporary.h"
#include "sweep/axes.h"
#include "sweep/choose.h"
#include "sweep/names.h"
#include "sweep/points.h"
#include <math.h>
#include <string.h>

static const char config[] =
    "name: s\n"
    "data: {type: phantom, labels: [cardiomegaly], patients: 100, size: 32, image: {size: 16}}\n"
    "train: {steps: 2, batch: {logical: 4}}\n"
    "privacy: {delta: 1e-3}\n";

typedef struct {
    char *folder, *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer sweep)
{
    f->folder = temporary_folder();
    f->path = g_build_filename(f->folder, "s.yaml", NULL);
    g_autofree char *text = g_strconcat(config, "sweep: ", sweep ? sweep : "{}", "\n", NULL);
    g_assert_true(g_file_set_contents(f->path, text, -1, NULL));
}

static void tear_down(Fixture *f, gconstpointer sweep)
{
    g_free(f->path);
    temporary_remove(f->folder);
}

static DpcxrSweep *make(const Fixture *f, const char *const *arguments)
{
    g_autoptr(GError) error = NULL;
    DpcxrSweep *sweep = dpcxr_sweep_new(f->path, arguments, f->folder, &error);
    g_assert_no_error(error);
    return sweep;
}

#define MAKE(f, ...) make(f, (const char *const[]){__VA_ARGS__, NULL})

static void refuse(const Fixture *f, const char *words, const char *const *arguments)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_sweep_new(f->path, arguments, f->folder, &error));
    g_assert_nonnull(error);
    if (!strstr(error->message, words))
        g_error("\"%s\" is not in: %s", words, error->message);
}

#define REFUSE(f, words, ...) refuse(f, words, (const char *const[]){__VA_ARGS__, NULL})

/* The names of all runs, in a line. */
static void assert_runs(const DpcxrSweep *sweep, const char *wanted)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < runs->len; i++)
        g_string_append_printf(names, "%s%s", i ? " " : "", ((DpcxrSweepRun *)runs->pdata[i])->name);
    g_assert_cmpstr(names->str, ==, wanted);
}

static const DpcxrSweepRun *nth_run(const DpcxrSweep *sweep, guint i)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    return g_ptr_array_index(runs, i);
}

static void test_split(void)
{
    static const struct {
        const char *value, *parts; /* joined by | */
    } cases[] = {{"1,8", "1|8"},
                 {"1", "1"},
                 {" 1 , 8 ", "1|8"},
                 {"[1,2],[3,4]", "[1,2]|[3,4]"},
                 {"{type: rdp, conversion: classic},pld", "{type: rdp, conversion: classic}|pld"},
                 {"\"a,b\",'c,]'", "\"a,b\"|'c,]'"},
                 {"[1,8]", "[1,8]"},
                 {"", ""}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) parts = dpcxr_sweep_split(cases[i].value);
        g_autofree char *joined = g_strjoinv("|", parts);
        g_assert_cmpstr(joined, ==, cases[i].parts);
    }
}

static void test_names(void)
{
    static const char *const keys[] = {
        "privacy.epsilon", "privacy.accountant", "clip.type", "optimizer.lr", "a.x", "b.x", NULL};
    static const struct {
        const char *override, *name;
    } cases[] = {{"privacy.epsilon=0.5", "epsilon-0.5"},
                 {"optimizer.lr=1e-3", "lr-1e-3"},
                 {"optimizer.lr=1e+3", "lr-1e3"},
                 {"optimizer.lr=-1", "lr--1"},
                 {"clip.type=flat", "clip-flat"},
                 {"privacy.accountant={type: rdp, conversion: classic}", "accountant-rdp-conversion-classic"},
                 {"a.x=[1, 2]", "a.x-1-2"},
                 {"b.x=../../etc", "b.x-..-..-etc"},
                 {"b.x=\"a b\"", "b.x-a-b"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const overrides[] = {cases[i].override, NULL};
        g_autofree char *name = dpcxr_sweep_point_name(overrides, keys);
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

/* Too long for a folder: cut, and still apart. */
static void test_long_names(void)
{
    static const char *const keys[] = {"model.init", NULL};
    g_autofree char *path = g_strnfill(200, 'p');
    g_autofree char *one = g_strconcat("model.init=", path, "1", NULL),
                    *two = g_strconcat("model.init=", path, "2", NULL);
    g_autofree char *a = dpcxr_sweep_point_name((const char *const[]){one, NULL}, keys);
    g_autofree char *b = dpcxr_sweep_point_name((const char *const[]){two, NULL}, keys);
    g_assert_cmpuint(strlen(a), <=, 88);
    g_assert_cmpstr(a, !=, b);
}

static void test_grid(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "optimizer.lr=1e-3,1e-2");
    assert_runs(sweep, "epsilon-1_lr-1e-3 epsilon-1_lr-1e-2 epsilon-8_lr-1e-3 epsilon-8_lr-1e-2");
    const DpcxrSweepRun *last = nth_run(sweep, 3);
    g_assert_cmpfloat(last->experiment->privacy.epsilon, ==, 8);
    g_assert_cmpstr(last->overrides[1], ==, "optimizer.lr=1e-2");
    g_assert_cmpstr(((DpcxrSweepPoint *)sweep->points->pdata[3])->values[0], ==, "8");
}

/* What the command line says of a key takes the place of the grid. */
static void test_command_line(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) other = MAKE(f, "privacy.epsilon=2,3");
    assert_runs(other, "epsilon-2 epsilon-3");
    g_autoptr(DpcxrSweep) one = MAKE(f, "privacy.epsilon=2", "seed=1,2", "name=other");
    assert_runs(one, "seed-1 seed-2");
    g_assert_cmpstr(one->name, ==, "other");
    g_assert_cmpfloat(nth_run(one, 1)->experiment->privacy.epsilon, ==, 2);
    g_assert_cmpuint(nth_run(one, 1)->seed, ==, 2);
}

static void test_list(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "sweep.repeat=2");
    assert_runs(sweep, "epsilon-1_seed-1 epsilon-1_seed-2 enabled-false_seed-1 enabled-false_seed-2");
    REFUSE(f, "is set by the points of sweep.list", "privacy.epsilon=2");
    REFUSE(f, "is set by the points of sweep.list", "privacy.epsilon=2,3");
    const DpcxrSweepPoint *second = sweep->points->pdata[1];
    g_assert_null(second->values[0]);
    g_assert_cmpstr(second->values[1], ==, "false");
    g_assert_cmpuint(nth_run(sweep, 3)->experiment->seed, ==, 2);
}

/* One run each where it calibrates, one in all where there is nothing to calibrate. */
static void test_accountants(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) each = MAKE(f, "sweep.at=epsilon");
    assert_runs(each, "epsilon-1_accountant-pld epsilon-1_accountant-rdp-conversion-classic enabled-false");
    g_assert_cmpstr(nth_run(each, 0)->experiment->privacy.accountant.type, ==, "pld");
    g_autoptr(DpcxrSweep) one = MAKE(f, "sweep.at=noise");
    assert_runs(one, "epsilon-1 enabled-false");
    g_assert_cmpstr(nth_run(one, 0)->experiment->privacy.accountant.type, ==, "rdp");
    g_autoptr(DpcxrSweep) single = MAKE(f, "sweep.at=noise", "sweep.list=[]", "privacy.epsilon=1");
    assert_runs(single, "base");
    REFUSE(f, "sweep.at: is missing", "sweep.at=null");
    REFUSE(f, "leave out one of them", "sweep.at=epsilon", "privacy.accountant=rdp,pld");
    REFUSE(f, "leave out one of them", "sweep.at=epsilon", "privacy.accountant.type=rdp,pld");
    REFUSE(f, "take privacy.noise_multiplier out", "sweep.at=epsilon", "privacy.noise_multiplier=1");
    REFUSE(f, "calibrates no noise", "sweep.at=epsilon", "sweep.accountants=[gdp]");
    REFUSE(f, "no accountant plugin is called \"rpd\"", "sweep.at=noise", "sweep.accountants=[rpd]");
}

/* A variable is replaced in the run, so that the run knows that it was one. */
static void test_environment(Fixture *f, gconstpointer text)
{
    g_setenv("DPCXR_TEST_LABEL", "/secret", TRUE);
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "privacy.epsilon=1");
    const DpcxrSweepRun *run = nth_run(sweep, 0);
    g_assert_cmpstr(run->overrides[1], ==, "data.labels=[\"${env:DPCXR_TEST_LABEL}\"]");
    g_assert_cmpstr(run->experiment->data.labels[0], ==, "/secret");
    g_assert_null(strstr(run->experiment->yaml_public, "secret"));
    g_unsetenv("DPCXR_TEST_LABEL");
}

static void test_refusals(Fixture *f, gconstpointer text)
{
    REFUSE(f, "nothing varies", "privacy.epsilon=1");
    REFUSE(f, "is the same for all runs", "name=a,b", "privacy.epsilon=1");
    REFUSE(f, "is the same for all runs", "evaluate.splits=valid,test", "privacy.epsilon=1");
    REFUSE(f, "privacy.epsilon is there twice", "privacy.epsilon=1,2", "privacy.epsilon=3,4");
    REFUSE(f, "two runs would be called epsilon-1", "privacy.epsilon=1,1");
    REFUSE(f, "sweep.per has seed, which does not vary", "privacy.epsilon=1,2", "sweep.per=[seed]");
    REFUSE(f, "seed varies already", "seed=1,2", "privacy.epsilon=1", "sweep.repeat=2");
    REFUSE(f, "needs the stages train and evaluate", "privacy.epsilon=1,2", "evaluate.splits=[test]");
    REFUSE(f, "point epsilon--1:\ncommand line: privacy.epsilon", "privacy.epsilon=1,-1");
    REFUSE(f, "epsilom", "privacy.epsilom=1,2", "privacy.epsilon=1");
    REFUSE(f, "is no KEY=VALUE", "privacy.epsilon");
    REFUSE(f, "sweep.grid.name: is the same for all", "sweep.grid={name: [a]}", "privacy.epsilon=1,2");
    REFUSE(f, "sweep.list.0: expected a map", "sweep.list=[3]", "privacy.epsilon=1,2");
    REFUSE(f, "is in sweep.grid, too", "sweep.list=[{seed: 1}]", "sweep.grid={seed: [2]}",
           "privacy.epsilon=1,2");
}

/* --- Choosing --- */

static void set(DpcxrSweep *sweep, const double *valid)
{
    for (guint i = 0; i < sweep->points->len; i++) {
        DpcxrSweepPoint *point = sweep->points->pdata[i];
        for (guint r = 0; r < point->runs->len; r++) {
            DpcxrOutcome *outcome = &((DpcxrSweepRun *)point->runs->pdata[r])->outcome;
            outcome->status = DPCXR_RUN_DONE;
            outcome->valid = (DpcxrAuroc){*valid++, NAN, NAN};
            outcome->test = (DpcxrAuroc){1 - outcome->valid.value, NAN, NAN}; /* must not matter */
        }
    }
}

static void assert_chosen(DpcxrSweep *sweep, const char *wanted)
{
    g_autofree char *why = dpcxr_sweep_choose(sweep);
    g_assert_null(why);
    for (guint i = 0; i < sweep->points->len; i++)
        g_assert_cmpint(((DpcxrSweepPoint *)sweep->points->pdata[i])->chosen, ==, wanted[i] == '*');
}

static void test_choose(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "privacy.epsilon=1,8", "optimizer.lr=1e-3,1e-2");
    set(sweep, (const double[]){0.6, 0.7, 0.9, 0.8});
    assert_chosen(sweep, "--*-");
    set(sweep, (const double[]){0.6, 0.7, 0.7, 0.5});
    assert_chosen(sweep, "-*--");
    g_autoptr(DpcxrSweep) per =
        MAKE(f, "privacy.epsilon=1,8", "optimizer.lr=1e-3,1e-2", "sweep.per=[privacy.epsilon]");
    set(per, (const double[]){0.6, 0.7, 0.9, 0.8});
    assert_chosen(per, "-**-");
}

/* Means over seeds, and their deviation with n - 1: 0.1 sqrt(2) of 0.7 and 0.9. */
static void test_spread(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "privacy.epsilon=1,8", "sweep.repeat=2");
    set(sweep, (const double[]){0.7, 0.9, 0.99, 0.5});
    assert_chosen(sweep, "*-");
    const DpcxrSweepPoint *first = sweep->points->pdata[0];
    g_assert_cmpuint(first->valid.n, ==, 2);
    g_assert_cmpfloat_with_epsilon(first->valid.mean, 0.8, 1e-12);
    g_assert_cmpfloat_with_epsilon(first->valid.deviation, 0.1 * sqrt(2), 1e-12);
}

/* Nothing is chosen before everything is known. */
static void test_no_choice(Fixture *f, gconstpointer text)
{
    g_autoptr(DpcxrSweep) sweep = MAKE(f, "privacy.epsilon=1,8");
    set(sweep, (const double[]){0.7, NAN});
    g_autofree char *why = dpcxr_sweep_choose(sweep);
    g_assert_nonnull(strstr(why, "epsilon-8 has no AUROC"));
    set(sweep, (const double[]){0.7, 0.8});
    ((DpcxrSweepRun *)nth_run(sweep, 0))->outcome.status = DPCXR_RUN_FAILED;
    g_autofree char *failed = dpcxr_sweep_choose(sweep);
    g_assert_nonnull(strstr(failed, "epsilon-1 is not done (failed)"));
    for (guint i = 0; i < 2; i++)
        g_assert_false(((DpcxrSweepPoint *)sweep->points->pdata[i])->chosen);
}

#define ADD(path, text, function) g_test_add("/sweep/" path, Fixture, text, set_up, function, tear_down)

int main(int argc, char **argv)
{
    static const char both[] = "{list: [{privacy.epsilon: 1}, {privacy.enabled: false}]}";
    static const char accountants[] = "{list: [{privacy.epsilon: 1}, {privacy.enabled: false}], "
                                      "accountants: [pld, {type: rdp, conversion: classic}]}";
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sweep/split", test_split);
    g_test_add_func("/sweep/names", test_names);
    g_test_add_func("/sweep/long-names", test_long_names);
    ADD("grid", "{grid: {privacy.epsilon: [1, 8]}}", test_grid);
    ADD("command-line", "{grid: {privacy.epsilon: [1, 8]}}", test_command_line);
    ADD("list", both, test_list);
    ADD("accountants", accountants, test_accountants);
    ADD("environment", "{grid: {data.labels: [[\"${env:DPCXR_TEST_LABEL}\"]]}}", test_environment);
    ADD("refusals", NULL, test_refusals);
    ADD("choose", NULL, test_choose);
    ADD("spread", NULL, test_spread);
    ADD("no-choice", NULL, test_no_choice);
    return g_test_run();
}
