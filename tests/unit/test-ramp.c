/* SPDX-License-Identifier: MIT
 * Ramps against values of 30 digits (tests/golden/optimizers/ramps.py), and what calibration relies on: exact ends, no more
 * levels than asked for, stairs that cover every step once. */
#include "config/options.h"
#include "optim/ramp.h"
#include <dpcxr/error.h>
#include <math.h>
#include <string.h>

static DpcxrRampType type_of(const char *name)
{
    for (int i = 0; dpcxr_ramp_types()[i]; i++)
        if (g_str_equal(dpcxr_ramp_types()[i], name))
            return (DpcxrRampType)i;
    g_error("no ramp %s", name);
}

static void test_golden(void)
{
    enum { TYPE, INITIAL, FINAL, AT, STEPS, LEVELS, STEP, FACTOR, STAIR, END, COLUMNS };
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "optimizers", "ramps.csv", NULL), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 500);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) cells = g_strsplit(*line, ",", -1);
        double values[COLUMNS] = {0};
        g_assert_cmpuint(g_strv_length(cells), ==, COLUMNS);
        for (int i = 1; i < COLUMNS; i++)
            values[i] = g_ascii_strtod(cells[i], NULL);
        DpcxrRamp ramp = {type_of(cells[TYPE]), values[INITIAL], values[FINAL], values[AT]};
        guint64 step = (guint64)values[STEP], steps = (guint64)values[STEPS];
        DpcxrStair stair = dpcxr_ramp_stair(&ramp, step, steps, (guint64)values[LEVELS]);
        g_assert_cmpfloat_with_epsilon(dpcxr_ramp_factor(&ramp, step, steps), values[FACTOR], 1e-14 * values[INITIAL]);
        g_assert_cmpfloat_with_epsilon(stair.factor, values[STAIR], 1e-14 * values[INITIAL]);
        g_assert_cmpuint(stair.end, ==, (guint64)values[END]);
    }
}

/* Walks the stairs of a training; returns how many there are. */
static guint walk(const DpcxrRamp *ramp, guint64 steps, guint64 levels)
{
    guint stairs = 0;
    double last = 0;
    for (guint64 step = 0; step < steps; stairs++) {
        DpcxrStair stair = dpcxr_ramp_stair(ramp, step, steps, levels);
        g_assert_cmpuint(stair.end, >, step);
        g_assert_cmpuint(stair.end, <=, steps);
        g_assert_cmpfloat(dpcxr_ramp_stair(ramp, stair.end - 1, steps, levels).factor, ==, stair.factor);
        step = stair.end;
        last = stair.factor;
    }
    if (ramp->type != DPCXR_RAMP_CONSTANT && ramp->type != DPCXR_RAMP_STEP && steps > 1)
        g_assert_cmpfloat(last, ==, ramp->final);
    return stairs;
}

static void test_stairs(void)
{
    static const guint64 sizes[] = {1, 2, 3, 15, 16, 17, 1000, 1000003, G_GUINT64_CONSTANT(1) << 57};
    for (int type = DPCXR_RAMP_CONSTANT; type <= DPCXR_RAMP_STEP; type++)
        for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
            DpcxrRamp ramp = {(DpcxrRampType)type, 1.5, 0.7, 0.5};
            guint64 most = type == DPCXR_RAMP_CONSTANT ? 1 : type == DPCXR_RAMP_STEP ? 2 : 16;
            g_assert_cmpuint(walk(&ramp, sizes[i], 16), <=, most);
            g_assert_cmpuint(walk(&ramp, sizes[i], 16), >=, MIN(most, sizes[i] - sizes[i] / 2));
        }
}

static void test_options(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrOptions) none = dpcxr_options_parse(dpcxr_ramp_options("constant"), "{}", &error);
    g_autoptr(DpcxrOptions) jump = dpcxr_options_parse(dpcxr_ramp_options("step"), "{final_factor: 0.25}", &error);
    g_assert_no_error(error);
    DpcxrRamp ramp;
    dpcxr_ramp_init(&ramp, "constant", none);
    g_assert_cmpfloat(dpcxr_ramp_factor(&ramp, 3, 9), ==, 1);
    g_assert_cmpfloat(dpcxr_ramp_factor(&(DpcxrRamp){0}, 3, 9), ==, 1);
    dpcxr_ramp_init(&ramp, "step", jump);
    g_assert_cmpfloat(dpcxr_ramp_factor(&ramp, 4, 10), ==, 1);
    g_assert_cmpfloat(dpcxr_ramp_factor(&ramp, 5, 10), ==, 0.25);
    g_assert_null(dpcxr_ramp_options("stairs"));
    g_autoptr(DpcxrOptions) ends = dpcxr_options_parse(dpcxr_ramp_options("linear"), "{}", NULL);
    g_assert_null(ends); /* where it ends has no default */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ramp/golden", test_golden);
    g_test_add_func("/ramp/stairs", test_stairs);
    g_test_add_func("/ramp/options", test_options);
    return g_test_run();
}
