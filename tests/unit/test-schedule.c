/* SPDX-License-Identifier: MIT
 * Schedules against PyTorch 1.13's LinearLR and CosineAnnealingLR (tests/golden/optimizers/make.py), and at
 * their ends. */
#include "config/options.h"
#include "optim/schedule.h"
#include "tensor/safetensors.h"
#include <dpcxr/error.h>
#include <string.h>

static DpcxrSchedule make(const char *type, const char *yaml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(dpcxr_schedule_options(type), yaml, &error);
    DpcxrSchedule schedule;

    g_assert_no_error(error);
    dpcxr_schedule_init(&schedule, type, options);
    return schedule;
}

static void test_pytorch(void)
{
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "optimizers",
                                             "schedules.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrSafetensors) golden = dpcxr_safetensors_open(path, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_safetensors_count(golden), ==, 4);
    for (gsize i = 0; i < dpcxr_safetensors_count(golden); i++) {
        const DpcxrNamedTensor *tensor = dpcxr_safetensors_get(golden, i);
        g_auto(GStrv) words = g_strsplit(tensor->name, " ", 2);
        DpcxrSchedule schedule = make(words[0], words[1]);
        for (guint64 step = 0; step < (guint64)tensor->dims[0]; step++) {
            double expected;
            memcpy(&expected, (const char *)tensor->data + step * sizeof expected, sizeof expected);
            g_assert_cmpfloat_with_epsilon(dpcxr_schedule_factor(&schedule, step, (guint64)tensor->dims[0]),
                                           expected, 1e-12);
        }
    }
}

static void test_ends(void)
{
    DpcxrSchedule constant = make("constant", "{}"), cosine = make("cosine", "{}"),
                  long_warmup = make("cosine", "{warmup_steps: 100}");

    g_assert_cmpfloat(dpcxr_schedule_factor(&constant, 0, 1), ==, 1);
    g_assert_cmpfloat(dpcxr_schedule_factor(&constant, 99, 100), ==, 1);
    g_assert_cmpfloat(dpcxr_schedule_factor(&cosine, 0, 1), ==, 1);
    g_assert_cmpfloat(dpcxr_schedule_factor(&cosine, 0, 2), ==, 1);
    g_assert_cmpfloat_with_epsilon(dpcxr_schedule_factor(&cosine, 1, 2), 0.01, 1e-15);
    g_assert_cmpfloat_with_epsilon(dpcxr_schedule_factor(&cosine, 500, 2), 0.01, 1e-15);
    g_assert_cmpfloat_with_epsilon(dpcxr_schedule_factor(&long_warmup, 9, 10), 10 / 101.0, 1e-15);
    g_assert_cmpfloat(dpcxr_schedule_factor(&long_warmup, 100, 101), ==, 1);
    g_assert_null(dpcxr_schedule_options("step"));
    for (const char *const *type = dpcxr_schedule_types(); *type; type++)
        g_assert_nonnull(dpcxr_schedule_options(*type));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/pytorch", test_pytorch);
    g_test_add_func("/schedule/ends", test_ends);
    return g_test_run();
}
